//! Done, again, waiting, parked or dead? The verdict on one run.

use std::time::Duration;

use jiff::Timestamp;
use rand::Rng;

use super::{Job, elapsed};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::retry::{FailureRate, RetryPolicy};

/// What follows from one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// Runs again after the wait; `charged` counts as an attempt.
    Again {
        wait: Duration,
        charged: bool,
    },
    /// Looks again after the wait for what Plex does not have yet.
    Wait {
        wait: Duration,
    },
    Park {
        code: &'static str,
    },
    Bury {
        code: &'static str,
    },
}

/// What was not there right after its creation may still come: Stash tells of a scene before its commit is seen.
const CREATION_SETTLES_WITHIN: Duration = Duration::from_mins(10);
/// A stage that was restarted is back within this time; without it a job would spin meanwhile.
const INTERRUPTED_PAUSE: Duration = Duration::from_millis(250);
/// An edit that Plex ignores, and a panic, are tried this often in a row.
const TRIES_OF_THE_SAME: u32 = 3;

/// What a verdict takes into account besides the job and its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Circumstances {
    /// How long, since the job began to fail, a peer was known to be away. That time is not held against the job.
    pub away: Duration,
    /// How often runs before this one failed in the same way lately.
    pub rate: FailureRate,
}

/// Decides where a job goes after one run. The only place that does.
pub fn settle(
    job: &Job,
    outcome: Result<(), &Failure>,
    policy: &RetryPolicy,
    circumstances: Circumstances,
    now: Timestamp,
    rng: &mut impl Rng,
) -> Verdict {
    let Err(failure) = outcome else { return Verdict::Done };
    let before = if job.class == Some(failure.class) { job.streak } else { 0 };
    let failing_for = job.failing_since.map_or(Duration::ZERO, |since| elapsed(since, now));
    let Circumstances { away, rate } = circumstances;
    // While the circuit is held nothing runs anyway; when it is used again the job is to be among the first.
    let soon =
        |rng: &mut _| Verdict::Again { wait: policy.backoff(0, FailureRate::default(), rng), charged: false };
    match failure.class {
        FailureClass::Unavailable | FailureClass::Incompatible if failure.while_held => soon(rng),
        FailureClass::Unavailable => {
            let tried = job.attempts.saturating_add(1);
            if failing_for.saturating_sub(away) >= policy.give_up_after && tried >= policy.min_attempts {
                return Verdict::Bury { code: "attempts_exhausted" };
            }
            Verdict::Again { wait: policy.backoff(before, rate, rng), charged: true }
        }
        FailureClass::Throttled => {
            Verdict::Again { wait: policy.hinted(failure.retry_after, before, rate, rng), charged: false }
        }
        FailureClass::Unauthorized => soon(rng),
        FailureClass::Incompatible => Verdict::Again { wait: RetryPolicy::puzzled(before), charged: false },
        FailureClass::Forbidden => Verdict::Park { code: "forbidden" },
        FailureClass::NotInPlex => {
            if failing_for >= policy.not_found_for {
                return Verdict::Park { code: "not_in_plex" };
            }
            Verdict::Wait { wait: RetryPolicy::not_found(before) }
        }
        FailureClass::Ambiguous => Verdict::Park { code: failure.code },
        FailureClass::StaleMatch => {
            Verdict::Again { wait: policy.backoff(before, rate, rng), charged: false }
        }
        FailureClass::NotApplied => same_again(before, "not_applied", policy, rate, rng),
        FailureClass::Rejected => Verdict::Bury { code: failure.code },
        FailureClass::Gone => {
            if job.believes_that_it_is_gone(now) {
                return Verdict::Done;
            }
            Verdict::Again { wait: policy.backoff(before, rate, rng), charged: false }
        }
        FailureClass::Interrupted => Verdict::Again { wait: INTERRUPTED_PAUSE, charged: false },
        FailureClass::Bug => same_again(before, "bug", policy, rate, rng),
    }
}

impl Job {
    /// Whether a scene that Stash does not have is gone. One that was created a moment ago may not be there yet.
    pub fn believes_that_it_is_gone(&self, now: Timestamp) -> bool {
        !(self.created && elapsed(self.last_event_at, now) < CREATION_SETTLES_WITHIN)
    }
}

fn same_again(
    before: u32,
    code: &'static str,
    policy: &RetryPolicy,
    rate: FailureRate,
    rng: &mut impl Rng,
) -> Verdict {
    if before.saturating_add(1) >= TRIES_OF_THE_SAME {
        return Verdict::Park { code };
    }
    Verdict::Again { wait: policy.backoff(before, rate, rng), charged: true }
}
