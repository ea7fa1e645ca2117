//! Which files does a library hold? One page of a listing, asked for and read.

use super::wire::{WireEntry, WireListing, WireMedia};
use crate::domain::ids::{IdError, RatingKey, SectionKey};
use crate::domain::item::{ContentHash, IndexedPart};

/// What the movies of a listing are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingOrder {
    /// The newest first: to find new ground before known ground.
    ByAddedAtDesc,
    /// The last changed first.
    ByUpdatedAtDesc,
    /// The oldest first. What is added meanwhile comes at the end, so that paging through all misses nothing.
    Stable,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingPage {
    /// The files of the page's movies. A movie can have several, or none.
    pub parts: Vec<IndexedPart>,
    /// How many entries the page had, of whatever type: the next one starts so much further on. None at all means
    /// that the listing is over.
    pub items: usize,
    /// How many entries the whole listing has. Some servers do not say, and what they call `size` is the page's.
    pub total: Option<u32>,
}

/// What an index does not need is left out, as an answer is ten times as long with it; `Media` has to stay, because the
/// files are inside.
pub(super) const LEFT_OUT: [(&str, &str); 2] = [
    ("excludeElements", "Genre,Role,Director,Writer,Country,Collection,Image,Guid"),
    ("excludeFields", "summary,tagline,thumb,art"),
];

pub(super) fn parameters(order: ListingOrder) -> [(&'static str, &'static str); 4] {
    let sort = match order {
        ListingOrder::ByAddedAtDesc => "addedAt:desc",
        ListingOrder::ByUpdatedAtDesc => "updatedAt:desc",
        ListingOrder::Stable => "addedAt",
    };
    let [elements, fields] = LEFT_OUT;
    [("type", "1"), ("sort", sort), elements, fields]
}

/// Reads a page. An entry that cannot be read spoils it: taken for absent, its file would leave the index.
pub(super) fn page(section: &SectionKey, listing: WireListing) -> Result<ListingPage, String> {
    let items = listing.entries.len();
    let total = listing.total.and_then(|total| u32::try_from(total).ok());
    let mut parts = Vec::with_capacity(items);
    for entry in listing.entries {
        add_parts(&mut parts, section, entry)?;
    }
    Ok(ListingPage { parts, items, total })
}

/// Adds the files of an entry, if it is a movie.
pub(super) fn add_parts(
    parts: &mut Vec<IndexedPart>,
    section: &SectionKey,
    entry: WireEntry,
) -> Result<(), String> {
    if entry.r#type.as_deref().is_some_and(|kind| kind != "movie") {
        return Ok(());
    }
    let rating_key = RatingKey::try_from(entry.rating_key).map_err(|error: IdError| error.to_string())?;
    for WireMedia { duration, parts: files } in entry.media {
        for file in files {
            let Some(path) = file.file.filter(|path| !path.is_empty()) else { continue };
            let without_id = || format!("a part of item {rating_key} has a file and no id");
            parts.push(IndexedPart {
                section: section.clone(),
                rating_key: rating_key.clone(),
                part_id: file.id.ok_or_else(without_id)?,
                path,
                size: file.size,
                duration_ms: file.duration.or(duration),
                title: entry.title.clone(),
                date: entry.originally_available_at.clone().unwrap_or_default(),
                studio: entry.studio.clone().unwrap_or_default(),
                content_hash: ContentHash::NotAsked,
                added_at: entry.added_at.unwrap_or_default(),
                updated_at: entry.updated_at.unwrap_or_default(),
            });
        }
    }
    Ok(())
}
