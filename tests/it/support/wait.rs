//! How does a test wait? For a state, with a limit, looking again and again.

use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

/// Looks until there is a value, and fails the test when the limit is over.
#[expect(clippy::disallowed_methods, reason = "a test thread may block")]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(began.elapsed() < LIMIT, "waited {LIMIT:?} in vain: {what}");
        std::thread::sleep(LOOK);
    }
}
