//! How often is looked whether all is as it should be?

use std::time::Duration;

use garde::Validate;

use super::bounds::{DAY, MINUTE, between};
use super::reader::Reader;

/// `[reconcile]`
#[derive(Clone, Debug, Validate)]
pub struct ReconcileConfig {
    /// How old the last whole reading of a library of Plex may be.
    #[garde(custom(between(MINUTE, 30 * DAY)))]
    pub plex_index_every: Duration,
}

impl ReconcileConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self { plex_index_every: reader.duration("reconcile.plex_index_every") };
        reader.check("reconcile", &section);
        section
    }
}
