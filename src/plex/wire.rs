//! How does Plex spell its answers? Only shapes; ids and numbers come as numbers or as strings, version by version.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de};

use super::edit_query::parameter;
use crate::domain::edits::{Field, ImageSlot, Tag, Value, rating};
use crate::domain::ids::{IdError, RatingKey, SectionKey};
use crate::domain::item::{Library, PlexItem};

/// What every answer is wrapped in.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    #[serde(rename = "MediaContainer")]
    pub(super) container: T,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireIdentity {
    #[serde(rename = "machineIdentifier")]
    pub(super) machine: String,
    #[serde(default)]
    pub(super) version: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireSections {
    #[serde(default, rename = "Directory")]
    pub(super) sections: Vec<WireSection>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireSection {
    #[serde(deserialize_with = "text")]
    key: String,
    pub(super) r#type: String,
    #[serde(default)]
    title: String,
    #[serde(default, rename = "Location")]
    locations: Vec<WireLocation>,
    #[serde(default, rename = "contentChangedAt", deserialize_with = "number")]
    content_changed_at: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct WireLocation {
    path: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireListing {
    #[serde(default, rename = "Metadata")]
    pub(super) entries: Vec<WireEntry>,
    #[serde(default, rename = "totalSize", deserialize_with = "number")]
    pub(super) total: Option<i64>,
}

/// An item in a listing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEntry {
    #[serde(deserialize_with = "text")]
    pub(super) rating_key: String,
    #[serde(default)]
    pub(super) r#type: Option<String>,
    /// Told of an item that is asked for by its key; in a listing all are of one library.
    #[serde(default, rename = "librarySectionID", deserialize_with = "optional_text")]
    pub(super) section: Option<String>,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) studio: Option<String>,
    #[serde(default)]
    pub(super) originally_available_at: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(super) added_at: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(super) updated_at: Option<i64>,
    #[serde(default, rename = "Media")]
    pub(super) media: Vec<WireMedia>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireMedia {
    #[serde(default, deserialize_with = "number")]
    pub(super) duration: Option<i64>,
    #[serde(default, rename = "Part")]
    pub(super) parts: Vec<WirePart>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WirePart {
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
pub(super) struct WireItems {
    #[serde(default, rename = "librarySectionID", deserialize_with = "optional_text")]
    pub(super) section: Option<String>,
    #[serde(default, rename = "Metadata")]
    pub(super) items: Vec<WireItem>,
}

/// An item read alone. Plex leaves out what is empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireItem {
    #[serde(deserialize_with = "text")]
    pub(super) rating_key: String,
    #[serde(default)]
    pub(super) r#type: Option<String>,
    #[serde(default, rename = "librarySectionID", deserialize_with = "optional_text")]
    section: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    studio: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    originally_available_at: Option<String>,
    #[serde(default)]
    content_rating: Option<String>,
    /// Of the account that the token belongs to.
    #[serde(default, deserialize_with = "fraction")]
    user_rating: Option<f64>,
    /// Addresses, which change with the image and at other times.
    #[serde(default)]
    thumb: Option<String>,
    #[serde(default)]
    art: Option<String>,
    #[serde(default, rename = "Genre")]
    genres: Vec<WireTag>,
    #[serde(default, rename = "Label")]
    labels: Vec<WireTag>,
    #[serde(default, rename = "Role")]
    roles: Vec<WireTag>,
    #[serde(default, rename = "Director")]
    directors: Vec<WireTag>,
    #[serde(default, rename = "Collection")]
    collections: Vec<WireTag>,
    #[serde(default, rename = "Field")]
    fields: Vec<WireLock>,
    #[serde(default, rename = "Media")]
    media: Vec<WireMedia>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireImages {
    #[serde(default, rename = "Metadata", alias = "Photo")]
    pub(super) images: Vec<WireImage>,
}

/// An image in the list of those that an item can show.
#[derive(Debug, Deserialize)]
pub(super) struct WireImage {
    #[serde(default, rename = "ratingKey")]
    pub(super) key: String,
    #[serde(default, deserialize_with = "flag")]
    pub(super) selected: bool,
}

#[derive(Debug, Deserialize)]
struct WireTag {
    tag: String,
    /// The part an actor plays.
    #[serde(default)]
    role: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireLock {
    name: String,
    #[serde(default, deserialize_with = "flag")]
    locked: bool,
}

impl WireSection {
    pub(super) fn into_library(self) -> Result<Library, IdError> {
        Ok(Library {
            key: SectionKey::try_from(self.key)?,
            title: self.title,
            locations: self.locations.into_iter().map(|location| location.path).collect(),
            content_changed_at: self.content_changed_at,
        })
    }
}

impl WireItem {
    /// `section` is where the answer as a whole says that it is from, for a server that says it there alone.
    pub(super) fn into_item(self, section: Option<String>) -> Result<PlexItem, IdError> {
        let is_locked =
            |field: &Field| self.fields.iter().any(|lock| lock.locked && lock.name == parameter(*field));
        let locked: BTreeSet<Field> = Field::ALL.into_iter().filter(is_locked).collect();
        let parts = self.media.into_iter().flat_map(|media| media.parts);
        Ok(PlexItem {
            rating_key: RatingKey::try_from(self.rating_key)?,
            section: SectionKey::try_from(self.section.or(section).unwrap_or_default())?,
            values: BTreeMap::from([
                (Field::Title, Value::Text(self.title.unwrap_or_default())),
                (Field::Studio, Value::Text(self.studio.unwrap_or_default())),
                (Field::Summary, Value::Text(self.summary.unwrap_or_default())),
                (Field::Date, Value::Text(self.originally_available_at.unwrap_or_default())),
                (Field::Rating, Value::Text(self.user_rating.map(rating).unwrap_or_default())),
                (Field::ContentRating, Value::Text(self.content_rating.unwrap_or_default())),
                (Field::Performers, list(self.roles)),
                (Field::Directors, list(self.directors)),
                (Field::Genres, list(self.genres)),
                (Field::Labels, list(self.labels)),
                (Field::Collections, list(self.collections)),
            ]),
            shown: BTreeMap::from([
                (ImageSlot::Poster, self.thumb.unwrap_or_default()),
                (ImageSlot::Background, self.art.unwrap_or_default()),
            ]),
            locked,
            paths: parts.filter_map(|part| part.file).filter(|path| !path.is_empty()).collect(),
        })
    }
}

fn list(tags: Vec<WireTag>) -> Value {
    let tag = |tag: WireTag| Tag { name: tag.tag, role: tag.role.filter(|role| !role.is_empty()) };
    Value::List(tags.into_iter().map(tag).collect())
}

/// A scalar as one version of Plex or another may send it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose {
    Flag(bool),
    Number(i64),
    Fraction(f64),
    Text(String),
}

pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    optional_text(from)?.ok_or_else(|| de::Error::custom("expected a string or a number, not null"))
}

pub(super) fn optional_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Option::<Loose>::deserialize(from)? {
        None => Ok(None),
        Some(Loose::Text(text)) => Ok(Some(text)),
        Some(Loose::Number(number)) => Ok(Some(number.to_string())),
        Some(Loose::Flag(_) | Loose::Fraction(_)) => Err(de::Error::custom("expected a string or a number")),
    }
}

/// A size or a time that cannot be read counts as one that was not told: it is not worth a page of a listing.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Option::<Loose>::deserialize(from)? {
        Some(Loose::Number(number)) => Some(number),
        Some(Loose::Text(text)) => text.parse().ok(),
        Some(Loose::Fraction(_) | Loose::Flag(_)) | None => None,
    })
}

fn fraction<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(match Option::<Loose>::deserialize(from)? {
        Some(Loose::Number(number)) => i32::try_from(number).ok().map(f64::from),
        Some(Loose::Fraction(number)) => Some(number),
        Some(Loose::Text(text)) => text.parse().ok(),
        Some(Loose::Flag(_)) | None => None,
    })
}

fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Option::<Loose>::deserialize(from)? {
        None => false,
        Some(Loose::Flag(flag)) => flag,
        Some(Loose::Number(number)) => number != 0,
        Some(Loose::Fraction(number)) => number != 0.0,
        Some(Loose::Text(text)) => matches!(text.as_str(), "1" | "true"),
    })
}
