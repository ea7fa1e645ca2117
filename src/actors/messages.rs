//! Which messages are there, and what is the reply to each?

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::Message;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tokio::sync::OwnedSemaphorePermit;

use crate::domain::event::StashEvent;
use crate::domain::failure::Failure;
use crate::domain::ids::{CorrelationId, MachineId, RatingKey, RunToken, SceneId, SectionKey};
use crate::domain::item::{IndexedPart, Library};
use crate::domain::matching::Scored;
use crate::domain::scene::{Scene, SceneIdentity};
use crate::store::covers::SeenCovers;
use crate::store::intents::{NewIntent, Opening, SettledIntent};
use crate::store::ledger::Link;
use crate::store::outages::OutageNote;
use crate::store::own_paths::OwnPaths;
use crate::store::plex_index::Ground;
use crate::store::queue::{AcceptedEvent, Claims};
use crate::store::reviews::NewReview;
use crate::store::settle::{RunReport, Settled};
use crate::store::{StoreError, prune};

/// To Ingest, from the web: take these events, all or none. The reply comes after they are on stable storage.
#[derive(Message)]
#[rtype(result = "Result<Vec<AcceptedEvent>, NotStored>")]
pub struct IngestEvents {
    pub events: Vec<StashEvent>,
    pub admission: Admission,
}

/// Leave to wait for a commit. Actix mailboxes have no bound, so whoever sends has to hold a part of what there is to be
/// held, and gives it back by dropping it.
#[derive(Debug)]
pub struct Admission {
    /// One of a fixed number.
    pub request: OwnedSemaphorePermit,
    /// Bytes.
    pub room: OwnedSemaphorePermit,
}

/// The events are not stored, or it is not known whether they are; the sender should send them again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the events could not be stored: {0}")]
pub struct NotStored(pub String);

/// To Persistence: store these events in one commit.
#[derive(Message)]
#[rtype(result = "Result<Vec<AcceptedEvent>, StoreError>")]
pub struct Accept {
    pub events: Vec<StashEvent>,
}

/// To Persistence: put up to `limit` due jobs in hand.
#[derive(Message)]
#[rtype(result = "Result<Claims, StoreError>")]
pub struct ClaimDue {
    pub limit: usize,
    pub in_hand: usize,
    /// The job of this scene and no other.
    pub only: Option<SceneId>,
}

/// To Persistence: end a run with everything that belongs to it, in one transaction.
#[derive(Message)]
#[rtype(result = "Result<Settled, StoreError>")]
pub struct Settle(pub Arc<RunReport>);

/// To Persistence: take back what an earlier scheduler had in hand.
#[derive(Message)]
#[rtype(result = "Result<usize, StoreError>")]
pub struct TakeBack;

/// To Persistence: put back what is in hand at an orderly end.
#[derive(Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct Release(pub Vec<RunToken>);

/// To Persistence: the wall clock was set by so much; bring the times of all jobs in line.
#[derive(Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct Rebase(pub SignedDuration);

/// To Persistence: note what is about to be written.
#[derive(Message)]
#[rtype(result = "Result<Opening, StoreError>")]
pub struct OpenIntent {
    pub intent: NewIntent,
    pub token: RunToken,
}

/// To Persistence: the end of an intent is known before the run has ended, as of one that an earlier run left open. The
/// reply tells whether the run still has the job.
#[derive(Message)]
#[rtype(result = "Result<bool, StoreError>")]
pub struct SettleEarlier {
    pub token: RunToken,
    pub link: Link,
    /// Another scene that held the item and has been shown not to be it any more.
    pub passed_on_by: Option<SceneId>,
    pub intent: SettledIntent,
}

/// To Persistence: the run in hand of this scene looks for what comes with these keys, and has to be followed by another
/// one if any comes before its end.
#[derive(Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct WatchFor {
    pub scene: SceneId,
    pub keys: BTreeSet<i64>,
}

/// To Persistence: a write cannot be taken back, for this reason.
#[derive(Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct RefuseUndo {
    pub write: i64,
    pub why: String,
}

/// To Persistence: a library is about to be walked. The reply is the number of the walk.
#[derive(Message)]
#[rtype(result = "Result<i64, StoreError>")]
pub struct BeginWalk {
    pub machine: MachineId,
    pub library: Library,
}

/// To Persistence: change the path index.
#[derive(Message)]
#[rtype(result = "Result<(), StoreError>")]
pub enum ChangeIndex {
    /// It belongs to this server; what was known of another is dropped.
    Server(MachineId),
    /// Only these libraries are followed; what was known of others is dropped.
    Follow(Vec<SectionKey>),
    /// This item is not what it was; what was known of it is dropped.
    Forget(RatingKey),
    /// These items were read, and these parts are all that they have.
    Items { items: Vec<RatingKey>, parts: Vec<IndexedPart> },
    /// These parts were seen, in the walk with that number or after it.
    Parts { parts: Vec<IndexedPart>, walk: i64 },
    /// The server was asked for the content of these parts, and this is what it showed.
    Content(Vec<IndexedPart>),
    /// A walk saw the whole library; what it did not see is dropped.
    Walked { library: Library, walk: i64, ground: Ground },
    /// What was added and what has changed is known up to here.
    Known { library: Library, ground: Ground },
}

/// To Persistence: put these begins and ends of outages on record.
#[derive(Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct NoteOutages(pub Arc<[OutageNote]>);

/// To Persistence: show that a commit is possible.
#[derive(Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct ProveWritable;

/// To Persistence: since when is there this version of the plugin for Stash?
#[derive(Message)]
#[rtype(result = "Result<Timestamp, StoreError>")]
pub struct DatePlugin {
    pub variant: &'static str,
    pub version: String,
}

/// To Persistence: drop what is older than it is kept.
#[derive(Message)]
#[rtype(result = "Result<prune::Pruned, StoreError>")]
pub struct Prune;

/// To Scheduler: something may be due. A hint without data; it may be lost, doubled or late.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Wake;

/// To Scheduler: claim nothing more, and answer when nothing is in hand or the limit is over.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Drain {
    pub limit: Duration,
}

/// To Indexer: bring the path index up to date.
#[derive(Message)]
#[rtype(result = "Result<(), Failure>")]
pub enum Refresh {
    /// With a refresh that began no earlier than this (monotonic).
    Since(Duration),
    /// With one that begins after this message has come: what was dropped before it is to be seen again.
    Anew,
}

/// To Matching: which items is this scene?
#[derive(Message)]
#[rtype(result = "Result<Found, Unmatched>")]
pub struct FindMatch {
    pub scene: Arc<Scene>,
    /// Items that turned out to be stale in this very run and are not to be believed from the index as it stands.
    pub distrust: Vec<RatingKey>,
}

/// Why it is not known which items a scene is, and what a person could say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmatched {
    pub failure: Failure,
    pub review: Option<Box<NewReview>>,
}

impl From<Failure> for Unmatched {
    fn from(failure: Failure) -> Self {
        Self { failure, review: None }
    }
}

/// The items that a scene is.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub machine: MachineId,
    pub targets: Vec<Target>,
    pub own_paths: OwnPaths,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub scored: Scored,
    /// Why it is the scene, in words.
    pub reasons: String,
    /// Another scene that holds the item, or has begun to write to it.
    pub held_by: Option<SceneId>,
    /// What the match is bound to: as it was found before, while the scene still is what it was then.
    pub identity: SceneIdentity,
}

impl From<Link> for Target {
    /// As it was matched before.
    fn from(link: Link) -> Self {
        let scored = Scored {
            section: link.section,
            rating_key: link.item.rating_key,
            path: link.part_path,
            confidence: link.confidence,
            evidence: Vec::new(),
        };
        Self { scored, reasons: link.evidence, held_by: None, identity: link.identity }
    }
}

/// What is to become of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// It shall show what the scene says.
    Show,
    /// What was written for the scene shall go.
    TakeBack,
    /// This one write in the history shall be taken back.
    Undo(i64),
}

/// To `PlexSync`: do so with the item of this scene.
#[derive(Message)]
#[rtype(result = "Result<Applied, NotDone>")]
pub struct ApplyEdits {
    pub wish: Wish,
    pub scene: Arc<Scene>,
    pub machine: MachineId,
    pub target: Target,
    pub token: RunToken,
    pub correlation_id: CorrelationId,
}

/// What was done to an item. Without an intent nothing had to be written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Applied {
    pub intent: Option<SettledIntent>,
    pub notes: Vec<String>,
    /// What was seen of its images.
    pub covers: SeenCovers,
}

/// Why an item does not show what the scene says, and what was written all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct NotDone {
    pub failure: Failure,
    pub intent: Option<SettledIntent>,
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self { failure, intent: None }
    }
}

/// To `DeadLetter`: a job has been given up.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Buried {
    pub scene: SceneId,
    /// The id of its dead letter.
    pub letter: i64,
    pub code: String,
    pub detail: String,
    pub correlation_id: CorrelationId,
}
