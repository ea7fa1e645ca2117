//! What has become of the items that Plex told of? Reads them together and changes the index.

use std::rc::Rc;
use std::time::Duration;

use super::{Listener, Told};
use crate::actors::messages::{ChangeIndex, Refresh};
use crate::actors::stage::{caught, restarted, storage, stored};
use crate::domain::circuit::Circuit;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::pending::{Due, Item};
use crate::store::plex_index;

/// The first walk of a large library takes its time.
const REFRESH_LIMIT: Duration = Duration::from_mins(10);
const STORE_LIMIT: Duration = Duration::from_secs(30);
/// Plex is asked no more often than this, so that what is told one after the other is read together.
const APART: Duration = Duration::from_secs(5);
/// A look through the libraries that came to nothing is made again after this.
const AGAIN: Duration = Duration::from_secs(30);

/// Reads for ever.
pub(super) async fn read(listener: Listener, told: Rc<Told>) {
    let Listener { circuits, board, clock, .. } = &listener;
    loop {
        told.due(clock.as_ref()).await;
        circuits.passable(Circuit::PlexRead).await;
        let Some(due) = told.take_due(clock.monotonic()) else { continue };
        let work = (listener.clone(), Rc::clone(&told), due.clone());
        match caught(async move { work.0.bring(&work.1, work.2).await }).await {
            Ok(()) => {}
            Err(failure) if passes(failure.class) => {
                tracing::debug!("cannot read what Plex told of: {}", failure.detail);
                again(&told, due, clock.monotonic());
                // The channel is no reason to hold anything; that Plex does not answer is one.
                circuits.failed(failure, None);
            }
            Err(failure) => {
                tracing::warn!(
                    "what is new in Plex cannot be read, and is left to the next walk: {}",
                    failure.detail
                );
            }
        }
        let next = clock.monotonic().saturating_add(APART);
        told.settle();
        board.read(told.unread());
        clock.sleep_until(next).await;
    }
}

fn again(told: &Told, due: Due, now: Duration) {
    match due {
        Due::Everything => told.note_all(now.saturating_add(AGAIN)),
        Due::Items(items) => items.into_iter().for_each(|item| told.note(item, now)),
    }
}

/// Whether the same question can be answered later.
fn passes(class: FailureClass) -> bool {
    match class {
        FailureClass::Unavailable
        | FailureClass::Throttled
        | FailureClass::Unauthorized
        | FailureClass::Interrupted => true,
        FailureClass::Forbidden
        | FailureClass::NotInPlex
        | FailureClass::Ambiguous
        | FailureClass::StaleMatch
        | FailureClass::NotApplied
        | FailureClass::Rejected
        | FailureClass::Gone
        | FailureClass::Incompatible
        | FailureClass::Bug => false,
    }
}

impl Listener {
    async fn bring(&self, told: &Told, due: Due) -> Result<(), Failure> {
        match due {
            Due::Everything => self.refresh().await?,
            Due::Items(items) => {
                let sections = self.readers.with(plex_index::sections).map_err(storage)?;
                let followed = |(_, section): &Item| {
                    section.as_ref().is_none_or(|key| sections.iter().any(|section| section.key == *key))
                };
                let (ours, others): (Vec<_>, Vec<_>) = items.into_iter().partition(followed);
                if self.follows_all && !others.is_empty() {
                    // A library that is new.
                    told.note_all(self.clock.monotonic());
                }
                if ours.is_empty() {
                    return Ok(());
                }
                self.read_items(ours).await?;
            }
        }
        self.circuits.succeeded(Circuit::PlexRead);
        Ok(())
    }

    async fn refresh(&self) -> Result<(), Failure> {
        self.indexer.ask(Refresh::Anew, REFRESH_LIMIT).await.map_err(restarted)?
    }

    async fn read_items(&self, items: Vec<Item>) -> Result<(), Failure> {
        let mut items: Vec<_> = items.into_iter().map(|(key, _)| key).collect();
        let now = self.plex.files_of(&items).await?;
        items.retain(|key| !now.unreadable.contains(key));
        tracing::debug!("{} items of Plex have {} files now", items.len(), now.parts.len());
        let change = ChangeIndex::Items { items, parts: now.parts };
        stored(self.persistence.ask(change, STORE_LIMIT).await)
    }
}
