//! What do Plex's answers look like? serde only; ids and numbers come as numbers from one version and texts from another.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

#[derive(Debug, Deserialize)]
pub(super) struct Answer<T> {
    #[serde(rename = "MediaContainer")]
    pub(super) container: T,
}

#[derive(Debug, Deserialize)]
pub(super) struct Identity {
    #[serde(rename = "machineIdentifier")]
    pub(super) machine: String,
    #[serde(default)]
    pub(super) version: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sections {
    #[serde(rename = "Directory", default)]
    pub(super) sections: Vec<Section>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Section {
    #[serde(deserialize_with = "text")]
    pub(super) key: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(rename = "Location", default)]
    pub(super) locations: Vec<Location>,
    #[serde(rename = "contentChangedAt", default, deserialize_with = "number")]
    pub(super) content_changed_at: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Location {
    pub(super) path: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Items {
    #[serde(rename = "totalSize", default, deserialize_with = "number")]
    pub(super) total: Option<u32>,
    #[serde(rename = "Metadata", default)]
    pub(super) list: Vec<Item>,
    #[serde(rename = "librarySectionID", default, deserialize_with = "number")]
    pub(super) section: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Item {
    #[serde(rename = "ratingKey", deserialize_with = "text")]
    pub(super) rating_key: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(rename = "librarySectionID", default, deserialize_with = "number")]
    pub(super) section: Option<i64>,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) studio: String,
    #[serde(default)]
    pub(super) summary: String,
    #[serde(rename = "originallyAvailableAt", default)]
    pub(super) date: String,
    #[serde(rename = "addedAt", default, deserialize_with = "number")]
    pub(super) added_at: Option<i64>,
    #[serde(rename = "updatedAt", default, deserialize_with = "number")]
    pub(super) updated_at: Option<i64>,
    #[serde(rename = "Media", default)]
    pub(super) media: Vec<Media>,
    #[serde(rename = "Field", default)]
    pub(super) fields: Vec<LockedField>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Media {
    #[serde(default, deserialize_with = "number")]
    pub(super) duration: Option<i64>,
    #[serde(rename = "Part", default)]
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Part {
    #[serde(default, deserialize_with = "number")]
    pub(super) id: Option<i64>,
    #[serde(default)]
    pub(super) file: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(super) size: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(super) duration: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LockedField {
    pub(super) name: String,
    #[serde(default, deserialize_with = "truth")]
    pub(super) locked: bool,
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    from.deserialize_any(Loose::<String>(PhantomData))
}

fn number<'de, D: Deserializer<'de>, T: FromStr>(from: D) -> Result<Option<T>, D::Error> {
    from.deserialize_any(Loose::<T>(PhantomData)).map(Some)
}

fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let word = from.deserialize_any(Loose::<String>(PhantomData))?;
    Ok(word == "1" || word == "true")
}

/// Takes a number, a text or a truth value by its text.
struct Loose<T>(PhantomData<T>);

impl<T: FromStr> Visitor<'_> for Loose<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text with a number in it")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse()
            .or(Err(E::invalid_value(Unexpected::Str(text), &"a number or a text with a number in it")))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&format!("{number:.0}"))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<T, E> {
        self.visit_str(if truth { "1" } else { "0" })
    }
}
