//! What does Plex hold? Reads its libraries into the index: whole, or what is new.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::actors::circuits::Circuits;
use crate::actors::messages::{BeginWalk, ChangeIndex};
use crate::actors::persistence::Persistence;
use crate::actors::stage::{storage, stored};
use crate::clock::Clock;
use crate::domain::circuit::Circuit;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::MachineId;
use crate::domain::item::{IndexedPart, Library};
use crate::http::HttpError;
use crate::plex::{ListingOrder, ListingPage, PlexClient};
use crate::store::plex_index::{Ground, IndexedSection};
use crate::store::{Readers, awaited, plex_index, settings};
use crate::supervision::Link;

/// Plex answers pages of this size in well under a second; smaller ones cost more requests.
const PAGE: u32 = 500;
/// Among so many there is one with a file.
const A_FEW: u32 = 10;
const STORE_LIMIT: Duration = Duration::from_secs(30);
/// So many items apart the first walk of a large library tells how far it is.
const TELL_EVERY: u32 = 10_000;

/// What a run needs.
#[derive(Clone)]
pub struct Walker {
    pub plex: PlexClient,
    /// The libraries to follow by their titles; empty means all of the movie type.
    pub libraries: Arc<[String]>,
    pub readers: Readers,
    pub persistence: Link<Persistence>,
    /// Reading what was added and what has changed does not show what went; a walk does, once it is this long ago.
    pub walk_every: Duration,
    pub circuits: Circuits,
    pub clock: Arc<dyn Clock>,
}

/// The time of a part that counts, in Unix seconds by Plex's clock.
type Time = fn(&IndexedPart) -> i64;

/// How a look for the newest ended.
enum Read {
    /// At known ground. The newest is as new as this.
    DownTo(Option<i64>),
    /// Plex took the order, did not follow it and did not complain, so that known ground means nothing.
    OutOfOrder,
}

/// How much a run takes on trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// A library whose counter of changes stands as it stood is not looked at.
    Counter,
    Nothing,
}

impl Walker {
    /// The same with connections of its own.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        Ok(Self { plex: self.plex.reconnected()?, ..self.clone() })
    }

    /// Looks for what scenes wait for, if any does and Plex is not known to be away.
    pub(super) async fn look(&self) -> Result<(), Failure> {
        if !self.readers.with(awaited::any).map_err(storage)? {
            return Ok(());
        }
        self.circuits.let_pass(Circuit::PlexRead)?;
        let looked = self.refresh(Trust::Counter).await;
        looked
            .inspect(|()| self.circuits.succeeded(Circuit::PlexRead))
            .map_err(|failure| self.circuits.failed(failure, None))
    }

    pub(super) async fn refresh(&self, trust: Trust) -> Result<(), Failure> {
        let machine = self.plex.identity().await?.machine;
        let known = self.readers.with(|reader| settings::get(reader, settings::MACHINE)).map_err(storage)?;
        if known.as_ref() != Some(&machine.0) {
            if known.is_some() {
                tracing::warn!(
                    "another Plex server answers now ({machine}); its libraries are indexed afresh"
                );
            }
            self.change(ChangeIndex::Server(machine.clone())).await?;
        }
        let libraries = chosen(&self.libraries, self.plex.libraries().await?)?;
        let sections = self.readers.with(plex_index::sections).map_err(storage)?;
        if sections.iter().any(|section| !libraries.iter().any(|library| library.key == section.key)) {
            let followed = libraries.iter().map(|library| library.key.clone()).collect();
            self.change(ChangeIndex::Follow(followed)).await?;
        }
        for library in &libraries {
            match sections.iter().find(|section| section.key == library.key) {
                Some(section) if !self.is_fresh(section) => self.walk(&machine, library).await?,
                Some(section) if trust == Trust::Counter && is_unchanged(library, section) => {}
                Some(section) => self.read_new(&machine, library, section).await?,
                None => self.walk(&machine, library).await?,
            }
        }
        Ok(())
    }

    fn is_fresh(&self, section: &IndexedSection) -> bool {
        let age = section.walked_at.map(|walked| self.clock.now().duration_since(walked));
        let longest = SignedDuration::try_from(self.walk_every).unwrap_or(SignedDuration::MAX);
        age.is_some_and(|age| age < longest)
    }

    /// Reads a whole library; what it does not hold any more is dropped from the index.
    async fn walk(&self, machine: &MachineId, library: &Library) -> Result<(), Failure> {
        let begin = BeginWalk { machine: machine.clone(), library: library.clone() };
        let walk = stored(self.persistence.ask(begin, STORE_LIMIT).await)?;
        // What changes during the walk may be behind it already, so it has to be looked for afterwards.
        let last = self.plex.listing(&library.key, ListingOrder::ByUpdatedAtDesc, 0, A_FEW).await?;
        let mut ground = Ground { added_at: None, updated_at: newest(&last.parts, |part| part.updated_at) };
        let mut start = 0;
        let mut before = Vec::new();
        loop {
            let page = self.page(library, ListingOrder::Stable, start).await?;
            if !page.parts.is_empty() && page.parts == before {
                return Err(paging_ignored(library));
            }
            let (items, total) = (count(&page), page.total);
            start = start.saturating_add(items);
            ground.added_at = ground.added_at.max(newest(&page.parts, |part| part.added_at));
            before.clone_from(&page.parts);
            self.keep(page.parts, walk).await?;
            if is_over(items, start, total) {
                break;
            }
            tell(library, start, items, total);
        }
        tracing::info!("indexed {start} items of the library {:?}", library.title);
        self.change(ChangeIndex::Walked { library: library.clone(), walk, ground }).await
    }

    /// Reads what was added since, and what has changed if anything has.
    async fn read_new(
        &self,
        machine: &MachineId,
        library: &Library,
        section: &IndexedSection,
    ) -> Result<(), Failure> {
        let known = section.ground;
        let is_unchanged = is_unchanged(library, section);
        let read = |order, ground| self.read_down_to(library, section, order, ground);
        let added = read(ListingOrder::ByAddedAtDesc, known.added_at).await?;
        let updated = if is_unchanged {
            Read::DownTo(known.updated_at)
        } else {
            read(ListingOrder::ByUpdatedAtDesc, known.updated_at).await?
        };
        let Read::DownTo(added_at) = added else {
            tracing::info!("Plex does not list {:?} in the order asked for; it is read whole", library.title);
            return self.walk(machine, library).await;
        };
        // What has changed can wait for the next walk; what is new cannot.
        let updated_at = match updated {
            Read::DownTo(updated_at) => updated_at,
            Read::OutOfOrder => known.updated_at,
        };
        let ground = Ground { added_at, updated_at };
        if ground == known && is_unchanged {
            return Ok(());
        }
        self.change(ChangeIndex::Known { library: library.clone(), ground }).await
    }

    /// Reads the newest first, up to known ground.
    async fn read_down_to(
        &self,
        library: &Library,
        section: &IndexedSection,
        order: ListingOrder,
        ground: Option<i64>,
    ) -> Result<Read, Failure> {
        let by_update = order == ListingOrder::ByUpdatedAtDesc;
        let time: Time = if by_update { |part| part.updated_at } else { |part| part.added_at };
        let known = ground.unwrap_or(i64::MIN);
        let (mut start, mut newest_time) = (0, ground);
        let mut youngest = i64::MAX;
        loop {
            let page = self.page(library, order, start).await?;
            let (items, total) = (count(&page), page.total);
            if !page.parts.iter().map(time).is_sorted_by(|left, right| left >= right)
                || newest(&page.parts, time).is_some_and(|newest| newest > youngest)
            {
                return Ok(Read::OutOfOrder);
            }
            youngest = page.parts.last().map_or(youngest, time);
            start = start.saturating_add(items);
            newest_time = newest_time.max(newest(&page.parts, time));
            // Equal times are read again: two items can be added within one second.
            let reached = page.parts.iter().any(|part| time(part) < known);
            let parts: Vec<_> = page.parts.into_iter().filter(|part| time(part) >= known).collect();
            if by_update {
                // What has changed may have lost a file.
                let items = parts.iter().map(|part| part.rating_key.clone()).collect();
                self.change(ChangeIndex::Items { items, parts }).await?;
            } else {
                self.keep(parts, section.walk).await?;
            }
            if reached || is_over(items, start, total) {
                return Ok(Read::DownTo(newest_time));
            }
        }
    }

    async fn page(&self, library: &Library, order: ListingOrder, start: u32) -> Result<ListingPage, Failure> {
        self.plex.listing(&library.key, order, start, PAGE).await
    }

    async fn keep(&self, parts: Vec<IndexedPart>, walk: i64) -> Result<(), Failure> {
        if parts.is_empty() { Ok(()) } else { self.change(ChangeIndex::Parts { parts, walk }).await }
    }

    async fn change(&self, change: ChangeIndex) -> Result<(), Failure> {
        stored(self.persistence.ask(change, STORE_LIMIT).await)
    }
}

/// Keeps the libraries the user named; a name that Plex does not have is an error that names what it has.
pub fn chosen(names: &[String], libraries: Vec<Library>) -> Result<Vec<Library>, Failure> {
    let missing = names.iter().find(|name| !libraries.iter().any(|library| library.title == **name));
    if let Some(name) = missing {
        let titles: Vec<_> = libraries.iter().map(|library| format!("{:?}", library.title)).collect();
        let detail =
            format!("plex.libraries names {name:?}; Plex shows us the movie libraries {}", titles.join(", "));
        return Err(Failure::new(FailureClass::Incompatible, Peer::Plex, "library_not_found", detail));
    }
    let wanted = |library: &Library| names.is_empty() || names.contains(&library.title);
    Ok(libraries.into_iter().filter(wanted).collect())
}

fn newest(parts: &[IndexedPart], time: Time) -> Option<i64> {
    parts.iter().map(time).max()
}

fn count(page: &ListingPage) -> u32 {
    u32::try_from(page.items).unwrap_or(u32::MAX)
}

/// Whether a page with so many items was the last one. Without a total only an empty one is, or one that is longer than
/// was asked for: then the whole library came at once. A short page never is the end.
fn is_over(items: u32, read: u32, total: Option<u32>) -> bool {
    items == 0 || items > PAGE || total.is_some_and(|total| read >= total)
}

fn is_unchanged(library: &Library, section: &IndexedSection) -> bool {
    library.content_changed_at.is_some() && library.content_changed_at == section.content_changed_at
}

fn tell(library: &Library, read: u32, page: u32, total: Option<u32>) {
    if read / TELL_EVERY > read.saturating_sub(page) / TELL_EVERY {
        let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
        tracing::info!("read {read}{of} items of the library {:?}", library.title);
    }
}

/// Without an end the same page would be read for ever.
fn paging_ignored(library: &Library) -> Failure {
    let detail = format!("Plex answers every page of the library {:?} with the same items", library.title);
    Failure::new(FailureClass::Incompatible, Peer::Plex, "paging_ignored", detail).on(Circuit::PlexRead)
}
