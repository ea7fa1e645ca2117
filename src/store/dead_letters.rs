//! What was given up, and why?

use diesel::prelude::*;
use jiff::Timestamp;

use super::rows::SCENE;
use super::schema::dead_letters;
use super::{ReadConnection, StoreError, WriteTx};
use crate::domain::failure::Failure;
use crate::domain::ids::SceneId;
use crate::domain::job::Job;

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, serde::Serialize)]
#[diesel(table_name = dead_letters)]
pub struct DeadLetter {
    pub letter_id: i64,
    pub code: String,
    pub detail: String,
    /// The beginning of the peer's last answer.
    pub answer: Option<String>,
    pub attempts: i32,
    /// Milliseconds since 1970.
    pub buried_at: i64,
    pub correlation_id: String,
}

/// Writes the letter of a job that has just been given up, and returns its code.
pub(super) fn bury(
    tx: &mut WriteTx<'_>,
    job: &Job,
    failure: &Failure,
    now: Timestamp,
) -> Result<String, StoreError> {
    let code = job.code.clone().unwrap_or_else(|| failure.code.to_owned());
    let row = (
        dead_letters::kind.eq(SCENE),
        dead_letters::id.eq(job.scene.get()),
        dead_letters::code.eq(&code),
        dead_letters::detail.eq(&failure.detail),
        dead_letters::answer.eq(failure.answer.as_deref()),
        dead_letters::attempts.eq(i32::try_from(job.attempts).unwrap_or(i32::MAX)),
        dead_letters::buried_at.eq(now.as_millisecond()),
        dead_letters::correlation_id.eq(job.correlation_id.as_str()),
    );
    diesel::insert_into(dead_letters::table).values(row).execute(tx.connection())?;
    Ok(code)
}

/// Closes the open letter of a scene.
pub(super) fn close(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    how: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let open = dead_letters::table
        .filter(dead_letters::kind.eq(SCENE))
        .filter(dead_letters::id.eq(scene.get()))
        .filter(dead_letters::closed_at.is_null());
    let closed = (dead_letters::closed_at.eq(now.as_millisecond()), dead_letters::closed_as.eq(how));
    diesel::update(open).set(closed).execute(tx.connection())?;
    Ok(())
}

/// The open letter of a scene.
pub fn open_letter(
    connection: &mut impl ReadConnection,
    scene: SceneId,
) -> Result<Option<DeadLetter>, StoreError> {
    let open = dead_letters::table
        .filter(dead_letters::kind.eq(SCENE))
        .filter(dead_letters::id.eq(scene.get()))
        .filter(dead_letters::closed_at.is_null());
    Ok(open.select(DeadLetter::as_select()).first(connection.connection()).optional()?)
}
