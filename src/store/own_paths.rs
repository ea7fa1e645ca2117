//! Where could another item of a scene come that is done? To the paths of its files, in another library or in place of the
//! first.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::candidates::items_at;
use super::connection::{Connected, WriteTx};
use super::jobs::job;
use super::rows::Table;
use super::schema::own_paths;
use super::{ledger, steer};

use crate::domain::event::Trigger;
use crate::domain::ids::{RatingKey, SceneId};
use crate::domain::job::{Job, JobState};

/// On another server everything comes at once. At the usual five writes a second these leave room for the changes that
/// people make meanwhile.
pub const APART: Duration = Duration::from_millis(250);

/// The paths of a scene's files in Plex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnPaths {
    pub keys: BTreeSet<i64>,
    /// The items that were seen there when a run looked for its own.
    pub items: BTreeSet<RatingKey>,
}

/// Remembers where the items of a scene are that is done, and forgets it of any other. What came there since the run
/// looked has found nobody waiting, and makes it run again.
pub(super) fn settle(
    tx: &mut WriteTx<'_>,
    job: &Job,
    paths: &OwnPaths,
    now: Timestamp,
) -> Result<(), StoreError> {
    if job.state != JobState::Done {
        return forget(tx, job.scene);
    }
    replace(tx, job.scene, &paths.keys)?;
    for item in items_at(tx, &paths.keys)?.difference(&paths.items) {
        if !ledger::holds_here(tx, job.scene, item)? {
            send(tx, job, Duration::ZERO, now)?;
            break;
        }
    }
    Ok(())
}

pub(super) fn forget(tx: &mut WriteTx<'_>, scene: SceneId) -> Result<(), StoreError> {
    replace(tx, scene, &BTreeSet::new())
}

pub(super) fn replace(tx: &mut WriteTx<'_>, scene: SceneId, keys: &BTreeSet<i64>) -> Result<(), StoreError> {
    let of_scene = own_paths::table.filter(own_paths::scene_id.eq(scene.get()));
    let known: Vec<i64> = of_scene.select(own_paths::path_hash).load(tx.connection())?;
    // Mostly they are what they were.
    if known.iter().copied().collect::<BTreeSet<_>>() == *keys {
        return Ok(());
    }
    diesel::delete(of_scene).execute(tx.connection())?;
    for key in keys {
        let row = (own_paths::path_hash.eq(key), own_paths::scene_id.eq(scene.get()));
        diesel::insert_into(own_paths::table).values(row).execute(tx.connection())?;
    }
    Ok(())
}

/// Makes the scenes due that are done, and do not hold the item that has come to the path of a file of theirs: the first
/// after the wait, the others one after the other. Returns how many there were.
pub fn wake(
    tx: &mut WriteTx<'_>,
    arrived: &BTreeSet<(i64, RatingKey)>,
    wait: Duration,
    now: Timestamp,
) -> Result<u32, StoreError> {
    // As at the first walk.
    let any = diesel::select(exists(own_paths::table.select(own_paths::path_hash)));
    if arrived.is_empty() || !any.get_result::<bool>(tx.connection())? {
        return Ok(0);
    }
    let mut woken = 0;
    for (path, item) in arrived {
        let concerned = own_paths::table.filter(own_paths::path_hash.eq(path)).select(own_paths::scene_id);
        for scene in concerned.load::<i64>(tx.connection())? {
            let job = job(tx, Table("own_paths").scene(scene)?)?.filter(|job| job.state == JobState::Done);
            if let Some(job) = job
                && !ledger::holds_here(tx, job.scene, item)?
            {
                send(tx, &job, wait + APART * woken, now)?;
                woken += 1;
            }
        }
    }
    Ok(woken)
}

fn send(tx: &mut WriteTx<'_>, job: &Job, quiet: Duration, now: Timestamp) -> Result<(), StoreError> {
    steer::send(tx, job.scene, Trigger::Updated, quiet, &job.correlation_id, now).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::candidates::tests::{part, walked};
    use super::super::settle::RunReport;
    use super::super::settle::tests::{link, stash_scene};
    use super::super::tests::{Database, report};
    use super::*;
    use crate::domain::matching::FileKeys;
    use crate::store::settings;

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
        let wait = Duration::from_secs(8);
        let arrive = |db: &mut Database, item: &str, path: &str| {
            let arrived = BTreeSet::from([(FileKeys::of(path).path, item.parse().unwrap())]);
            let now = db.now;
            db.writer.write(|tx| wake(tx, &arrived, wait, now)).unwrap()
        };
        assert_eq!(arrive(&mut db, "6", PATH), 0);
        assert_eq!(well(&mut db, &["5"]), JobState::Done);
        assert_eq!(arrive(&mut db, "5", PATH), 0, "it holds that one");
        assert_eq!(arrive(&mut db, "6", "/v/b.mp4"), 0);
        assert_eq!(arrive(&mut db, "6", PATH), 1);
        assert_eq!((db.job(7).state, db.job(7).due_at), (JobState::Ready, Some(db.now + wait)));
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
