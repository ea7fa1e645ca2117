//! What the tests of the store share, and the rules that several of its files keep together.

mod conservation;
mod disk_full;
mod query_plans;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::own_paths::OwnPaths;
use super::queue::{AcceptedEvent, ClaimedJob, accept, claim_due};
use super::settle::{RunReport, Settled, settle};
use super::{Reader, Writer, open};
use crate::domain::event::StashEvent;
use crate::domain::failure::Failure;
use crate::domain::ids::{CorrelationId, SceneId};
use crate::domain::item::Library;
use crate::domain::job::{Debounce, Job};
use crate::domain::retry::{FailureRates, RetryPolicy};

pub(super) const DEBOUNCE: Debounce =
    Debounce { quiet: Duration::from_secs(2), created: Duration::from_secs(20) };

pub(super) const POLICY: RetryPolicy = RetryPolicy::USUAL;

pub(super) fn library(key: &str) -> Library {
    Library {
        key: key.parse().unwrap(),
        title: "Films".to_owned(),
        locations: Vec::new(),
        content_changed_at: None,
    }
}

/// A database in a directory of its own, with a clock that only tests move.
pub(super) struct Database {
    _dir: tempfile::TempDir,
    pub(super) path: PathBuf,
    pub(super) writer: Writer,
    pub(super) rng: SmallRng,
    pub(super) now: Timestamp,
}

impl Database {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plexsync.db");
        let writer = open(&path).unwrap();
        let rng = SmallRng::seed_from_u64(7);
        Self { _dir: dir, path, writer, rng, now: Timestamp::from_second(1_800_000_000).unwrap() }
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.path).unwrap()
    }

    pub(super) fn pass(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
    }

    pub(super) fn accept(&mut self, events: &[StashEvent]) -> Vec<AcceptedEvent> {
        self.writer.write(|tx| accept(tx, events, &DEBOUNCE, self.now)).unwrap()
    }

    /// Makes a job for the scene and takes it into hand once it is due.
    pub(super) fn in_hand(&mut self, id: i64) -> ClaimedJob {
        self.accept(&[updated(id)]);
        self.pass(60);
        self.claim(1, 0).pop().unwrap()
    }

    pub(super) fn claim(&mut self, most: usize, in_hand: usize) -> Vec<ClaimedJob> {
        self.writer.write(|tx| claim_due(tx, most, in_hand, self.now, &mut self.rng)).unwrap().jobs
    }

    pub(super) fn settle(&mut self, report: &RunReport) -> Settled {
        self.writer
            .write(|tx| settle(tx, report, &POLICY, &FailureRates::default(), self.now, &mut self.rng))
            .unwrap()
    }

    pub(super) fn job(&self, id: i64) -> Job {
        super::jobs::job(&mut self.reader(), scene(id)).unwrap().unwrap()
    }
}

pub(super) fn scene(id: i64) -> SceneId {
    SceneId::try_from(id).unwrap()
}

pub(super) fn updated(id: i64) -> StashEvent {
    event("Scene.Update.Post", id)
}

pub(super) fn event(kind: &str, id: i64) -> StashEvent {
    StashEvent { kind: kind.parse().unwrap(), id: scene(id), correlation_id: correlation() }
}

pub(super) fn correlation() -> CorrelationId {
    CorrelationId::try_from("c-1".to_owned()).unwrap()
}

pub(super) fn report(claimed: &ClaimedJob, outcome: Result<(), Failure>) -> RunReport {
    RunReport {
        token: claimed.token(),
        scene: claimed.scene(),
        started_at: claimed.job().updated_at,
        correlation_id: correlation(),
        outcome,
        remark: None,
        intents: Vec::new(),
        links: Vec::new(),
        passed_on: std::collections::BTreeMap::new(),
        covers: Vec::new(),
        unlinked: Vec::new(),
        awaits: std::collections::BTreeSet::new(),
        own_paths: OwnPaths::default(),
        review: None,
    }
}
