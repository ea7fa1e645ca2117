//! What time is it? The only place that asks the operating system.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Tells the time twice: as people write it, and as it passes.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock. It can jump in both directions.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary moment in this process. It never goes back; waits are measured with it.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy)]
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
    #[expect(clippy::disallowed_methods, reason = "this is the place that everybody else is sent to")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that stands still until it is told otherwise, for tests, the simulation and the demo.
#[derive(Debug)]
pub struct ManualClock {
    hands: Mutex<Hands>,
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// Stands at `start`, with the monotonic clock at zero.
    pub fn new(start: Timestamp) -> Self {
        Self { hands: Mutex::new(Hands { wall: start, monotonic: Duration::ZERO }) }
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.wall = hands.wall.checked_add(by).unwrap_or(Timestamp::MAX);
        hands.monotonic = hands.monotonic.saturating_add(by);
    }

    /// Lets time pass on both clocks until the wall clock shows `to`. When `to` is in the past only the wall clock
    /// moves, as the monotonic one cannot go back.
    pub fn set(&self, to: Timestamp) {
        let mut hands = self.hands();
        let passed = Duration::try_from(to.duration_since(hands.wall)).unwrap_or(Duration::ZERO);
        hands.wall = to;
        hands.monotonic = hands.monotonic.saturating_add(passed);
    }

    /// Corrects the wall clock alone, as a time service or a person does.
    pub fn step_wall(&self, by: SignedDuration) {
        let mut hands = self.hands();
        let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        hands.wall = hands.wall.checked_add(by).unwrap_or(end);
    }

    // A panic elsewhere cannot leave the hands half moved, so a poisoned lock is no reason to stop the clock.
    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> ManualClock {
        ManualClock::new(Timestamp::from_second(1_000).unwrap())
    }

    #[test]
    fn both_hands_advance_together() {
        let clock = clock();
        clock.advance(Duration::from_secs(5));
        assert_eq!((clock.now().as_second(), clock.monotonic().as_secs()), (1_005, 5));
        clock.set(Timestamp::from_second(1_060).unwrap());
        assert_eq!((clock.now().as_second(), clock.monotonic().as_secs()), (1_060, 60));
    }

    #[test]
    fn a_step_moves_the_wall_clock_alone() {
        let clock = clock();
        clock.step_wall(SignedDuration::from_secs(-100));
        assert_eq!((clock.now().as_second(), clock.monotonic()), (900, Duration::ZERO));
    }

    #[test]
    fn the_monotonic_clock_never_goes_back() {
        let clock = clock();
        clock.advance(Duration::from_secs(7));
        clock.set(Timestamp::from_second(1).unwrap());
        assert_eq!((clock.now().as_second(), clock.monotonic().as_secs()), (1, 7));
    }

    #[test]
    fn a_clock_at_the_end_of_time_stays_there() {
        let clock = clock();
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        clock.step_wall(SignedDuration::MIN);
        assert!(clock.now() < Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn the_system_clock_runs() {
        let clock = SystemClock::new();
        let before = clock.monotonic();
        assert!(clock.now() > Timestamp::from_second(1_700_000_000).unwrap());
        assert!(clock.monotonic() >= before);
    }
}
