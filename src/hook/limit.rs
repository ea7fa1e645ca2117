//! What if a call takes longer than it may? It is ended from outside, whatever it waits for.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Far more than all that a call may wait for by itself: Stash's own writing of the input, and the disk, have no limit.
const LONGEST: Duration = Duration::from_secs(5);

/// Runs `work`. When it takes too long or panics, Stash is told so and the process ends as if all were well: a plugin that
/// ends otherwise helps nobody.
pub fn within_limit(work: impl FnOnce()) {
    let (done, ends) = mpsc::channel::<()>();
    // Without a thread there is no limit, and the work is done all the same.
    let watcher = thread::Builder::new().spawn(move || {
        if ends.recv_timeout(LONGEST) == Err(mpsc::RecvTimeoutError::Timeout) {
            end_with("the hook took longer than it may; its event may be lost");
        }
    });
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        end_with("the hook has a bug; its event may be lost");
    }
    drop((done, watcher));
}

#[expect(clippy::exit, reason = "what hangs must not hold up whoever waits for the hook")]
fn end_with(problem: &str) {
    let mut stdout = std::io::stdout();
    drop(stdout.write_all(format!(r#"{{"error":"{problem}"}}"#).as_bytes()).and_then(|()| stdout.flush()));
    process::exit(0);
}
