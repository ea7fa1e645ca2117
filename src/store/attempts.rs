//! How did the runs of a job go?

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{SCENE, Table, limit, millis};
use super::schema::attempts;

use crate::domain::explain::spoken;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::{CorrelationId, Generation, SceneId};
use crate::domain::job::{OnceMore, Verdict};
use crate::domain::retry::FailureRates;

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
    attempts_until(conn, scene, Timestamp::MAX, rows)
}

/// The last runs of a scene that had ended by then, newest first.
pub fn attempts_until(
    conn: &mut impl ReadConn,
    scene: SceneId,
    until: Timestamp,
    rows: usize,
) -> Result<Vec<Attempt>, StoreError> {
    let found = attempts::table
        .filter(attempts::kind.eq(SCENE).and(attempts::id.eq(scene.get())))
        .filter(attempts::ended_at.le(millis(until)))
        .order(attempts::attempt_id.desc())
        .limit(limit(rows))
        .select(AttemptRow::as_select())
        .load(conn.connection())?;
    found.into_iter().map(Attempt::try_from).collect()
}

/// How often runs failed lately, learnt from those on record.
pub fn failure_rates(conn: &mut impl ReadConn) -> Result<FailureRates, StoreError> {
    let runs = attempts::table
        .order(attempts::attempt_id.desc())
        .limit(limit(FailureRates::MEMORY))
        .select((attempts::outcome, attempts::peer))
        .load::<(String, Option<String>)>(conn.connection())?;
    let mut rates = FailureRates::default();
    for (outcome, peer) in runs.into_iter().rev() {
        let class = FailureClass::from_word(&outcome);
        match (class, peer.as_deref().and_then(Peer::from_word)) {
            (Some(class), Some(peer)) => rates.learn(Some((peer, class))),
            (None, _) => rates.learn(None),
            (Some(_), None) => {}
        }
    }
    Ok(rates)
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
            attempts::peer.eq(failure.map(|failure| failure.peer.as_str())),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// What follows from a run, in words. `stretch` is how many times as long as usual the wait is.
pub(super) fn in_words(
    verdict: &Verdict,
    failure: Option<&Failure>,
    stretch: f64,
    once_more: Option<OnceMore>,
) -> String {
    match once_more {
        Some(OnceMore::Event) => return "runs again: an event came meanwhile".to_owned(),
        Some(OnceMore::Request) => {
            return "runs again: asked for meanwhile, or what it looks for may have come".to_owned();
        }
        None => {}
    }
    let held = failure.filter(|failure| failure.while_held).and_then(|failure| failure.circuit);
    match (verdict, held) {
        (Verdict::Again { .. }, Some(circuit)) => {
            format!("tries again when {circuit} works again, not counted")
        }
        (Verdict::Done, _) => "done".to_owned(),
        (Verdict::Again { wait, charged: true }, None) => {
            format!("tries again in {}{}", spoken(*wait), because(stretch))
        }
        (Verdict::Again { wait, charged: false }, None) => {
            format!("tries again in {}, not counted{}", spoken(*wait), because(stretch))
        }
        (Verdict::Wait { wait }, _) => format!("waits for Plex, looks again in {}", spoken(*wait)),
        (Verdict::Park { code }, _) => format!("parked: {code}"),
        (Verdict::Bury { code }, _) => format!("given up: {code}"),
    }
}

/// Why a wait is as long as it is, when it is noticeably longer than the doubling alone makes it.
fn because(stretch: f64) -> String {
    if stretch < 1.5 {
        return String::new();
    }
    format!(" (waits are up to {stretch:.1} times as long, as many runs failed so lately)")
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_follows_is_said_with_a_time_a_person_can_read() {
        let again = |wait| in_words(&Verdict::Again { wait, charged: true }, None, 1.0, None);
        assert_eq!(again(Duration::from_millis(250)), "tries again in 250ms");
        assert_eq!(again(Duration::from_millis(95_999)), "tries again in 1m 35s");
        assert_eq!(in_words(&Verdict::Park { code: "bug" }, None, 1.0, None), "parked: bug");
        assert_eq!(
            in_words(&Verdict::Done, None, 1.0, Some(OnceMore::Event)),
            "runs again: an event came meanwhile"
        );
        let stretched =
            in_words(&Verdict::Again { wait: Duration::from_mins(1), charged: true }, None, 2.34, None);
        assert!(
            stretched.starts_with("tries again in 1m (") && stretched.contains("2.3 times"),
            "{stretched}"
        );
    }
}
