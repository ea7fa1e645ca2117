//! Which writes were begun, and how did they end? What is wanted and what is there is stored before Plex is touched,
//! so that a crash in between loses neither what was written nor what it replaced.

use std::collections::BTreeMap;

use diesel::prelude::*;
use jiff::Timestamp;

use super::connection::{Connected, ReadConn, WriteTx};
use super::jobs::job;
use super::rows::{ItemKey, Table, json, millis};
use super::schema::intents;
use super::writes::{self, NewWrite, WriteOutcome};
use super::{StoreError, declined, ledger, undos};
use crate::domain::edits::{Edit, Field, Value};
use crate::domain::ids::{CorrelationId, MachineId, RunToken, SceneId};

/// A write that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    pub scene: SceneId,
    pub item: ItemKey,
    pub edits: Vec<Edit>,
    /// What the fields of the edits hold now.
    pub before: BTreeMap<Field, Value>,
    pub correlation_id: CorrelationId,
    /// The write in the history that this one takes back.
    pub undoes: Option<i64>,
    /// Another scene that held the item and has been shown not to be it any more. Not stored.
    pub passed_on_by: Option<SceneId>,
}

/// A write that was begun and whose end is not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIntent {
    pub id: i64,
    pub intent: NewIntent,
    pub opened_at: Timestamp,
}

/// The answer to a wish to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Go on; settle this intent afterwards.
    Opened(i64),
    /// An earlier one is open for the item: it has to be read back and settled first.
    Unsettled(Box<OpenIntent>),
    /// Another scene writes to the item, or has come to hold it since it was looked at. Nothing may be written.
    Contested,
    /// The run is not in hand any more. Nothing may be written.
    Fenced,
}

/// How the fields of one intent ended. A field of the intent that is not named here ends as unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledIntent {
    pub id: i64,
    pub fields: Vec<SettledField>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledField {
    pub field: Field,
    pub outcome: WriteOutcome,
    /// What was read back.
    pub after: Value,
    /// What is `PlexSync`'s own in the field from now on; `None` when that has not changed.
    pub base: Option<Value>,
    pub note: Option<String>,
}

/// Stores an intent for a run that is still in hand.
pub fn open_intent(
    tx: &mut WriteTx<'_>,
    new: &NewIntent,
    token: RunToken,
    now: Timestamp,
) -> Result<Opening, StoreError> {
    if job(tx, new.scene)?.is_none_or(|job| job.token != Some(token)) {
        return Ok(Opening::Fenced);
    }
    if is_contested(tx, &new.item, new.scene, new.passed_on_by)? {
        return Ok(Opening::Contested);
    }
    if let Some(open) = intent_of(tx, &new.item, new.scene)? {
        return Ok(Opening::Unsettled(Box::new(open)));
    }
    let id = diesel::insert_into(intents::table)
        .values((
            intents::scene_id.eq(new.scene.get()),
            intents::machine_id.eq(&new.item.machine.0),
            intents::rating_key.eq(new.item.rating_key.as_str()),
            intents::edits.eq(json(&new.edits)?),
            intents::before.eq(json(&new.before)?),
            intents::run_token.eq(token.0),
            intents::opened_at.eq(millis(now)),
            intents::correlation_id.eq(new.correlation_id.as_str()),
            intents::undoes.eq(new.undoes),
        ))
        .returning(intents::intent_id)
        .get_result(tx.connection())?;
    Ok(Opening::Opened(id))
}

/// One item has one writer: neither may another scene be writing to it, nor hold it without the run knowing. Who has
/// been shown not to be the item any more does not count.
pub(super) fn is_contested(
    tx: &mut WriteTx<'_>,
    item: &ItemKey,
    scene: SceneId,
    passed_on_by: Option<SceneId>,
) -> Result<bool, StoreError> {
    let writers = writers(tx, item)?;
    let holder = ledger::holder(tx, item)?.map(|link| link.scene);
    Ok(writers.into_iter().chain(holder).any(|other| other != scene && Some(other) != passed_on_by))
}

/// The scenes whose last write to the item has no known end.
pub fn writers(conn: &mut impl ReadConn, item: &ItemKey) -> Result<Vec<SceneId>, StoreError> {
    let scenes: Vec<i64> = intents::table
        .filter(intents::machine_id.eq(&item.machine.0))
        .filter(intents::rating_key.eq(item.rating_key.as_str()))
        .select(intents::scene_id)
        .load(conn.connection())?;
    scenes.into_iter().map(|scene| Table("intents").scene(scene)).collect()
}

/// The open intent of a scene for an item.
pub fn intent_of(
    conn: &mut impl ReadConn,
    item: &ItemKey,
    scene: SceneId,
) -> Result<Option<OpenIntent>, StoreError> {
    let row = intents::table
        .filter(intents::machine_id.eq(&item.machine.0))
        .filter(intents::rating_key.eq(item.rating_key.as_str()))
        .filter(intents::scene_id.eq(scene.get()))
        .select(IntentRow::as_select())
        .get_result(conn.connection());
    row.optional()?.map(OpenIntent::try_from).transpose()
}

/// All open intents of a scene.
pub fn intents_of(conn: &mut impl ReadConn, scene: SceneId) -> Result<Vec<OpenIntent>, StoreError> {
    let rows = intents::table
        .filter(intents::scene_id.eq(scene.get()))
        .select(IntentRow::as_select())
        .load(conn.connection())?;
    rows.into_iter().map(OpenIntent::try_from).collect()
}

/// Moves an intent of the scene into ledger and history.
pub(super) fn settle(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    settled: &SettledIntent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = intents::table
        .filter(intents::intent_id.eq(settled.id).and(intents::scene_id.eq(scene.get())))
        .select(IntentRow::as_select())
        .get_result(tx.connection())
        .optional()?;
    // One that is not there was ended in this very transaction, when its item was taken from the scene.
    let Some(row) = row else { return Ok(()) };
    end(tx, OpenIntent::try_from(row)?, &settled.fields, now)
}

/// Ends the open intents of a scene, of one item or of all, of which nothing can be read back any more.
pub(super) fn abandon(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    item: Option<&ItemKey>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for open in intents_of(tx, scene)? {
        if item.is_none_or(|item| open.intent.item == *item) {
            end(tx, open, &[], now)?;
        }
    }
    Ok(())
}

fn end(
    tx: &mut WriteTx<'_>,
    open: OpenIntent,
    fields: &[SettledField],
    now: Timestamp,
) -> Result<(), StoreError> {
    let NewIntent { scene, item, edits, before, correlation_id, undoes, passed_on_by: _ } = open.intent;
    for edit in edits {
        let settled = fields.iter().find(|settled| settled.field == edit.field);
        let before = before.get(&edit.field).cloned().unwrap_or_else(|| edit.field.nothing());
        let outcome = settled.map_or(WriteOutcome::Unverified, |settled| settled.outcome);
        match undoes {
            // What is put back is not ours, and what was taken back is not to be written again.
            Some(write) if outcome == WriteOutcome::Applied => {
                declined::decline(tx, &item, scene, &edit, &before)?;
                undos::undone(tx, write, now)?;
            }
            Some(_) => {}
            None => {
                if let Some(base) = settled.and_then(|settled| settled.base.as_ref()) {
                    ledger::record(tx, &item, scene, edit.field, base, now)?;
                }
            }
        }
        let after = match settled {
            Some(settled) => settled.after.clone(),
            None => edit.aim().unwrap_or_else(|| before.clone()),
        };
        let note = match undoes {
            Some(write) => Some(format!("takes write {write} back")),
            None => settled.and_then(|settled| settled.note.clone()),
        };
        let (item, correlation_id) = (item.clone(), correlation_id.clone());
        let write = NewWrite { scene, item, field: edit.field, before, after, outcome, note, correlation_id };
        writes::record(tx, &write, now)?;
    }
    diesel::delete(intents::table.find(open.id)).execute(tx.connection())?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = intents)]
struct IntentRow {
    intent_id: i64,
    scene_id: i64,
    machine_id: String,
    rating_key: String,
    edits: String,
    before: String,
    opened_at: i64,
    correlation_id: String,
    undoes: Option<i64>,
}

impl TryFrom<IntentRow> for OpenIntent {
    type Error = StoreError;

    fn try_from(row: IntentRow) -> Result<Self, StoreError> {
        let table = Table("intents");
        Ok(Self {
            id: row.intent_id,
            intent: NewIntent {
                passed_on_by: None,
                undoes: row.undoes,
                scene: table.scene(row.scene_id)?,
                item: ItemKey {
                    machine: MachineId(row.machine_id),
                    rating_key: table.rating_key(row.rating_key)?,
                },
                edits: serde_json::from_str(&row.edits).map_err(|error| table.bad(&error))?,
                before: serde_json::from_str(&row.before).map_err(|error| table.bad(&error))?,
                correlation_id: table.correlation(row.correlation_id)?,
            },
            opened_at: table.time(row.opened_at)?,
        })
    }
}
