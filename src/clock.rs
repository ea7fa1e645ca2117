//! What time is it? The only place that asks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// The source of time for everything that decides by it.
pub trait Clock: Send + Sync {
    /// Wall-clock time. It can be set back and forth.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment. It only ever goes forward.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else has to ask")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that goes when it is told to.
#[derive(Debug)]
pub struct ManualClock(Mutex<(Timestamp, Duration)>);

impl ManualClock {
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new((now, Duration::from_secs(1000))))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.0 += SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        times.1 += by;
    }

    /// Sets the wall clock, as an administrator or a time server does; no time passes.
    pub fn step_wall(&self, by: SignedDuration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}
