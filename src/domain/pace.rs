//! How fast may we go? A token bucket that climbs after an outage and gives way to a peer that is slow or fails.

use std::time::Duration;

/// The settings of the `[rate_limit]` section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PacePolicy {
    /// Calls in a second; 0 is no limit.
    pub per_second: f64,
    /// How many calls may follow one another at once after a rest.
    pub burst: u32,
    /// Whether slow and failing calls make the next ones rarer.
    pub adaptive: bool,
    /// How long the rate climbs after an outage; zero is off.
    pub ramp_up: Duration,
}

/// Plex writes texts in under a tenth of a second; a write that takes this long had to wait for its database.
const SLOW: Duration = Duration::from_secs(2);
/// However badly it goes, the rate stays above this part of the limit, so that recovery is noticed.
const LEAST: f64 = 0.1;
/// Each slow or failing call halves the rate, each good one gives this part of the limit back.
const RECOVERY: f64 = 0.1;
/// After an outage the rate begins at this part of the limit: slow enough for a server that is still warming up, and
/// quick enough that a backlog of ten minutes is gone before the ramp ends.
const RAMP_FROM: f64 = 0.4;

/// Paces the calls of one kind to one peer. Times are of a monotonic clock.
#[derive(Debug, Clone)]
pub struct Pace {
    policy: PacePolicy,
    /// Calls that may go at once. Below 0 as long as one waits that was given a later time.
    tokens: f64,
    counted_at: Duration,
    /// The part of the limit that the peer's behaviour leaves, from [`LEAST`] to 1.
    ease: f64,
    ramp_since: Option<Duration>,
}

impl Pace {
    pub fn new(policy: PacePolicy, now: Duration) -> Self {
        Self { policy, tokens: f64::from(policy.burst.max(1)), counted_at: now, ease: 1.0, ramp_since: None }
    }

    /// Calls in a second as it stands now; 0 is no limit.
    pub fn rate(&self, now: Duration) -> f64 {
        self.policy.per_second * self.ease * self.climb(now)
    }

    /// Takes a turn: the call may go after this wait.
    pub fn take(&mut self, now: Duration) -> Duration {
        let rate = self.rate(now);
        if rate <= 0.0 {
            return Duration::ZERO;
        }
        let rested = now.saturating_sub(self.counted_at).as_secs_f64() * rate;
        self.counted_at = now;
        // While the rate climbs nothing is saved up: the peer that has just come back meets no burst.
        let most = if self.is_climbing(now) { 1.0 } else { f64::from(self.policy.burst.max(1)) };
        self.tokens = (self.tokens + rested).min(most) - 1.0;
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(-self.tokens / rate).unwrap_or(Duration::MAX)
    }

    /// Learns how a call went.
    pub fn finished(&mut self, took: Duration, well: bool) {
        if !self.policy.adaptive {
            return;
        }
        self.ease =
            if well && took < SLOW { (self.ease + RECOVERY).min(1.0) } else { (self.ease / 2.0).max(LEAST) };
    }

    /// An outage is over: the rate climbs from now on.
    pub fn ramp(&mut self, now: Duration) {
        if !self.policy.ramp_up.is_zero() {
            self.ramp_since = Some(now);
            self.tokens = self.tokens.min(0.0);
            self.counted_at = now;
        }
    }

    fn is_climbing(&self, now: Duration) -> bool {
        self.ramp_since.is_some_and(|since| now.saturating_sub(since) < self.policy.ramp_up)
    }

    fn climb(&self, now: Duration) -> f64 {
        match self.ramp_since {
            Some(since) if self.is_climbing(now) => {
                let gone = now.saturating_sub(since).as_secs_f64() / self.policy.ramp_up.as_secs_f64();
                RAMP_FROM + (1.0 - RAMP_FROM) * gone
            }
            Some(_) | None => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: PacePolicy =
        PacePolicy { per_second: 5.0, burst: 10, adaptive: true, ramp_up: Duration::from_mins(5) };

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// The times at which calls go that follow one another as fast as they may.
    fn calls(pace: &mut Pace, from: Duration, count: usize) -> Vec<Duration> {
        let mut now = from;
        let mut next = || {
            now += pace.take(now);
            now
        };
        (0..count).map(|_| next()).collect()
    }

    /// The most calls within one second, wherever it begins.
    fn most_in_a_second(calls: &[Duration]) -> usize {
        let within = |start: &Duration| {
            let second = *start..*start + secs(0.999);
            calls.iter().filter(|call| second.contains(*call)).count()
        };
        calls.iter().map(within).max().unwrap_or_default()
    }

    #[test]
    fn after_a_rest_a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let times = calls(&mut Pace::new(POLICY, Duration::ZERO), Duration::ZERO, 20);
        assert_eq!(times.iter().filter(|time| time.is_zero()).count(), 10);
        assert_eq!(times.last(), Some(&secs(2.0)));
    }

    #[test]
    fn after_an_outage_the_rate_climbs_and_no_second_has_more_calls_than_the_limit() {
        let mut pace = Pace::new(POLICY, Duration::ZERO);
        pace.ramp(secs(600.0));
        let times = calls(&mut pace, secs(600.0), 300);
        assert!(most_in_a_second(&times) <= 5);
        let took = times.last().copied().unwrap_or_default().saturating_sub(secs(600.0));
        assert!((100.0..300.0).contains(&took.as_secs_f64()), "300 calls in {took:?}");
        assert!(pace.rate(secs(601.0)) < pace.rate(secs(800.0)));
        assert!((pace.rate(secs(901.0)) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn slow_and_failing_calls_make_the_next_rarer_and_good_ones_give_the_rate_back() {
        let mut pace = Pace::new(POLICY, Duration::ZERO);
        let rate = |pace: &Pace| pace.rate(Duration::ZERO);
        pace.finished(secs(9.0), true);
        assert!((rate(&pace) - 2.5).abs() < 1e-9);
        for _ in 0..20 {
            pace.finished(secs(0.05), false);
        }
        assert!((rate(&pace) - 0.5).abs() < 1e-9, "it never stops");
        for _ in 0..10 {
            pace.finished(secs(0.05), true);
        }
        assert!((rate(&pace) - 5.0).abs() < 1e-9);
        let mut steady = Pace::new(PacePolicy { adaptive: false, ..POLICY }, Duration::ZERO);
        steady.finished(secs(9.0), false);
        assert!((rate(&steady) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn no_limit_is_no_wait() {
        let mut pace = Pace::new(PacePolicy { per_second: 0.0, ..POLICY }, Duration::ZERO);
        pace.ramp(Duration::ZERO);
        assert!(calls(&mut pace, Duration::ZERO, 1000).iter().all(Duration::is_zero));
    }

    proptest! {
        #[test]
        fn no_time_has_more_calls_than_its_rate_and_one_burst(
            rests in prop::collection::vec(0.0_f64..3.0, 1..60),
            per_second in 0.5_f64..50.0,
            burst in 1_u32..20,
        ) {
            let policy = PacePolicy { per_second, burst, adaptive: false, ramp_up: Duration::ZERO };
            let (mut pace, mut now, mut times) = (Pace::new(policy, Duration::ZERO), Duration::ZERO, Vec::new());
            for rest in rests {
                now += secs(rest);
                now += pace.take(now);
                times.push(now.as_secs_f64());
            }
            for (place, start) in times.iter().enumerate() {
                for (count, end) in (0_u32..).zip(&times[place..]) {
                    let allowed = (end - start) * per_second + f64::from(burst) + 1e-6;
                    prop_assert!(f64::from(count) <= allowed, "{count} calls in {} s", end - start);
                }
            }
        }
    }
}
