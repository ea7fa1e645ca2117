//! What can go wrong with the database, and what does the reader of the message do about it?

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use thiserror::Error;

/// Each message says in one sentence what to do; the cause, where there is one, is the source.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("{file} is in use by {owner}: stop that process first")]
    Busy { file: String, owner: String },
    #[error("{file} is damaged ({problem}): restore a backup of it, or move it away to start empty")]
    Corrupt { file: String, problem: String },
    #[error("{file} was written by a newer version (schema {version}): upgrade, or restore an older backup")]
    TooNew { file: String, version: String },
    #[error("{file} was written by an older version: start the service once to bring it up to date")]
    Outdated { file: String },
    #[error(
        "{file} was written by an older version and no backup of it could be made at {backup} ({problem}): \
         nothing was changed; free some space or set the permissions, and start again"
    )]
    NotBackedUp { file: String, backup: String, problem: String },
    #[error("{file} is a database of another program: set another path for this one")]
    Foreign { file: String },
    #[error("SQLite {found} can lose commits: build with SQLite {needed} or newer")]
    SqliteTooOld { found: String, needed: String },
    #[error("{file} does not exist: check the configured path, or start the service once to create it")]
    Missing { file: String },
    #[error("{file} cannot be opened ({problem}): check the path, its permissions and the file system")]
    Unopenable { file: String, problem: String },
    #[error("the disk or the quota of the database is full: free some space")]
    DiskFull(#[source] DieselError),
    /// SQLite does not pass on whether a write met a limit on file sizes or a failing disk.
    #[error("the database cannot be read or written: check the disk, the limits on file sizes and the mount")]
    Io(#[source] DieselError),
    #[error("another process holds the write lock of the database: try again, or stop that process")]
    Locked(#[source] DieselError),
    #[error("a row of {table} cannot be read ({problem}): restore a backup, or report a bug")]
    BadRow { table: &'static str, problem: String },
    #[error("the database refused a statement: report a bug with the cause")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing the database.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::DiskFull(_) | Self::Io(_) | Self::Locked(_) | Self::Busy { .. } => true,
            Self::Corrupt { .. }
            | Self::TooNew { .. }
            | Self::Outdated { .. }
            | Self::NotBackedUp { .. }
            | Self::Foreign { .. }
            | Self::SqliteTooOld { .. }
            | Self::Missing { .. }
            | Self::Unopenable { .. }
            | Self::BadRow { .. }
            | Self::Other(_) => false,
        }
    }

    /// Understands an error that was met while opening a file, so that the message names the file.
    pub(super) fn opening(file: &str, error: DieselError) -> Self {
        let error = Self::from(error);
        if let Self::Corrupt { problem, .. } = error {
            return Self::Corrupt { file: file.to_owned(), problem };
        }
        if let Self::Other(source) = &error {
            return Self::Unopenable { file: file.to_owned(), problem: source.to_string() };
        }
        error
    }

    pub(super) fn bad_row(table: &'static str, problem: &impl ToString) -> Self {
        Self::BadRow { table, problem: problem.to_string() }
    }
}

impl From<DieselError> for StoreError {
    /// diesel passes on SQLite's text but not its code, so the text has to tell the kinds apart.
    fn from(error: DieselError) -> Self {
        if let DieselError::RollbackErrorOnCommit { commit_error, .. } = error {
            return Self::from(*commit_error);
        }
        let DieselError::DatabaseError(DatabaseErrorKind::Unknown, details) = &error else {
            return Self::Other(Box::new(error));
        };
        let problem = details.message();
        let says = |words: &str| problem.contains(words);
        if says("disk is full") {
            Self::DiskFull(error)
        } else if says("I/O error") {
            Self::Io(error)
        } else if says("is locked") {
            Self::Locked(error)
        } else if says("malformed") || says("not a database") {
            Self::Corrupt { file: "the database".to_owned(), problem: problem.to_owned() }
        } else {
            Self::Other(Box::new(error))
        }
    }
}
