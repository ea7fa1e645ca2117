//! How much is there of everything, and does it add up?

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::tallies;
use super::{ReadConnection, StoreError, queue};
use crate::domain::job::JobState;

/// Every event and every job since the database was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub received: i64,
    pub coalesced: i64,
    pub ignored: i64,
    pub opened: i64,
    pub done: i64,
    pub dropped: i64,
    /// Jobs that are not done, by state.
    pub unfinished: BTreeMap<JobState, i64>,
    /// Always 0: received = coalesced + ignored + opened, and opened = done + unfinished + dropped.
    pub conservation_error: i64,
}

pub fn counts(connection: &mut impl ReadConnection) -> Result<Counts, StoreError> {
    // One read transaction, so that the figures belong together.
    let columns = (
        tallies::received,
        tallies::coalesced,
        tallies::ignored,
        tallies::opened,
        tallies::done,
        tallies::dropped,
    );
    let read = connection.connection().transaction(|connection| {
        let row: (i64, i64, i64, i64, i64, i64) = tallies::table.select(columns).first(connection)?;
        Ok::<_, StoreError>((row, queue::unfinished_counts(&mut Borrowed(connection))?))
    });
    let ((received, coalesced, ignored, opened, done, dropped), unfinished) = read?;
    let open: i64 = unfinished.values().sum();
    let events = received - coalesced - ignored - opened;
    let work = opened - done - open - dropped;
    let conservation_error = events.abs() + work.abs();
    Ok(Counts { received, coalesced, ignored, opened, done, dropped, unfinished, conservation_error })
}

struct Borrowed<'a>(&'a mut SqliteConnection);

impl ReadConnection for Borrowed<'_> {
    fn connection(&mut self) -> &mut SqliteConnection {
        self.0
    }
}
