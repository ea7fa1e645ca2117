//! How does an item come to show what a scene says? Read, compare, note the intent, write, read back.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::{Actor, Context, Handler, ResponseFuture};
use tokio::sync::Semaphore;

use super::messages::{Applied, ApplyEdits, NotDone, OpenIntent, SettleEarlier, Wish};
use super::persistence::Persistence;
use super::pipeline::{applied_count, link};
use super::read_back::{missing, nothing_arrived, settled};
use super::stage::{caught, storage, stored};
use super::turns::Turns;
use crate::clock::Clock;
use crate::domain::circuit::Circuit;
use crate::domain::edits::{Base, Edit, EditPolicy, Note, Plan, plan, plan_to_take_back, wanted};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::RatingKey;
use crate::domain::item::PlexItem;
use crate::plex::{PlexClient, Told};
use crate::stash::StashClient;
use crate::store::intents::{self, NewIntent, Opening, SettledIntent};
use crate::store::{ItemKey, Reader, Readers, ledger};
use crate::supervision::{Link, Watch};
use crate::telemetry::redact::PathStyle;

pub(super) const STORE_LIMIT: Duration = Duration::from_secs(30);
/// A write keeps the others waiting no longer than this: the slowest that were seen took 22 s, so one that takes longer
/// hangs, and its answer is waited for beside the others.
const LONGEST_ALONE: Duration = Duration::from_secs(30);

/// Writes to Plex.
pub struct PlexSync {
    editor: Editor,
    /// Plex has one writer: its own database is busy for as long as a write takes. Each incarnation has a turn of its
    /// own to give, as one that hangs never gives back what it has taken.
    one_write: Arc<Semaphore>,
    _watch: Watch,
}

/// What an edit needs.
#[derive(Clone)]
pub struct Editor {
    pub plex: PlexClient,
    /// Where covers come from.
    pub stash: StashClient,
    /// The turns of questions to Stash.
    pub questions: Arc<Turns>,
    pub readers: Readers,
    pub persistence: Link<Persistence>,
    pub policy: Arc<EditPolicy>,
    /// How paths stand in what people read.
    pub paths: PathStyle,
    /// The turns of writes.
    pub writes: Arc<Turns>,
    pub clock: Arc<dyn Clock>,
}

impl PlexSync {
    pub fn new(editor: Editor, watch: Watch) -> Self {
        Self { editor, one_write: Arc::new(Semaphore::new(1)), _watch: watch }
    }
}

impl Actor for PlexSync {
    type Context = Context<Self>;
}

impl Handler<ApplyEdits> for PlexSync {
    type Result = ResponseFuture<Result<Applied, NotDone>>;

    fn handle(&mut self, order: ApplyEdits, _: &mut Context<Self>) -> Self::Result {
        let (editor, one_write) = (self.editor.clone(), Arc::clone(&self.one_write));
        let run = Run { editor, one_write, order, doubt: Mutex::new(None) };
        caught(async move { run.apply().await })
    }
}

crate::supervised!(PlexSync);

/// One order in hand.
pub(super) struct Run {
    pub(super) editor: Editor,
    one_write: Arc<Semaphore>,
    pub(super) order: ApplyEdits,
    /// Why changes that were answered with a success since the last read-back may have been swallowed on their way.
    doubt: Mutex<Option<Failure>>,
}

/// What has come of the fields of an item.
pub(super) struct Written {
    /// As it is now.
    pub(super) item: PlexItem,
    /// Its end is known and not recorded yet.
    pub(super) intent: Option<SettledIntent>,
    /// For people.
    told: Vec<String>,
}

impl Written {
    pub(super) fn note(&mut self, notes: &[Note]) {
        self.told.extend(notes.iter().map(|note| format!("{} {}", note.field, note.text)));
    }
}

impl Run {
    async fn apply(&self) -> Result<Applied, NotDone> {
        let before = self.read().await?;
        self.still_holds_the_file(&before)?;
        self.look_into_earlier_intent(&before).await?;
        if let Wish::Undo(write) = self.order.wish {
            return self.undo(write, &before).await;
        }
        let mut written = self.write_fields(before.clone()).await?;
        match self.show_covers(&before, &mut written).await {
            Ok(covers) => Ok(Applied { intent: written.intent, notes: written.told, covers }),
            Err(NotDone { failure, intent }) => Err(NotDone { failure, intent: intent.or(written.intent) }),
        }
    }

    pub(super) async fn read(&self) -> Result<PlexItem, Failure> {
        self.editor.plex.item(self.rating_key()).await
    }

    pub(super) fn rating_key(&self) -> &RatingKey {
        &self.order.target.scored.rating_key
    }

    /// Files move between items; writing to an item that holds another file by now would be writing to a stranger.
    fn still_holds_the_file(&self, item: &PlexItem) -> Result<(), Failure> {
        let path = &self.order.target.scored.path;
        if item.paths.contains(path) {
            return Ok(());
        }
        let shown = self.editor.paths.show(path);
        let detail = format!("item {} in Plex no longer holds the file {shown:?}", item.rating_key);
        Err(Failure::new(FailureClass::StaleMatch, Peer::Plex, "file_moved", detail).on(Circuit::PlexRead))
    }

    /// All fields but images.
    async fn write_fields(&self, item: PlexItem) -> Result<Written, NotDone> {
        let Plan { edits, notes } = self.plan(&item)?;
        let mut written = Written { item, intent: None, told: Vec::new() };
        written.note(&notes);
        if edits.is_empty() {
            return Ok(written);
        }
        let id = self.open_intent(&written.item, &edits).await?;
        if let Err((failure, sent)) = self.write_all(&written.item, &edits).await {
            // A write whose answer got lost may have been applied: its intent stays open, and the next run reads it
            // back before anything is sent again. A write that was refused has changed nothing, but those that went
            // out before it may have.
            let may_be_applied =
                matches!(failure.class, FailureClass::Unavailable | FailureClass::Interrupted);
            let refused = match may_be_applied {
                true => None,
                false if sent == 0 => Some(written.item),
                false => self.read().await.ok(),
            };
            let intent = refused.map(|item| settled(id, &edits, &notes, &item));
            return Err(NotDone { failure, intent });
        }
        // A 200 proves nothing: Plex answers the same when it has stored nothing.
        written.item = self.read().await?;
        let intent = settled(id, &edits, &notes, &written.item);
        match self.missing(&intent) {
            None => Ok(Written { intent: Some(intent), ..written }),
            Some(failure) => Err(NotDone { failure, intent: Some(intent) }),
        }
    }

    /// What has to be written, in lists that Plex takes.
    fn plan(&self, item: &PlexItem) -> Result<Plan, Failure> {
        let Editor { plex, policy, .. } = &self.editor;
        let base = self.base()?;
        let Plan { edits, mut notes } = match self.order.wish {
            Wish::Show => {
                let wanted = wanted(&self.order.scene, policy);
                plan(&plex.fitted(&item.section, &item.rating_key, wanted), item, &base, policy)
            }
            Wish::TakeBack | Wish::Undo(_) => plan_to_take_back(item, &base, policy),
        };
        let (edits, cut) = plex.shortened(&item.section, &item.rating_key.clone().into(), edits);
        notes.extend(cut);
        Ok(Plan { edits, notes })
    }

    /// An intent that is still open belongs to a run that ended between its write and its record. What the item shows
    /// now tells whether that write arrived, so that neither ownership nor history is lost and nothing is sent twice.
    async fn look_into_earlier_intent(&self, item: &PlexItem) -> Result<(), Failure> {
        let (key, scene) = (self.item_key(), self.order.scene.id);
        let open = self.editor.readers.with(|reader| intents::intent_of(reader, &key, scene));
        let Some(open) = open.map_err(storage)? else { return Ok(()) };
        let item = self.with_shown(item, &open.intent.edits).await?;
        let intent = settled(open.id, &open.intent.edits, &[], &item);
        let arrived = applied_count(&intent);
        tracing::info!(
            "scene {scene}: an earlier write to item {} was looked into: {arrived} fields had arrived",
            item.rating_key
        );
        self.settle_now(intent).await
    }

    /// Records the end of an intent before that of the run.
    pub(super) async fn settle_now(&self, intent: SettledIntent) -> Result<(), Failure> {
        let ApplyEdits { machine, target, scene, token, .. } = &self.order;
        let link = link(machine, target, scene, self.editor.clock.now());
        let earlier = SettleEarlier { token: *token, link, passed_on_by: target.held_by, intent };
        let in_hand = stored(self.editor.persistence.ask(earlier, STORE_LIMIT).await)?;
        if in_hand { Ok(()) } else { Err(fenced()) }
    }

    pub(super) fn base(&self) -> Result<Base, Failure> {
        let read = |reader: &mut Reader| ledger::base(reader, &self.item_key(), &self.order.scene);
        self.editor.readers.with(read).map_err(storage)
    }

    pub(super) async fn open_intent(&self, item: &PlexItem, edits: &[Edit]) -> Result<i64, Failure> {
        let order = &self.order;
        let intent = NewIntent {
            scene: order.scene.id,
            item: self.item_key(),
            edits: edits.to_vec(),
            before: edits.iter().map(|edit| (edit.field, item.value(edit.field))).collect(),
            correlation_id: order.correlation_id.clone(),
            undoes: match order.wish {
                Wish::Undo(write) => Some(write),
                Wish::Show | Wish::TakeBack => None,
            },
            passed_on_by: order.target.held_by,
        };
        let opened =
            self.editor.persistence.ask(OpenIntent { intent, token: order.token }, STORE_LIMIT).await;
        match stored(opened)? {
            Opening::Opened(id) => Ok(id),
            Opening::Fenced => Err(fenced()),
            // In a moment it is known whether the other scene holds the item, and then it is a conflict.
            Opening::Contested => {
                Err(Failure::interrupted("contested", "another scene is writing to the item"))
            }
            Opening::Unsettled(_) => {
                Err(Failure::interrupted("unsettled", "an earlier write is not looked into yet"))
            }
        }
    }

    /// Sends all requests that the edits need. At the first that fails it tells how many went out before.
    pub(super) async fn write_all(&self, item: &PlexItem, edits: &[Edit]) -> Result<(), (Failure, usize)> {
        let (plex, ids) = (&self.editor.plex, item.rating_key.clone().into());
        for (sent, edits) in plex.requests(&item.section, &ids, edits).iter().enumerate() {
            let write = plex.write(&item.section, &item.rating_key, edits);
            self.in_turn(write).await.map_err(|failure| (failure, sent))?;
        }
        Ok(())
    }

    /// Makes one request that changes something, when it is its turn.
    pub(super) async fn in_turn(
        &self,
        write: impl Future<Output = Result<Told, Failure>>,
    ) -> Result<(), Failure> {
        let closed = |_| Failure::interrupted("shutdown", "the service is stopping");
        let only = self.one_write.acquire().await.map_err(closed)?;
        let Editor { writes, clock, .. } = &self.editor;
        writes.turn().await;
        let began = clock.monotonic();
        let mut write = pin!(write);
        let written = if let Ok(written) = tokio::time::timeout(LONGEST_ALONE, &mut write).await {
            written
        } else {
            drop(only);
            write.await
        };
        let well = written.as_ref().err().is_none_or(|failure| failure.class.is_about_the_scene());
        writes.finished(clock.monotonic().saturating_sub(began), well);
        if let Told::Page(failure) = written? {
            *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        }
        Ok(())
    }

    /// Why what was written does not stand there, if it does not. Where a page was answered and nothing has changed,
    /// Plex has not seen the write: that says nothing about the item.
    pub(super) fn missing(&self, intent: &SettledIntent) -> Option<Failure> {
        let doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner).take();
        let doubt = doubt.filter(|_| nothing_arrived(intent));
        missing(intent).map(|failure| doubt.unwrap_or(failure))
    }

    pub(super) fn item_key(&self) -> ItemKey {
        ItemKey { machine: self.order.machine.clone(), rating_key: self.rating_key().clone() }
    }
}

fn fenced() -> Failure {
    Failure::interrupted("fenced", "another run has taken the job over")
}
