//! What happened, and what happens next? The state of the service as people and scripts read it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actors::peers::PeerStatus;
use crate::domain::ids::SceneId;
use crate::domain::job::{Job, JobState};
use crate::store::attempts::Attempt;
use crate::store::counts::{Counts, counts};
use crate::store::dead_letters::DeadLetter;
use crate::store::ledger::Write;
use crate::store::{ReadConnection, StoreError, attempts, dead_letters, ledger, plex_index, queue};
use crate::supervision::ActorStatus;

/// Everything at a glance. Without a running service, what the database alone knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub now: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<ServiceStatus>,
    pub counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_due: Option<Timestamp>,
    pub libraries: Vec<LibraryStatus>,
    pub indexed_files: i64,
}

/// What only a running service knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    pub started_at: Timestamp,
    /// `running` or `stopping`.
    pub state: String,
    pub actors: Vec<ActorStatus>,
    pub peers: BTreeMap<String, PeerStatus>,
    pub waiting_requests: usize,
}

/// A library of Plex that is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryStatus {
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub walked_at: Option<Timestamp>,
}

impl Status {
    pub fn read(reader: &mut impl ReadConnection, now: Timestamp) -> Result<Self, StoreError> {
        let library = |section: plex_index::IndexedSection| LibraryStatus {
            title: section.title,
            walked_at: section.walked_at,
        };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now,
            service: None,
            counts: counts(reader)?,
            next_due: queue::next_due(reader)?,
            libraries: plex_index::sections(reader)?.into_iter().map(library).collect(),
            indexed_files: plex_index::size(reader)?,
        })
    }
}

/// One job in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobLine {
    pub scene_id: SceneId,
    pub state: JobState,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_at: Option<Timestamp>,
    pub attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    pub correlation_id: String,
    pub updated_at: Timestamp,
}

impl From<&Job> for JobLine {
    fn from(job: &Job) -> Self {
        Self {
            scene_id: job.scene,
            state: job.state,
            due_at: job.due_at,
            attempts: job.attempts,
            class: job.class.map(|class| class.as_str().to_owned()),
            code: job.code.clone(),
            detail: job.detail.clone(),
            correlation_id: job.correlation_id.as_str().to_owned(),
            updated_at: job.updated_at,
        }
    }
}

/// One job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobDetail {
    #[serde(flatten)]
    pub job: JobLine,
    pub generation: i64,
    pub synced_generation: i64,
    pub crashes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Newest first.
    pub history: Vec<Attempt>,
    /// Newest first.
    pub writes: Vec<Write>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<DeadLetter>,
}

/// As much history as a person reads.
const SHOWN: i64 = 50;

impl JobDetail {
    pub fn read(reader: &mut impl ReadConnection, scene: SceneId) -> Result<Option<Self>, StoreError> {
        let Some(job) = queue::job(reader, scene)? else { return Ok(None) };
        Ok(Some(Self {
            generation: job.generation.0,
            synced_generation: job.synced.0,
            crashes: job.crashes,
            failing_since: job.failing_since,
            history: attempts::of_scene(reader, scene, SHOWN)?,
            writes: ledger::writes_of(reader, scene, SHOWN)?,
            dead_letter: dead_letters::open_letter(reader, scene)?,
            job: JobLine::from(&job),
        }))
    }
}
