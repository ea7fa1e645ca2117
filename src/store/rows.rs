//! How does a job stand in its row? The one place that knows both spellings.

use std::time::Duration;

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::schema::jobs;
use crate::domain::failure::FailureClass;
use crate::domain::ids::{CorrelationId, Generation, RunToken, SceneId};
use crate::domain::job::{Job, JobState};

/// The only kind of job so far; performers, studios and tags have rows of their own kinds.
pub(super) const SCENE: &str = "scene";

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_null = true)]
pub(super) struct JobRow {
    kind: String,
    id: i64,
    state: String,
    generation: i64,
    synced: i64,
    claimed: Option<i64>,
    token: Option<i64>,
    due_at: Option<i64>,
    wait_ms: i64,
    first_event_at: i64,
    last_event_at: i64,
    created: bool,
    attempts: i32,
    crashes: i32,
    streak: i32,
    class: Option<String>,
    code: Option<String>,
    detail: Option<String>,
    failing_since: Option<i64>,
    correlation_id: String,
    opened_at: i64,
    updated_at: i64,
}

impl From<&Job> for JobRow {
    fn from(job: &Job) -> Self {
        Self {
            kind: SCENE.to_owned(),
            id: job.scene.get(),
            state: job.state.as_str().to_owned(),
            generation: job.generation.0,
            synced: job.synced.0,
            claimed: job.claimed.map(|generation| generation.0),
            token: job.token.map(|token| token.0),
            due_at: job.due_at.map(Timestamp::as_millisecond),
            wait_ms: i64::try_from(job.wait.as_millis()).unwrap_or(i64::MAX),
            first_event_at: job.first_event_at.as_millisecond(),
            last_event_at: job.last_event_at.as_millisecond(),
            created: job.created,
            attempts: i32::try_from(job.attempts).unwrap_or(i32::MAX),
            crashes: i32::try_from(job.crashes).unwrap_or(i32::MAX),
            streak: i32::try_from(job.streak).unwrap_or(i32::MAX),
            class: job.class.map(|class| class.as_str().to_owned()),
            code: job.code.clone(),
            detail: job.detail.clone(),
            failing_since: job.failing_since.map(Timestamp::as_millisecond),
            correlation_id: job.correlation_id.as_str().to_owned(),
            opened_at: job.opened_at.as_millisecond(),
            updated_at: job.updated_at.as_millisecond(),
        }
    }
}

impl TryFrom<JobRow> for Job {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        Ok(Self {
            scene: scene_id(row.id)?,
            state: JobState::from_word(&row.state)
                .ok_or_else(|| StoreError::unreadable(format!("the job state {:?}", row.state)))?,
            generation: Generation(row.generation),
            synced: Generation(row.synced),
            claimed: row.claimed.map(Generation),
            token: row.token.map(RunToken),
            due_at: row.due_at.map(time).transpose()?,
            wait: Duration::from_millis(row.wait_ms.unsigned_abs()),
            first_event_at: time(row.first_event_at)?,
            last_event_at: time(row.last_event_at)?,
            created: row.created,
            attempts: row.attempts.unsigned_abs(),
            crashes: row.crashes.unsigned_abs(),
            streak: row.streak.unsigned_abs(),
            class: row.class.map(|word| class(&word)).transpose()?,
            code: row.code,
            detail: row.detail,
            failing_since: row.failing_since.map(time).transpose()?,
            correlation_id: correlation_id(row.correlation_id)?,
            opened_at: time(row.opened_at)?,
            updated_at: time(row.updated_at)?,
        })
    }
}

pub(super) fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| StoreError::unreadable(format!("the time {milliseconds}: {error}")))
}

pub(super) fn scene_id(id: i64) -> Result<SceneId, StoreError> {
    SceneId::try_from(id).map_err(|error| StoreError::unreadable(error.to_string()))
}

pub(super) fn correlation_id(id: String) -> Result<CorrelationId, StoreError> {
    CorrelationId::try_from(id).map_err(|error| StoreError::unreadable(error.to_string()))
}

fn class(word: &str) -> Result<FailureClass, StoreError> {
    FailureClass::from_word(word).ok_or_else(|| StoreError::unreadable(format!("the failure class {word:?}")))
}
