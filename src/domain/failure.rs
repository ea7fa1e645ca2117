//! What can go wrong with a job, and which kind of wrong is it?

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::circuit::Circuit;

/// The kinds of failure. What follows from each is decided in [`super::job::settle`] alone; what an answer of a
/// peer means is decided beside that peer's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The peer could not be reached, or answered that it cannot work now.
    Unavailable,
    /// The peer asked us to slow down.
    Throttled,
    /// The peer refuses our key or token.
    Unauthorized,
    /// Only this item is closed to our token.
    Forbidden,
    /// No item in Plex fits the scene.
    NotInPlex,
    /// Several items fit, or one fits too weakly, or two scenes claim it.
    Ambiguous,
    /// The item that was remembered is gone or holds other files now.
    StaleMatch,
    /// Plex said yes and did nothing.
    NotApplied,
    /// Plex refused the edit for good.
    Rejected,
    /// Stash does not have the scene.
    Gone,
    /// The run was cut short by us: shutdown, a restarted actor, our own deadline.
    Interrupted,
    /// An answer that cannot be understood: another version of the peer than we know.
    Incompatible,
    /// A panic or a broken rule in our own code.
    Bug,
}

impl FailureClass {
    pub const ALL: [Self; 13] = [
        Self::Unavailable,
        Self::Throttled,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotInPlex,
        Self::Ambiguous,
        Self::StaleMatch,
        Self::NotApplied,
        Self::Rejected,
        Self::Gone,
        Self::Interrupted,
        Self::Incompatible,
        Self::Bug,
    ];

    /// The word used in the database, in logs, metrics and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotInPlex => "not_in_plex",
            Self::Ambiguous => "ambiguous",
            Self::StaleMatch => "stale_match",
            Self::NotApplied => "not_applied",
            Self::Rejected => "rejected",
            Self::Gone => "gone",
            Self::Interrupted => "interrupted",
            Self::Incompatible => "incompatible",
            Self::Bug => "bug",
        }
    }

    /// Whether the peer works, and only this scene or its item has a problem.
    pub fn is_about_the_scene(self) -> bool {
        match self {
            Self::Forbidden
            | Self::NotInPlex
            | Self::Ambiguous
            | Self::StaleMatch
            | Self::NotApplied
            | Self::Rejected
            | Self::Gone => true,
            Self::Unavailable
            | Self::Throttled
            | Self::Unauthorized
            | Self::Interrupted
            | Self::Incompatible
            | Self::Bug => false,
        }
    }

    /// The class of a word read back from the database.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    Stash,
    Plex,
    PlexSync,
}

impl Peer {
    pub const ALL: [Self; 3] = [Self::Stash, Self::Plex, Self::PlexSync];

    /// The peer of a word read back from the database.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.as_str() == word)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stash => "stash",
            Self::Plex => "plex",
            Self::PlexSync => "plexsync",
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One failure, classified, with what a person needs to understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub class: FailureClass,
    pub peer: Peer,
    /// The way to the peer that the call took; none when no call failed.
    pub circuit: Option<Circuit>,
    /// Whether the circuit was known not to work when the call failed. Such a failure costs the scene no attempt.
    pub while_held: bool,
    /// A stable word for scripts, such as `connection_refused` or `low_confidence`.
    pub code: &'static str,
    /// One sentence: what happened, in the words of whoever saw it. Never holds a secret.
    pub detail: String,
    /// How long the peer asked us to wait.
    pub retry_after: Option<Duration>,
    /// The beginning of the peer's answer, for a dead letter. Never holds a secret.
    pub answer: Option<String>,
}

impl Failure {
    pub fn new(class: FailureClass, peer: Peer, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            class,
            peer,
            circuit: None,
            while_held: false,
            code,
            detail: detail.into(),
            retry_after: None,
            answer: None,
        }
    }

    /// The run was cut short by ourselves; it is free of charge.
    pub fn interrupted(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(FailureClass::Interrupted, Peer::PlexSync, code, detail)
    }

    /// Our own code broke a rule or panicked.
    pub fn bug(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(FailureClass::Bug, Peer::PlexSync, code, detail)
    }

    /// The call that failed took this way.
    #[must_use]
    pub fn on(mut self, circuit: Circuit) -> Self {
        self.circuit = Some(circuit);
        self
    }

    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Keeps the first 1000 characters of the peer's answer.
    #[must_use]
    pub fn with_answer(mut self, answer: &str) -> Self {
        const KEPT: usize = 1000;
        self.answer = Some(answer.chars().take(KEPT).collect());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}): {}", self.class, self.peer, self.code, self.detail)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_found_again_by_its_word() {
        for class in FailureClass::ALL {
            assert_eq!(FailureClass::from_word(class.as_str()), Some(class));
        }
        assert_eq!(FailureClass::from_word("no such class"), None);
    }
}
