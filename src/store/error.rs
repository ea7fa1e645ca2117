//! What can go wrong with the database, and what should a person do about it?

use std::path::PathBuf;

use diesel::result::{ConnectionError, DatabaseErrorKind, Error as DieselError};
use thiserror::Error;

/// A failure of the store. Each text says what to do.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("another PlexSync process owns the database ({owner}); stop it first")]
    Busy { owner: String },
    #[error("there is no database at {path}; start `plexsync run` once, or set storage.path")]
    Missing { path: PathBuf },
    #[error(
        "the database {path} is damaged ({problem}); move it away and restore a backup, or start afresh without it"
    )]
    Corrupt { path: PathBuf, problem: String },
    #[error(
        "the database {path} was written by a newer PlexSync; install that version, or restore an older backup"
    )]
    TooNew { path: PathBuf },
    #[error("this build carries SQLite {found}, which can lose commits; it has to be {needed} or newer")]
    SqliteTooOld { found: String, needed: &'static str },
    #[error("the disk of the database is full or cannot be written: {0}")]
    DiskFull(String),
    #[error("the database is locked by another process: {0}")]
    Locked(String),
    #[error("cannot open the database {path}: {problem}")]
    Open { path: PathBuf, problem: String },
    #[error("the database holds {what}, which this version does not understand")]
    Unreadable { what: String },
    #[error("the database refused: {0}")]
    Refused(#[source] DieselError),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        if let DieselError::RollbackErrorOnCommit { commit_error, .. } = error {
            // SQLite has rolled back by itself; what counts is why the commit failed.
            return Self::from(*commit_error);
        }
        let DieselError::DatabaseError(DatabaseErrorKind::Unknown, about) = &error else {
            return Self::Refused(error);
        };
        let text = about.message().to_owned();
        // diesel gives SQLite's own text and no code.
        if text.contains("disk is full")
            || text.contains("disk I/O error")
            || text.contains("readonly database")
        {
            Self::DiskFull(text)
        } else if text.contains("database is locked") || text.contains("database is busy") {
            Self::Locked(text)
        } else {
            Self::Refused(error)
        }
    }
}

impl StoreError {
    pub(super) fn unreadable(what: impl Into<String>) -> Self {
        Self::Unreadable { what: what.into() }
    }

    pub(super) fn open(path: &std::path::Path, error: &ConnectionError) -> Self {
        Self::Open { path: path.to_owned(), problem: error.to_string() }
    }
}
