//! What can a person do to the queue? Retry a job, take one away, pause everything. Short transactions, with the
//! service running or without it.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::counts::Tallies;
use super::dead_letters::{self, Closed, DeadLetter};
use super::jobs::{job, save};
use super::rows::SCENE;
use super::schema::jobs;
use super::{awaited, own_paths};
use super::{queue, reviews};
use super::{settings, undos};

use crate::domain::event::Trigger;
use crate::domain::ids::{CorrelationId, Generation, SceneId};
use crate::domain::job::{
    self as rules, Accepted, Debounce, Droppable, JobState, Pause, Retried, SceneEvent,
};

/// Has a scene worked on at once, as an event that a person sent: counted like any other, and followed by a run whose
/// read of Stash begins afterwards. Returns where its job stood before, if there was one.
pub fn ask(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    correlation_id: &CorrelationId,
    now: Timestamp,
) -> Result<Option<JobState>, StoreError> {
    // Nobody who asks waits for a quiet time.
    send(tx, scene, Trigger::Asked, Duration::ZERO, correlation_id, now)
}

/// Has a scene worked on as if Stash had told of it, after a quiet time of this length.
pub(super) fn send(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    trigger: Trigger,
    quiet: Duration,
    correlation_id: &CorrelationId,
    now: Timestamp,
) -> Result<Option<JobState>, StoreError> {
    let mut tallies = Tallies::load(tx)?;
    tallies.received += 1;
    let row = queue::reopened(tx, scene, now)?;
    let was = row.as_ref().map(|job| job.state);
    let generation = Generation(tallies.received);
    let event = SceneEvent { scene, trigger, generation, correlation_id: correlation_id.clone() };
    let (job, accepted) = rules::accept(row, event, &Debounce { quiet, created: quiet }, now);
    match accepted {
        Accepted::Opened => tallies.opened += 1,
        Accepted::Coalesced => tallies.coalesced += 1,
    }
    save(tx, &job)?;
    tallies.save(tx)?;
    Ok(was)
}

/// Starts a job afresh, and closes its letter if it was dead. `None` when there is no job for the scene.
pub fn retry(tx: &mut WriteTx<'_>, scene: SceneId, now: Timestamp) -> Result<Option<Retried>, StoreError> {
    let Some(mut job) = job(tx, scene)? else { return Ok(None) };
    let retried = job.retry(now);
    if retried != Retried::AlreadyDone {
        save(tx, &job)?;
        dead_letters::close(tx, scene, Closed::Retried, now)?;
    }
    Ok(Some(retried))
}

/// Takes a job away with its letter; the next event for the scene makes a new one. `None` when there is no job.
pub fn drop_job(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    now: Timestamp,
) -> Result<Option<Droppable>, StoreError> {
    let Some(job) = job(tx, scene)? else { return Ok(None) };
    let droppable = job.droppable();
    if droppable == Droppable::Yes {
        dead_letters::close(tx, scene, Closed::Dropped, now)?;
        undos::refuse_all(tx, scene, "the work on the scene was dropped", now)?;
        awaited::replace(tx, scene, &BTreeSet::new())?;
        own_paths::forget(tx, scene)?;
        reviews::forget(tx, scene)?;
        diesel::delete(jobs::table.find((SCENE, scene.get()))).execute(tx.connection())?;
        let mut tallies = Tallies::load(tx)?;
        tallies.dropped += 1;
        tallies.save(tx)?;
    }
    Ok(Some(droppable))
}

/// What came of a person's word about a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered<T> {
    Done(SceneId, T),
    /// It was closed before, and the letter says how.
    Closed(Box<DeadLetter>),
    Unknown,
}

/// Retries the job that the letter is about.
pub fn retry_letter(
    tx: &mut WriteTx<'_>,
    id: i64,
    now: Timestamp,
) -> Result<Answered<Option<Retried>>, StoreError> {
    answer(tx, id, |tx, scene| retry(tx, scene, now))
}

/// Takes away the job that the letter is about.
pub fn discard_letter(
    tx: &mut WriteTx<'_>,
    id: i64,
    now: Timestamp,
) -> Result<Answered<Option<Droppable>>, StoreError> {
    answer(tx, id, |tx, scene| drop_job(tx, scene, now))
}

fn answer<T>(
    tx: &mut WriteTx<'_>,
    id: i64,
    act: impl FnOnce(&mut WriteTx<'_>, SceneId) -> Result<T, StoreError>,
) -> Result<Answered<T>, StoreError> {
    match dead_letters::letter(tx, id)? {
        None => Ok(Answered::Unknown),
        Some(letter) if letter.closed.is_some() => Ok(Answered::Closed(Box::new(letter))),
        Some(letter) => Ok(Answered::Done(letter.scene, act(tx, letter.scene)?)),
    }
}

const PAUSE: &str = "pause";

/// The pause that is on.
pub fn paused(conn: &mut impl ReadConn) -> Result<Option<Pause>, StoreError> {
    let read = |text: String| serde_json::from_str(&text);
    let pause = settings::get(conn, PAUSE)?.map(read).transpose();
    pause.map_err(|error| StoreError::bad_row("settings", &error))
}

/// Pauses the queue, for [`super::queue::claim_due`] to see. One that is on keeps its beginning, and its reason when
/// no other is given.
pub fn pause(tx: &mut WriteTx<'_>, reason: Option<String>, now: Timestamp) -> Result<Pause, StoreError> {
    let before = paused(tx)?;
    let since = before.as_ref().map_or(now, |before| before.since);
    let pause = Pause { since, reason: reason.or(before.and_then(|before| before.reason)) };
    let text = serde_json::to_string(&pause).map_err(|error| StoreError::bad_row("settings", &error))?;
    settings::put(tx, PAUSE, &text)?;
    Ok(pause)
}

/// Ends the pause and returns it; `None` when there was none.
pub fn resume(tx: &mut WriteTx<'_>) -> Result<Option<Pause>, StoreError> {
    let before = paused(tx)?;
    settings::remove(tx, PAUSE)?;
    Ok(before)
}

#[cfg(test)]
mod tests;
