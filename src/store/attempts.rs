//! What was tried for a job, and what came of it?

use diesel::prelude::*;
use jiff::Timestamp;

use super::queue::RunReport;
use super::rows::SCENE;
use super::schema::attempts;
use super::{ReadConnection, StoreError, WriteTx};
use crate::domain::ids::{Generation, SceneId};
use crate::domain::job::Job;

/// One run that had a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, serde::Serialize)]
#[diesel(table_name = attempts)]
pub struct Attempt {
    pub attempt_id: i64,
    pub generation: i64,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds since 1970.
    pub ended_at: i64,
    /// `done`, or the class of the failure.
    pub outcome: String,
    pub code: Option<String>,
    pub detail: Option<String>,
    /// What followed, in words.
    pub next: String,
    pub correlation_id: String,
}

pub(super) fn record(
    tx: &mut WriteTx<'_>,
    job: &Job,
    report: &RunReport,
    generation: Generation,
    next: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failure = report.outcome.as_ref().err();
    let row = (
        attempts::kind.eq(SCENE),
        attempts::id.eq(report.scene.get()),
        attempts::generation.eq(generation.0),
        attempts::started_at.eq(report.started_at.as_millisecond()),
        attempts::ended_at.eq(now.as_millisecond()),
        attempts::outcome.eq(failure.map_or("done", |failure| failure.class.as_str())),
        attempts::code.eq(failure.map(|failure| failure.code)),
        attempts::detail.eq(failure.map(|failure| failure.detail.as_str())),
        attempts::next.eq(next),
        attempts::correlation_id.eq(job.correlation_id.as_str()),
    );
    diesel::insert_into(attempts::table).values(row).execute(tx.connection())?;
    Ok(())
}

/// The runs of a scene's job, newest first.
pub fn of_scene(
    connection: &mut impl ReadConnection,
    scene: SceneId,
    limit: i64,
) -> Result<Vec<Attempt>, StoreError> {
    let of_scene = attempts::table.filter(attempts::kind.eq(SCENE)).filter(attempts::id.eq(scene.get()));
    let newest = of_scene.order(attempts::attempt_id.desc()).limit(limit).select(Attempt::as_select());
    Ok(newest.load(connection.connection())?)
}
