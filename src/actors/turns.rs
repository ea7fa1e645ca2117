//! When may the next call to a peer go? Callers wait for their turn at a pace that all of them share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::pace::{Pace, PacePolicy};

/// The turns of one kind of call.
pub struct Turns {
    pace: Mutex<Pace>,
    clock: Arc<dyn Clock>,
}

impl Turns {
    pub fn new(policy: PacePolicy, clock: Arc<dyn Clock>) -> Self {
        Self { pace: Mutex::new(Pace::new(policy, clock.monotonic())), clock }
    }

    /// Waits for a turn. Whoever gives up waiting has used it all the same.
    pub async fn turn(&self) {
        let now = self.clock.monotonic();
        let wait = self.pace().take(now);
        if !wait.is_zero() {
            self.clock.sleep_until(now.saturating_add(wait)).await;
        }
    }

    /// Learns how long a call took and whether the peer was well.
    pub fn finished(&self, took: Duration, well: bool) {
        self.pace().finished(took, well);
    }

    /// An outage is over: the pace climbs from now on.
    pub fn ramp(&self) {
        self.pace().ramp(self.clock.monotonic());
    }

    /// Calls in a second as it stands now; 0 is no limit.
    pub fn rate(&self) -> f64 {
        self.pace().rate(self.clock.monotonic())
    }

    // A panic elsewhere cannot leave the pace half changed, so a poisoned lock is no reason to stop.
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
