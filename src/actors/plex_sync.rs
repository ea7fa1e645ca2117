//! How does an item come to show what a scene says? Read, compare, note the intent, write, read back.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, ResponseFuture};
use tokio::sync::Semaphore;

use super::messages::{Applied, ApplyEdits, NotDone, OpenIntent, SettleIntent};
use super::persistence::Persistence;
use super::stage::{caught, storage};
use crate::clock::Clock;
use crate::domain::edits::{Base, Edit, EditPolicy, Plan, plan, wanted};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::item::PlexItem;
use crate::plex::{ItemIds, PlexClient};
use crate::store::ledger::{EditResult, NewIntent, OpenedIntent, SettledIntent};
use crate::store::{Readers, ledger};
use crate::supervision::{Link, Watch};
use crate::telemetry::redact::PathStyle;

const STORE_LIMIT: Duration = Duration::from_secs(30);

/// Writes to Plex.
pub struct PlexSync {
    pub editor: Editor,
    pub watch: Watch,
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
    /// Plex has one writer: its own database is busy for as long as a write takes.
    pub one_write: Arc<Semaphore>,
    pub clock: Arc<dyn Clock>,
}

impl PlexSync {
    pub fn new(editor: Editor, watch: Watch) -> Self {
        Self { editor, watch }
    }
}

impl Actor for PlexSync {
    type Context = Context<Self>;
}

impl Handler<ApplyEdits> for PlexSync {
    type Result = ResponseFuture<Result<Applied, NotDone>>;

    fn handle(&mut self, order: ApplyEdits, _: &mut Context<Self>) -> Self::Result {
        let editor = self.editor.clone();
        caught(async move { editor.apply(&order).await })
    }
}

crate::supervised!(PlexSync);

impl Editor {
    /// Files move between items; writing to an item that holds another file by now would be writing to a stranger.
    fn still_holds_the_file(&self, item: &PlexItem, order: &ApplyEdits) -> Result<(), Failure> {
        if item.paths.contains(&order.target.path) {
            return Ok(());
        }
        let detail = format!(
            "item {} in Plex no longer holds the file {:?}",
            item.rating_key,
            self.paths.show(&order.target.path)
        );
        Err(Failure::new(FailureClass::StaleMatch, Peer::Plex, "file_moved", detail))
    }

    async fn apply(&self, order: &ApplyEdits) -> Result<Applied, NotDone> {
        let item = self.plex.item(&order.target.rating_key).await?;
        self.still_holds_the_file(&item, order)?;
        self.look_into_earlier_intent(order, &item).await?;
        let Plan { edits, notes } =
            plan(&wanted(&order.scene, &self.policy), &item, &self.base(order)?, &self.policy);
        let notes = notes.into_iter().map(|note| format!("{} {}", note.field, note.text)).collect();
        if edits.is_empty() {
            return Ok(Applied { intent: None, notes });
        }
        let intent = self.open_intent(order, &item, &edits).await?;
        self.write(order, &item, &edits).await.map_err(|failure| self.unwritten(failure, intent.clone()))?;
        // A 200 proves nothing: Plex answers the same when it has stored nothing.
        let after = self.plex.item(&order.target.rating_key).await?;
        let settled = intent.settled(&after, self.clock.now());
        match missing(&settled) {
            None => Ok(Applied { intent: Some(settled), notes }),
            Some(failure) => Err(NotDone { failure, intent: Some(settled) }),
        }
    }

    /// An intent that is still open belongs to a run that ended between its write and its record. What the item shows
    /// now tells whether that write arrived, so that neither ownership nor history is lost and nothing is sent twice.
    async fn look_into_earlier_intent(&self, order: &ApplyEdits, item: &PlexItem) -> Result<(), Failure> {
        let key = (&order.machine, &order.target.rating_key, order.scene.id);
        let open =
            self.readers.with(|reader| ledger::intent_of(reader, key.0, key.1, key.2)).map_err(storage)?;
        let Some(open) = open else { return Ok(()) };
        let settled = open.settled(item, self.clock.now());
        tracing::info!(
            "scene {}: an earlier write to item {} was looked into: {} fields had arrived",
            order.scene.id,
            key.1,
            settled.applied_count()
        );
        let stored = self.persistence.ask(SettleIntent(settled), STORE_LIMIT).await;
        stored.map_err(|error| Failure::interrupted("stage_restarted", error.to_string()))?.map_err(storage)
    }

    fn base(&self, order: &ApplyEdits) -> Result<Base, Failure> {
        let base =
            |reader: &mut _| ledger::base(reader, &order.machine, &order.target.rating_key, &order.scene);
        self.readers.with(base).map_err(storage)
    }

    async fn open_intent(
        &self,
        order: &ApplyEdits,
        item: &PlexItem,
        edits: &[Edit],
    ) -> Result<ledger::Intent, Failure> {
        let before = edits.iter().map(|edit| (edit.field, item.value(edit.field).to_owned())).collect();
        let intent = NewIntent {
            scene: order.scene.id,
            machine: order.machine.clone(),
            rating_key: item.rating_key.clone(),
            edits: edits.to_vec(),
            before,
            identity: order.scene.identity(),
            correlation_id: order.correlation_id.clone(),
        };
        let opened = self.persistence.ask(OpenIntent { intent, token: order.token }, STORE_LIMIT).await;
        let opened = opened.map_err(|error| Failure::interrupted("stage_restarted", error.to_string()))?;
        match opened.map_err(storage)? {
            OpenedIntent::Opened(intent) => Ok(intent),
            OpenedIntent::Fenced => Err(Failure::interrupted("fenced", "another run has taken the job over")),
        }
    }

    async fn write(&self, order: &ApplyEdits, item: &PlexItem, edits: &[Edit]) -> Result<(), Failure> {
        let closed = |_| Failure::interrupted("shutdown", "the service is stopping");
        let _turn = self.one_write.acquire().await.map_err(closed)?;
        self.plex.edit(&item.section, &ItemIds::one(order.target.rating_key.clone()), edits).await
    }

    /// A write whose answer got lost may have been applied: its intent stays open and the next run reads it back before
    /// anything is sent again. A write that was refused has changed nothing.
    fn unwritten(&self, failure: Failure, intent: ledger::Intent) -> NotDone {
        let may_be_applied = matches!(failure.class, FailureClass::Unavailable | FailureClass::Interrupted);
        let intent = (!may_be_applied).then(|| intent.refused(self.clock.now()));
        NotDone { failure, intent }
    }
}

fn missing(settled: &SettledIntent) -> Option<Failure> {
    let missing = settled.results.iter().filter(|result| !result.applied);
    let names: Vec<_> = missing.map(|EditResult { edit, .. }| edit.field.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let detail = format!("Plex answered that all is well but did not store: {}", names.join(", "));
    Some(Failure::new(FailureClass::NotApplied, Peer::Plex, "not_applied", detail))
}
