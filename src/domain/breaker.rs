//! May we call this peer now? A circuit breaker for each way to a peer, with the holds that a peer asks for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::circuit::{Circuit, HoldCause};
use super::failure::{Failure, FailureClass};
use super::ids::SceneId;

/// The settings of the `[circuit_breaker]` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it is open before the peer is probed; grows by half with each probe that fails.
    pub open_for: Duration,
    pub max_open_for: Duration,
}

/// A refused key and an unknown answer need a person: the first look comes soon, the next ones must not hammer.
const FIRST_LOOK: Duration = Duration::from_secs(30);
const LAST_LOOK: Duration = Duration::from_mins(15);
/// What a peer may ask for.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// One scene may fail in the half-open state without ending it: it may be the one that always does.
const HALF_OPEN_FAILURES: u32 = 2;

/// What may be done over a circuit, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admission {
    None,
    /// One job, with nothing else in hand.
    One,
    /// Whatever is due.
    All,
}

/// What has changed for whoever keeps the record of outages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Opened(HoldCause),
    /// Still not used, but for another reason.
    Turned(HoldCause),
    Closed(HoldCause),
}

/// Where a breaker stands, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    Closed,
    HalfOpen,
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is known since the start of the process but the hold that was on record then.
    Unproven {
        held: Option<HoldCause>,
    },
    Closed,
    /// One scene alone has failed too often: a probe tells whether it is the scene or the peer.
    Suspect,
    Open {
        cause: HoldCause,
        until: Duration,
    },
    HalfOpen {
        cause: HoldCause,
        failures: u32,
    },
}

/// Decides for one circuit. Times are of a monotonic clock.
#[derive(Debug, Clone)]
pub struct Breaker {
    circuit: Circuit,
    policy: BreakerPolicy,
    state: State,
    /// Whether a probe is on its way.
    probing: bool,
    /// Failures in a row, with the scene of the first, and whether another one was among them.
    failures: u32,
    first: Option<SceneId>,
    several: bool,
    failing_since: Option<Duration>,
    /// A scene whose answer was not understood, since the last one that was.
    puzzled_by: Option<SceneId>,
    /// How often in a row the circuit was found not to work; each time the wait doubles.
    setbacks: u32,
}

impl Breaker {
    /// What was before the start of the process counts for nothing but `held`, the hold that was on record then: what
    /// can be probed is probed, and what cannot is tried with one job.
    pub fn new(circuit: Circuit, policy: BreakerPolicy, held: Option<HoldCause>) -> Self {
        let state = match held {
            held if circuit.can_be_probed() => State::Unproven { held },
            Some(cause) => State::HalfOpen { cause, failures: 0 },
            None => State::Closed,
        };
        Self {
            circuit,
            policy,
            state,
            probing: false,
            failures: 0,
            first: None,
            several: false,
            failing_since: None,
            puzzled_by: None,
            setbacks: 0,
        }
    }

    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed | State::Suspect => BreakerState::Closed,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Unproven { .. } | State::Open { .. } => BreakerState::Open,
        }
    }

    /// Why it is not used as usual.
    pub fn cause(&self) -> Option<HoldCause> {
        match self.state {
            State::Open { cause, .. } | State::HalfOpen { cause, .. } => Some(cause),
            State::Unproven { .. } | State::Closed | State::Suspect => None,
        }
    }

    /// When the peer is asked again, while nothing may be done.
    pub fn next_look(&self) -> Option<Duration> {
        match self.state {
            State::Open { until, .. } => Some(until),
            State::Unproven { .. } => Some(Duration::ZERO),
            State::Closed | State::Suspect | State::HalfOpen { .. } => None,
        }
    }

    /// When the failures began that opened it, or may do so.
    pub fn failing_since(&self) -> Option<Duration> {
        self.failing_since
    }

    /// What may be done now. A throttled peer said itself when it may be asked again, so it is not probed before.
    pub fn admits(&mut self, now: Duration) -> Admission {
        if let State::Open { cause: HoldCause::Throttled, until } = self.state
            && until <= now
        {
            self.state = State::HalfOpen { cause: HoldCause::Throttled, failures: 0 };
        }
        match self.state {
            State::Closed | State::Suspect => Admission::All,
            State::HalfOpen { .. } => Admission::One,
            State::Unproven { .. } | State::Open { .. } => Admission::None,
        }
    }

    /// Whether the peer is to be probed now; if so, [`Self::probed`] has to follow.
    pub fn starts_probe(&mut self, now: Duration) -> bool {
        let due = match self.state {
            State::Unproven { .. } | State::Suspect => true,
            State::Open { cause, until } => cause != HoldCause::Throttled && until <= now,
            State::Closed | State::HalfOpen { .. } => false,
        };
        let starts = due && !self.probing;
        self.probing |= starts;
        starts
    }

    /// Whoever probed is gone without an answer.
    pub fn forget_probe(&mut self) {
        self.probing = false;
    }

    /// Something has changed that may end a hold, such as a key: the peer is probed at once.
    pub fn look_now(&mut self, now: Duration) {
        if let State::Open { until, .. } = &mut self.state {
            *until = (*until).min(now);
        }
    }

    /// A scene, or background work, got what it asked for.
    pub fn succeeded(&mut self) -> Option<Change> {
        self.forgive();
        self.setbacks = 0;
        match self.state {
            State::HalfOpen { cause, .. } => {
                self.state = State::Closed;
                Some(Change::Closed(cause))
            }
            State::Suspect => {
                self.state = State::Closed;
                None
            }
            // An answer to a question from before it opened proves nothing about now.
            State::Unproven { .. } | State::Closed | State::Open { .. } => None,
        }
    }

    /// A scene failed, or background work did.
    pub fn failed(&mut self, failure: &Failure, scene: Option<SceneId>, now: Duration) -> Option<Change> {
        match says(failure.class) {
            Says::Works => self.succeeded(),
            Says::Away => self.unavailable(scene, now),
            Says::Pause => self.throttled(failure.retry_after, now),
            Says::Refused => self.open(HoldCause::Unauthorized, now),
            Says::Puzzle => self.puzzled(scene, now),
            Says::Nothing => None,
        }
    }

    /// A probe has ended.
    pub fn probed(&mut self, outcome: Result<(), &Failure>, now: Duration) -> Option<Change> {
        self.probing = false;
        let Err(failure) = outcome else { return self.answered() };
        match says(failure.class) {
            Says::Works => self.answered(),
            Says::Away => {
                self.failing_since.get_or_insert(now);
                self.open(HoldCause::Outage, now)
            }
            Says::Pause => self.throttled(failure.retry_after, now),
            Says::Refused => self.open(HoldCause::Unauthorized, now),
            Says::Puzzle => self.open(HoldCause::Incompatible, now),
            Says::Nothing => None,
        }
    }

    fn answered(&mut self) -> Option<Change> {
        match self.state {
            State::Unproven { held } => {
                self.state = State::Closed;
                held.map(Change::Closed)
            }
            State::Suspect => {
                // It was the scene; the peer is well.
                self.state = State::Closed;
                self.forgive();
                None
            }
            // What was not understood were the answers about scenes, and only such a one shows whether that is over.
            State::Open { cause, .. }
                if cause == HoldCause::Incompatible || !self.circuit.can_be_probed() =>
            {
                self.state = State::HalfOpen { cause, failures: 0 };
                None
            }
            State::Open { cause, .. } => {
                self.state = State::Closed;
                self.forgive();
                Some(Change::Closed(cause))
            }
            State::Closed | State::HalfOpen { .. } => None,
        }
    }

    fn unavailable(&mut self, scene: Option<SceneId>, now: Duration) -> Option<Change> {
        self.failing_since.get_or_insert(now);
        match &mut self.state {
            State::Closed | State::Suspect => {
                self.several |= self.failures > 0 && self.first != scene;
                if self.failures == 0 {
                    self.first = scene;
                }
                self.failures = self.failures.saturating_add(1);
                if self.failures < self.policy.failures {
                    return None;
                }
                if self.several {
                    return self.open(HoldCause::Outage, now);
                }
                self.state = State::Suspect;
                None
            }
            State::HalfOpen { failures, .. } => {
                *failures = failures.saturating_add(1);
                if *failures < HALF_OPEN_FAILURES { None } else { self.open(HoldCause::Outage, now) }
            }
            State::Unproven { .. } | State::Open { .. } => None,
        }
    }

    fn throttled(&mut self, hint: Option<Duration>, now: Duration) -> Option<Change> {
        // Asked for a second again and again, the peer is asked less and less often all the same.
        let own = doubled(SHORTEST_PAUSE, self.setbacks).min(self.policy.max_open_for);
        let hinted = hint.unwrap_or(Duration::ZERO).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        self.open_until(HoldCause::Throttled, now.saturating_add(own.max(hinted)), now)
    }

    fn puzzled(&mut self, scene: Option<SceneId>, now: Duration) -> Option<Change> {
        let is_second = self.puzzled_by.is_some_and(|first| Some(first) != scene);
        if is_second || matches!(self.state, State::HalfOpen { .. }) {
            return self.open(HoldCause::Incompatible, now);
        }
        self.puzzled_by = self.puzzled_by.or(scene);
        None
    }

    fn open(&mut self, cause: HoldCause, now: Duration) -> Option<Change> {
        let wait = match cause {
            HoldCause::Unauthorized | HoldCause::Incompatible => {
                doubled(FIRST_LOOK, self.setbacks).min(LAST_LOOK)
            }
            HoldCause::Outage | HoldCause::Throttled => {
                grown(self.policy.open_for, self.setbacks).min(self.policy.max_open_for)
            }
        };
        self.open_until(cause, now.saturating_add(wait), now)
    }

    fn open_until(&mut self, cause: HoldCause, until: Duration, now: Duration) -> Option<Change> {
        let before = self.cause();
        if let State::Open { cause: known, until: known_until } = self.state
            && known == cause
            && known_until > now
        {
            // What was on its way when it opened says nothing new.
            return None;
        }
        self.failing_since.get_or_insert(now);
        self.setbacks = self.setbacks.saturating_add(1);
        self.state = State::Open { cause, until };
        match before {
            None => Some(Change::Opened(cause)),
            Some(before) if before == cause => None,
            Some(_) => Some(Change::Turned(cause)),
        }
    }

    fn forgive(&mut self) {
        self.failures = 0;
        self.first = None;
        self.several = false;
        self.failing_since = None;
        self.puzzled_by = None;
    }
}

/// What a failure says about the peer.
enum Says {
    /// It has answered, and the answer is about the scene.
    Works,
    Away,
    Pause,
    Refused,
    Puzzle,
    /// The failure is our own.
    Nothing,
}

fn says(class: FailureClass) -> Says {
    match class {
        FailureClass::Forbidden
        | FailureClass::NotInPlex
        | FailureClass::Ambiguous
        | FailureClass::StaleMatch
        | FailureClass::NotApplied
        | FailureClass::Rejected
        | FailureClass::Gone => Says::Works,
        FailureClass::Unavailable => Says::Away,
        FailureClass::Throttled => Says::Pause,
        FailureClass::Unauthorized => Says::Refused,
        FailureClass::Incompatible => Says::Puzzle,
        FailureClass::Interrupted | FailureClass::Bug => Says::Nothing,
    }
}

/// Grown by half so many times: a return is noticed within half of the time that the peer was away.
fn grown(first: Duration, times: u32) -> Duration {
    // Beyond this the longest wait is long reached, and the factor would be too large for a duration.
    const MOST: u32 = 40;
    first.mul_f64(1.5_f64.powi(times.min(MOST).cast_signed()))
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times))
}

#[cfg(test)]
mod tests;
