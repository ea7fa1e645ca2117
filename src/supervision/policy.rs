//! Restart, pause or give up? A pure decision.

use std::time::Duration;

/// The settings of the `[supervision]` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// More restarts than this within the window, over all actors, end the process.
    pub max_restarts: u32,
    pub within: Duration,
    pub first_pause: Duration,
    pub max_pause: Duration,
    /// An actor that does not answer for this long hangs.
    pub heartbeat: Duration,
}

/// What to do about an actor that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    After(Duration),
    GiveUp,
}

impl RestartPolicy {
    /// `ends` are the times of earlier ends (monotonic, oldest first), `now` is the time of this one.
    pub fn decide(&self, ends: &[Duration], now: Duration) -> Restart {
        let recent = ends.iter().filter(|end| now.saturating_sub(**end) < self.within).count();
        let recent = u32::try_from(recent).unwrap_or(u32::MAX);
        if recent >= self.max_restarts {
            return Restart::GiveUp;
        }
        let pause = self.first_pause.saturating_mul(2_u32.saturating_pow(recent));
        Restart::After(pause.min(self.max_pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RestartPolicy = RestartPolicy {
        max_restarts: 5,
        within: Duration::from_mins(1),
        first_pause: Duration::from_millis(100),
        max_pause: Duration::from_secs(1),
        heartbeat: Duration::from_secs(30),
    };

    #[test]
    fn pauses_grow_up_to_the_longest_and_the_sixth_end_in_the_window_gives_up() {
        let now = Duration::from_secs(1000);
        let decisions: Vec<_> = (0..=5).map(|ends| POLICY.decide(&vec![now; ends], now)).collect();
        let after = |millis| Restart::After(Duration::from_millis(millis));
        assert_eq!(decisions, [after(100), after(200), after(400), after(800), after(1000), Restart::GiveUp]);
    }

    #[test]
    fn ends_outside_the_window_are_forgotten() {
        let old = vec![Duration::from_secs(10); 50];
        assert_eq!(POLICY.decide(&old, Duration::from_secs(70)), Restart::After(POLICY.first_pause));
    }
}
