//! What time is it in the simulated world?

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// A clock that starts where it is told, runs with real time, and can be moved by hand.
///
/// Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SimClock {
    started: Instant,
    at: Arc<Mutex<Position>>,
}

#[derive(Debug)]
struct Position {
    start: Timestamp,
    moved: Duration,
}

impl SimClock {
    /// 2026-09-21T14:13:20Z, where a clock starts when nobody says otherwise.
    pub const START: i64 = 1_790_000_000;

    /// A clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        let at = Arc::new(Mutex::new(Position { start, moved: Duration::ZERO }));
        Self { started: Instant::now(), at }
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> i64 {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let run = self.started.elapsed().saturating_add(at.moved).as_secs();
        at.start.as_second().saturating_add(i64::try_from(run).unwrap_or(i64::MAX))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.moved = at.moved.saturating_add(by);
    }
}

impl Default for SimClock {
    fn default() -> Self {
        Self::starting_at(Timestamp::from_second(Self::START).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

/// RFC 3339 with whole seconds in a fixed zone, `Z` when that zone is UTC: the form Stash stores and sends.
pub fn rfc3339(seconds: i64, offset: Offset) -> String {
    let stamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    if offset.seconds() == 0 {
        return stamp.to_string();
    }
    stamp.to_zoned(TimeZone::fixed(offset)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_its_zone_and_whole_seconds() {
        assert_eq!(rfc3339(SimClock::START, Offset::constant(-5)), "2026-09-21T09:13:20-05:00");
        assert_eq!(rfc3339(SimClock::START, Offset::UTC), "2026-09-21T14:13:20Z");
    }

    #[test]
    fn a_clock_moves_when_told_and_clones_follow() {
        let clock = SimClock::default();
        let twin = clock.clone();
        clock.advance(Duration::from_hours(1));
        assert!(twin.seconds() >= SimClock::START + 3600);
    }
}
