//! What is in the files of some items? The hash of their content, as far as the server shows it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::PlexClient;
use super::error::Asked;
use super::wire::number;
use crate::domain::failure::Failure;
use crate::domain::ids::RatingKey;
use crate::domain::item::ContentHash;

#[derive(Debug, Deserialize)]
struct WireTree {
    #[serde(default, rename = "MetadataItem")]
    items: Vec<WireTreeItem>,
}

#[derive(Debug, Deserialize)]
struct WireTreeItem {
    #[serde(default, rename = "MediaItem")]
    media: Vec<WireTreeMedia>,
}

#[derive(Debug, Deserialize)]
struct WireTreeMedia {
    #[serde(default, rename = "MediaPart")]
    parts: Vec<WireTreePart>,
}

#[derive(Debug, Deserialize)]
struct WireTreePart {
    #[serde(default, deserialize_with = "number")]
    id: Option<i64>,
    #[serde(default, rename = "openSubtitleHash")]
    hash: Option<String>,
}

impl PlexClient {
    /// The hashes of the files of some movies, by the ids of their parts, and whatever each shows. Items that are gone
    /// are left out by the server; `stale_match` says that all of them are gone, or that it does not know the question.
    pub async fn content_hashes(&self, items: &[RatingKey]) -> Result<BTreeMap<i64, ContentHash>, Failure> {
        let keys: Vec<_> = items.iter().map(RatingKey::as_str).collect();
        let url = self.at(&["library", "metadata", &keys.join(","), "tree"]);
        let WireTree { items } = self.decode(&self.get(Asked::Item, url).await?)?;
        let parts = items.into_iter().flat_map(|item| item.media).flat_map(|media| media.parts);
        let hash = |part: WireTreePart| Some((part.id?, shown(part.hash.as_deref().unwrap_or_default())));
        Ok(parts.filter_map(hash).collect())
    }
}

/// What is no hash of this kind says nothing, and must not contradict anything.
fn shown(hash: &str) -> ContentHash {
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    ContentHash::shown(if is_hash { hash } else { "" })
}
