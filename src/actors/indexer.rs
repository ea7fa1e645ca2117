//! Who keeps the path index fresh? One run at a time fills it or reads what is new; everybody who asks shares it.

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, Context, Handler, ResponseFuture, WrapFuture as _,
};
use jiff::SignedDuration;
use tokio::sync::oneshot;

use super::messages::{BeginWalk, ChangeIndex, Refresh};
use super::persistence::Persistence;
use super::stage::{caught, storage, stored};
use crate::clock::Clock;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::MachineId;
use crate::domain::item::{IndexedPart, Library};
use crate::plex::{ListingOrder, PlexClient};
use crate::store::plex_index::IndexedSection;
use crate::store::{Readers, plex_index, settings};
use crate::supervision::{Link, Watch};

/// Plex answers pages of this size in well under a second; smaller ones cost more requests.
const PAGE: u32 = 500;
const STORE_LIMIT: Duration = Duration::from_secs(30);
/// Reading what was added shows neither what went nor what moved; a walk does.
const WALK_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// Fills and refreshes the path index.
pub struct Indexer {
    walker: Walker,
    /// When the run in hand began, if there is one (monotonic).
    running_since: Option<Duration>,
    /// When the last good run began (monotonic).
    fresh_since: Option<Duration>,
    waiting: Vec<(Duration, oneshot::Sender<Result<(), Failure>>)>,
    _watch: Watch,
}

/// What a run needs.
#[derive(Clone)]
pub struct Walker {
    pub plex: PlexClient,
    /// The libraries to follow by their titles; empty means all of the movie type.
    pub libraries: Arc<[String]>,
    pub readers: Readers,
    pub persistence: Link<Persistence>,
    pub clock: Arc<dyn Clock>,
}

impl Indexer {
    pub fn new(walker: Walker, watch: Watch) -> Self {
        Self { walker, running_since: None, fresh_since: None, waiting: Vec::new(), _watch: watch }
    }

    fn run(&mut self, context: &mut Context<Self>) {
        if self.running_since.is_some() || self.waiting.is_empty() {
            return;
        }
        let began = self.walker.clock.monotonic();
        self.running_since = Some(began);
        let walker = self.walker.clone();
        let run = caught(async move { walker.refresh().await });
        context.spawn(run.into_actor(self).map(move |outcome, indexer, context| {
            indexer.running_since = None;
            if outcome.is_ok() {
                indexer.fresh_since = Some(began);
            }
            // Whoever asked for a later start than this run had is served by the next one.
            let (served, waiting) =
                indexer.waiting.drain(..).partition(|(not_before, _)| *not_before <= began);
            indexer.waiting = waiting;
            for (_, reply) in served {
                drop(reply.send(outcome.clone()));
            }
            indexer.run(context);
        }));
    }
}

impl Actor for Indexer {
    type Context = Context<Self>;
}

impl Handler<Refresh> for Indexer {
    type Result = ResponseFuture<Result<(), Failure>>;

    fn handle(&mut self, Refresh { not_before }: Refresh, context: &mut Context<Self>) -> Self::Result {
        if self.fresh_since.is_some_and(|since| since >= not_before) {
            return Box::pin(std::future::ready(Ok(())));
        }
        let (reply, replied) = oneshot::channel();
        self.waiting.push((not_before, reply));
        self.run(context);
        let ended = || Failure::interrupted("stage_restarted", "the indexer ended before it answered");
        Box::pin(async move { replied.await.unwrap_or_else(|_| Err(ended())) })
    }
}

crate::supervised!(Indexer);

impl Walker {
    async fn refresh(&self) -> Result<(), Failure> {
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
        let libraries = self.chosen(self.plex.libraries().await?)?;
        let sections = self.readers.with(plex_index::sections).map_err(storage)?;
        if sections.iter().any(|section| !libraries.iter().any(|library| library.key == section.key)) {
            let followed = libraries.iter().map(|library| library.key.clone()).collect();
            self.change(ChangeIndex::Follow(followed)).await?;
        }
        for library in &libraries {
            match sections.iter().find(|section| section.key == library.key) {
                Some(section) if self.is_fresh(section) => self.read_new(library, section).await?,
                Some(_) | None => self.walk(&machine, library).await?,
            }
        }
        Ok(())
    }

    fn is_fresh(&self, section: &IndexedSection) -> bool {
        let age = section.walked_at.map(|walked| self.clock.now().duration_since(walked));
        age.is_some_and(|age| age < WALK_AGAIN_AFTER)
    }

    /// Keeps the libraries the user named; a name that Plex does not have is an error that names what it has.
    fn chosen(&self, libraries: Vec<Library>) -> Result<Vec<Library>, Failure> {
        let missing =
            self.libraries.iter().find(|name| !libraries.iter().any(|library| library.title == **name));
        if let Some(name) = missing {
            let titles: Vec<_> = libraries.iter().map(|library| format!("{:?}", library.title)).collect();
            let detail = format!(
                "plex.libraries names {name:?}; Plex shows us the movie libraries {}",
                titles.join(", ")
            );
            return Err(Failure::new(FailureClass::Incompatible, Peer::Plex, "library_not_found", detail));
        }
        let wanted = |library: &Library| self.libraries.is_empty() || self.libraries.contains(&library.title);
        Ok(libraries.into_iter().filter(wanted).collect())
    }

    /// Reads a whole library; what it does not hold any more is dropped from the index.
    async fn walk(&self, machine: &MachineId, library: &Library) -> Result<(), Failure> {
        let begin = BeginWalk { machine: machine.clone(), library: library.clone() };
        let walk = stored(self.persistence.ask(begin, STORE_LIMIT).await)?;
        let (mut start, mut newest_added_at) = (0, None);
        loop {
            let page = self.plex.listing(&library.key, ListingOrder::Stable, start, PAGE).await?;
            let items = u32::try_from(page.items).unwrap_or(u32::MAX);
            start = start.saturating_add(items);
            newest_added_at = newest_added_at.max(newest(&page.parts));
            self.keep(page.parts, walk).await?;
            // Without a total only an empty page is the end; the size of a page never is one.
            if items == 0 || page.total.is_some_and(|total| start >= total) {
                break;
            }
        }
        tracing::info!("indexed {start} items of the library {:?}", library.title);
        self.change(ChangeIndex::Walked { library: library.clone(), walk, newest_added_at }).await
    }

    /// Reads what was added since, newest first, up to known ground.
    async fn read_new(&self, library: &Library, section: &IndexedSection) -> Result<(), Failure> {
        let known = section.newest_added_at.unwrap_or(i64::MIN);
        let (mut start, mut newest_added_at) = (0, section.newest_added_at);
        loop {
            let page = self.plex.listing(&library.key, ListingOrder::ByAddedAtDesc, start, PAGE).await?;
            let items = u32::try_from(page.items).unwrap_or(u32::MAX);
            start = start.saturating_add(items);
            newest_added_at = newest_added_at.max(newest(&page.parts));
            // Equal times are read again: two items can be added within one second.
            let reached = page.parts.iter().any(|part| part.added_at < known);
            let new = page.parts.into_iter().filter(|part| part.added_at >= known).collect();
            self.keep(new, section.walk).await?;
            if reached || items == 0 || page.total.is_some_and(|total| start >= total) {
                break;
            }
        }
        if newest_added_at == section.newest_added_at {
            return Ok(());
        }
        self.change(ChangeIndex::Known { library: library.clone(), newest_added_at }).await
    }

    async fn keep(&self, parts: Vec<IndexedPart>, walk: i64) -> Result<(), Failure> {
        if parts.is_empty() { Ok(()) } else { self.change(ChangeIndex::Parts { parts, walk }).await }
    }

    async fn change(&self, change: ChangeIndex) -> Result<(), Failure> {
        stored(self.persistence.ask(change, STORE_LIMIT).await)
    }
}

fn newest(parts: &[IndexedPart]) -> Option<i64> {
    parts.iter().map(|part| part.added_at).max()
}
