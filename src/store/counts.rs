//! How many events and jobs are there, and do the sums agree?

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::Table;
use super::schema::{jobs, tallies};

use crate::domain::job::JobState;

/// What was counted since the database was made. `received` is also the generation of the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, QueryableByName, Selectable, AsChangeset)]
#[diesel(table_name = tallies)]
pub struct Tallies {
    pub received: i64,
    pub coalesced: i64,
    pub ignored: i64,
    /// Jobs that were made, or made again after they were done.
    pub opened: i64,
    pub done: i64,
    /// Jobs that a person took away.
    pub dropped: i64,
}

const THE_ROW: i64 = 1;

impl Tallies {
    pub(super) fn load(conn: &mut impl ReadConn) -> Result<Self, StoreError> {
        Ok(tallies::table.find(THE_ROW).select(Self::as_select()).get_result(conn.connection())?)
    }

    pub(super) fn save(&self, tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
        diesel::update(tallies::table.find(THE_ROW)).set(self).execute(tx.connection())?;
        Ok(())
    }
}

/// The unfinished jobs by state, and the tallies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub ready: i64,
    pub running: i64,
    pub waiting: i64,
    pub parked: i64,
    pub dead: i64,
    pub tallies: Tallies,
}

/// How far the sums are apart. Anything but twice 0 is a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConservationError {
    pub events: i64,
    pub jobs: i64,
}

impl Counts {
    /// Jobs that time or an event will start again, and those in hand.
    pub fn open(&self) -> i64 {
        self.ready + self.running + self.waiting + self.parked
    }

    /// Every event was coalesced, ignored or opened a job; every opened job is done, open, dead or was dropped.
    pub fn conservation_error(&self) -> ConservationError {
        let Tallies { received, coalesced, ignored, opened, done, dropped } = self.tallies;
        ConservationError {
            events: received - coalesced - ignored - opened,
            jobs: opened - done - self.open() - self.dead - dropped,
        }
    }
}

/// Counts from the indexes alone; the jobs that are done are never touched. One statement sees one moment, so the
/// sums agree however much is written meanwhile.
pub fn counts(conn: &mut impl ReadConn) -> Result<Counts, StoreError> {
    const QUERY: &str = "SELECT received, coalesced, ignored, opened, done, dropped,
        (SELECT count(*) FROM jobs WHERE state = 'ready' AND state <> 'done') AS ready,
        (SELECT count(*) FROM jobs WHERE state = 'running' AND state <> 'done') AS running,
        (SELECT count(*) FROM jobs WHERE state = 'waiting' AND state <> 'done') AS waiting,
        (SELECT count(*) FROM jobs WHERE state = 'parked' AND state <> 'done') AS parked,
        (SELECT count(*) FROM jobs WHERE state = 'dead' AND state <> 'done') AS dead
        FROM tallies WHERE only_row = 1";
    let row = diesel::sql_query(QUERY).get_result::<CountsRow>(conn.connection())?;
    let CountsRow { ready, running, waiting, parked, dead, tallies } = row;
    Ok(Counts { ready, running, waiting, parked, dead, tallies })
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    ready: i64,
    #[diesel(sql_type = BigInt)]
    running: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    parked: i64,
    #[diesel(sql_type = BigInt)]
    dead: i64,
    #[diesel(embed)]
    tallies: Tallies,
}

/// When the ready job that has been due the longest became due, or the next one will be.
pub fn oldest_ready(conn: &mut impl ReadConn) -> Result<Option<Timestamp>, StoreError> {
    let due = jobs::table
        .filter(jobs::due_at.is_not_null())
        .filter(jobs::state.eq(JobState::Ready.as_str()))
        .select(diesel::dsl::min(jobs::due_at))
        .get_result::<Option<i64>>(conn.connection())?;
    Table("jobs").opt_time(due)
}

/// The words of the partial index on unfinished jobs. SQLite uses it only for a query that repeats them literally.
pub(super) fn unfinished() -> diesel::expression::SqlLiteral<Bool> {
    diesel::dsl::sql("state <> 'done'")
}
