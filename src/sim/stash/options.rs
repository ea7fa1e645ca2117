//! Which Stash is simulated, and with which of its habits?

use jiff::tz::Offset;

use crate::sim::clock::SimClock;

/// How a simulated Stash presents itself. The default is v0.30 without a key, five hours west of Greenwich.
#[derive(Clone, Debug)]
pub struct StashOptions {
    /// `None`: no credentials are configured. Then a request with a key is refused, as the real one does.
    pub api_key: Option<String>,
    /// As the real one words it, e.g. `v0.30.1`; the schema follows it.
    pub version: String,
    /// The zone in which times are written.
    pub offset: Offset,
    pub clock: SimClock,
    /// The folders in which it looks for files.
    pub roots: Vec<String>,
    /// Whether its machine runs programs that come with a plugin. Not so on another CPU than ours.
    pub runs_programs: bool,
    /// Whether its machine has a Python.
    pub has_python: bool,
}

impl Default for StashOptions {
    fn default() -> Self {
        Self {
            api_key: None,
            version: "v0.30.1".to_owned(),
            // Not UTC: whoever compares times as text is to be found out.
            offset: Offset::constant(-5),
            clock: SimClock::default(),
            roots: vec!["/data".to_owned()],
            runs_programs: true,
            has_python: true,
        }
    }
}

/// What Stash says about its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemStatus {
    Ok,
    Setup,
    NeedsMigration,
}

impl SystemStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Setup => "SETUP",
            Self::NeedsMigration => "NEEDS_MIGRATION",
        }
    }
}
