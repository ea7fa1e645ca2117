//! What does everybody see of the actors? Their state, restarts and the last cause.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::supervisor::ActorName;
use super::watch::Cause;

/// One actor as the status shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorStatus {
    pub name: String,
    /// `up`, `restarting` or `stopped`.
    pub state: String,
    pub restarts: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_end: Option<Timestamp>,
}

/// The state of all actors. Written by the supervisor alone.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<ActorName, ActorStatus>>>);

impl Board {
    /// All actors, in the order of their names.
    pub fn actors(&self) -> Vec<ActorStatus> {
        self.rows().values().cloned().collect()
    }

    /// Whether every actor is up.
    pub fn all_up(&self) -> bool {
        self.rows().values().all(|actor| actor.state == "up")
    }

    /// How often an actor was restarted.
    pub fn restarts(&self, name: ActorName) -> u64 {
        self.rows().get(&name).map_or(0, |actor| actor.restarts)
    }

    pub(super) fn up(&self, name: ActorName) {
        self.change(name, |actor| "up".clone_into(&mut actor.state));
    }

    pub(super) fn ended(&self, name: ActorName, cause: Cause, at: Timestamp) {
        self.change(name, |actor| {
            "restarting".clone_into(&mut actor.state);
            actor.restarts += 1;
            actor.last_cause = Some(cause.as_str().to_owned());
            actor.last_end = Some(at);
        });
    }

    pub(super) fn stopped(&self, name: ActorName) {
        self.change(name, |actor| "stopped".clone_into(&mut actor.state));
    }

    fn change(&self, name: ActorName, change: impl FnOnce(&mut ActorStatus)) {
        let mut rows = self.rows();
        let row = rows.entry(name).or_insert_with(|| ActorStatus {
            name: name.as_str().to_owned(),
            state: "restarting".to_owned(),
            restarts: 0,
            last_cause: None,
            last_end: None,
        });
        change(row);
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeMap<ActorName, ActorStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
