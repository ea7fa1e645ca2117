//! What is kept no longer? History by age, closed dead letters by age; an open one is never dropped.

use std::time::Duration;

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::schema::{attempts, dead_letters, writes};
use super::{ReadConnection as _, StoreError, WriteTx};

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub history: Duration,
    pub dead: Duration,
}

/// How many rows went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    pub attempts: usize,
    pub writes: usize,
    pub letters: usize,
}

/// The most rows of a kind that go at once: the writer must not be held up.
const AT_ONCE: i64 = 10_000;

pub fn prune(tx: &mut WriteTx<'_>, keep: &Retention, now: Timestamp) -> Result<Pruned, StoreError> {
    let history = before(now, keep.history);
    let old =
        attempts::table.filter(attempts::ended_at.lt(history)).select(attempts::attempt_id).limit(AT_ONCE);
    let old: Vec<i64> = old.load(tx.connection())?;
    let attempts =
        diesel::delete(attempts::table.filter(attempts::attempt_id.eq_any(old))).execute(tx.connection())?;
    let old = writes::table.filter(writes::written_at.lt(history)).select(writes::write_id).limit(AT_ONCE);
    let old: Vec<i64> = old.load(tx.connection())?;
    let writes =
        diesel::delete(writes::table.filter(writes::write_id.eq_any(old))).execute(tx.connection())?;
    let closed = dead_letters::table.filter(dead_letters::closed_at.lt(before(now, keep.dead)));
    let letters = diesel::delete(closed).execute(tx.connection())?;
    Ok(Pruned { attempts, writes, letters })
}

fn before(now: Timestamp, age: Duration) -> i64 {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    now.saturating_sub(age).unwrap_or(Timestamp::MIN).as_millisecond()
}
