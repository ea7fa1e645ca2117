//! What is old enough to be forgotten? Closed dead letters and history; never anything that is open.

use std::time::Duration;

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, WriteTx};
use super::rows::{cutoff, limit};
use super::schema::{attempts, dead_letters, outages, undos, writes};

/// How many rows went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    pub attempts: usize,
    pub writes: usize,
    pub letters: usize,
    pub outages: usize,
    pub undos: usize,
}

impl Pruned {
    /// Whether a further call would find more.
    pub fn is_full(&self, batch: usize) -> bool {
        [self.attempts, self.writes, self.letters, self.outages, self.undos]
            .into_iter()
            .any(|rows| rows >= batch)
    }
}

/// Removes up to `batch` rows of each table: attempts, writes, outages and what came of undoing older than
/// `keep_history`, and dead letters
/// that were closed more than `keep_dead` ago.
pub fn prune(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    keep_history: Duration,
    keep_dead: Duration,
    batch: usize,
) -> Result<Pruned, StoreError> {
    let (history, dead) = (cutoff(now, keep_history), cutoff(now, keep_dead));
    // The ids of attempts and writes follow time, so the first rows are the oldest and no index on time is needed.
    let oldest = attempts::table
        .select(attempts::attempt_id)
        .order(attempts::attempt_id.asc())
        .limit(limit(batch))
        .into_boxed();
    let attempts = diesel::delete(
        attempts::table.filter(attempts::attempt_id.eq_any(oldest)).filter(attempts::ended_at.lt(history)),
    )
    .execute(tx.connection())?;
    let oldest =
        writes::table.select(writes::write_id).order(writes::write_id.asc()).limit(limit(batch)).into_boxed();
    let writes = diesel::delete(
        writes::table.filter(writes::write_id.eq_any(oldest)).filter(writes::written_at.lt(history)),
    )
    .execute(tx.connection())?;
    let closed = dead_letters::table
        .select(dead_letters::letter_id)
        .filter(dead_letters::closed_at.lt(dead))
        .order(dead_letters::closed_at.asc())
        .limit(limit(batch))
        .into_boxed();
    let letters = diesel::delete(dead_letters::table.filter(dead_letters::letter_id.eq_any(closed)))
        .execute(tx.connection())?;
    let ended = outages::table
        .select(outages::outage_id)
        .filter(outages::ended_at.lt(history))
        .order(outages::ended_at.asc())
        .limit(limit(batch))
        .into_boxed();
    let outages =
        diesel::delete(outages::table.filter(outages::outage_id.eq_any(ended))).execute(tx.connection())?;
    let ended = undos::table
        .select(undos::write_id)
        .filter(undos::ended_at.lt(history))
        .order(undos::ended_at.asc())
        .limit(limit(batch))
        .into_boxed();
    let undos =
        diesel::delete(undos::table.filter(undos::write_id.eq_any(ended))).execute(tx.connection())?;
    Ok(Pruned { attempts, writes, letters, outages, undos })
}
