//! Which ways are there to the peers, and why would one not be used?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::failure::Peer;

/// A way to a peer that can fail by itself: a Plex whose database is busy refuses writes and answers reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    Stash,
    PlexRead,
    PlexWrite,
}

impl Circuit {
    pub const ALL: [Self; 3] = [Self::Stash, Self::PlexRead, Self::PlexWrite];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stash => "stash",
            Self::PlexRead => "plex_read",
            Self::PlexWrite => "plex_write",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|circuit| circuit.as_str() == word)
    }

    pub fn peer(self) -> Peer {
        match self {
            Self::Stash => Peer::Stash,
            Self::PlexRead | Self::PlexWrite => Peer::Plex,
        }
    }

    /// Whether a probe shows that it works. A write cannot be tried without writing something.
    pub(super) fn can_be_probed(self) -> bool {
        match self {
            Self::Stash | Self::PlexRead => true,
            Self::PlexWrite => false,
        }
    }
}

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stash => "Stash",
            Self::PlexRead => "reading from Plex",
            Self::PlexWrite => "writing to Plex",
        })
    }
}

/// Why a circuit is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldCause {
    /// Several scenes failed in a row, or one did and the peer itself as well.
    Outage,
    /// The peer asked to be left alone.
    Throttled,
    /// The peer refuses our key or token.
    Unauthorized,
    /// Two scenes got answers that we do not understand.
    Incompatible,
}

impl HoldCause {
    pub const ALL: [Self; 4] = [Self::Outage, Self::Throttled, Self::Unauthorized, Self::Incompatible];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Incompatible => "incompatible",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

impl fmt::Display for HoldCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
