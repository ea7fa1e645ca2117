//! What did we last hear from Stash and from Plex? For the status alone; nothing is decided by it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::failure::{Failure, Peer};

/// The last good and the last bad answer of a peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_success: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_failure: Option<PeerFailure>,
}

/// A bad answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerFailure {
    pub at: Timestamp,
    pub class: String,
    pub code: String,
    pub detail: String,
}

/// Shared by the stages, which write, and the status, which reads.
#[derive(Debug, Clone, Default)]
pub struct Peers(Arc<Mutex<BTreeMap<&'static str, PeerStatus>>>);

impl Peers {
    pub fn heard(&self, peer: Peer, at: Timestamp) {
        self.change(peer, |status| status.last_success = Some(at));
    }

    pub fn failed(&self, failure: &Failure, at: Timestamp) {
        self.change(failure.peer, |status| {
            status.last_failure = Some(PeerFailure {
                at,
                class: failure.class.as_str().to_owned(),
                code: failure.code.to_owned(),
                detail: failure.detail.clone(),
            });
        });
    }

    /// By the name of the peer.
    pub fn all(&self) -> BTreeMap<String, PeerStatus> {
        let peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        peers.iter().map(|(name, status)| ((*name).to_owned(), status.clone())).collect()
    }

    fn change(&self, peer: Peer, change: impl FnOnce(&mut PeerStatus)) {
        if peer != Peer::PlexSync {
            change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(peer.as_str()).or_default());
        }
    }
}
