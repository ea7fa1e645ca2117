//! What does the end of a run change? Everything about it, in one transaction: where the job goes, the attempt, the
//! dead letter, links, ledger and history.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rand::Rng;

use super::StoreError;
use super::attempts::{self, FinishedRun, in_words};
use super::awaited;
use super::connection::WriteTx;
use super::counts::Tallies;
use super::covers::{self, SeenCovers};
use super::dead_letters::{self, DeadLetter};
use super::intents::{self, SettledIntent};
use super::jobs::{job, save};
use super::ledger::{self, Link};
use super::outages::time_away;
use super::own_paths::{self, OwnPaths};
use super::reviews::{self, NewReview};
use super::rows::ItemKey;
use super::undos;

use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::{CorrelationId, RunToken, SceneId};
use crate::domain::job::{self as rules, Circumstances, Job, JobState, Verdict};
use crate::domain::matching::let_go as key_of;
use crate::domain::retry::{FailureRates, RetryPolicy};

/// What a run has to say at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    pub token: RunToken,
    pub scene: SceneId,
    pub started_at: Timestamp,
    /// Of the claim; an event that came since has brought another one.
    pub correlation_id: CorrelationId,
    pub outcome: Result<(), Failure>,
    /// Why a run that went well wrote nothing, where a person would wonder.
    pub remark: Option<&'static str>,
    /// Of the intents that are open for the scene, those whose end is known. The others stay open and are read back
    /// by the next run.
    pub intents: Vec<SettledIntent>,
    /// The items that the scene holds from now on.
    pub links: Vec<Link>,
    /// The scenes that held some of them, and have been shown not to be those any more.
    pub passed_on: BTreeMap<ItemKey, SceneId>,
    /// What was seen of the images of items that the scene holds.
    pub covers: Vec<(ItemKey, SeenCovers)>,
    /// The items that the scene turned out not to hold any more.
    pub unlinked: Vec<ItemKey>,
    /// The keys of the files that would make the scene be looked for again, should it be without an item now.
    pub awaits: BTreeSet<i64>,
    /// Where else an item could come that the scene is, once it has one.
    pub own_paths: OwnPaths,
    /// What a person has to decide before the scene can go on.
    pub review: Option<NewReview>,
}

/// The answer to a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Recorded(Box<Recorded>),
    /// The run was not in hand any more. Nothing was changed.
    Fenced,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub state: JobState,
    pub due_at: Option<Timestamp>,
    /// What follows, in words.
    pub next: String,
    /// The dead letter, when the job was given up.
    pub buried: Option<DeadLetter>,
    /// A person is asked something that was not asked before.
    pub to_review: bool,
}

/// Ends the run. Calling it again with the same report is harmless: the second time it is fenced. `rates` are those of
/// the runs before.
pub fn settle(
    tx: &mut WriteTx<'_>,
    report: &RunReport,
    policy: &RetryPolicy,
    rates: &FailureRates,
    now: Timestamp,
    rng: &mut impl Rng,
) -> Result<Settled, StoreError> {
    let in_hand = job(tx, report.scene)?.filter(|job| job.token == Some(report.token));
    let Some(mut job) = in_hand else { return Ok(Settled::Fenced) };
    let (links, contested) = links(tx, report)?;
    let outcome = report.outcome.as_ref().map(|&()| ()).and(contested.as_ref().map_or(Ok(()), Err));
    let circumstances = circumstances(tx, &job, outcome, rates, now)?;
    let verdict = rules::settle(&job, outcome, policy, circumstances, now, rng);
    let covered = job.claimed.unwrap_or(job.generation);
    let stretch = policy.stretch(circumstances.rate);
    let mut next = in_words(&verdict, outcome.err(), stretch, job.once_more());
    job.finish(outcome, &verdict, now);
    save(tx, &job)?;
    let nothing = BTreeSet::new();
    awaited::replace(tx, job.scene, if job.awaits_news() { &report.awaits } else { &nothing })?;
    if job.state == JobState::Done {
        next.extend(report.remark.iter().flat_map(|remark| [": ", remark]));
        let mut tallies = Tallies::load(tx)?;
        tallies.done += 1;
        tallies.save(tx)?;
    }
    let run = FinishedRun {
        scene: report.scene,
        generation: covered,
        started_at: report.started_at,
        ended_at: now,
        outcome,
        next: &next,
        correlation_id: &report.correlation_id,
    };
    attempts::record(tx, &run)?;
    let let_go = let_go(tx, report, outcome, &job)?;
    record_writes(tx, report, &links, now)?;
    let gone = outcome.is_err_and(|failure| failure.class == FailureClass::Gone);
    if gone && job.state == JobState::Done {
        intents::abandon(tx, report.scene, None, now)?;
        ledger::forget_scene(tx, report.scene)?;
        undos::refuse_all(tx, report.scene, "the scene is gone from Stash", now)?;
        reviews::forget_answers(tx, report.scene)?;
    }
    for item in &let_go {
        // What a run before this one has written there is no concern of a scene that cannot be the item.
        if !candidate(report, item) {
            intents::abandon(tx, report.scene, Some(item), now)?;
        }
        awaited::wake(tx, &[key_of(&item.machine, &item.rating_key)].into(), now)?;
    }
    own_paths::settle(tx, &job, &report.own_paths, now)?;
    let to_review = reviews::renew(tx, &job, outcome, report.review.as_ref(), now)?;
    // The state and not the verdict: an event that came meanwhile has saved the job from it.
    let buried = if job.state == JobState::Dead
        && let (Verdict::Bury { code }, Err(failure)) = (&verdict, outcome)
    {
        Some(dead_letters::bury(tx, &job, code, failure, now)?)
    } else {
        None
    };
    Ok(Settled::Recorded(Box::new(Recorded {
        state: job.state,
        due_at: job.due_at,
        next,
        buried,
        to_review,
    })))
}

/// Those links that the scene may have, and what has to become of the run when another scene is about to get one of them
/// or has got it: a run that had something to write has kept others away since, but one that had nothing has not.
fn links<'r>(
    tx: &mut WriteTx<'_>,
    report: &'r RunReport,
) -> Result<(Vec<&'r Link>, Option<Failure>), StoreError> {
    let mut free = Vec::with_capacity(report.links.len());
    for link in &report.links {
        let passed_on_by = report.passed_on.get(&link.item).copied();
        if !intents::is_contested(tx, &link.item, report.scene, passed_on_by)? {
            free.push(link);
        }
    }
    // The next run finds the other scene there.
    let contested = (free.len() < report.links.len())
        .then(|| Failure::interrupted("contested", "another scene came to the same item meanwhile"));
    Ok((free, contested))
}

/// The items that the scene held before, or wrote to, and by its run does not seem to be any more. Who else claims one of
/// them asks again.
fn let_go(
    tx: &mut WriteTx<'_>,
    report: &RunReport,
    outcome: Result<(), &Failure>,
    job: &Job,
) -> Result<BTreeSet<ItemKey>, StoreError> {
    let is_known = match outcome {
        // A remark says that nothing was looked for.
        Ok(()) => report.remark.is_none(),
        Err(failure) if failure.class == FailureClass::Gone => job.state == JobState::Done,
        Err(failure) if failure.class == FailureClass::Ambiguous => report.review.is_some(),
        Err(failure) => failure.class == FailureClass::NotInPlex,
    };
    let mut before: BTreeSet<_> = report.unlinked.iter().cloned().collect();
    if is_known {
        before.extend(ledger::links_of(tx, report.scene)?.into_iter().map(|link| link.item));
        before.extend(intents::intents_of(tx, report.scene)?.into_iter().map(|open| open.intent.item));
    }
    // What is uncertain is no match for a scene that surely is the item.
    let uncertain = outcome.is_err_and(|failure| failure.code == "low_confidence");
    let claims = |item: &ItemKey| !uncertain && candidate(report, item);
    before.retain(|item| !report.links.iter().any(|link| link.item == *item) && !claims(item));
    Ok(before)
}

/// Whether a person is asked if the scene is the item.
fn candidate(report: &RunReport, item: &ItemKey) -> bool {
    report.review.as_ref().is_some_and(|review| review.candidate(item).is_some())
}

fn circumstances(
    tx: &mut WriteTx<'_>,
    job: &Job,
    outcome: Result<(), &Failure>,
    rates: &FailureRates,
    now: Timestamp,
) -> Result<Circumstances, StoreError> {
    let Err(failure) = outcome else { return Ok(Circumstances::default()) };
    let away = job.failing_since.map(|since| time_away(tx, since, now)).transpose()?;
    Ok(Circumstances { away: away.unwrap_or_default(), rate: rates.of(failure.peer, failure.class) })
}

/// Settles an intent that an earlier run left open, for a run that is in hand. The item is given to the scene as well,
/// since what is in its ledger counts only for the scene that holds it; unless another one has got it since. Returns
/// whether the run still is in hand.
pub fn settle_earlier(
    tx: &mut WriteTx<'_>,
    token: RunToken,
    link: &Link,
    passed_on_by: Option<SceneId>,
    intent: &SettledIntent,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if job(tx, link.scene)?.is_none_or(|job| job.token != Some(token)) {
        return Ok(false);
    }
    if !intents::is_contested(tx, &link.item, link.scene, passed_on_by)? {
        ledger::link(tx, link)?;
    }
    intents::settle(tx, link.scene, intent, now)?;
    Ok(true)
}

/// Links come before intents, because giving an item to another scene clears its ledger.
fn record_writes(
    tx: &mut WriteTx<'_>,
    report: &RunReport,
    links: &[&Link],
    now: Timestamp,
) -> Result<(), StoreError> {
    for item in &report.unlinked {
        intents::abandon(tx, report.scene, Some(item), now)?;
        ledger::unlink(tx, item, report.scene)?;
    }
    for link in links {
        ledger::link(tx, link)?;
        if let Some(other) = report.passed_on.get(&link.item) {
            intents::abandon(tx, *other, Some(&link.item), now)?;
        }
    }
    for intent in &report.intents {
        intents::settle(tx, report.scene, intent, now)?;
    }
    for (item, seen) in report.covers.iter().filter(|(item, _)| links.iter().any(|link| link.item == *item)) {
        covers::record(tx, item, report.scene, seen)?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
