//! How does a command end? Exit codes after sysexits, and one sentence for a person.

use std::process::ExitCode;

use crate::domain::failure::Failure;
use crate::store::StoreError;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Ok = 0,
    Reported = 1,
    Usage = 64,
    Data = 65,
    /// Stash or Plex cannot be reached, or refuses.
    Upstream = 69,
    /// The actors failed more often than they may.
    Internal = 70,
    Io = 74,
    Busy = 75,
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that did not do what it was asked to.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) exit: Exit,
    error: anyhow::Error,
}

impl Failed {
    pub(super) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    pub(super) fn text(exit: Exit, text: impl std::fmt::Display) -> Self {
        Self { exit, error: anyhow::anyhow!("{text}") }
    }

    #[expect(clippy::print_stderr, reason = "the command line speaks to a person")]
    pub(super) fn print(&self) {
        eprintln!("plexsync: {self}");
    }
}

/// The error with its causes.
impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self { exit: exit_of(&error), error: error.into() }
    }
}

/// A peer that was asked and has no good answer.
impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        let exit = if failure.class.is_about_the_scene() { Exit::Reported } else { Exit::Upstream };
        Self::text(exit, failure.detail)
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        let exit = error.downcast_ref::<StoreError>().map_or(Exit::Io, exit_of);
        Self { exit, error }
    }
}

fn exit_of(error: &StoreError) -> Exit {
    match error {
        StoreError::Busy { .. } | StoreError::Locked(_) => Exit::Busy,
        StoreError::Corrupt { .. }
        | StoreError::TooNew { .. }
        | StoreError::Outdated { .. }
        | StoreError::Foreign { .. }
        | StoreError::BadRow { .. } => Exit::Data,
        StoreError::SqliteTooOld { .. } | StoreError::Other(_) => Exit::Internal,
        StoreError::NotBackedUp { .. }
        | StoreError::Missing { .. }
        | StoreError::Unopenable { .. }
        | StoreError::DiskFull(_)
        | StoreError::Io(_) => Exit::Io,
    }
}
