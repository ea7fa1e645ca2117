//! Which names do things have? Typed identifiers that cannot hold a malformed value.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What is wrong with a text that should be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    #[error("a {what} is a whole number from 1 up, not {got:?}")]
    NotPositive { what: &'static str, got: String },
    #[error("a {what} is made of 1 to {max} characters of {allowed}, not {got:?}")]
    Malformed { what: &'static str, max: usize, allowed: &'static str, got: String },
}

/// The number by which Stash knows a scene (or, for entity events, a performer, studio or tag).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct SceneId(i64);

impl SceneId {
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for SceneId {
    type Error = IdError;

    fn try_from(id: i64) -> Result<Self, IdError> {
        if id > 0 {
            Ok(Self(id))
        } else {
            Err(IdError::NotPositive { what: "scene id", got: id.to_string() })
        }
    }
}

impl From<SceneId> for i64 {
    fn from(id: SceneId) -> Self {
        id.0
    }
}

impl FromStr for SceneId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let not_a_number = |_| IdError::NotPositive { what: "scene id", got: text.to_owned() };
        text.parse::<i64>().map_err(not_a_number).and_then(Self::try_from)
    }
}

impl fmt::Display for SceneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Defines an identifier that Plex hands out as decimal digits, sometimes as a string and sometimes as a number.
macro_rules! plex_key {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            const MAX: usize = 20;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let digits = !text.is_empty() && text.len() <= Self::MAX && text.bytes().all(|b| b.is_ascii_digit());
                if digits {
                    Ok(Self(text))
                } else {
                    Err(IdError::Malformed { what: $what, max: Self::MAX, allowed: "0-9", got: text })
                }
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

plex_key! {
    /// The key of an item in one Plex server. It changes when an item is removed and added again, split or merged.
    RatingKey, "rating key"
}
plex_key! {
    /// The key of a library (Plex calls it a section).
    SectionKey, "library key"
}

/// A Plex server's `machineIdentifier`: every rating key is meaningful only together with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MachineId(pub String);

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an event in the order of all accepted events. It comes from the database, never from a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub i64);

/// Drawn anew by each claim. Whoever settles with an old one changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunToken(pub i64);

/// Follows an event from the request through every log line, job, attempt and answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorrelationId(String);

impl CorrelationId {
    const MAX: usize = 64;

    /// A fresh version 4 UUID.
    pub fn random(rng: &mut impl Rng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
    }

    /// The same for what a person asked for, which the id says wherever it is shown.
    pub fn by_hand(rng: &mut impl Rng) -> Self {
        Self(format!("by-hand-{}", Self::random(rng)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CorrelationId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if !text.is_empty() && text.len() <= Self::MAX && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            let allowed = "A-Z a-z 0-9 - _ .";
            Err(IdError::Malformed { what: "correlation id", max: Self::MAX, allowed, got: text })
        }
    }
}

impl From<CorrelationId> for String {
    fn from(id: CorrelationId) -> Self {
        id.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_id_is_a_positive_number() {
        assert_eq!("42".parse::<SceneId>().unwrap().get(), 42);
        for bad in ["0", "-1", "", "abc", "1.5", "99999999999999999999"] {
            let error = bad.parse::<SceneId>().unwrap_err().to_string();
            assert!(error.contains("scene id"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_rating_key_can_never_smuggle_a_second_id_or_an_empty_one() {
        for bad in ["", "1,2", "1&id=2", " 1", "all"] {
            assert!(bad.parse::<RatingKey>().is_err(), "{bad:?}");
        }
        assert_eq!("55".parse::<RatingKey>().unwrap().as_str(), "55");
    }

    #[test]
    fn a_correlation_id_of_a_caller_is_kept_only_when_it_is_harmless_in_a_log() {
        assert!(CorrelationId::try_from("req-1.2_A".to_owned()).is_ok());
        for bad in ["", "a b", "a\nb", "é", &"x".repeat(65)] {
            assert!(CorrelationId::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
