//! How do libraries and videos look in an answer: briefly in a listing, fully on their own?

use super::element::Element;
use super::item::{Item, TAGS};
use super::state::{Library, State};

/// Which of the two forms of a video is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A row of a listing: few tags by name only, no labels, no locks.
    Brief,
    /// A video asked for by its key.
    Full,
}

/// The first element of an answer about libraries and videos.
pub(crate) fn container(size: usize) -> Element {
    Element::new("MediaContainer").int("size", count(size)).flag("allowSync", true)
}

pub(crate) fn count(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(crate) fn library(state: &State, library: &Library) -> Element {
    let scanning = state.scans.iter().any(|scan| scan.section == library.key);
    let (scanner, language) =
        if library.is_personal() { ("Plex Video Files Scanner", "xn") } else { ("Plex Movie", "en-US") };
    let locations = library.locations.iter().map(|(id, path)| location(*id, path));
    Element::new("Directory")
        .flag("allowSync", true)
        .text("art", "/:/resources/movie-fanart.jpg")
        .text("composite", format!("/library/sections/{}/composite/{}", library.key, library.scanned_at))
        .flag("filters", true)
        .flag("refreshing", scanning)
        .text("thumb", "/:/resources/movie.png")
        .text("key", library.key.as_str())
        .text("type", "movie")
        .text("title", library.title.as_str())
        .text("agent", library.agent.as_str())
        .text("scanner", scanner)
        .text("language", language)
        .text("uuid", uuid(&library.key))
        .int("updatedAt", library.created_at)
        .int("createdAt", library.created_at)
        .int("scannedAt", library.scanned_at)
        .flag("content", true)
        .flag("directory", true)
        .int("contentChangedAt", library.content_changed_at)
        .int("hidden", 0)
        .children(locations)
}

pub(crate) fn location(id: i64, path: &str) -> Element {
    Element::new("Location").int("id", id).text("path", path)
}

pub(crate) fn uuid(section: &str) -> String {
    format!("ac000000-0000-0000-0000-{section:0>12}")
}

pub(crate) fn video(state: &State, item: &Item, detail: Detail) -> Element {
    let key = item.key;
    let mut element = Element::new("Video")
        .text("ratingKey", key.to_string())
        .text("key", format!("/library/metadata/{key}"))
        .text("guid", format!("tv.plex.agents.none://{key:032x}"))
        .text_unless_empty("studio", item.scalar("studio"))
        .text("type", "movie")
        .text("title", item.title());
    if item.title_sort() != item.title() {
        element = element.text("titleSort", item.title_sort());
    }
    if let Some(library) = state.libraries.get(&item.section).filter(|_| detail == Detail::Full) {
        element = element.text("librarySectionTitle", library.title.as_str());
        element = match library.key.parse() {
            Ok(id) => element.int("librarySectionID", id),
            Err(_) => element.text("librarySectionID", library.key.as_str()),
        };
        element = element.text("librarySectionKey", format!("/library/sections/{}", library.key));
    }
    for name in ["originalTitle", "contentRating", "tagline"] {
        element = element.text_unless_empty(name, item.scalar(name));
    }
    element = element.text("summary", item.scalar("summary").unwrap_or_default());
    for name in ["rating", "audienceRating", "userRating"] {
        if let Some(value) = item.scalar(name).and_then(|value| value.parse().ok()) {
            element = element.float(name, value);
        }
    }
    if let Some(year) = item.year() {
        element = element.int("year", year);
    }
    for field in ["thumb", "art"].into_iter().filter(|field| item.selected(field).is_some()) {
        element = element.text(field, format!("/library/metadata/{key}/{field}/{}", item.updated_at));
    }
    element
        .int("duration", i64::try_from(item.duration_ms).unwrap_or(i64::MAX))
        .text_unless_empty("originallyAvailableAt", item.scalar("originallyAvailableAt"))
        .int("addedAt", item.added_at)
        .int("updatedAt", item.updated_at)
        .children(media(item, detail))
        .children(tags(state, item, detail))
        .children(fields(item, detail))
}

/// One version per file, with one part each.
fn media(item: &Item, detail: Detail) -> Vec<Element> {
    let duration = i64::try_from(item.duration_ms).unwrap_or(i64::MAX);
    let version = |part: &super::item::Part| {
        let container = part.path.rsplit_once('.').map_or("mp4", |(_, extension)| extension).to_owned();
        let mut inner = Element::new("Part")
            .int("id", part.id)
            .text("key", format!("/library/parts/{}/{}/file.{container}", part.id, item.added_at))
            .int("duration", duration)
            .text("file", part.path.as_str())
            .int("size", i64::try_from(part.size).unwrap_or(i64::MAX))
            .text("container", container.as_str());
        if detail == Detail::Full {
            let stream = Element::new("Stream").int("id", part.id).int("streamType", 1).text("codec", "h264");
            inner = inner.child(stream.int("index", 0));
        }
        Element::new("Media")
            .int("id", part.id)
            .int("duration", duration)
            .int("bitrate", 4000)
            .int("width", 1920)
            .int("height", 1080)
            .float("aspectRatio", 1.78)
            .int("audioChannels", 2)
            .text("audioCodec", "aac")
            .text("videoCodec", "h264")
            .text("videoResolution", "1080")
            .text("container", container)
            .text("videoFrameRate", "24p")
            .child(inner)
    };
    item.parts.iter().map(version).collect()
}

/// How many tags of a kind a listing shows; `None` for kinds it does not show at all.
fn shown_in_listing(kind: &str) -> Option<usize> {
    match kind {
        "genre" | "director" | "writer" | "country" => Some(2),
        "actor" => Some(3),
        "collection" => Some(usize::MAX),
        _ => None,
    }
}

fn tags(state: &State, item: &Item, detail: Detail) -> Vec<Element> {
    let mut elements = Vec::new();
    for (kind, element) in TAGS {
        let uses = item.tags.get(kind).map(Vec::as_slice).unwrap_or_default();
        let limit = match detail {
            Detail::Full => usize::MAX,
            Detail::Brief => shown_in_listing(kind).unwrap_or(0),
        };
        for used in uses.iter().take(limit) {
            let Some(tag) = state.tag(used.tag) else { continue };
            let mut shown = Element::new(element);
            if detail == Detail::Full {
                shown = shown.int("id", tag.id).text("filter", format!("{kind}={}", tag.id));
            }
            shown = shown.text("tag", tag.name.as_str());
            if detail == Detail::Full && kind == "actor" {
                shown = shown
                    .text_unless_empty("role", used.text.as_deref())
                    .text_unless_empty("thumb", tag.thumb.as_deref());
            }
            elements.push(shown);
        }
    }
    elements
}

fn fields(item: &Item, detail: Detail) -> Vec<Element> {
    let locked = item.locked.iter().filter(|_| detail == Detail::Full);
    locked.map(|name| Element::new("Field").flag("locked", true).text("name", name.as_str())).collect()
}
