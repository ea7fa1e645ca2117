//! Which writes does a person want taken back, and what came of it? The runs of the scene do the work.

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{Table, millis};
use super::schema::undos;
use super::steer;
use super::writes::{RecordedWrite, write};

use crate::domain::ids::{CorrelationId, SceneId};

/// What became of a wish to take a write back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoState {
    /// A run of the scene will look into it.
    Asked,
    Undone,
    /// It cannot be taken back, for this reason.
    Refused(String),
}

const UNDONE: &str = "undone";
const REFUSED: &str = "refused";

/// Asks for a write to be taken back, and for the scene to be worked on at once. Asking again asks anew. `None` when
/// there is no such write on record.
pub fn ask(
    tx: &mut WriteTx<'_>,
    id: i64,
    correlation_id: &CorrelationId,
    now: Timestamp,
) -> Result<Option<RecordedWrite>, StoreError> {
    let Some(found) = write(tx, id)? else { return Ok(None) };
    let scene = found.write.scene;
    diesel::replace_into(undos::table)
        .values((undos::write_id.eq(id), undos::scene_id.eq(scene.get()), undos::asked_at.eq(millis(now))))
        .execute(tx.connection())?;
    steer::ask(tx, scene, correlation_id, now)?;
    Ok(Some(found))
}

/// What became of the wish; `None` when nobody has asked.
pub fn state(conn: &mut impl ReadConn, id: i64) -> Result<Option<UndoState>, StoreError> {
    let row = undos::table
        .find(id)
        .select((undos::outcome, undos::detail))
        .get_result::<(Option<String>, Option<String>)>(conn.connection());
    let Some((outcome, detail)) = row.optional()? else { return Ok(None) };
    Ok(Some(match outcome.as_deref() {
        None => UndoState::Asked,
        Some(UNDONE) => UndoState::Undone,
        Some(REFUSED) => UndoState::Refused(detail.unwrap_or_default()),
        Some(other) => return Err(Table("undos").bad(&format!("no such outcome: {other:?}"))),
    }))
}

/// The writes of a scene that are to be taken back, in the order in which they were written. Those that the history
/// has lost meanwhile are not among them.
pub fn open_of(conn: &mut impl ReadConn, scene: SceneId) -> Result<Vec<RecordedWrite>, StoreError> {
    let ids = undos::table
        .filter(undos::scene_id.eq(scene.get()).and(undos::ended_at.is_null()))
        .select(undos::write_id)
        .load::<i64>(conn.connection())?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(write(conn, id)?);
    }
    found.sort_by_key(|write| write.id);
    Ok(found)
}

/// Records that a write was taken back.
pub(super) fn undone(tx: &mut WriteTx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(undos::table.find(id).filter(undos::ended_at.is_null()))
        .set((undos::ended_at.eq(millis(now)), undos::outcome.eq(UNDONE)))
        .execute(tx.connection())?;
    Ok(())
}

/// Records that a write cannot be taken back.
pub fn refuse(tx: &mut WriteTx<'_>, id: i64, why: &str, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(undos::table.find(id).filter(undos::ended_at.is_null()))
        .set((undos::ended_at.eq(millis(now)), undos::outcome.eq(REFUSED), undos::detail.eq(why)))
        .execute(tx.connection())?;
    Ok(())
}

/// The same for all that is asked for a scene.
pub(super) fn refuse_all(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(undos::table.filter(undos::scene_id.eq(scene.get()).and(undos::ended_at.is_null())))
        .set((undos::ended_at.eq(millis(now)), undos::outcome.eq(REFUSED), undos::detail.eq(why)))
        .execute(tx.connection())?;
    Ok(())
}

#[cfg(test)]
mod tests;
