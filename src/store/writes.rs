//! What was written into Plex, field by field, with the value before? The history.

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{ItemKey, Table, limit, millis, stored};
use super::schema::writes;

use crate::domain::edits::{Field, Value};
use crate::domain::ids::{CorrelationId, MachineId, SceneId};

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Read back as it was written.
    Applied,
    /// Read back otherwise.
    NotApplied,
    /// Could not be read back any more.
    Unverified,
}

impl WriteOutcome {
    const ALL: [Self; 3] = [Self::Applied, Self::NotApplied, Self::Unverified];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::NotApplied => "not_applied",
            Self::Unverified => "unverified",
        }
    }
}

/// One write of one field, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWrite {
    pub scene: SceneId,
    pub item: ItemKey,
    pub field: Field,
    pub before: Value,
    /// What the field holds since; what was wanted when that is not known.
    pub after: Value,
    pub outcome: WriteOutcome,
    pub note: Option<String>,
    pub correlation_id: CorrelationId,
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedWrite {
    pub id: i64,
    pub write: NewWrite,
    pub written_at: Timestamp,
}

/// The last writes for a scene, newest first; of those before the one given.
pub fn writes_of(
    conn: &mut impl ReadConn,
    scene: SceneId,
    before: Option<i64>,
    rows: usize,
) -> Result<Vec<RecordedWrite>, StoreError> {
    let found = writes::table
        .filter(writes::scene_id.eq(scene.get()).and(writes::write_id.lt(before.unwrap_or(i64::MAX))))
        .order(writes::write_id.desc())
        .limit(limit(rows))
        .select(WriteRow::as_select())
        .load(conn.connection())?;
    found.into_iter().map(RecordedWrite::try_from).collect()
}

/// One write, to take it back.
pub fn write(conn: &mut impl ReadConn, id: i64) -> Result<Option<RecordedWrite>, StoreError> {
    let row = writes::table.find(id).select(WriteRow::as_select()).get_result(conn.connection());
    row.optional()?.map(RecordedWrite::try_from).transpose()
}

/// Adds a line to the history. Runs do this through settling; this is for a write outside of any run.
pub fn record(tx: &mut WriteTx<'_>, write: &NewWrite, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(writes::table)
        .values((
            writes::scene_id.eq(write.scene.get()),
            writes::machine_id.eq(&write.item.machine.0),
            writes::rating_key.eq(write.item.rating_key.as_str()),
            writes::field.eq(write.field.as_str()),
            writes::before.eq(stored(&write.before)?),
            writes::after.eq(stored(&write.after)?),
            writes::outcome.eq(write.outcome.as_str()),
            writes::note.eq(&write.note),
            writes::written_at.eq(millis(now)),
            writes::correlation_id.eq(write.correlation_id.as_str()),
        ))
        .execute(tx.connection())?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = writes)]
struct WriteRow {
    write_id: i64,
    scene_id: i64,
    machine_id: String,
    rating_key: String,
    field: String,
    before: String,
    after: String,
    outcome: String,
    note: Option<String>,
    written_at: i64,
    correlation_id: String,
}

impl TryFrom<WriteRow> for RecordedWrite {
    type Error = StoreError;

    fn try_from(row: WriteRow) -> Result<Self, StoreError> {
        let table = Table("writes");
        let field = table.field(&row.field)?;
        let outcome = WriteOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == row.outcome);
        Ok(Self {
            id: row.write_id,
            write: NewWrite {
                scene: table.scene(row.scene_id)?,
                item: ItemKey {
                    machine: MachineId(row.machine_id),
                    rating_key: table.rating_key(row.rating_key)?,
                },
                field,
                before: table.value(field, row.before)?,
                after: table.value(field, row.after)?,
                outcome: outcome.ok_or_else(|| table.bad(&format!("no such outcome: {:?}", row.outcome)))?,
                note: row.note,
                correlation_id: table.correlation(row.correlation_id)?,
            },
            written_at: table.time(row.written_at)?,
        })
    }
}
