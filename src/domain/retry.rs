//! How long do we wait before we try again?

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{Rng, RngExt};

use super::failure::{FailureClass, Peer};

/// The settings of the `[retry]` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    pub first_delay: Duration,
    pub max_delay: Duration,
    /// Whether waits grow with how often runs failed in the same way lately.
    pub adaptive: bool,
    /// How long a job may go on failing before it is dead, not counting the time in which a peer was known to be away.
    pub give_up_after: Duration,
    /// How many attempts a job has at least, however long they took.
    pub min_attempts: u32,
    /// How long a scene that Plex does not have is waited for.
    pub not_found_for: Duration,
}

/// A scene that Plex does not have yet is looked for often at first (a scan takes minutes), then rarely.
const NOT_FOUND_WAITS: [Duration; 9] = [
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
    Duration::from_hours(3),
    Duration::from_hours(6),
    Duration::from_hours(24),
];

/// An unknown answer needs a person: the first look comes soon, the next ones must not hammer.
const FIRST_PROBE: Duration = Duration::from_secs(30);
const LAST_PROBE: Duration = Duration::from_mins(15);

const SHORTEST_HINT: Duration = Duration::from_secs(1);
const LONGEST_HINT: Duration = Duration::from_hours(1);

impl RetryPolicy {
    /// The wait after the failure number `failures` (from 0) in a row. `rate` is how often runs failed so lately.
    pub fn backoff(&self, failures: u32, rate: FailureRate, rng: &mut impl Rng) -> Duration {
        let window = doubled(self.first_delay, failures).mul_f64(self.stretch(rate)).min(self.max_delay);
        // Equal jitter: half of the window is kept, because full jitter could turn a ten-minute wait into none.
        let half = window / 2;
        half + half.mul_f64(rng.random::<f64>())
    }

    /// How many times as long as usual the waits are.
    pub fn stretch(&self, rate: FailureRate) -> f64 {
        if self.adaptive { 1.0 + (LONGEST_STRETCH - 1.0) * rate.0 } else { 1.0 }
    }

    /// The wait that a peer asked for, within bounds: it may ask for more time, but not for ever.
    pub fn hinted(
        &self,
        hint: Option<Duration>,
        failures: u32,
        rate: FailureRate,
        rng: &mut impl Rng,
    ) -> Duration {
        hint.map_or_else(|| self.backoff(failures, rate, rng), |hint| hint.clamp(SHORTEST_HINT, LONGEST_HINT))
    }

    /// The wait until a scene is read again whose answer was not understood, when that is about this scene alone.
    pub fn puzzled(failures: u32) -> Duration {
        doubled(FIRST_PROBE, failures).min(LAST_PROBE)
    }

    /// The wait before Plex is searched again for a scene that it did not have `misses` times before (from 0).
    pub fn not_found(misses: u32) -> Duration {
        let index = usize::try_from(misses).unwrap_or(usize::MAX);
        let last = NOT_FOUND_WAITS.last().copied().unwrap_or(FIRST_PROBE);
        NOT_FOUND_WAITS.get(index).copied().unwrap_or(last)
    }
}

/// When all runs fail in one way, waits are this many times as long.
const LONGEST_STRETCH: f64 = 4.0;

/// How often runs failed lately in one way: from 0, never, to 1, always.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FailureRate(f64);

/// The rates of all ways to fail. Kept in memory, and learnt again at a start from the runs on record.
#[derive(Debug, Clone, Default)]
pub struct FailureRates(BTreeMap<(Peer, FailureClass), FailureRate>);

impl FailureRates {
    /// What one run counts for: about the last ten decide.
    const WEIGHT: f64 = 0.1;
    /// Runs further back than this count for next to nothing.
    pub const MEMORY: usize = 50;

    /// Learns how a run ended.
    pub fn learn(&mut self, failure: Option<(Peer, FailureClass)>) {
        match failure {
            Some(way) => {
                let rate = self.0.entry(way).or_default();
                rate.0 += (1.0 - rate.0) * Self::WEIGHT;
            }
            None => self.0.values_mut().for_each(|rate| rate.0 *= 1.0 - Self::WEIGHT),
        }
    }

    pub fn of(&self, peer: Peer, class: FailureClass) -> FailureRate {
        self.0.get(&(peer, class)).copied().unwrap_or_default()
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times))
}

#[cfg(test)]
impl RetryPolicy {
    /// What the configuration says unless it is told otherwise.
    pub(crate) const USUAL: Self = Self {
        first_delay: Duration::from_secs(2),
        max_delay: Duration::from_mins(10),
        adaptive: true,
        give_up_after: Duration::from_hours(72),
        min_attempts: 12,
        not_found_for: Duration::from_hours(14 * 24),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy::USUAL;

    proptest! {
        #[test]
        fn a_backoff_keeps_half_of_its_window_and_never_passes_the_longest(
            failures in 0_u32..2000,
            rate in 0.0_f64..=1.0,
            seed: u64,
        ) {
            let rate = FailureRate(rate);
            let window =
                doubled(POLICY.first_delay, failures).mul_f64(POLICY.stretch(rate)).min(POLICY.max_delay);
            let wait = POLICY.backoff(failures, rate, &mut SmallRng::seed_from_u64(seed));
            prop_assert!(wait >= window / 2 && wait <= window);
        }
    }

    #[test]
    fn a_peer_may_ask_for_more_time_but_not_for_ever() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut hinted =
            |secs| POLICY.hinted(Some(Duration::from_secs(secs)), 0, FailureRate::default(), &mut rng);
        assert_eq!(hinted(0), Duration::from_secs(1));
        assert_eq!(hinted(120), Duration::from_mins(2));
        assert_eq!(hinted(u64::MAX), Duration::from_hours(1));
    }

    #[test]
    fn waits_grow_with_the_failures_of_late_and_shrink_with_successes() {
        let mut rates = FailureRates::default();
        let way = (Peer::Plex, FailureClass::Unavailable);
        let stretch = |rates: &FailureRates| POLICY.stretch(rates.of(way.0, way.1));
        assert!((stretch(&rates) - 1.0).abs() < 1e-9);
        for _ in 0..30 {
            rates.learn(Some(way));
        }
        assert!((3.5..4.0).contains(&stretch(&rates)), "{}", stretch(&rates));
        let other = POLICY.stretch(rates.of(Peer::Stash, FailureClass::Unavailable));
        assert!((other - 1.0).abs() < 1e-9, "one peer's failures are not the other's");
        for _ in 0..30 {
            rates.learn(None);
        }
        assert!(stretch(&rates) < 1.2);
        let steady = RetryPolicy { adaptive: false, ..POLICY };
        assert!((steady.stretch(FailureRate(1.0)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_missing_scene_is_looked_for_often_then_rarely_but_always_again() {
        let waits: Vec<_> = (0..12).map(RetryPolicy::not_found).collect();
        assert!(waits.is_sorted());
        assert_eq!(waits.first(), Some(&Duration::from_secs(30)));
        assert_eq!(waits.last(), Some(&Duration::from_hours(24)));
    }

    #[test]
    fn an_answer_that_is_not_understood_is_asked_for_after_half_a_minute_then_up_to_every_quarter_of_an_hour()
    {
        assert_eq!(RetryPolicy::puzzled(0), Duration::from_secs(30));
        assert_eq!(RetryPolicy::puzzled(1), Duration::from_mins(1));
        assert_eq!(RetryPolicy::puzzled(40), Duration::from_mins(15));
    }
}
