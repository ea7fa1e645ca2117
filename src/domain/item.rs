//! What does Plex hold?

use std::collections::{BTreeMap, BTreeSet};

use super::edits::{Field, ImageSlot, Tag, Value};
use super::ids::{RatingKey, SectionKey};

/// One item, from a read of that item alone. A listing leaves out locks and cuts lists short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlexItem {
    pub rating_key: RatingKey,
    pub section: SectionKey,
    /// What it holds, by field. Empty and absent are the same; a date is `YYYY-MM-DD`.
    /// Which image it shows is not among them until its list of images was read.
    pub values: BTreeMap<Field, Value>,
    /// The addresses of the images that it shows. Another image has another address, but so may the same one after any
    /// edit. Empty: it shows none.
    pub shown: BTreeMap<ImageSlot, String>,
    /// The known fields that a metadata refresh leaves alone.
    pub locked: BTreeSet<Field>,
    /// The paths of all its parts, as the server sees them.
    pub paths: Vec<String>,
}

impl PlexItem {
    /// What the item holds for a field.
    pub fn value(&self, field: Field) -> Value {
        self.values.get(&field).cloned().unwrap_or_else(|| field.nothing())
    }

    /// The text of a field; empty for a list.
    pub fn text(&self, field: Field) -> &str {
        self.values.get(&field).map(Value::text).unwrap_or_default()
    }

    /// The address of the image that the item shows in a place; empty for none.
    pub fn shown(&self, slot: ImageSlot) -> &str {
        self.shown.get(&slot).map(String::as_str).unwrap_or_default()
    }

    /// The elements of a field; none for a text.
    pub fn tags(&self, field: Field) -> &[Tag] {
        self.values.get(&field).map(Value::tags).unwrap_or_default()
    }
}

/// What is known of the hash of a file's content, which Stash calls its `oshash`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ContentHash {
    /// The server has not been asked for it.
    #[default]
    NotAsked,
    /// It was asked, and shows none.
    NotShown,
    /// Sixteen hexadecimal digits in lower case.
    Known(String),
}

impl ContentHash {
    /// From what the server was heard to say; an empty text is none.
    pub fn shown(hash: &str) -> Self {
        if hash.is_empty() { Self::NotShown } else { Self::Known(hash.to_ascii_lowercase()) }
    }

    pub fn known(&self) -> Option<&str> {
        match self {
            Self::NotAsked | Self::NotShown => None,
            Self::Known(hash) => Some(hash),
        }
    }
}

/// One media part in the path index: a file and the item it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedPart {
    pub section: SectionKey,
    pub rating_key: RatingKey,
    pub part_id: i64,
    /// As the server sees it, untouched.
    pub path: String,
    /// Bytes; `None` when the listing does not say.
    pub size: Option<i64>,
    /// Milliseconds.
    pub duration_ms: Option<i64>,
    pub title: String,
    /// `YYYY-MM-DD`; empty when unset. For personal videos Plex takes it from the file's own time.
    pub date: String,
    /// Empty when unset.
    pub studio: String,
    pub content_hash: ContentHash,
    /// Unix seconds.
    pub added_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

#[cfg(test)]
impl IndexedPart {
    /// A file of the section "1" of which nothing else is known.
    pub(crate) fn at(key: &str, path: &str) -> Self {
        Self {
            section: "1".parse().unwrap(),
            rating_key: key.parse().unwrap(),
            part_id: 1,
            path: path.to_owned(),
            size: None,
            duration_ms: None,
            title: String::new(),
            date: String::new(),
            studio: String::new(),
            content_hash: ContentHash::NotAsked,
            added_at: 0,
            updated_at: 0,
        }
    }
}

/// A movie-type library of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    pub key: SectionKey,
    pub title: String,
    pub locations: Vec<String>,
    /// Counts up when something in the library changes; not a time.
    pub content_changed_at: Option<i64>,
}
