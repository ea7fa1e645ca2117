//! Is Plex heard? What the status says about the channel of notifications.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The channel as it stands. At first it is neither open nor is there a problem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connected_since: Option<Timestamp>,
    /// Why it is not open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
    /// When it is tried again. While reading from Plex is held, that has to end first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_look: Option<Timestamp>,
    /// How often something was heard of a movie, and of something that could not be read.
    pub heard: u64,
    pub unreadable: u64,
    /// How many items were told of and are not read yet; a look through the libraries counts as one.
    #[serde(default)]
    pub unread: usize,
}

/// Shows it to the status. Cheap to clone; it outlives the actor's incarnations.
#[derive(Debug, Clone, Default)]
pub struct ChannelBoard(Arc<Mutex<ChannelStatus>>);

impl ChannelBoard {
    pub fn status(&self) -> ChannelStatus {
        self.known().clone()
    }

    /// A listener starts afresh.
    pub(super) fn begin(&self) {
        let mut known = self.known();
        *known =
            ChannelStatus { heard: known.heard, unreadable: known.unreadable, ..ChannelStatus::default() };
    }

    pub(super) fn opened(&self, now: Timestamp, unread: usize) {
        let mut known = self.known();
        (known.connected_since, known.problem, known.next_look) = (Some(now), None, None);
        known.unread = unread;
    }

    /// Returns whether that is news.
    pub(super) fn closed(&self, problem: &str, next_look: Option<Timestamp>) -> bool {
        let mut known = self.known();
        let before = known.problem.replace(problem.to_owned());
        known.connected_since = None;
        known.next_look = next_look;
        before.as_deref() != Some(problem)
    }

    pub(super) fn read(&self, unread: usize) {
        self.known().unread = unread;
    }

    pub(super) fn heard(&self, notices: usize, unreadable: u32, unread: usize) {
        let mut known = self.known();
        known.unread = unread;
        known.heard = known.heard.saturating_add(u64::try_from(notices).unwrap_or(u64::MAX));
        known.unreadable = known.unreadable.saturating_add(unreadable.into());
    }

    // Nothing panics while it is changed, so a poisoned lock is no reason to stop.
    fn known(&self) -> MutexGuard<'_, ChannelStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
