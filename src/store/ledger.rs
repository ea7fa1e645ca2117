//! What did we write into which item for which scene? Intents before a write, the ledger and the history after it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use jiff::Timestamp;

use super::rows::{correlation_id, scene_id};
use super::schema::{intents, ledger, links, writes};
use super::{ReadConnection, StoreError, WriteTx, queue};
use crate::domain::edits::{Base, Edit, Field};
use crate::domain::ids::{CorrelationId, MachineId, RatingKey, RunToken, SceneId};
use crate::domain::item::PlexItem;
use crate::domain::matching::Scored;
use crate::domain::scene::{Scene, SceneIdentity};

/// What is about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    pub machine: MachineId,
    pub rating_key: RatingKey,
    pub scene: SceneId,
    pub edits: Vec<Edit>,
    /// What the item holds now, by field.
    pub before: BTreeMap<Field, String>,
    pub identity: SceneIdentity,
    pub correlation_id: CorrelationId,
}

/// A stored intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    id: i64,
    new: NewIntent,
}

/// Whether the intent was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedIntent {
    Opened(Intent),
    /// The run does not have the job any more.
    Fenced,
}

/// What came of one edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditResult {
    pub edit: Edit,
    pub applied: bool,
}

/// An intent with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledIntent {
    intent: Intent,
    pub results: Vec<EditResult>,
    /// The word for edits that were not applied.
    otherwise: &'static str,
    written_at: Timestamp,
}

impl Intent {
    /// Compares an item that was read back with what was to be written.
    pub fn settled(self, item: &PlexItem, now: Timestamp) -> SettledIntent {
        self.with_results(|edit| edit.is_applied(item), "not_applied", now)
    }

    /// Plex refused the write, so nothing of it was applied.
    pub fn refused(self, now: Timestamp) -> SettledIntent {
        self.with_results(|_| false, "refused", now)
    }

    fn with_results(
        self,
        applied: impl Fn(&Edit) -> bool,
        otherwise: &'static str,
        now: Timestamp,
    ) -> SettledIntent {
        let result = |edit: &Edit| EditResult { applied: applied(edit), edit: edit.clone() };
        let results = self.new.edits.iter().map(result).collect();
        SettledIntent { intent: self, results, otherwise, written_at: now }
    }
}

impl SettledIntent {
    /// How many fields show what was written.
    pub fn applied_count(&self) -> usize {
        self.results.iter().filter(|result| result.applied).count()
    }
}

/// Stores what is about to be written, if the run still has the job.
pub fn open_intent(
    tx: &mut WriteTx<'_>,
    new: &NewIntent,
    token: RunToken,
    now: Timestamp,
) -> Result<OpenedIntent, StoreError> {
    if queue::job(tx, new.scene)?.and_then(|job| job.token) != Some(token) {
        return Ok(OpenedIntent::Fenced);
    }
    let row = (
        intents::machine.eq(&new.machine.0),
        intents::rating_key.eq(new.rating_key.as_str()),
        intents::scene_id.eq(new.scene.get()),
        intents::edits.eq(json(&new.edits)?),
        intents::before.eq(json(&new.before)?),
        intents::created_at.eq(&new.identity.created_at),
        intents::oshash.eq(&new.identity.oshash),
        intents::opened_at.eq(now.as_millisecond()),
        intents::correlation_id.eq(new.correlation_id.as_str()),
    );
    let insert = diesel::insert_into(intents::table).values(row).returning(intents::intent_id);
    let id: i64 = insert.get_result(tx.connection())?;
    Ok(OpenedIntent::Opened(Intent { id, new: new.clone() }))
}

/// The open intent of a scene for an item, if an earlier run left one.
pub fn intent_of(
    connection: &mut impl ReadConnection,
    machine: &MachineId,
    rating_key: &RatingKey,
    scene: SceneId,
) -> Result<Option<Intent>, StoreError> {
    let of_item = intents::table
        .filter(intents::machine.eq(&machine.0))
        .filter(intents::rating_key.eq(rating_key.as_str()))
        .filter(intents::scene_id.eq(scene.get()))
        .select(IntentRow::as_select());
    of_item.first(connection.connection()).optional()?.map(Intent::try_from).transpose()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = intents)]
struct IntentRow {
    intent_id: i64,
    machine: String,
    rating_key: String,
    scene_id: i64,
    edits: String,
    before: String,
    created_at: String,
    oshash: String,
    correlation_id: String,
}

impl TryFrom<IntentRow> for Intent {
    type Error = StoreError;

    fn try_from(row: IntentRow) -> Result<Self, StoreError> {
        let unreadable = |error: serde_json::Error| StoreError::unreadable(format!("an intent: {error}"));
        let rating_key = RatingKey::try_from(row.rating_key);
        let new = NewIntent {
            machine: MachineId(row.machine),
            rating_key: rating_key.map_err(|error| StoreError::unreadable(error.to_string()))?,
            scene: scene_id(row.scene_id)?,
            edits: serde_json::from_str(&row.edits).map_err(unreadable)?,
            before: serde_json::from_str(&row.before).map_err(unreadable)?,
            identity: SceneIdentity { created_at: row.created_at, oshash: row.oshash },
            correlation_id: correlation_id(row.correlation_id)?,
        };
        Ok(Self { id: row.intent_id, new })
    }
}

/// Closes an intent: what was applied goes into the ledger, everything into the history.
pub fn settle_intent(
    tx: &mut WriteTx<'_>,
    settled: &SettledIntent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Intent { id, new } = &settled.intent;
    let closed = diesel::delete(intents::table.find(*id)).execute(tx.connection())?;
    if closed == 0 {
        // Settled already; what is in the history is not written there again.
        return Ok(());
    }
    for EditResult { edit, applied } in &settled.results {
        let outcome = if *applied { "applied" } else { settled.otherwise };
        record_write(tx, new, edit, outcome, settled.written_at)?;
        if let (true, Some(value)) = (*applied, &edit.value) {
            keep_in_ledger(tx, new, edit.field, value, now)?;
        }
    }
    Ok(())
}

fn record_write(
    tx: &mut WriteTx<'_>,
    new: &NewIntent,
    edit: &Edit,
    outcome: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let row = (
        writes::machine.eq(&new.machine.0),
        writes::rating_key.eq(new.rating_key.as_str()),
        writes::scene_id.eq(new.scene.get()),
        writes::field.eq(edit.field.as_str()),
        writes::before.eq(new.before.get(&edit.field).map_or("", String::as_str)),
        writes::after.eq(edit.value.as_deref()),
        writes::locked.eq(edit.locked),
        writes::outcome.eq(outcome),
        writes::written_at.eq(at.as_millisecond()),
        writes::correlation_id.eq(new.correlation_id.as_str()),
    );
    diesel::insert_into(writes::table).values(row).execute(tx.connection())?;
    Ok(())
}

fn keep_in_ledger(
    tx: &mut WriteTx<'_>,
    new: &NewIntent,
    field: Field,
    value: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = (&new.machine.0, new.rating_key.as_str(), new.scene.get(), field.as_str());
    if value.is_empty() {
        // A cleared field is not ours any more.
        diesel::delete(ledger::table.find(key)).execute(tx.connection())?;
        return Ok(());
    }
    let row = (
        ledger::machine.eq(key.0),
        ledger::rating_key.eq(key.1),
        ledger::scene_id.eq(key.2),
        ledger::field.eq(key.3),
        ledger::value.eq(value),
        ledger::created_at.eq(&new.identity.created_at),
        ledger::oshash.eq(&new.identity.oshash),
        ledger::written_at.eq(now.as_millisecond()),
    );
    diesel::replace_into(ledger::table).values(row).execute(tx.connection())?;
    Ok(())
}

/// What was last written into an item for this very scene: entries of another scene that once had its id do not count.
pub fn base(
    connection: &mut impl ReadConnection,
    machine: &MachineId,
    rating_key: &RatingKey,
    scene: &Scene,
) -> Result<Base, StoreError> {
    let rows: Vec<(String, String, String, String)> = ledger::table
        .filter(ledger::machine.eq(&machine.0))
        .filter(ledger::rating_key.eq(rating_key.as_str()))
        .filter(ledger::scene_id.eq(scene.id.get()))
        .select((ledger::field, ledger::value, ledger::created_at, ledger::oshash))
        .load(connection.connection())?;
    let ours = rows.into_iter().filter_map(|(field, value, created_at, oshash)| {
        let field = Field::from_word(&field)?;
        scene.is(&SceneIdentity { created_at, oshash }).then_some((field, value))
    });
    Ok(ours.collect())
}

/// That a scene is an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub machine: MachineId,
    pub scene: SceneId,
    scored: Scored,
}

impl Link {
    pub fn new(machine: &MachineId, scored: &Scored, scene: &Scene) -> Self {
        Self { machine: machine.clone(), scene: scene.id, scored: scored.clone() }
    }
}

/// The scene that holds an item.
pub fn holder(
    connection: &mut impl ReadConnection,
    machine: &MachineId,
    rating_key: &RatingKey,
) -> Result<Option<SceneId>, StoreError> {
    let row = links::table.find((&machine.0, rating_key.as_str())).select(links::scene_id);
    row.first(connection.connection()).optional()?.map(scene_id).transpose()
}

/// Makes a scene the holder of an item.
pub(super) fn hold(tx: &mut WriteTx<'_>, link: &Link, now: Timestamp) -> Result<(), StoreError> {
    let row = (
        links::machine.eq(&link.machine.0),
        links::rating_key.eq(link.scored.rating_key.as_str()),
        links::scene_id.eq(link.scene.get()),
        links::section_key.eq(link.scored.section.as_str()),
        links::path.eq(&link.scored.path),
        links::confidence.eq(link.scored.confidence),
        links::evidence.eq(link.scored.reasons.join("; ")),
        links::linked_at.eq(now.as_millisecond()),
    );
    diesel::replace_into(links::table).values(row).execute(tx.connection())?;
    Ok(())
}

/// Stash does not have the scene any more: it holds no item, owns no value, and what may have been written stays noted.
pub(super) fn forget_scene(tx: &mut WriteTx<'_>, scene: SceneId, now: Timestamp) -> Result<(), StoreError> {
    let open = intents::table.filter(intents::scene_id.eq(scene.get())).select(IntentRow::as_select());
    for row in open.load(tx.connection())? {
        let settled = Intent::try_from(row)?.with_results(|_| false, "unverified", now);
        settle_intent(tx, &settled, now)?;
    }
    diesel::delete(links::table.filter(links::scene_id.eq(scene.get()))).execute(tx.connection())?;
    diesel::delete(ledger::table.filter(ledger::scene_id.eq(scene.get()))).execute(tx.connection())?;
    Ok(())
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, serde::Serialize)]
#[diesel(table_name = writes)]
pub struct Write {
    pub write_id: i64,
    pub rating_key: String,
    pub field: String,
    pub before: String,
    /// `None` when the lock alone was changed.
    pub after: Option<String>,
    pub locked: Option<bool>,
    pub outcome: String,
    /// Milliseconds since 1970.
    pub written_at: i64,
    pub correlation_id: String,
}

/// What was written for a scene, newest first.
pub fn writes_of(
    connection: &mut impl ReadConnection,
    scene: SceneId,
    limit: i64,
) -> Result<Vec<Write>, StoreError> {
    let newest =
        writes::table.filter(writes::scene_id.eq(scene.get())).order(writes::write_id.desc()).limit(limit);
    Ok(newest.select(Write::as_select()).load(connection.connection())?)
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::unreadable(error.to_string()))
}
