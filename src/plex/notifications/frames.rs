//! What does a notification say? Which items something was done to, and nothing of all the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::ids::{RatingKey, SectionKey};
use crate::plex::wire::{number, optional_text, text};

/// Others use the same channel, such as TV guides, with item numbers of their own.
const LIBRARY: &str = "com.plexapp.plugins.library";
const MOVIE: i64 = 1;
/// Some deletions do not say what was deleted.
const ANYTHING: i64 = -1;
const PROCESSED: i64 = 5;
const DELETED: i64 = 9;

/// Something was done to an item: it was added, changed or deleted. What has become of it, only a read tells: a frame
/// holds no path, several come for each change, and they come in no reliable order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub item: RatingKey,
    /// The library, if it is told.
    pub section: Option<SectionKey>,
}

/// What one frame says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    pub notices: Vec<Notice>,
    /// How much in it could not be read. What is none of our business is not counted.
    pub unreadable: u32,
}

#[derive(Deserialize)]
struct WireFrame<'a> {
    #[serde(borrow, rename = "NotificationContainer")]
    container: WireContainer<'a>,
}

#[derive(Deserialize)]
struct WireContainer<'a> {
    /// Apart from each other, so that one that cannot be read spoils no other.
    #[serde(borrow, default, rename = "TimelineEntry")]
    entries: Vec<&'a RawValue>,
}

/// An entry of the timeline. Ids are numbers in old versions and texts in new ones.
#[derive(Deserialize)]
struct WireTimeline {
    #[serde(default)]
    identifier: String,
    #[serde(default, rename = "sectionID", deserialize_with = "optional_text")]
    section: Option<String>,
    #[serde(rename = "itemID", deserialize_with = "text")]
    item: String,
    #[serde(default, rename = "type", deserialize_with = "number")]
    kind: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    state: Option<i64>,
}

/// Reads a frame. Nothing in it is an error: whatever is not understood is passed over.
pub(super) fn notices(frame: &str) -> Notices {
    let mut read = Notices::default();
    let Ok(WireFrame { container }) = serde_json::from_str(frame) else {
        return Notices { unreadable: 1, ..read };
    };
    for entry in container.entries {
        match serde_json::from_str::<WireTimeline>(entry.get()).map(notice) {
            Ok(Ok(notice)) => read.notices.extend(notice),
            Ok(Err(NoKey)) | Err(_) => read.unreadable += 1,
        }
    }
    read
}

/// The item has no usable key.
struct NoKey;

/// The states of a movie that is added or analysed anew come in dozens, and for personal videos the last one may be
/// missing; so each of them counts, and whoever collects them waits until no more come.
fn notice(entry: WireTimeline) -> Result<Option<Notice>, NoKey> {
    let concerns_us = entry.identifier == LIBRARY
        && match entry.kind {
            Some(MOVIE) => true,
            Some(ANYTHING) => matches!(entry.state, Some(PROCESSED | DELETED)),
            Some(_) | None => false,
        };
    if !concerns_us {
        return Ok(None);
    }
    let item = RatingKey::try_from(entry.item).map_err(|_malformed| NoKey)?;
    let section = entry.section.and_then(|section| SectionKey::try_from(section).ok());
    Ok(Some(Notice { item, section }))
}
