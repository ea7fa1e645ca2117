//! Where does PlexSync keep its state, and for how long?

use std::path::PathBuf;
use std::time::Duration;

use garde::Validate;

use super::bounds::{DAY, HOUR, between};
use super::reader::Reader;

/// `[storage]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct StorageConfig {
    /// The database file; a relative path starts at the working directory.
    pub path: PathBuf,
    /// How long past writes are kept.
    #[garde(custom(between(HOUR, 3650 * DAY)))]
    pub keep_history: Duration,
    /// How long closed dead letters are kept.
    #[garde(custom(between(HOUR, 3650 * DAY)))]
    pub keep_dead: Duration,
}

impl StorageConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let path = reader.path_if_any("storage.path");
        if path.is_none() {
            reader.complain("storage.path", "is empty (write for example \"plexsync.db\")".to_owned());
        }
        let section = Self {
            path: path.unwrap_or_default(),
            keep_history: reader.duration("storage.keep_history"),
            keep_dead: reader.duration("storage.keep_dead"),
        };
        reader.check("storage", &section);
        section
    }
}
