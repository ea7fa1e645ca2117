//! How did the runs of a job go?

use std::time::Duration;

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{SCENE, Table, limit, millis};
use super::schema::attempts;

use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::{CorrelationId, Generation, SceneId};
use crate::domain::job::Verdict;

/// One run that had a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub id: i64,
    pub scene: SceneId,
    /// The last event that the run covered.
    pub generation: Generation,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub failure: Option<AttemptFailure>,
    /// What followed, in words.
    pub next: String,
    pub correlation_id: CorrelationId,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFailure {
    pub class: FailureClass,
    pub code: String,
    pub detail: String,
}

/// The last runs of a scene, newest first.
pub fn attempts_of(
    conn: &mut impl ReadConn,
    scene: SceneId,
    rows: usize,
) -> Result<Vec<Attempt>, StoreError> {
    let found = attempts::table
        .filter(attempts::kind.eq(SCENE).and(attempts::id.eq(scene.get())))
        .order(attempts::attempt_id.desc())
        .limit(limit(rows))
        .select(AttemptRow::as_select())
        .load(conn.connection())?;
    found.into_iter().map(Attempt::try_from).collect()
}

/// A run as it ended.
pub(super) struct FinishedRun<'a> {
    pub(super) scene: SceneId,
    pub(super) generation: Generation,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Timestamp,
    pub(super) outcome: Result<(), &'a Failure>,
    pub(super) next: &'a str,
    pub(super) correlation_id: &'a CorrelationId,
}

pub(super) fn record(tx: &mut WriteTx<'_>, run: &FinishedRun<'_>) -> Result<(), StoreError> {
    let failure = run.outcome.err();
    diesel::insert_into(attempts::table)
        .values((
            attempts::kind.eq(SCENE),
            attempts::id.eq(run.scene.get()),
            attempts::generation.eq(run.generation.0),
            attempts::started_at.eq(millis(run.started_at)),
            attempts::ended_at.eq(millis(run.ended_at)),
            attempts::outcome.eq(failure.map_or(DONE, |failure| failure.class.as_str())),
            attempts::code.eq(failure.map(|failure| failure.code)),
            attempts::detail.eq(failure.map(|failure| failure.detail.as_str())),
            attempts::next.eq(run.next),
            attempts::correlation_id.eq(run.correlation_id.as_str()),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// What follows from a run, in words.
pub(super) fn in_words(verdict: &Verdict, overtaken: bool) -> String {
    if overtaken {
        return "runs again: an event came meanwhile".to_owned();
    }
    match verdict {
        Verdict::Done => "done".to_owned(),
        Verdict::Again { wait, charged: true } => format!("tries again in {}", spoken(*wait)),
        Verdict::Again { wait, charged: false } => format!("tries again in {}, not counted", spoken(*wait)),
        Verdict::Wait { wait } => format!("waits for Plex, looks again in {}", spoken(*wait)),
        Verdict::Park { code } => format!("parked: {code}"),
        Verdict::Bury { code } => format!("given up: {code}"),
    }
}

/// Whole seconds are exact enough, except where there is none.
fn spoken(wait: Duration) -> String {
    let exact = if wait < Duration::from_secs(1) {
        SignedDuration::try_from(Duration::from_millis(wait.subsec_millis().into()))
    } else {
        SignedDuration::try_from(Duration::from_secs(wait.as_secs()))
    };
    format!("{:#}", exact.unwrap_or(SignedDuration::MAX))
}

/// Stands where a failure would have its class.
const DONE: &str = "done";

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct AttemptRow {
    attempt_id: i64,
    id: i64,
    generation: i64,
    started_at: i64,
    ended_at: i64,
    outcome: String,
    code: Option<String>,
    detail: Option<String>,
    next: String,
    correlation_id: String,
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        let table = Table("attempts");
        let failure = if row.outcome == DONE {
            None
        } else {
            let class = FailureClass::from_word(&row.outcome)
                .ok_or_else(|| table.bad(&format!("no such outcome: {:?}", row.outcome)))?;
            let (code, detail) = (row.code.unwrap_or_default(), row.detail.unwrap_or_default());
            Some(AttemptFailure { class, code, detail })
        };
        Ok(Self {
            id: row.attempt_id,
            scene: table.scene(row.id)?,
            generation: Generation(row.generation),
            started_at: table.time(row.started_at)?,
            ended_at: table.time(row.ended_at)?,
            failure,
            next: row.next,
            correlation_id: table.correlation(row.correlation_id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_said_with_a_time_a_person_can_read() {
        let again = |wait| in_words(&Verdict::Again { wait, charged: true }, false);
        assert_eq!(again(Duration::from_millis(250)), "tries again in 250ms");
        assert_eq!(again(Duration::from_millis(95_999)), "tries again in 1m 35s");
        assert_eq!(in_words(&Verdict::Park { code: "bug" }, false), "parked: bug");
        assert_eq!(in_words(&Verdict::Done, true), "runs again: an event came meanwhile");
    }
}
