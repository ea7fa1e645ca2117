//! What happened, and what happens next? The state of the service as people and scripts read it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::holds::holds;
use super::letters::LetterLine;
use crate::actors::circuits::{CircuitStatus, PeerStatus};
use crate::actors::plex_events::ChannelStatus;
use crate::domain::circuit::{Circuit, HoldCause};
use crate::domain::edits::Value;
use crate::domain::explain::{Explanation, Facts, PastRun, RUNS_TO_READ, explain};
use crate::domain::ids::SceneId;
use crate::domain::job::{Job, JobState, Pause};
use crate::store::attempts::{Attempt, attempts_of};
use crate::store::counts::{Counts, counts};
use crate::store::dead_letters::open_letter;
use crate::store::jobs::job;
use crate::store::outages::{self, Outage};
use crate::store::writes::{RecordedWrite, writes_of};
use crate::store::{ReadConn, StoreError, plex_index, queue, steer};
use crate::supervision::ActorStatus;

/// Everything at a glance. Without a running service, what the database alone knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub now: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<ServiceStatus>,
    /// Nothing new is started while this is there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub paused: Option<Pause>,
    pub counts: CountsStatus,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_due: Option<Timestamp>,
    /// Times in which a peer did not work or was not to be used: those that go on first, then the newest.
    #[serde(default)]
    pub outages: Vec<OutageLine>,
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
    pub circuits: Vec<CircuitStatus>,
    /// Whether Plex is heard when something changes in it.
    #[serde(default)]
    pub notifications: ChannelStatus,
    /// Edits that may be sent to Plex in a second as it stands now; 0 is no limit.
    pub writes_per_second: f64,
    pub waiting_requests: usize,
}

/// A time in which a way to a peer was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutageLine {
    pub circuit: Circuit,
    pub cause: HoldCause,
    pub code: String,
    pub detail: String,
    pub started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// Jobs that were due when it ended; as long as it goes on, those that are due now.
    pub held_jobs: i64,
}

/// As many outages as a person reads.
const OUTAGES_SHOWN: usize = 10;

fn outage_lines(reader: &mut impl ReadConn, now: Timestamp) -> Result<Vec<OutageLine>, StoreError> {
    let held_now = outages::held_jobs(reader, now)?;
    let line = |outage: Outage| OutageLine {
        circuit: outage.circuit,
        cause: outage.cause,
        code: outage.code,
        detail: outage.detail,
        started_at: outage.started_at,
        ended_at: outage.end.map(|end| end.ended_at),
        held_jobs: outage.end.map_or(held_now, |end| end.held_jobs),
    };
    Ok(outages::latest(reader, OUTAGES_SHOWN)?.into_iter().map(line).collect())
}

/// Every event and every job since the database was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsStatus {
    pub received: i64,
    pub coalesced: i64,
    pub ignored: i64,
    pub opened: i64,
    pub done: i64,
    pub dropped: i64,
    /// Jobs that are not done, by state.
    pub unfinished: BTreeMap<JobState, i64>,
    /// Always 0: received = coalesced + ignored + opened, and opened = done + unfinished + dropped.
    pub conservation_error: i64,
}

impl From<Counts> for CountsStatus {
    fn from(counts: Counts) -> Self {
        let error = counts.conservation_error();
        let tallies = counts.tallies;
        Self {
            received: tallies.received,
            coalesced: tallies.coalesced,
            ignored: tallies.ignored,
            opened: tallies.opened,
            done: tallies.done,
            dropped: tallies.dropped,
            unfinished: BTreeMap::from([
                (JobState::Ready, counts.ready),
                (JobState::Running, counts.running),
                (JobState::Waiting, counts.waiting),
                (JobState::Parked, counts.parked),
                (JobState::Dead, counts.dead),
            ]),
            conservation_error: error.events.abs() + error.jobs.abs(),
        }
    }
}

/// A library of Plex that is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryStatus {
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub walked_at: Option<Timestamp>,
}

impl Status {
    pub fn read(reader: &mut impl ReadConn, now: Timestamp) -> Result<Self, StoreError> {
        let library = |section: plex_index::IndexedSection| LibraryStatus {
            title: section.title,
            walked_at: section.walked_at,
        };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now,
            service: None,
            paused: steer::paused(reader)?,
            counts: CountsStatus::from(counts(reader)?),
            next_due: queue::next_due(reader)?,
            outages: outage_lines(reader, now)?,
            libraries: plex_index::sections(reader)?.into_iter().map(library).collect(),
            indexed_files: plex_index::count(reader)?,
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
    pub history: Vec<AttemptLine>,
    /// Newest first.
    pub writes: Vec<WriteLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<LetterLine>,
    /// The same in sentences.
    pub explanation: Explanation,
}

/// As many writes as a person reads.
const SHOWN: usize = 50;

impl JobDetail {
    pub fn read(
        reader: &mut impl ReadConn,
        scene: SceneId,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let Some(job) = job(reader, scene)? else { return Ok(None) };
        let attempts = attempts_of(reader, scene, RUNS_TO_READ)?;
        let runs: Vec<_> = attempts.iter().map(PastRun::from).collect();
        let letter = open_letter(reader, scene)?;
        let facts = Facts {
            job: &job,
            runs: &runs,
            letter: letter.as_ref().map(|letter| letter.id),
            holds: &holds(reader)?,
            now,
        };
        Ok(Some(Self {
            explanation: explain(&facts),
            generation: job.generation.0,
            synced_generation: job.synced.0,
            crashes: job.crashes,
            failing_since: job.failing_since,
            history: attempts.into_iter().map(AttemptLine::from).collect(),
            writes: writes_of(reader, scene, None, SHOWN)?.into_iter().map(WriteLine::from).collect(),
            dead_letter: letter.map(LetterLine::from),
            job: JobLine::from(&job),
        }))
    }
}

impl From<&Attempt> for PastRun {
    fn from(attempt: &Attempt) -> Self {
        Self { ended_at: attempt.ended_at, class: attempt.failure.as_ref().map(|failure| failure.class) }
    }
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptLine {
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    /// `done`, or the class of the failure.
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What followed, in words.
    pub next: String,
    pub correlation_id: String,
}

impl From<Attempt> for AttemptLine {
    fn from(attempt: Attempt) -> Self {
        let (outcome, code, detail) = match attempt.failure {
            Some(failure) => (failure.class.as_str(), Some(failure.code), Some(failure.detail)),
            None => ("done", None, None),
        };
        Self {
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            outcome: outcome.to_owned(),
            code,
            detail,
            next: attempt.next,
            correlation_id: attempt.correlation_id.into(),
        }
    }
}

/// One field that was sent to Plex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WriteLine {
    pub write_id: i64,
    pub rating_key: String,
    pub field: String,
    pub before: Value,
    /// What was read back.
    pub after: Value,
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub written_at: Timestamp,
    pub correlation_id: String,
}

impl From<RecordedWrite> for WriteLine {
    fn from(recorded: RecordedWrite) -> Self {
        let RecordedWrite { id, write, written_at } = recorded;
        Self {
            write_id: id,
            rating_key: write.item.rating_key.into(),
            field: write.field.as_str().to_owned(),
            before: write.before,
            after: write.after,
            outcome: write.outcome.as_str().to_owned(),
            note: write.note,
            written_at,
            correlation_id: write.correlation_id.into(),
        }
    }
}
