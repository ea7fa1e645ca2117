//! Which scenes does a new or changed file in Plex concern? Those that wait for one with the same path, folder, name or
//! size; found by key, never by looking through the queue.

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

use crate::domain::ids::SceneId;
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

/// Has the scene hear of these while its run is in hand: what comes between its look and its end makes it run again. The
/// end of the run puts others in their place.
pub fn watch(tx: &mut WriteTx<'_>, scene: SceneId, keys: &BTreeSet<i64>) -> Result<(), StoreError> {
    if job(tx, scene)?.is_none_or(|job| job.state != JobState::Running) {
        return Ok(());
    }
    for key in keys {
        let row = (awaited::key.eq(key), awaited::scene_id.eq(scene.get()));
        diesel::insert_or_ignore_into(awaited::table).values(row).execute(tx.connection())?;
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
        let waiting = awaited::table.filter(awaited::key.eq(key)).limit(limit(MOST_FOR_A_KEY + 1));
        let waiting: Vec<i64> = waiting.select(awaited::scene_id).load(tx.connection())?;
        if waiting.len() <= MOST_FOR_A_KEY {
            concerned.extend(waiting);
        }
    }
    let mut woken = 0;
    for scene in concerned {
        let Some(mut job) = job(tx, Table("awaited").scene(scene)?)? else { continue };
        if job.wake(APART * woken, now) {
            save(tx, &job)?;
            woken += 1;
        }
    }
    Ok(woken)
}

#[cfg(test)]
mod tests {
    use super::super::settle::RunReport;
    use super::super::tests::{Database, report, scene, updated};
    use super::*;
    use crate::domain::failure::{Failure, FailureClass, Peer};

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
    fn what_comes_while_a_run_looks_makes_it_run_again_once() {
        let mut db = Database::new();
        let watch = |db: &mut Database| db.writer.write(|tx| watch(tx, scene(1), &[10].into())).unwrap();
        watch(&mut db);
        assert_eq!(wake_for(&mut db, &[10]), 0, "there is no such job");
        let mut end = |news: bool| {
            let claimed = db.in_hand(1);
            watch(&mut db);
            assert_eq!(wake_for(&mut db, &[11]), 0);
            assert_eq!(wake_for(&mut db, if news { &[10] } else { &[] }), u32::from(news));
            let failure = Failure::new(FailureClass::Ambiguous, Peer::Plex, "ambiguous", "detail");
            db.settle(&RunReport { awaits: BTreeSet::from([10]), ..report(&claimed, Err(failure)) });
            db.job(1).state
        };
        assert_eq!(end(true), JobState::Ready);
        assert_eq!(end(false), JobState::Parked);
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
}
