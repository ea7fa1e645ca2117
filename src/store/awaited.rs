//! Which scenes does a new or changed file in Plex concern? Those that wait for one with the same path, folder, name or
//! size, and those that have an item when another one comes to the path of a file of theirs; found by key, never by
//! looking through the queue.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::jobs::{job, save};
use super::rows::{Table, limit};
use super::schema::awaited;
use super::{ledger, steer};

use crate::domain::event::Trigger;
use crate::domain::ids::{RatingKey, SceneId};
use crate::domain::job::JobState;

/// What more scenes wait for tells little about any of them, such as a folder that holds half of the library.
const MOST_FOR_A_KEY: usize = 64;
/// For more keys than this it is worth asking first whether anybody waits at all, as most of the time nobody does.
const A_FEW: usize = 8;
/// Woken scenes are due one after the other, so that the changes that people make meanwhile have their turn.
const APART: Duration = Duration::from_millis(100);

/// Remembers what the scene waits for, in place of what it waited for before.
pub(super) fn replace(tx: &mut WriteTx<'_>, scene: SceneId, keys: &BTreeSet<i64>) -> Result<(), StoreError> {
    diesel::delete(awaited::table.filter(awaited::scene_id.eq(scene.get()))).execute(tx.connection())?;
    for key in keys {
        let row = (awaited::key.eq(key), awaited::scene_id.eq(scene.get()));
        diesel::insert_into(awaited::table).values(row).execute(tx.connection())?;
    }
    Ok(())
}

/// Whether any scene waits for a file.
pub fn any(conn: &mut impl ReadConn) -> Result<bool, StoreError> {
    Ok(diesel::select(exists(awaited::table.select(awaited::key))).get_result(conn.connection())?)
}

/// Makes the scenes due that wait for one of these, soon but not all at once. Returns how many there were.
pub fn wake(tx: &mut WriteTx<'_>, keys: &BTreeSet<i64>, now: Timestamp) -> Result<u32, StoreError> {
    if keys.is_empty() || (keys.len() > A_FEW && !any(tx)?) {
        return Ok(0);
    }
    let mut concerned = BTreeSet::new();
    for key in keys {
        concerned.extend(waiting_for(tx, *key)?);
    }
    let mut woken = 0;
    for scene in concerned {
        let Some(mut job) = job(tx, scene)? else { continue };
        if job.wake(APART * woken, now) {
            save(tx, &job)?;
            woken += 1;
        }
    }
    Ok(woken)
}

/// The same for the scenes that are done, and do not hold the item that has come to the path of a file of theirs.
pub fn wake_done(
    tx: &mut WriteTx<'_>,
    arrived: &BTreeSet<(i64, RatingKey)>,
    now: Timestamp,
) -> Result<u32, StoreError> {
    if arrived.is_empty() || !any(tx)? {
        return Ok(0);
    }
    let mut woken = 0;
    for (path, item) in arrived {
        for scene in waiting_for(tx, *path)? {
            let Some(job) = job(tx, scene)?.filter(|job| job.state == JobState::Done) else { continue };
            if !ledger::holds_here(tx, scene, item)? {
                steer::send(tx, scene, Trigger::Updated, APART * woken, &job.correlation_id, now)?;
                woken += 1;
            }
        }
    }
    Ok(woken)
}

/// The scenes that wait for the key, unless they are so many that it tells nothing about any of them.
fn waiting_for(tx: &mut WriteTx<'_>, key: i64) -> Result<Vec<SceneId>, StoreError> {
    let waiting = awaited::table.filter(awaited::key.eq(key)).limit(limit(MOST_FOR_A_KEY + 1));
    let waiting: Vec<i64> = waiting.select(awaited::scene_id).load(tx.connection())?;
    if waiting.len() > MOST_FOR_A_KEY {
        return Ok(Vec::new());
    }
    waiting.into_iter().map(|scene| Table("awaited").scene(scene)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::candidates::tests::{part, walked};
    use super::super::settle::tests::{link, stash_scene};
    use super::super::settle::{OwnPaths, RunReport};
    use super::super::tests::{Database, report, scene, updated};
    use super::*;
    use crate::domain::failure::{Failure, FailureClass, Peer};
    use crate::domain::matching::FileKeys;
    use crate::store::settings;

    /// Lets a run of each scene find nothing, and wait for its keys.
    fn in_vain(db: &mut Database, scenes: &[(i64, FailureClass, Vec<i64>)]) {
        db.accept(&scenes.iter().map(|(id, ..)| updated(*id)).collect::<Vec<_>>());
        db.pass(60);
        for claimed in db.claim(scenes.len(), 0) {
            let (_, class, awaits) = scenes.iter().find(|(id, ..)| scene(*id) == claimed.scene()).unwrap();
            let failure = Failure::new(*class, Peer::Plex, "ambiguous", "detail");
            let awaits = awaits.iter().copied().collect();
            db.settle(&RunReport { awaits, ..report(&claimed, Err(failure)) });
        }
    }

    fn wake_for(db: &mut Database, keys: &[i64]) -> u32 {
        let (keys, now) = (keys.iter().copied().collect(), db.now);
        db.writer.write(|tx| wake(tx, &keys, now)).unwrap()
    }

    #[test]
    fn those_that_wait_for_one_of_the_keys_become_due_one_after_the_other() {
        let mut db = Database::new();
        assert!(!any(&mut db.reader()).unwrap());
        let scenes = [
            (1, FailureClass::NotInPlex, vec![10, 11]),
            (2, FailureClass::Ambiguous, vec![11]),
            (3, FailureClass::NotInPlex, vec![12]),
        ];
        in_vain(&mut db, &scenes);
        assert!(any(&mut db.reader()).unwrap());
        assert_eq!(wake_for(&mut db, &[9]), 0);
        assert_eq!(wake_for(&mut db, &[10, 11]), 2);
        let (first, second, third) = (db.job(1), db.job(2), db.job(3));
        assert_eq!((first.state, first.due_at), (JobState::Ready, Some(db.now)));
        assert_eq!((second.state, second.due_at), (JobState::Ready, Some(db.now + APART)));
        assert_eq!(third.state, JobState::Waiting);
        assert_eq!(wake_for(&mut db, &[10, 11]), 0, "they are due already");
    }

    #[test]
    fn a_scene_that_waits_no_more_is_forgotten() {
        let mut db = Database::new();
        in_vain(&mut db, &[1, 2].map(|id| (id, FailureClass::NotInPlex, vec![10 + id])));
        let claimed = db.in_hand(1);
        db.settle(&RunReport { awaits: BTreeSet::from([11]), ..report(&claimed, Ok(())) });
        let now = db.now;
        db.writer.write(|tx| super::super::steer::drop_job(tx, scene(2), now)).unwrap();
        assert!(!any(&mut db.reader()).unwrap());
    }

    #[test]
    fn what_a_crowd_waits_for_wakes_nobody() {
        let mut db = Database::new();
        let crowd = i64::try_from(MOST_FOR_A_KEY).unwrap() + 1;
        let scenes: Vec<_> =
            (1..=crowd).map(|id| (id, FailureClass::NotInPlex, vec![10, 1000 + id])).collect();
        in_vain(&mut db, &scenes);
        assert_eq!(wake_for(&mut db, &[10]), 0);
        assert_eq!(wake_for(&mut db, &[10, 1001, 1007]), 2);
    }

    const PATH: &str = "/v/a.mp4";

    /// Lets a run of scene 7 end well, which holds item 5 and has seen these at its path.
    fn well(db: &mut Database, seen: &[&str]) -> JobState {
        let claimed = db.in_hand(7);
        let keys = BTreeSet::from([FileKeys::of(PATH).path]);
        let items = seen.iter().map(|key| key.parse().unwrap()).collect();
        let links = vec![link("5", &stash_scene(7, "t"), db.now)];
        let own_paths = OwnPaths { keys, items };
        db.settle(&RunReport { links, own_paths, ..report(&claimed, Ok(())) });
        db.job(7).state
    }

    #[test]
    fn a_scene_that_is_done_hears_once_of_another_item_at_its_path() {
        let mut db = Database::new();
        db.writer.write(|tx| settings::put(tx, settings::MACHINE, "m")).unwrap();
        let arrive = |db: &mut Database, item: &str, path: &str| {
            let arrived = BTreeSet::from([(FileKeys::of(path).path, item.parse().unwrap())]);
            let now = db.now;
            db.writer.write(|tx| wake_done(tx, &arrived, now)).unwrap()
        };
        assert_eq!(arrive(&mut db, "6", PATH), 0);
        assert_eq!(well(&mut db, &["5"]), JobState::Done);
        assert_eq!(arrive(&mut db, "5", PATH), 0, "it holds that one");
        assert_eq!(arrive(&mut db, "6", "/v/b.mp4"), 0);
        assert_eq!(arrive(&mut db, "6", PATH), 1);
        assert_eq!((db.job(7).state, db.job(7).due_at), (JobState::Ready, Some(db.now)));
        assert_eq!(arrive(&mut db, "6", PATH), 0, "it is due already");
    }

    #[test]
    fn what_came_to_its_path_during_a_run_is_looked_for_by_another_one_and_no_more() {
        let mut db = Database::new();
        db.writer.write(|tx| settings::put(tx, settings::MACHINE, "m")).unwrap();
        walked(&mut db, &[part(5, PATH), part(6, PATH)]);
        assert_eq!(well(&mut db, &["5"]), JobState::Ready);
        assert_eq!(well(&mut db, &["5", "6"]), JobState::Done, "seen, and not taken");
    }
}
