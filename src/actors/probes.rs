//! Does a peer work again? One cheap question to each, and a look whether its key has changed.

use std::sync::Arc;

use secrecy::SecretString;

use crate::domain::circuit::Circuit;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::http::HttpError;
use crate::plex::{ListingOrder, PlexClient};
use crate::stash::StashClient;
use crate::store::{Readers, plex_index};

use super::stage::storage;

/// Reads a secret from its file once more; nothing when it has none or cannot be read.
pub type ReadAgain = Arc<dyn Fn() -> Option<SecretString> + Send + Sync>;

/// What a probe needs.
#[derive(Clone)]
pub struct Probes {
    pub stash: StashClient,
    pub plex: PlexClient,
    pub readers: Readers,
    pub stash_key: ReadAgain,
    pub plex_token: ReadAgain,
}

impl Probes {
    /// The same with connections of its own.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        Ok(Self { stash: self.stash.reconnected()?, plex: self.plex.reconnected()?, ..self.clone() })
    }

    /// Asks for something that the peer has to look up in its database: its start page, and for Plex its identity, come
    /// from memory while the database is blocked.
    pub async fn probe(&self, circuit: Circuit) -> Result<(), Failure> {
        match circuit.peer() {
            Peer::Stash => self.stash.prove().await,
            Peer::Plex => self.probe_plex().await,
            Peer::PlexSync => Ok(()),
        }
    }

    async fn probe_plex(&self) -> Result<(), Failure> {
        let sections = self.readers.with(plex_index::sections).map_err(storage)?;
        let Some(section) = sections.first() else { return self.plex.libraries().await.map(drop) };
        match self.plex.listing(&section.key, ListingOrder::Stable, 0, 0).await {
            // The library has gone since; that Plex knows so is an answer.
            Err(failure) if failure.class == FailureClass::StaleMatch => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Looks whether the file of the peer's key holds another one by now. If so, it is used from now on.
    pub fn renew_key(&self, peer: Peer) -> bool {
        let renewed = match peer {
            Peer::Stash => (self.stash_key)().map(|key| self.stash.renew_key(key)),
            Peer::Plex => (self.plex_token)().map(|token| self.plex.renew_token(token)),
            Peer::PlexSync => None,
        };
        match renewed {
            Some(Ok(changed)) => changed,
            Some(Err(error)) => {
                tracing::warn!("the key of {peer} has changed but cannot be used: {error}");
                false
            }
            None => false,
        }
    }
}
