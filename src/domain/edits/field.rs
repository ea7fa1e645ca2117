//! Which fields can be carried, and what does each of them hold?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::Value;

/// The fields of an item, as Plex tells them apart. Stash's tags become genres or labels, as the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Title,
    Studio,
    Summary,
    Date,
    Performers,
    Genres,
    Labels,
}

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One text, which is written as a whole.
    Text,
    /// Several names, each of which has an owner of its own.
    List,
}

impl Field {
    pub const ALL: [Self; 7] =
        [Self::Title, Self::Studio, Self::Summary, Self::Date, Self::Performers, Self::Genres, Self::Labels];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Studio => "studio",
            Self::Summary => "summary",
            Self::Date => "date",
            Self::Performers => "performers",
            Self::Genres => "genres",
            Self::Labels => "labels",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }

    pub fn shape(self) -> Shape {
        match self {
            Self::Title | Self::Studio | Self::Summary | Self::Date => Shape::Text,
            Self::Performers | Self::Genres | Self::Labels => Shape::List,
        }
    }

    /// What the field holds when it holds nothing.
    pub fn nothing(self) -> Value {
        match self.shape() {
            Shape::Text => Value::Text(String::new()),
            Shape::List => Value::List(Vec::new()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
