//! Is the content of a file the same? Asks Plex for the hashes that could tell, in batches, and remembers the answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::messages::ChangeIndex;
use super::persistence::Persistence;
use super::stage::stored;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::RatingKey;
use crate::domain::item::{ContentHash, IndexedPart};
use crate::domain::matching::{Candidates, PathMap, content_matters};
use crate::domain::scene::Scene;
use crate::http::HttpError;
use crate::plex::PlexClient;
use crate::supervision::Link;

/// Servers are known to answer for so many items at once.
const BATCH: usize = 50;
/// More items than this with nothing but a size in common say nothing about a scene.
const MOST_ASKED: usize = 100;
/// After so many files in a row without a hash the server is taken to show none, until the next start.
const HIDDEN_AFTER: usize = 20;
const STORE_LIMIT: Duration = Duration::from_secs(30);

/// Asks for hashes as long as there are any to be had.
#[derive(Clone)]
pub struct Contents {
    plex: PlexClient,
    persistence: Link<Persistence>,
    /// Files in a row for which the server showed none.
    without: Arc<AtomicUsize>,
}

impl Contents {
    pub fn new(plex: PlexClient, persistence: Link<Persistence>) -> Self {
        Self { plex, persistence, without: Arc::default() }
    }

    /// The same with connections of its own.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        Ok(Self { plex: self.plex.reconnected()?, ..self.clone() })
    }

    /// Asks for what could change the decision on a scene. Returns whether more is known now than before.
    pub(super) async fn learn(
        &self,
        scene: &Scene,
        candidates: &Candidates,
        map: &PathMap,
    ) -> Result<bool, Failure> {
        if self.without.load(Ordering::Relaxed) >= HIDDEN_AFTER {
            return Ok(false);
        }
        let items: Vec<_> = content_matters(scene, candidates, map).into_iter().take(MOST_ASKED).collect();
        for batch in items.chunks(BATCH) {
            let heard = self.ask(batch, &candidates.parts).await?;
            self.count(&heard);
            let content = ChangeIndex::Content(heard);
            stored(self.persistence.ask(content, STORE_LIMIT).await)?;
        }
        Ok(!items.is_empty())
    }

    /// The parts of these items with what the server shows of their content.
    async fn ask(&self, items: &[RatingKey], parts: &[IndexedPart]) -> Result<Vec<IndexedPart>, Failure> {
        let mut hashes = match self.plex.content_hashes(items).await {
            Err(failure) if says_no(&failure) => {
                tracing::debug!("no hashes of contents for items {items:?}: {}", failure.detail);
                BTreeMap::new()
            }
            answer => answer?,
        };
        let asked = parts.iter().filter(|part| items.contains(&part.rating_key));
        let heard = asked.map(|part| {
            let content_hash = hashes.remove(&part.part_id).unwrap_or(ContentHash::NotShown);
            IndexedPart { content_hash, ..part.clone() }
        });
        Ok(heard.collect())
    }

    fn count(&self, heard: &[IndexedPart]) {
        if heard.iter().any(|part| part.content_hash.known().is_some()) {
            self.without.store(0, Ordering::Relaxed);
            return;
        }
        let before = self.without.fetch_add(heard.len(), Ordering::Relaxed);
        if before < HIDDEN_AFTER && before + heard.len() >= HIDDEN_AFTER {
            tracing::info!(
                "Plex shows no hashes of contents; scenes are matched without them until the next start"
            );
        }
    }
}

/// Whether Plex answered and has no answer, in contrast to a Plex that cannot answer now.
fn says_no(failure: &Failure) -> bool {
    matches!(
        failure.class,
        FailureClass::StaleMatch
            | FailureClass::Incompatible
            | FailureClass::Forbidden
            | FailureClass::Rejected
    )
}
