//! Which fields can be carried, and what does each of them hold?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::Value;

/// The fields of an item, as Plex tells them apart. Stash's tags become genres or labels, as the user chose, and its
/// studio is a collection as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Title,
    Studio,
    Summary,
    Date,
    Rating,
    ContentRating,
    Performers,
    Directors,
    Genres,
    Labels,
    Collections,
}

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One text, which is written as a whole.
    Text,
    /// Stars from 0 to 10 as a decimal number. They belong to the token's account and not to the item, so they are set
    /// by a request of their own, and no refresh touches them.
    Rating,
    /// Several names, each of which has an owner of its own.
    List,
}

impl Field {
    pub const ALL: [Self; 11] = [
        Self::Title,
        Self::Studio,
        Self::Summary,
        Self::Date,
        Self::Rating,
        Self::ContentRating,
        Self::Performers,
        Self::Directors,
        Self::Genres,
        Self::Labels,
        Self::Collections,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Studio => "studio",
            Self::Summary => "summary",
            Self::Date => "date",
            Self::Rating => "rating",
            Self::ContentRating => "content_rating",
            Self::Performers => "performers",
            Self::Directors => "directors",
            Self::Genres => "genres",
            Self::Labels => "labels",
            Self::Collections => "collections",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }

    pub fn shape(self) -> Shape {
        match self {
            Self::Title | Self::Studio | Self::Summary | Self::Date | Self::ContentRating => Shape::Text,
            Self::Rating => Shape::Rating,
            Self::Performers | Self::Directors | Self::Genres | Self::Labels | Self::Collections => {
                Shape::List
            }
        }
    }

    /// Whether it can be locked against a refresh.
    pub fn has_lock(self) -> bool {
        match self.shape() {
            Shape::Text | Shape::List => true,
            Shape::Rating => false,
        }
    }

    /// What the field holds when it holds nothing.
    pub fn nothing(self) -> Value {
        match self.shape() {
            Shape::Text | Shape::Rating => Value::Text(String::new()),
            Shape::List => Value::List(Vec::new()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
