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
    Poster,
    Background,
}

/// A place of an item for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageSlot {
    Poster,
    Background,
}

impl ImageSlot {
    pub fn field(self) -> Field {
        match self {
            Self::Poster => Field::Poster,
            Self::Background => Field::Background,
        }
    }
}

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One text, which is written as a whole.
    Text,
    /// Stars from 0 to 10 as a decimal number. They belong to the token's account and not to the item, so they are set
    /// by a request of their own, and no refresh touches them.
    Rating,
    /// An image, named as [`super::upload_key`] names it or as Plex's own list of images does. It is uploaded and
    /// chosen by requests of its own.
    Image(ImageSlot),
    /// Several names, each of which has an owner of its own.
    List,
}

impl Field {
    pub const ALL: [Self; 13] = [
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
        Self::Poster,
        Self::Background,
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
            Self::Poster => "poster",
            Self::Background => "background",
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
            Self::Poster => Shape::Image(ImageSlot::Poster),
            Self::Background => Shape::Image(ImageSlot::Background),
        }
    }

    /// Whether it can be locked against a refresh.
    pub fn has_lock(self) -> bool {
        match self.shape() {
            Shape::Text | Shape::List | Shape::Image(_) => true,
            Shape::Rating => false,
        }
    }

    /// Whether it may ever be emptied. An item without a title cannot be found any more, and Plex can exchange an image
    /// but has no way to go without one.
    pub fn can_be_cleared(self) -> bool {
        match self {
            Self::Title | Self::Poster | Self::Background => false,
            Self::Studio
            | Self::Summary
            | Self::Date
            | Self::Rating
            | Self::ContentRating
            | Self::Performers
            | Self::Directors
            | Self::Genres
            | Self::Labels
            | Self::Collections => true,
        }
    }

    /// What the field holds when it holds nothing.
    pub fn nothing(self) -> Value {
        match self.shape() {
            Shape::Text | Shape::Rating | Shape::Image(_) => Value::Text(String::new()),
            Shape::List => Value::List(Vec::new()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
