//! What was told and is not read yet? Between the ear, which hears it, and the reader.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::domain::pending::{Due, Item, Pending};

/// Shared by two futures of one thread; never borrowed over an await.
#[derive(Debug, Default)]
pub(super) struct Told {
    pending: RefCell<Pending>,
    /// How much is being read.
    in_hand: Cell<usize>,
    /// Something is to be done earlier than was known.
    sooner: Notify,
}

impl Told {
    pub(super) fn note(&self, item: Item, now: Duration) {
        let mut pending = self.pending.borrow_mut();
        // With others before it, whoever waits for the first of them looks again in time.
        let first = pending.is_empty();
        pending.note(item, now);
        if first {
            self.sooner.notify_one();
        }
    }

    pub(super) fn note_all(&self, at: Duration) {
        self.pending.borrow_mut().note_all(at);
        self.sooner.notify_one();
    }

    /// Ends when something is due.
    pub(super) async fn due(&self, clock: &dyn Clock) {
        loop {
            let next = self.pending.borrow().next_due();
            match next {
                Some(at) if at <= clock.monotonic() => return,
                Some(at) => tokio::select! {
                    () = clock.sleep_until(at) => {}
                    () = self.sooner.notified() => {}
                },
                None => self.sooner.notified().await,
            }
        }
    }

    /// What is taken counts as unread until [`Self::settle`].
    pub(super) fn take_due(&self, now: Duration) -> Option<Due> {
        let due = self.pending.borrow_mut().take_due(now);
        self.in_hand.set(due.as_ref().map_or(0, Due::len));
        due
    }

    /// What was taken is read, or was noted again.
    pub(super) fn settle(&self) {
        self.in_hand.set(0);
    }

    pub(super) fn unread(&self) -> usize {
        self.pending.borrow().len() + self.in_hand.get()
    }
}
