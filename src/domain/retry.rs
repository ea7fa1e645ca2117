//! How long do we wait before we try again?

use std::time::Duration;

use rand::{Rng, RngExt};

/// The settings of the `[retry]` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    pub first_delay: Duration,
    pub max_delay: Duration,
    /// How long a job may go on failing before it is dead.
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

/// A refused key and an unknown answer need a person: the first look comes soon, the next ones must not hammer.
const FIRST_PROBE: Duration = Duration::from_secs(30);
const LAST_PROBE: Duration = Duration::from_mins(15);

const SHORTEST_HINT: Duration = Duration::from_secs(1);
const LONGEST_HINT: Duration = Duration::from_hours(1);

impl RetryPolicy {
    /// The wait after the failure number `failures` (from 0) in a row.
    pub fn backoff(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        let window = doubled(self.first_delay, failures).min(self.max_delay);
        // Equal jitter: half of the window is kept, because full jitter could turn a ten-minute wait into none.
        let half = window / 2;
        half + half.mul_f64(rng.random::<f64>())
    }

    /// The wait that a peer asked for, within bounds: it may ask for more time, but not for ever.
    pub fn hinted(&self, hint: Option<Duration>, failures: u32, rng: &mut impl Rng) -> Duration {
        hint.map_or_else(|| self.backoff(failures, rng), |hint| hint.clamp(SHORTEST_HINT, LONGEST_HINT))
    }

    /// The wait until a peer that refuses us, or that we do not understand, is asked again.
    pub fn probe(failures: u32) -> Duration {
        doubled(FIRST_PROBE, failures).min(LAST_PROBE)
    }

    /// The wait before Plex is searched again for a scene that it did not have `misses` times before (from 0).
    pub fn not_found(misses: u32) -> Duration {
        let index = usize::try_from(misses).unwrap_or(usize::MAX);
        let last = NOT_FOUND_WAITS.last().copied().unwrap_or(FIRST_PROBE);
        NOT_FOUND_WAITS.get(index).copied().unwrap_or(last)
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first_delay: Duration::from_secs(2),
        max_delay: Duration::from_mins(10),
        give_up_after: Duration::from_hours(72),
        min_attempts: 12,
        not_found_for: Duration::from_hours(14 * 24),
    };

    proptest! {
        #[test]
        fn a_backoff_keeps_half_of_its_window_and_never_passes_the_longest(failures in 0_u32..2000, seed: u64) {
            let window = doubled(POLICY.first_delay, failures).min(POLICY.max_delay);
            let wait = POLICY.backoff(failures, &mut SmallRng::seed_from_u64(seed));
            prop_assert!(wait >= window / 2 && wait <= window);
        }
    }

    #[test]
    fn a_peer_may_ask_for_more_time_but_not_for_ever() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut hinted = |secs| POLICY.hinted(Some(Duration::from_secs(secs)), 0, &mut rng);
        assert_eq!(hinted(0), Duration::from_secs(1));
        assert_eq!(hinted(120), Duration::from_mins(2));
        assert_eq!(hinted(u64::MAX), Duration::from_hours(1));
    }

    #[test]
    fn a_missing_scene_is_looked_for_often_then_rarely_but_always_again() {
        let waits: Vec<_> = (0..12).map(RetryPolicy::not_found).collect();
        assert!(waits.is_sorted());
        assert_eq!(waits.first(), Some(&Duration::from_secs(30)));
        assert_eq!(waits.last(), Some(&Duration::from_hours(24)));
    }

    #[test]
    fn a_probe_comes_after_half_a_minute_then_up_to_every_quarter_of_an_hour() {
        assert_eq!(RetryPolicy::probe(0), Duration::from_secs(30));
        assert_eq!(RetryPolicy::probe(1), Duration::from_mins(1));
        assert_eq!(RetryPolicy::probe(40), Duration::from_mins(15));
    }
}
