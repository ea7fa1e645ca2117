//! How does a job reach the actors? The stations of the pipeline, behind their links.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::circuits::Circuits;
use super::dead_letter::DeadLetter;
use super::matching::Matching;
use super::messages::{
    Applied, ApplyEdits, Buried, FindMatch, Found, NotDone, RefuseUndo, Settle, Target, Unmatched, WatchFor,
    Wish,
};
use super::persistence::Persistence;
use super::pipeline::{RunPolicy, Stages};
use super::plex_sync::PlexSync;
use super::stage::{restarted, storage, stored};
use super::turns::Turns;
use crate::clock::Clock;
use crate::domain::circuit::Circuit;
use crate::domain::failure::Failure;
use crate::domain::ids::{MachineId, RatingKey, SceneId};
use crate::domain::matching::{PathMap, awaited_heralds};
use crate::domain::scene::Scene;
use crate::stash::StashClient;
use crate::store::queue::ClaimedJob;
use crate::store::settle::{RunReport, Settled};
use crate::store::writes::RecordedWrite;
use crate::store::{Readers, ledger, settings, undos};
use crate::supervision::Link;

/// A match may have to wait for the first walk of a large library.
const MATCH_LIMIT: Duration = Duration::from_mins(15);
/// An edit is a read, a wait for the one writer, a write and a read, each with a limit of its own.
const APPLY_LIMIT: Duration = Duration::from_mins(15);
const SETTLE_LIMIT: Duration = Duration::from_secs(30);
const NOTICE_LIMIT: Duration = Duration::from_secs(5);
/// A verdict that cannot be stored is kept and tried again.
const SETTLE_AGAIN: Duration = Duration::from_secs(1);

/// The stations as they are in the service.
#[derive(Clone)]
pub struct ActorStages {
    pub stash: StashClient,
    pub matching: Link<Matching>,
    pub plex_sync: Link<PlexSync>,
    pub persistence: Link<Persistence>,
    pub dead_letter: Link<DeadLetter>,
    pub circuits: Circuits,
    /// The turns of questions to Stash.
    pub questions: Arc<Turns>,
    pub policy: RunPolicy,
    pub map: Arc<PathMap>,
    pub readers: Readers,
    pub clock: Arc<dyn Clock>,
}

impl ActorStages {
    /// What an answer about a scene says about the ways it took.
    fn hear_applied(&self, answer: Result<Applied, NotDone>, scene: SceneId) -> Result<Applied, NotDone> {
        match answer {
            Ok(applied) => {
                self.circuits.succeeded(Circuit::PlexRead);
                if applied.intent.is_some() {
                    self.circuits.succeeded(Circuit::PlexWrite);
                }
                Ok(applied)
            }
            Err(NotDone { failure, intent }) => {
                // An item is read before it is written.
                if failure.circuit == Some(Circuit::PlexWrite) {
                    self.circuits.succeeded(Circuit::PlexRead);
                }
                Err(NotDone { failure: self.circuits.failed(failure, Some(scene)), intent })
            }
        }
    }
}

impl Stages for ActorStages {
    fn policy(&self) -> RunPolicy {
        self.policy
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn read_scene(&self, scene: SceneId) -> Result<Scene, Failure> {
        self.circuits.let_pass(Circuit::Stash)?;
        self.questions.turn().await;
        let answer = self.stash.find_scene(scene).await;
        answer
            .inspect(|_| self.circuits.succeeded(Circuit::Stash))
            .map_err(|failure| self.circuits.failed(failure, Some(scene)))
    }

    async fn find_match(&self, scene: &Arc<Scene>, distrust: &[RatingKey]) -> Result<Found, Unmatched> {
        self.circuits.let_pass(Circuit::PlexRead)?;
        let ask = FindMatch { scene: Arc::clone(scene), distrust: distrust.to_vec() };
        let found =
            self.matching.ask(ask, MATCH_LIMIT).await.unwrap_or_else(|error| Err(restarted(error).into()));
        found.map_err(|Unmatched { failure, review }| {
            let failure = self.circuits.failed(failure, Some(scene.id));
            Unmatched { failure, review }
        })
    }

    fn awaited(&self, scene: &Scene) -> BTreeSet<i64> {
        awaited_heralds(scene, &self.map)
    }

    async fn watch_for(&self, scene: SceneId, keys: BTreeSet<i64>) -> Result<(), Failure> {
        stored(self.persistence.ask(WatchFor { scene, keys }, SETTLE_LIMIT).await)
    }

    async fn held(&self, scene: SceneId) -> Result<Vec<ledger::Link>, Failure> {
        let machine =
            self.readers.with(|reader| settings::get(reader, settings::MACHINE)).map_err(storage)?;
        let links = self.readers.with(|reader| ledger::links_of(reader, scene)).map_err(storage)?;
        let is_here = |link: &ledger::Link| machine.as_ref() == Some(&link.item.machine.0);
        Ok(links.into_iter().filter(is_here).collect())
    }

    async fn apply(
        &self,
        wish: Wish,
        scene: &Arc<Scene>,
        machine: &MachineId,
        target: &Target,
        job: &ClaimedJob,
    ) -> Result<Applied, NotDone> {
        self.circuits.let_pass(Circuit::PlexRead)?;
        self.circuits.let_pass(Circuit::PlexWrite)?;
        let ask = ApplyEdits {
            wish,
            scene: Arc::clone(scene),
            machine: machine.clone(),
            target: target.clone(),
            token: job.token(),
            correlation_id: job.job().correlation_id.clone(),
        };
        let answer = self.plex_sync.ask(ask, APPLY_LIMIT).await;
        self.hear_applied(answer.unwrap_or_else(|error| Err(restarted(error).into())), scene.id)
    }

    async fn undos(&self, scene: SceneId) -> Result<Vec<RecordedWrite>, Failure> {
        self.readers.with(|reader| undos::open_of(reader, scene)).map_err(storage)
    }

    async fn refuse_undo(&self, write: i64, why: String) -> Result<(), Failure> {
        tracing::info!("write {write} cannot be taken back: {why}");
        stored(self.persistence.ask(RefuseUndo { write, why }, SETTLE_LIMIT).await)
    }

    async fn settle(&self, report: RunReport) -> Settled {
        let report = Arc::new(report);
        loop {
            let problem = match self.persistence.ask(Settle(Arc::clone(&report)), SETTLE_LIMIT).await {
                Ok(Ok(settled)) => return settled,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::warn!("scene {}: cannot store what came of it: {problem}", report.scene);
            tokio::time::sleep(SETTLE_AGAIN).await;
        }
    }

    async fn buried(&self, buried: Buried) {
        if let Err(error) = self.dead_letter.ask(buried, NOTICE_LIMIT).await {
            tracing::warn!("nobody could be told of a dead letter: {error}");
        }
    }
}
