//! What does the tree of an item show? Its files with their hashes, in names of its own.

use super::element::Element;
use super::item::{Item, Part};
use super::render;

/// The answer about some items. Ids are numbers here, and there is no rating key.
pub(crate) fn tree<'a>(items: impl Iterator<Item = &'a Item>, with_hashes: bool) -> Element {
    let items: Vec<_> = items.map(|item| branch(item, with_hashes)).collect();
    let container = render::container(items.len()).text("identifier", "com.plexapp.plugins.library");
    container.children(items)
}

fn branch(item: &Item, with_hashes: bool) -> Element {
    // One version a file, as everywhere in this server.
    let media = item
        .parts
        .iter()
        .map(|part| Element::new("MediaItem").int("id", part.id).child(leaf(item, part, with_hashes)));
    Element::new("MetadataItem")
        .int("id", item.key)
        .text("title", item.title())
        .int("addedAt", item.added_at)
        .children(media)
}

fn leaf(item: &Item, part: &Part, with_hashes: bool) -> Element {
    Element::new("MediaPart")
        .int("metadataType", 1)
        .int("id", part.id)
        .text("file", part.path.as_str())
        .int("size", i64::try_from(part.size).unwrap_or(i64::MAX))
        .text_unless_empty("openSubtitleHash", with_hashes.then_some(part.hash.as_str()))
        .int("duration", i64::try_from(item.duration_ms).unwrap_or(i64::MAX))
}
