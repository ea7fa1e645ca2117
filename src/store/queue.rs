//! How does work get in, into hand and back? Accepting events, claiming due jobs, taking jobs back.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use rand::{Rng, RngExt};

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::counts::{Tallies, unfinished};
use super::dead_letters;
use super::jobs::{JobRow, job, jobs as stored, running, save};
use super::outages;
use super::rows::{Table, limit, millis};
use super::schema::jobs;
use super::steer;

use crate::domain::event::{Relevance, StashEvent};
use crate::domain::ids::{Generation, RunToken, SceneId};
use crate::domain::job::{self as rules, Accepted, ClockStep, Debounce, Job, JobState, SceneEvent};

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedEvent {
    pub outcome: EventOutcome,
    /// Its place in the order of all events.
    pub generation: Generation,
    /// When the scene will be read; `None` for an ignored event.
    pub due_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    Opened,
    Coalesced,
    /// For the reason given.
    Ignored(&'static str),
}

/// Takes events in, in their order. The answer is as long as `events`.
pub fn accept(
    tx: &mut WriteTx<'_>,
    events: &[StashEvent],
    debounce: &Debounce,
    now: Timestamp,
) -> Result<Vec<AcceptedEvent>, StoreError> {
    let mut tallies = Tallies::load(tx)?;
    // Sorted by id, so that the rows are written in the order in which the table holds them; and each only once.
    let mut touched = BTreeMap::new();
    let mut answers = Vec::with_capacity(events.len());
    for event in events {
        tallies.received += 1;
        let generation = Generation(tallies.received);
        let (scene, trigger) = match event.relevance() {
            Relevance::Sync(scene, trigger) => (scene, trigger),
            Relevance::Ignored(reason) => {
                tallies.ignored += 1;
                let outcome = EventOutcome::Ignored(reason);
                answers.push(AcceptedEvent { outcome, generation, due_at: None });
                continue;
            }
        };
        let row = match touched.remove(&scene) {
            Some(job) => Some(job),
            None => reopened(tx, scene, now)?,
        };
        let event = SceneEvent { scene, trigger, generation, correlation_id: event.correlation_id.clone() };
        let (job, accepted) = rules::accept(row, event, debounce, now);
        let outcome = match accepted {
            Accepted::Opened => {
                tallies.opened += 1;
                EventOutcome::Opened
            }
            Accepted::Coalesced => {
                tallies.coalesced += 1;
                EventOutcome::Coalesced
            }
        };
        answers.push(AcceptedEvent { outcome, generation, due_at: job.due_at });
        touched.insert(scene, job);
    }
    for job in touched.values() {
        save(tx, job)?;
    }
    tallies.save(tx)?;
    Ok(answers)
}

/// The row as it stands before an event, which ends the dead letter of a dead one.
pub(super) fn reopened(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    now: Timestamp,
) -> Result<Option<Job>, StoreError> {
    let row = job(tx, scene)?;
    if row.as_ref().is_some_and(|job| job.state == JobState::Dead) {
        dead_letters::close(tx, scene, dead_letters::Closed::Superseded, now)?;
    }
    Ok(row)
}

/// A job in hand. It comes from [`claim_due`] alone and ends with [`super::settle::settle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    job: Job,
    token: RunToken,
}

impl ClaimedJob {
    pub fn job(&self) -> &Job {
        &self.job
    }

    pub fn scene(&self) -> SceneId {
        self.job.scene
    }

    pub fn token(&self) -> RunToken {
        self.token
    }
}

/// What was claimed, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub jobs: Vec<ClaimedJob>,
    /// When the next job that was not claimed is due. In the past when something due had to be left: because of the
    /// limit, or because a job has to run alone; then the end of a run in hand is the time to look again. `None` also
    /// while the queue is paused.
    pub next_due: Option<Timestamp>,
}

/// Takes up to `most` due jobs into hand, the longest due first. `in_hand` says how many the caller has already.
///
/// Nothing is claimed while the queue is paused; that is decided here, so that no claim can slip past a pause that was
/// stored before it. A job that has to run alone is claimed only with nothing else in hand, and holds up what is due after it until
/// then; otherwise a stream of other work could keep it waiting for ever.
pub fn claim_due(
    tx: &mut WriteTx<'_>,
    most: usize,
    in_hand: usize,
    now: Timestamp,
    rng: &mut impl Rng,
) -> Result<Claims, StoreError> {
    let mut claimed: Vec<ClaimedJob> = Vec::new();
    if steer::paused(tx)?.is_some() {
        return Ok(Claims { jobs: claimed, next_due: None });
    }
    if in_hand == 0 || !running(tx)?.iter().any(Job::runs_alone) {
        for mut job in due(tx, most, now)? {
            let alone = job.runs_alone();
            if alone && (in_hand > 0 || !claimed.is_empty()) {
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
    }
    Ok(Claims { jobs: claimed, next_due: next_due(tx)? })
}

/// Takes the job of one scene into hand, if it is due and the queue is not paused. For a caller that does nothing else.
pub fn claim_only(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    now: Timestamp,
    rng: &mut impl Rng,
) -> Result<Claims, StoreError> {
    let found = if steer::paused(tx)?.is_some() { None } else { job(tx, scene)? };
    let startable = found.filter(|job| job.state != JobState::Running);
    let next_due = startable.as_ref().and_then(|job| job.due_at);
    let mut jobs = Vec::new();
    if let Some(mut job) = startable.filter(|_| next_due.is_some_and(|due| due <= now)) {
        let token = RunToken(rng.random());
        job.claim(token, now);
        save(tx, &job)?;
        jobs.push(ClaimedJob { job, token });
    }
    Ok(Claims { jobs, next_due })
}

/// Being due is decided here and nowhere else.
fn due(tx: &mut WriteTx<'_>, most: usize, now: Timestamp) -> Result<Vec<Job>, StoreError> {
    let rows = jobs::table
        .filter(jobs::due_at.le(millis(now)))
        .filter(startable())
        .order(jobs::due_at.asc())
        .limit(limit(most))
        .select(JobRow::as_select())
        .load(tx.connection())?;
    rows.into_iter().map(Job::try_from).collect()
}

/// When the next job is due that is not in hand.
pub fn next_due(conn: &mut impl ReadConn) -> Result<Option<Timestamp>, StoreError> {
    let due = jobs::table
        .filter(jobs::due_at.is_not_null())
        .filter(startable())
        .select(diesel::dsl::min(jobs::due_at))
        .get_result::<Option<i64>>(conn.connection())?;
    Table("jobs").opt_time(due)
}

/// Whether nothing is due and nothing in hand. One statement, so that no job is missed on its way from one to the other.
pub fn is_idle(conn: &mut impl ReadConn, now: Timestamp) -> Result<bool, StoreError> {
    let due = jobs::table.filter(jobs::due_at.le(millis(now))).filter(startable());
    // The second condition is that of the partial index.
    let in_hand = jobs::table.filter(jobs::state.eq(JobState::Running.as_str())).filter(unfinished());
    let busy = diesel::select(exists(due).or(exists(in_hand))).get_result::<bool>(conn.connection())?;
    Ok(!busy)
}

/// A running job has a due time, too, when an event came meanwhile; it is not to be claimed twice.
#[diesel::dsl::auto_type(no_type_alias)]
fn startable() -> _ {
    // Not by kind: SQLite would take it for the better index and read the whole table.
    let ready: &'static str = "ready";
    let waiting: &'static str = "waiting";
    let parked: &'static str = "parked";
    jobs::state.eq(ready).or(jobs::state.eq(waiting)).or(jobs::state.eq(parked))
}

/// Takes back every job in hand, because the process or the scheduler that had them ended without a verdict, and
/// counts that against them. Returns how many there were.
pub fn take_back(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    let jobs = running(tx)?;
    let count = jobs.len();
    for mut job in jobs {
        job.take_back(now);
        save(tx, &job)?;
    }
    Ok(count)
}

/// Puts the jobs of these runs back at an orderly end; nothing is counted. Returns how many were still in hand.
pub fn release(tx: &mut WriteTx<'_>, tokens: &[RunToken], now: Timestamp) -> Result<usize, StoreError> {
    let mut released = 0;
    for mut job in running(tx)? {
        if job.token.is_some_and(|token| tokens.contains(&token)) {
            job.release(now);
            save(tx, &job)?;
            released += 1;
        }
    }
    Ok(released)
}

/// Brings the times of all unfinished jobs in line after the wall clock was set by `step`; zero if nobody saw whether it
/// was. Returns how many jobs that changed.
pub fn rebase(tx: &mut WriteTx<'_>, step: SignedDuration, now: Timestamp) -> Result<usize, StoreError> {
    const AT_ONCE: usize = 500;
    let mut rebased = 0;
    for state in JobState::ALL.into_iter().filter(|state| *state != JobState::Done) {
        let mut last = None;
        loop {
            let page = stored(tx, Some(state), last, AT_ONCE)?;
            let Some(end) = page.last() else { break };
            last = Some(end.scene);
            for mut job in page {
                let before = job.clone();
                let step = ClockStep { by: step, away: away_before(tx, &job, step, now)? };
                job.rebase(&step, now);
                if job != before {
                    save(tx, &job)?;
                    rebased += 1;
                }
            }
        }
    }
    Ok(rebased)
}

/// How long a peer was known to be away while the job was failing, by the clock before a step forward.
fn away_before(
    tx: &mut WriteTx<'_>,
    job: &Job,
    step: SignedDuration,
    now: Timestamp,
) -> Result<Duration, StoreError> {
    match (job.failing_since, now.saturating_sub(step)) {
        (Some(since), Ok(before)) if step.is_positive() => outages::time_away(tx, since, before),
        _ => Ok(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests;
