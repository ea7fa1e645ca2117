//! Which files do some items have now? Read together, whatever has become of each.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::client::PlexClient;
use super::edit_query::encode;
use super::error::Asked;
use super::listing::{LEFT_OUT, add_parts};
use super::wire::{WireEntry, optional_text, text};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::{RatingKey, SectionKey};
use crate::domain::item::IndexedPart;

/// What the server says of the items that it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesNow {
    /// Their files. An item without any is gone, or is no movie.
    pub parts: Vec<IndexedPart>,
    /// Items that are there, and of which no more is known: the answer about them cannot be read.
    pub unreadable: BTreeSet<RatingKey>,
}

#[derive(Debug, Deserialize)]
struct WireSome {
    #[serde(default, rename = "librarySectionID", deserialize_with = "optional_text")]
    section: Option<String>,
    /// Apart from each other, so that one that cannot be read spoils no other.
    #[serde(default, rename = "Metadata")]
    items: Vec<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct WireKey {
    #[serde(rename = "ratingKey", deserialize_with = "text")]
    key: String,
}

impl PlexClient {
    /// The files of some items, in one request: each key takes up to 21 bytes of its first line. Items that are gone are
    /// left out by the server.
    pub async fn files_of(&self, items: &[RatingKey]) -> Result<FilesNow, Failure> {
        let keys: Vec<_> = items.iter().map(RatingKey::as_str).collect();
        let mut url = self.at(&["library", "metadata", &keys.join(",")]);
        // Without the first, looking at items makes Plex refresh them.
        url.set_query(Some(&encode([("skipRefresh", "1")].into_iter().chain(LEFT_OUT))));
        let answer = match self.get_long(Asked::Item, url).await {
            // It says so when all of them are gone.
            Err(failure) if failure.class == FailureClass::StaleMatch => return Ok(FilesNow::default()),
            answer => answer?,
        };
        let WireSome { section, items: entries } = self.decode(&answer)?;
        let mut now = FilesNow::default();
        for entry in entries {
            let key = key_of(&entry).map_err(|error| self.shape(&error, &answer))?;
            match files(&entry, section.as_deref()) {
                // What was not asked for is no answer to the question.
                Ok(parts) if items.contains(&key) => now.parts.extend(parts),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!("what Plex says of item {key} cannot be read: {error}");
                    now.unreadable.insert(key);
                }
            }
        }
        Ok(now)
    }
}

fn key_of(entry: &RawValue) -> Result<RatingKey, String> {
    let WireKey { key } = serde_json::from_str(entry.get()).map_err(|error| error.to_string())?;
    RatingKey::try_from(key).map_err(|error| error.to_string())
}

fn files(entry: &RawValue, section: Option<&str>) -> Result<Vec<IndexedPart>, String> {
    let entry: WireEntry = serde_json::from_str(entry.get()).map_err(|error| error.to_string())?;
    let section = entry.section.as_deref().or(section).unwrap_or_default();
    let section: SectionKey =
        section.parse().map_err(|error| format!("it does not say its library: {error}"))?;
    let mut parts = Vec::new();
    add_parts(&mut parts, &section, entry)?;
    Ok(parts)
}
