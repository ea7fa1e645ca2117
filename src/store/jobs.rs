//! How is a job stored, found and listed?

use diesel::prelude::*;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::counts::unfinished;
use super::rows::{SCENE, Table, limit, millis, wait_millis};
use super::schema::jobs;

use crate::domain::failure::FailureClass;
use crate::domain::ids::{Generation, RunToken, SceneId};
use crate::domain::job::{Job, JobState};

/// The job of a scene.
pub fn job(conn: &mut impl ReadConn, scene: SceneId) -> Result<Option<Job>, StoreError> {
    // Not `first`: SQLite plans by the value of a bound LIMIT, so it prepares such a statement anew for each run.
    let row =
        jobs::table.find((SCENE, scene.get())).select(JobRow::as_select()).get_result(conn.connection());
    row.optional()?.map(Job::try_from).transpose()
}

/// Up to `rows` jobs in the order of their scenes, after the one given; of one state, or of all.
pub fn jobs(
    conn: &mut impl ReadConn,
    state: Option<JobState>,
    after: Option<SceneId>,
    rows: usize,
) -> Result<Vec<Job>, StoreError> {
    let page = jobs::table
        .filter(jobs::id.gt(after.map_or(0, SceneId::get)))
        .order(jobs::id.asc())
        .limit(limit(rows))
        .select(JobRow::as_select());
    let found = match state {
        None => page.filter(jobs::kind.eq(SCENE)).load(conn.connection()),
        Some(JobState::Done) => page
            .filter(jobs::kind.eq(SCENE).and(jobs::state.eq(JobState::Done.as_str())))
            .load(conn.connection()),
        Some(unfinished_state) => {
            page.filter(jobs::state.eq(unfinished_state.as_str()).and(unfinished())).load(conn.connection())
        }
    };
    found?.into_iter().map(Job::try_from).collect()
}

/// All jobs in hand.
pub(super) fn running(conn: &mut impl ReadConn) -> Result<Vec<Job>, StoreError> {
    let rows = jobs::table
        .filter(jobs::state.eq(JobState::Running.as_str()).and(unfinished()))
        .select(JobRow::as_select())
        .load(conn.connection())?;
    rows.into_iter().map(Job::try_from).collect()
}

pub(super) fn save(tx: &mut WriteTx<'_>, job: &Job) -> Result<(), StoreError> {
    // Replaced and not updated: diesel keeps the prepared statement of a plain insert, but prepares every update and
    // every upsert anew, which costs several times as much as the statement itself.
    diesel::replace_into(jobs::table)
        .values((jobs::kind.eq(SCENE), JobRow::from(job)))
        .execute(tx.connection())?;
    Ok(())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub(super) struct JobRow {
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
    attempts: i64,
    crashes: i64,
    streak: i64,
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
            id: job.scene.get(),
            state: job.state.as_str().to_owned(),
            generation: job.generation.0,
            synced: job.synced.0,
            claimed: job.claimed.map(|claimed| claimed.0),
            token: job.token.map(|token| token.0),
            due_at: job.due_at.map(millis),
            wait_ms: wait_millis(job.wait),
            first_event_at: millis(job.first_event_at),
            last_event_at: millis(job.last_event_at),
            created: job.created,
            attempts: job.attempts.into(),
            crashes: job.crashes.into(),
            streak: job.streak.into(),
            class: job.class.map(|class| class.as_str().to_owned()),
            code: job.code.clone(),
            detail: job.detail.clone(),
            failing_since: job.failing_since.map(millis),
            correlation_id: job.correlation_id.as_str().to_owned(),
            opened_at: millis(job.opened_at),
            updated_at: millis(job.updated_at),
        }
    }
}

impl TryFrom<JobRow> for Job {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let table = Table("jobs");
        let state = JobState::from_word(&row.state);
        let class = row.class.map(|word| {
            FailureClass::from_word(&word).ok_or_else(|| table.bad(&format!("no such class: {word:?}")))
        });
        Ok(Self {
            scene: table.scene(row.id)?,
            state: state.ok_or_else(|| table.bad(&format!("no such state: {:?}", row.state)))?,
            generation: Generation(row.generation),
            synced: Generation(row.synced),
            claimed: row.claimed.map(Generation),
            token: row.token.map(RunToken),
            due_at: table.opt_time(row.due_at)?,
            wait: table.wait(row.wait_ms)?,
            first_event_at: table.time(row.first_event_at)?,
            last_event_at: table.time(row.last_event_at)?,
            created: row.created,
            attempts: table.count(row.attempts)?,
            crashes: table.count(row.crashes)?,
            streak: table.count(row.streak)?,
            class: class.transpose()?,
            code: row.code,
            detail: row.detail,
            failing_since: table.opt_time(row.failing_since)?,
            correlation_id: table.correlation(row.correlation_id)?,
            opened_at: table.time(row.opened_at)?,
            updated_at: table.time(row.updated_at)?,
        })
    }
}
