//! How do events become jobs, jobs runs, and runs verdicts? One transaction per change of state.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use jiff::Timestamp;
use rand::{Rng, RngExt as _};

use super::ledger::{Link, SettledIntent};
use super::rows::{JobRow, SCENE, time};
use super::schema::{jobs, tallies};
use super::{ReadConnection, StoreError, WriteTx, attempts, dead_letters, ledger};
use crate::domain::event::{Relevance, StashEvent};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::{Generation, RunToken, SceneId};
use crate::domain::job::{self, Accepted, Debounce, Job, JobState, SceneEvent, Verdict};
use crate::domain::retry::RetryPolicy;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedEvent {
    Opened,
    Coalesced,
    Ignored(&'static str),
}

/// Stores events: each opens a job, joins one, or is ignored, and every one is counted.
pub fn accept(
    tx: &mut WriteTx<'_>,
    events: Vec<StashEvent>,
    debounce: &Debounce,
    now: Timestamp,
) -> Result<Vec<AcceptedEvent>, StoreError> {
    let mut sequence: i64 = tallies::table.select(tallies::received).first(tx.connection())?;
    let (mut opened, mut coalesced, mut ignored) = (0_i64, 0_i64, 0_i64);
    let mut outcomes = Vec::with_capacity(events.len());
    let received = i64::try_from(events.len()).unwrap_or(i64::MAX);
    for event in events {
        sequence += 1;
        let (scene, trigger) = match event.relevance() {
            Relevance::Sync(scene, trigger) => (scene, trigger),
            Relevance::Ignored(reason) => {
                ignored += 1;
                outcomes.push(AcceptedEvent::Ignored(reason));
                continue;
            }
        };
        let generation = Generation(sequence);
        let event = SceneEvent { scene, trigger, generation, correlation_id: event.correlation_id };
        let row = job(tx, scene)?;
        if row.as_ref().is_some_and(|job| job.state == JobState::Dead) {
            dead_letters::close(tx, scene, "superseded", now)?;
        }
        let (job, accepted) = job::accept(row, event, debounce, now);
        save(tx, &job)?;
        match accepted {
            Accepted::Opened => opened += 1,
            Accepted::Coalesced => coalesced += 1,
        }
        outcomes.push(match accepted {
            Accepted::Opened => AcceptedEvent::Opened,
            Accepted::Coalesced => AcceptedEvent::Coalesced,
        });
    }
    let counted = diesel::update(tallies::table).set((
        tallies::received.eq(tallies::received + received),
        tallies::opened.eq(tallies::opened + opened),
        tallies::coalesced.eq(tallies::coalesced + coalesced),
        tallies::ignored.eq(tallies::ignored + ignored),
    ));
    counted.execute(tx.connection())?;
    Ok(outcomes)
}

/// The jobs that were put in hand, and when the next one is due.
#[derive(Debug)]
pub struct Claims {
    pub jobs: Vec<ClaimedJob>,
    pub next_due: Option<Timestamp>,
}

/// A job in hand: it exists only between claim and verdict.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    job: Job,
    token: RunToken,
}

impl ClaimedJob {
    pub fn job(&self) -> &Job {
        &self.job
    }

    pub fn token(&self) -> RunToken {
        self.token
    }
}

/// Puts up to `limit` due jobs in hand. Whether a job is due is decided here, in the query, and nowhere else.
pub fn claim_due(
    tx: &mut WriteTx<'_>,
    limit: usize,
    in_hand: usize,
    now: Timestamp,
    rng: &mut impl Rng,
) -> Result<Claims, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let due: Vec<JobRow> = due_rows()
        .filter(jobs::due_at.le(now.as_millisecond()))
        .order(jobs::due_at)
        .limit(limit)
        .select(JobRow::as_select())
        .load(tx.connection())?;
    let mut claimed = Vec::new();
    for row in due {
        let mut job = Job::try_from(row)?;
        let alone = job.runs_alone();
        if alone && (in_hand > 0 || !claimed.is_empty()) {
            // Its turn comes when nothing else is in hand, and nothing is put in hand before it.
            break;
        }
        let token = RunToken(rng.random());
        job.claim(token, now);
        save(tx, &job)?;
        claimed.push(ClaimedJob { job, token });
        if alone {
            break;
        }
    }
    Ok(Claims { jobs: claimed, next_due: next_due(tx)? })
}

/// When the next job is due.
pub fn next_due(connection: &mut impl ReadConnection) -> Result<Option<Timestamp>, StoreError> {
    let next = due_rows()
        .order(jobs::due_at)
        .select(jobs::due_at.assume_not_null())
        .first::<i64>(connection.connection());
    next.optional()?.map(time).transpose()
}

/// The rows of the partial index `jobs_due`; the condition has to be spelled as there.
fn due_rows() -> jobs::BoxedQuery<'static, Sqlite> {
    let startable = diesel::dsl::sql::<Bool>("state IN ('ready', 'waiting', 'parked')");
    jobs::table.filter(jobs::due_at.is_not_null()).filter(startable).into_boxed()
}

/// Everything that belongs to the end of a run.
#[derive(Debug, Clone)]
pub struct RunReport {
    pub token: RunToken,
    pub scene: SceneId,
    pub started_at: Timestamp,
    pub outcome: Result<(), Failure>,
    pub intents: Vec<SettledIntent>,
    pub links: Vec<Link>,
}

/// What came of settling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Recorded(Recorded),
    /// The token is an old one: another run has the job, and nothing was changed.
    Fenced,
}

/// Where the job stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub state: JobState,
    /// What happens next, in words.
    pub next: String,
    /// The code of the dead letter, when the job was given up.
    pub buried: Option<String>,
}

/// Ends a run: verdict, attempt, ledger, history, dead letter and the next due time, all or nothing.
pub fn settle(
    tx: &mut WriteTx<'_>,
    report: &RunReport,
    policy: &RetryPolicy,
    now: Timestamp,
    rng: &mut impl Rng,
) -> Result<Settled, StoreError> {
    let Some(mut job) = job(tx, report.scene)?.filter(|job| job.token == Some(report.token)) else {
        return Ok(Settled::Fenced);
    };
    for intent in &report.intents {
        ledger::settle_intent(tx, intent, now)?;
    }
    for link in &report.links {
        ledger::hold(tx, link, now)?;
    }
    let generation = job.claimed.unwrap_or(job.generation);
    let outcome = report.outcome.as_ref().copied();
    let verdict = job::settle(&job, outcome, policy, now, rng);
    job.finish(outcome, &verdict, now);
    save(tx, &job)?;
    if job.state == JobState::Done {
        diesel::update(tallies::table).set(tallies::done.eq(tallies::done + 1)).execute(tx.connection())?;
        if report.outcome.as_ref().is_err_and(|failure| failure.class == FailureClass::Gone) {
            ledger::forget_scene(tx, report.scene, now)?;
        }
    }
    let next = in_words(&job, &verdict);
    attempts::record(tx, &job, report, generation, &next, now)?;
    let buried = match (&job.state, &report.outcome) {
        (JobState::Dead, Err(failure)) => Some(dead_letters::bury(tx, &job, failure, now)?),
        _ => None,
    };
    Ok(Settled::Recorded(Recorded { state: job.state, next, buried }))
}

fn in_words(job: &Job, verdict: &Verdict) -> String {
    let due = job.due_at.map(|due| due.to_string()).unwrap_or_default();
    match (job.state, verdict) {
        (JobState::Ready, Verdict::Done) => format!("runs again at {due}, because an event came meanwhile"),
        (JobState::Ready, _) => format!("runs again at {due}"),
        (JobState::Waiting, _) => format!("looks again at {due}"),
        (JobState::Parked, _) => "is parked until an event comes".to_owned(),
        (JobState::Dead, _) => "is given up".to_owned(),
        (JobState::Done | JobState::Running, _) => "is done".to_owned(),
    }
}

/// Takes back the jobs whose runs ended without a verdict, and says how many.
pub fn take_back(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    let running = running(tx)?;
    for mut job in running.iter().cloned() {
        job.take_back(now);
        save(tx, &job)?;
    }
    Ok(running.len())
}

/// Puts the named runs back at an orderly end.
pub fn release(tx: &mut WriteTx<'_>, tokens: &[RunToken], now: Timestamp) -> Result<(), StoreError> {
    for mut job in running(tx)? {
        if job.token.is_some_and(|token| tokens.contains(&token)) {
            job.release(now);
            save(tx, &job)?;
        }
    }
    Ok(())
}

fn running(tx: &mut WriteTx<'_>) -> Result<Vec<Job>, StoreError> {
    let rows = jobs::table.filter(jobs::state.eq("running")).filter(unfinished()).select(JobRow::as_select());
    rows.load(tx.connection())?.into_iter().map(Job::try_from).collect()
}

/// Brings every due time to at most now and its wait.
pub fn rebase_due(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let now = now.as_millisecond();
    let late = due_rows()
        .filter(jobs::due_at.assume_not_null().gt(jobs::wait_ms + now))
        .select((jobs::kind, jobs::id));
    let late: Vec<(String, i64)> = late.load(tx.connection())?;
    for (kind, id) in late {
        let row = jobs::table.find((kind, id));
        diesel::update(row)
            .set(jobs::due_at.eq((jobs::wait_ms + now).nullable()))
            .execute(tx.connection())?;
    }
    Ok(())
}

/// The job of a scene.
pub fn job(connection: &mut impl ReadConnection, scene: SceneId) -> Result<Option<Job>, StoreError> {
    let row =
        jobs::table.find((SCENE, scene.get())).select(JobRow::as_select()).first(connection.connection());
    row.optional()?.map(Job::try_from).transpose()
}

/// Jobs by the scene's id, `limit` of them after `after`; without a state, all that are not done.
pub fn list(
    connection: &mut impl ReadConnection,
    state: Option<JobState>,
    after: i64,
    limit: i64,
) -> Result<Vec<Job>, StoreError> {
    let page =
        jobs::table.filter(jobs::kind.eq(SCENE)).filter(jobs::id.gt(after)).order(jobs::id).limit(limit);
    let rows: Vec<JobRow> = match state {
        Some(state) => page
            .filter(jobs::state.eq(state.as_str()))
            .select(JobRow::as_select())
            .load(connection.connection())?,
        None => page.filter(unfinished()).select(JobRow::as_select()).load(connection.connection())?,
    };
    rows.into_iter().map(Job::try_from).collect()
}

/// How many jobs stand in each unfinished state.
pub fn unfinished_counts(
    connection: &mut impl ReadConnection,
) -> Result<BTreeMap<JobState, i64>, StoreError> {
    let mut counts = BTreeMap::new();
    for state in JobState::ALL.into_iter().filter(|state| *state != JobState::Done) {
        let of_state = jobs::table.filter(jobs::state.eq(state.as_str())).filter(unfinished());
        counts.insert(state, of_state.count().get_result(connection.connection())?);
    }
    Ok(counts)
}

/// The condition of the partial index `jobs_unfinished`, spelled as there.
fn unfinished() -> diesel::expression::SqlLiteral<Bool> {
    diesel::dsl::sql("state <> 'done'")
}

fn save(tx: &mut WriteTx<'_>, job: &Job) -> Result<(), StoreError> {
    let row = JobRow::from(job);
    let insert = diesel::insert_into(jobs::table).values(&row);
    insert.on_conflict((jobs::kind, jobs::id)).do_update().set(&row).execute(tx.connection())?;
    Ok(())
}

#[cfg(test)]
mod tests;
