//! How does a job reach the actors? The stations of the pipeline, behind their links.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::dead_letter::DeadLetter;
use super::matching::Matching;
use super::messages::{Applied, ApplyEdits, Buried, FindMatch, Found, NotDone, Settle, Target};
use super::peers::Peers;
use super::persistence::Persistence;
use super::pipeline::Stages;
use super::plex_sync::PlexSync;
use super::stage::restarted;
use crate::clock::Clock;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::{MachineId, RatingKey, SceneId};
use crate::domain::scene::Scene;
use crate::stash::StashClient;
use crate::store::queue::ClaimedJob;
use crate::store::settle::{RunReport, Settled};
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
    pub peers: Peers,
    pub clock: Arc<dyn Clock>,
}

impl ActorStages {
    fn hear<T>(&self, answer: Result<T, Failure>, peer: Peer) -> Result<T, Failure> {
        match &answer {
            Ok(_) => self.peers.heard(peer, self.clock.now()),
            // That a scene is gone, or not in Plex, is a good answer.
            Err(failure) => match failure.class {
                FailureClass::Gone
                | FailureClass::NotInPlex
                | FailureClass::Ambiguous
                | FailureClass::StaleMatch => {
                    self.peers.heard(peer, self.clock.now());
                }
                FailureClass::Unavailable
                | FailureClass::Throttled
                | FailureClass::Unauthorized
                | FailureClass::Forbidden
                | FailureClass::NotApplied
                | FailureClass::Rejected
                | FailureClass::Interrupted
                | FailureClass::Incompatible
                | FailureClass::Bug => self.peers.failed(failure, self.clock.now()),
            },
        }
        answer
    }
}

impl Stages for ActorStages {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn read_scene(&self, scene: SceneId) -> Result<Scene, Failure> {
        self.hear(self.stash.find_scene(scene).await, Peer::Stash)
    }

    async fn find_match(&self, scene: &Arc<Scene>, distrust: &[RatingKey]) -> Result<Found, Failure> {
        let ask = FindMatch { scene: Arc::clone(scene), distrust: distrust.to_vec() };
        self.matching.ask(ask, MATCH_LIMIT).await.unwrap_or_else(|error| Err(restarted(error)))
    }

    async fn apply(
        &self,
        scene: &Arc<Scene>,
        machine: &MachineId,
        target: &Target,
        job: &ClaimedJob,
    ) -> Result<Applied, NotDone> {
        let ask = ApplyEdits {
            scene: Arc::clone(scene),
            machine: machine.clone(),
            target: target.clone(),
            token: job.token(),
            correlation_id: job.job().correlation_id.clone(),
        };
        match self.plex_sync.ask(ask, APPLY_LIMIT).await {
            Err(error) => Err(restarted(error).into()),
            Ok(Ok(applied)) => self.hear(Ok(applied), Peer::Plex).map_err(NotDone::from),
            Ok(Err(not_done)) => {
                drop(self.hear(Err::<(), _>(not_done.failure.clone()), Peer::Plex));
                Err(not_done)
            }
        }
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
