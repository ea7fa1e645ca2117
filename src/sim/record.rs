//! What was a simulated peer asked, when, and what did it answer?

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::net::Request;

/// One request as a simulated peer saw it.
#[derive(Clone, Debug)]
pub struct Recorded<Op> {
    pub op: Op,
    pub method: String,
    /// As sent, still encoded.
    pub path_and_query: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Lossy where it is not UTF-8.
    pub body: String,
    /// Since the peer was started.
    pub at: Duration,
    /// `None` while the answer is pending and when there was none.
    pub status: Option<u16>,
}

/// All requests since the start or the last clearing, oldest first.
#[derive(Debug)]
pub(crate) struct Log<Op> {
    started: Instant,
    entries: Mutex<Entries<Op>>,
    in_hand: AtomicUsize,
}

/// A request is being answered as long as this lives.
#[derive(Debug)]
pub(crate) struct InHand<'a>(&'a AtomicUsize);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct Entries<Op> {
    cleared: usize,
    kept: Vec<Recorded<Op>>,
}

/// Where an entry is, however often the log was cleared since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

impl<Op> Default for Log<Op> {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            entries: Mutex::new(Entries { cleared: 0, kept: Vec::new() }),
            in_hand: AtomicUsize::new(0),
        }
    }
}

impl<Op: Copy + PartialEq> Log<Op> {
    pub(crate) fn take_in_hand(&self) -> InHand<'_> {
        self.in_hand.fetch_add(1, Ordering::SeqCst);
        InHand(&self.in_hand)
    }

    /// How many requests are being answered.
    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand.load(Ordering::SeqCst)
    }

    pub(crate) fn begin(&self, op: Op, request: &Request) -> Place {
        let recorded = Recorded {
            op,
            method: request.method.clone(),
            path_and_query: request.target.clone(),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            at: self.started.elapsed(),
            status: None,
        };
        let mut entries = self.entries();
        entries.kept.push(recorded);
        Place(entries.cleared + entries.kept.len() - 1)
    }

    pub(crate) fn answered(&self, place: Place, status: u16) {
        let mut entries = self.entries();
        let index = place.0.checked_sub(entries.cleared);
        if let Some(entry) = index.and_then(|index| entries.kept.get_mut(index)) {
            entry.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Recorded<Op>> {
        self.entries().kept.clone()
    }

    pub(crate) fn count(&self, op: Op) -> usize {
        self.entries().kept.iter().filter(|entry| entry.op == op).count()
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        entries.cleared += entries.kept.len();
        entries.kept.clear();
    }

    fn entries(&self) -> MutexGuard<'_, Entries<Op>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
