//! How does an item come to show what a scene says? Read, compare, note the intent, write, read back.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, ResponseFuture};
use tokio::sync::Semaphore;

use super::messages::{Applied, ApplyEdits, NotDone, OpenIntent, SettleEarlier};
use super::persistence::Persistence;
use super::pipeline::{applied_count, link};
use super::read_back::{missing, settled};
use super::stage::{caught, storage, stored};
use super::turns::Turns;
use crate::clock::Clock;
use crate::domain::circuit::Circuit;
use crate::domain::edits::{Base, Edit, EditPolicy, Plan, plan, wanted};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::item::PlexItem;
use crate::plex::PlexClient;
use crate::store::intents::{self, NewIntent, Opening};
use crate::store::{ItemKey, Readers, ledger};
use crate::supervision::{Link, Watch};
use crate::telemetry::redact::PathStyle;

const STORE_LIMIT: Duration = Duration::from_secs(30);
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
        caught(async move { editor.apply(&order, &one_write).await })
    }
}

crate::supervised!(PlexSync);

impl Editor {
    /// Files move between items; writing to an item that holds another file by now would be writing to a stranger.
    fn still_holds_the_file(&self, item: &PlexItem, order: &ApplyEdits) -> Result<(), Failure> {
        if item.paths.contains(&order.target.scored.path) {
            return Ok(());
        }
        let detail = format!(
            "item {} in Plex no longer holds the file {:?}",
            item.rating_key,
            self.paths.show(&order.target.scored.path)
        );
        Err(Failure::new(FailureClass::StaleMatch, Peer::Plex, "file_moved", detail).on(Circuit::PlexRead))
    }

    async fn apply(&self, order: &ApplyEdits, one_write: &Semaphore) -> Result<Applied, NotDone> {
        let item = self.plex.item(&order.target.scored.rating_key).await?;
        self.still_holds_the_file(&item, order)?;
        self.look_into_earlier_intent(order, &item).await?;
        let Plan { edits, notes } = self.plan(order, &item)?;
        let told = notes.iter().map(|note| format!("{} {}", note.field, note.text)).collect();
        if edits.is_empty() {
            return Ok(Applied { intent: None, notes: told });
        }
        let id = self.open_intent(order, &item, &edits).await?;
        if let Err((failure, sent)) = self.write_all(&item, &edits, one_write).await {
            // A write whose answer got lost may have been applied: its intent stays open, and the next run reads it
            // back before anything is sent again. A write that was refused has changed nothing, but those that went
            // out before it may have.
            let may_be_applied =
                matches!(failure.class, FailureClass::Unavailable | FailureClass::Interrupted);
            let refused = match may_be_applied {
                true => None,
                false if sent == 0 => Some(item),
                false => self.plex.item(&item.rating_key).await.ok(),
            };
            let intent = refused.map(|item| settled(id, &edits, &notes, &item));
            return Err(NotDone { failure, intent });
        }
        // A 200 proves nothing: Plex answers the same when it has stored nothing.
        let after = self.plex.item(&order.target.scored.rating_key).await?;
        let intent = settled(id, &edits, &notes, &after);
        match missing(&intent) {
            None => Ok(Applied { intent: Some(intent), notes: told }),
            Some(failure) => Err(NotDone { failure, intent: Some(intent) }),
        }
    }

    /// What has to be written, in lists that Plex takes.
    fn plan(&self, order: &ApplyEdits, item: &PlexItem) -> Result<Plan, Failure> {
        let base = self.base(order)?;
        let wanted = self.plex.fitted(&item.section, &item.rating_key, wanted(&order.scene, &self.policy));
        let Plan { edits, mut notes } = plan(&wanted, item, &base, &self.policy);
        let (edits, cut) = self.plex.shortened(&item.section, &item.rating_key.clone().into(), edits);
        notes.extend(cut);
        Ok(Plan { edits, notes })
    }

    /// An intent that is still open belongs to a run that ended between its write and its record. What the item shows
    /// now tells whether that write arrived, so that neither ownership nor history is lost and nothing is sent twice.
    async fn look_into_earlier_intent(&self, order: &ApplyEdits, item: &PlexItem) -> Result<(), Failure> {
        let (key, scene) = (order.item_key(), order.scene.id);
        let open = self.readers.with(|reader| intents::intent_of(reader, &key, scene)).map_err(storage)?;
        let Some(open) = open else { return Ok(()) };
        let intent = settled(open.id, &open.intent.edits, &[], item);
        let arrived = applied_count(&intent);
        tracing::info!(
            "scene {scene}: an earlier write to item {} was looked into: {arrived} fields had arrived",
            item.rating_key
        );
        let link = link(&order.machine, &order.target, &order.scene, self.clock.now());
        let earlier = SettleEarlier { token: order.token, link, intent };
        let in_hand = stored(self.persistence.ask(earlier, STORE_LIMIT).await)?;
        if in_hand { Ok(()) } else { Err(fenced()) }
    }

    fn base(&self, order: &ApplyEdits) -> Result<Base, Failure> {
        self.readers.with(|reader| ledger::base(reader, &order.item_key(), &order.scene)).map_err(storage)
    }

    async fn open_intent(&self, order: &ApplyEdits, item: &PlexItem, edits: &[Edit]) -> Result<i64, Failure> {
        let intent = NewIntent {
            scene: order.scene.id,
            item: order.item_key(),
            edits: edits.to_vec(),
            before: edits.iter().map(|edit| (edit.field, item.value(edit.field))).collect(),
            correlation_id: order.correlation_id.clone(),
            passed_on_by: order.target.held_by,
        };
        let opened = self.persistence.ask(OpenIntent { intent, token: order.token }, STORE_LIMIT).await;
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
    async fn write_all(
        &self,
        item: &PlexItem,
        edits: &[Edit],
        one_write: &Semaphore,
    ) -> Result<(), (Failure, usize)> {
        let ids = item.rating_key.clone().into();
        for (sent, edits) in self.plex.requests(&item.section, &ids, edits).iter().enumerate() {
            self.write(item, edits, one_write).await.map_err(|failure| (failure, sent))?;
        }
        Ok(())
    }

    async fn write(&self, item: &PlexItem, edits: &[Edit], one_write: &Semaphore) -> Result<(), Failure> {
        let closed = |_| Failure::interrupted("shutdown", "the service is stopping");
        let only = one_write.acquire().await.map_err(closed)?;
        self.writes.turn().await;
        let began = self.clock.monotonic();
        let mut write = pin!(self.plex.write(&item.section, &item.rating_key, edits));
        let written = if let Ok(written) = tokio::time::timeout(LONGEST_ALONE, &mut write).await {
            written
        } else {
            drop(only);
            write.await
        };
        let well = written.as_ref().err().is_none_or(|failure| failure.class.is_about_the_scene());
        self.writes.finished(self.clock.monotonic().saturating_sub(began), well);
        written
    }
}

impl ApplyEdits {
    fn item_key(&self) -> ItemKey {
        ItemKey { machine: self.machine.clone(), rating_key: self.target.scored.rating_key.clone() }
    }
}

fn fenced() -> Failure {
    Failure::interrupted("fenced", "another run has taken the job over")
}
