//! When was a peer away, or not to be used? The record of outages and holds.

use std::time::Duration;

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{Table, limit, millis};
use super::schema::{jobs, outages};

use crate::domain::circuit::{Circuit, HoldCause};
use crate::domain::job::JobState;

/// A time in which a circuit was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    pub circuit: Circuit,
    pub cause: HoldCause,
    /// Of the failure that led to it.
    pub code: String,
    pub detail: String,
    /// When the failures began.
    pub started_at: Timestamp,
    pub end: Option<OutageEnd>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutageEnd {
    pub ended_at: Timestamp,
    /// Jobs that were due and could not run.
    pub held_jobs: i64,
}

/// What is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutageNote {
    /// It is not used from now on. When one is on record as going on, that one goes on if its cause is the same, and
    /// ends now otherwise.
    Began(Outage),
    Ended {
        circuit: Circuit,
        at: Timestamp,
    },
}

/// Notes the begin or the end of an outage. To note it twice is harmless.
pub fn note(tx: &mut WriteTx<'_>, note: &OutageNote) -> Result<(), StoreError> {
    match note {
        OutageNote::Ended { circuit, at } => end(tx, *circuit, *at),
        OutageNote::Began(outage) => {
            match going_on(tx, outage.circuit)? {
                Some(known) if known.cause == outage.cause => return Ok(()),
                Some(_) => end(tx, outage.circuit, outage.started_at)?,
                None => {}
            }
            diesel::insert_into(outages::table)
                .values((
                    outages::circuit.eq(outage.circuit.as_str()),
                    outages::cause.eq(outage.cause.as_str()),
                    outages::code.eq(&outage.code),
                    outages::detail.eq(&outage.detail),
                    outages::started_at.eq(millis(outage.started_at)),
                ))
                .execute(tx.connection())?;
            Ok(())
        }
    }
}

fn end(tx: &mut WriteTx<'_>, circuit: Circuit, at: Timestamp) -> Result<(), StoreError> {
    let held = held_jobs(tx, at)?;
    diesel::update(
        outages::table.filter(outages::circuit.eq(circuit.as_str())).filter(outages::ended_at.is_null()),
    )
    .set((outages::ended_at.eq(millis(at)), outages::held_jobs.eq(held)))
    .execute(tx.connection())?;
    Ok(())
}

/// The outage of a circuit that has not ended.
pub fn going_on(conn: &mut impl ReadConn, circuit: Circuit) -> Result<Option<Outage>, StoreError> {
    let row = outages::table
        .filter(outages::circuit.eq(circuit.as_str()).and(outages::ended_at.is_null()))
        .select(OutageRow::as_select())
        .get_result(conn.connection());
    row.optional()?.map(Outage::try_from).transpose()
}

/// The last outages, those that go on first, then the newest.
pub fn latest(conn: &mut impl ReadConn, rows: usize) -> Result<Vec<Outage>, StoreError> {
    let open = outages::table
        .filter(outages::ended_at.is_null())
        .order(outages::outage_id.desc())
        .limit(limit(rows))
        .select(OutageRow::as_select())
        .load(conn.connection())?;
    let ended = outages::table
        .filter(outages::ended_at.is_not_null())
        .order(outages::ended_at.desc())
        .limit(limit(rows.saturating_sub(open.len())))
        .select(OutageRow::as_select())
        .load(conn.connection())?;
    open.into_iter().chain(ended).map(Outage::try_from).collect()
}

/// How many jobs are due and not in hand.
pub fn held_jobs(conn: &mut impl ReadConn, now: Timestamp) -> Result<i64, StoreError> {
    let due = jobs::table
        .filter(jobs::due_at.le(millis(now)).and(jobs::state.eq(JobState::Ready.as_str())))
        .count()
        .get_result(conn.connection())?;
    Ok(due)
}

/// How much of the time from `since` to `now` at least one circuit was not used.
pub fn time_away(conn: &mut impl ReadConn, since: Timestamp, now: Timestamp) -> Result<Duration, StoreError> {
    let rows = outages::table
        .filter(outages::ended_at.is_null().or(outages::ended_at.gt(millis(since))))
        .select((outages::started_at, outages::ended_at))
        .load::<(i64, Option<i64>)>(conn.connection())?;
    let mut times: Vec<_> = rows
        .into_iter()
        .map(|(start, end)| (start.max(millis(since)), end.unwrap_or(i64::MAX).min(millis(now))))
        .collect();
    times.sort_unstable();
    let (mut away, mut counted) = (0, i64::MIN);
    for (start, end) in times {
        let start = start.max(counted);
        if end > start {
            away += end - start;
            counted = end;
        }
    }
    Table("outages").wait(away)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = outages)]
struct OutageRow {
    circuit: String,
    cause: String,
    code: String,
    detail: String,
    started_at: i64,
    ended_at: Option<i64>,
    held_jobs: Option<i64>,
}

impl TryFrom<OutageRow> for Outage {
    type Error = StoreError;

    fn try_from(row: OutageRow) -> Result<Self, StoreError> {
        let table = Table("outages");
        let circuit = Circuit::from_word(&row.circuit);
        let cause = HoldCause::from_word(&row.cause);
        let ended_at = table.opt_time(row.ended_at)?;
        Ok(Self {
            circuit: circuit.ok_or_else(|| table.bad(&format!("no such circuit: {:?}", row.circuit)))?,
            cause: cause.ok_or_else(|| table.bad(&format!("no such cause: {:?}", row.cause)))?,
            code: row.code,
            detail: row.detail,
            started_at: table.time(row.started_at)?,
            end: ended_at
                .map(|ended_at| OutageEnd { ended_at, held_jobs: row.held_jobs.unwrap_or_default() }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Database, updated};
    use super::*;

    fn outage(circuit: Circuit, cause: HoldCause, started_at: Timestamp) -> Outage {
        let detail = "refused the connection".to_owned();
        Outage { circuit, cause, code: "connection_refused".to_owned(), detail, started_at, end: None }
    }

    impl Database {
        fn note(&mut self, what: &OutageNote) {
            self.writer.write(|tx| note(tx, what)).unwrap();
        }
    }

    #[test]
    fn an_outage_is_on_record_once_with_its_end_and_the_jobs_it_held() {
        let mut db = Database::new();
        let began = db.now;
        let outage = outage(Circuit::PlexRead, HoldCause::Outage, began);
        db.note(&OutageNote::Began(outage.clone()));
        db.note(&OutageNote::Began(outage.clone()));
        assert_eq!(latest(&mut db.reader(), 10).unwrap(), [outage]);
        db.accept(&[updated(1), updated(2)]);
        db.pass(60);
        let ended = OutageNote::Ended { circuit: Circuit::PlexRead, at: db.now };
        db.note(&ended);
        db.pass(60);
        db.note(&OutageNote::Ended { circuit: Circuit::PlexRead, at: db.now });
        let known = latest(&mut db.reader(), 10).unwrap();
        let end = OutageEnd { ended_at: began + Duration::from_mins(1), held_jobs: 2 };
        assert_eq!(known.iter().map(|outage| outage.end).collect::<Vec<_>>(), [Some(end)]);
        assert_eq!(going_on(&mut db.reader(), Circuit::PlexRead).unwrap(), None);
    }

    #[test]
    fn another_cause_ends_the_outage_and_begins_another() {
        let mut db = Database::new();
        db.note(&OutageNote::Began(outage(Circuit::Stash, HoldCause::Outage, db.now)));
        db.pass(30);
        db.note(&OutageNote::Began(outage(Circuit::Stash, HoldCause::Unauthorized, db.now)));
        let causes: Vec<_> = latest(&mut db.reader(), 10)
            .unwrap()
            .iter()
            .map(|outage| (outage.cause, outage.end.is_some()))
            .collect();
        assert_eq!(causes, [(HoldCause::Unauthorized, false), (HoldCause::Outage, true)]);
    }

    #[test]
    fn time_away_is_counted_once_however_many_circuits_were_not_used() {
        let mut db = Database::new();
        let start = db.now;
        db.note(&OutageNote::Began(outage(Circuit::PlexRead, HoldCause::Outage, start)));
        db.pass(50);
        db.note(&OutageNote::Began(outage(Circuit::PlexWrite, HoldCause::Outage, db.now)));
        db.pass(50);
        db.note(&OutageNote::Ended { circuit: Circuit::PlexRead, at: db.now });
        db.pass(50);
        let away = |db: &Database, since| time_away(&mut db.reader(), since, db.now).unwrap().as_secs();
        assert_eq!(away(&db, start), 150, "one has ended, the other goes on");
        assert_eq!(away(&db, start + Duration::from_mins(2)), 30);
        db.note(&OutageNote::Ended { circuit: Circuit::PlexWrite, at: db.now });
        db.pass(1000);
        assert_eq!(away(&db, start), 150);
        assert_eq!(away(&db, db.now), 0);
    }
}
