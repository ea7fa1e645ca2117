//! Which videos does a listing show, in which order, and which part of them?

use std::cmp::Ordering;

use super::element::Element;
use super::item::Item;
use super::meta;
use super::render::{self, Detail};
use super::state::{Library, State};
use crate::sim::net::Request;

/// A listing's answer, with the numbers that also go into headers.
pub(crate) struct Listing {
    pub(crate) element: Element,
    pub(crate) offset: usize,
    pub(crate) total: Option<usize>,
}

/// The videos of a library, or of all libraries.
pub(crate) fn listing(state: &State, library: Option<&Library>, request: &Request) -> Listing {
    let filters = filters(state, request);
    let mut rows: Vec<&Item> = state
        .items
        .values()
        .filter(|item| library.is_none_or(|library| library.key == item.section))
        .filter(|item| filters.iter().all(|filter| passes(state, item, filter)))
        .collect();
    let order = request.parameter("sort").filter(|_| !state.options.ignores_sort);
    sort(&mut rows, order.unwrap_or("titleSort"));
    let all = rows.len();
    let mut window = Window::of(request).filter(|_| !state.options.ignores_paging);
    if let Some(window) = window.as_mut().filter(|_| state.options.ignores_start) {
        window.start = 0;
    }
    let limit = request.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    let (offset, size) = window.as_ref().map_or((0, limit), |window| (window.start, window.size.min(limit)));
    let rows: Vec<_> = rows.into_iter().skip(offset).take(size).collect();

    let mut element = render::container(rows.len());
    let total = window.filter(|_| state.options.sends_total_size).map(|_| all);
    if let Some(total) = total {
        element = element.int("totalSize", render::count(total)).int("offset", render::count(offset));
    }
    if let Some(library) = library {
        element = element
            .text("librarySectionTitle", library.title.as_str())
            .text("librarySectionUUID", render::uuid(&library.key))
            .text("title1", library.title.as_str());
        element = match library.key.parse() {
            Ok(id) => element.int("librarySectionID", id),
            Err(_) => element.text("librarySectionID", library.key.as_str()),
        };
        if request.parameter("includeMeta") == Some("1") {
            element = element.child(meta::movies(&library.key));
        }
    }
    element = element
        .text("identifier", "com.plexapp.plugins.library")
        .text("viewGroup", "movie")
        .text("mediaTagPrefix", "/system/bundle/media/flags/")
        .int("mediaTagVersion", 1_713_400_000)
        .children(rows.into_iter().map(|item| render::video(state, item, Detail::Brief)));
    Listing { element, offset, total }
}

/// The part of a listing that is asked for.
struct Window {
    start: usize,
    size: usize,
}

impl Window {
    /// Start and size both, as headers or parameters; one of them alone is as good as none.
    fn of(request: &Request) -> Option<Self> {
        let number = |header: &str, parameter: &str| {
            request.header(header).or_else(|| request.parameter(parameter))?.parse().ok()
        };
        let start = number("x-plex-container-start", "X-Plex-Container-Start")?;
        let size = number("x-plex-container-size", "X-Plex-Container-Size")?;
        Some(Self { start, size })
    }
}

/// What a query narrows a listing by.
struct Filter<'a> {
    field: &'a str,
    operator: &'a str,
    value: &'a str,
}

const FILTERS: [&str; 16] = [
    "type",
    "id",
    "title",
    "studio",
    "summary",
    "contentRating",
    "addedAt",
    "updatedAt",
    "duration",
    "mediaSize",
    "year",
    "genre",
    "label",
    "collection",
    "actor",
    "director",
];

/// Read once a listing and not once a video. What is no known filter is passed over without complaint, as the real
/// server does.
fn filters<'a>(state: &State, request: &'a Request) -> Vec<Filter<'a>> {
    let ignored = &state.options.ignored_filters;
    let read = |(name, value): &'a (String, String)| {
        let field = name.trim_end_matches(['!', '=', '<', '>']);
        let operator = name.strip_prefix(field).unwrap_or_default();
        let counts = FILTERS.contains(&field) && !ignored.contains(field) && !ignored.contains(name);
        counts.then_some(Filter { field, operator, value })
    };
    request.query.iter().filter_map(read).collect()
}

fn passes(state: &State, item: &Item, Filter { field, operator, value }: &Filter<'_>) -> bool {
    let number = |known: u64| compare_numbers(i128::from(known), operator, value);
    let time = |known: i64| compare_numbers(i128::from(known), operator, value);
    match *field {
        "type" => *value == "1",
        "id" => value.split(',').any(|key| key == item.key.to_string()),
        "title" | "studio" | "summary" => {
            compare_texts(item.scalar(field).unwrap_or_default(), operator, value)
        }
        "contentRating" => value.split(',').any(|wanted| item.scalar(field) == Some(wanted)),
        "addedAt" => time(item.added_at),
        "updatedAt" => time(item.updated_at),
        "duration" => number(item.duration_ms),
        "mediaSize" => number(item.size()),
        "year" => item.year().is_some_and(time),
        _ => {
            let uses = item.tags.get(field).map(Vec::as_slice).unwrap_or_default();
            let tags: Vec<_> = uses.iter().filter_map(|used| state.tag(used.tag)).collect();
            let has = value.split(',').any(|wanted| {
                tags.iter().any(|tag| tag.name.eq_ignore_ascii_case(wanted) || tag.id.to_string() == wanted)
            });
            has != (*operator == "!")
        }
    }
}

/// A value that is no number filters nothing.
fn compare_numbers(known: i128, operator: &str, value: &str) -> bool {
    let Ok(wanted) = value.parse() else { return true };
    match operator {
        ">>" => known > wanted,
        "<<" => known < wanted,
        ">" => known >= wanted,
        "<" => known <= wanted,
        "!" => known != wanted,
        _ => known == wanted,
    }
}

fn compare_texts(known: &str, operator: &str, value: &str) -> bool {
    let (known, value) = (known.to_lowercase(), value.to_lowercase());
    match operator {
        "=" => known == value,
        "!=" => known != value,
        "!" => !known.contains(&value),
        "<" => known.starts_with(&value),
        ">" => known.ends_with(&value),
        _ => known.contains(&value),
    }
}

fn sort(rows: &mut [&Item], order: &str) {
    let keys: Vec<_> = order.split(',').map(|key| key.split_once(':').unwrap_or((key, "asc"))).collect();
    rows.sort_by(|left, right| {
        keys.iter()
            .map(|(key, direction)| {
                let order = compare_by(left, right, key);
                if *direction == "desc" { order.reverse() } else { order }
            })
            .fold(Ordering::Equal, Ordering::then)
            .then(left.key.cmp(&right.key))
    });
}

fn compare_by(left: &Item, right: &Item, key: &str) -> Ordering {
    match key {
        "addedAt" => left.added_at.cmp(&right.added_at),
        "updatedAt" => left.updated_at.cmp(&right.updated_at),
        "id" | "ratingKey" => left.key.cmp(&right.key),
        "duration" => left.duration_ms.cmp(&right.duration_ms),
        "mediaSize" => left.size().cmp(&right.size()),
        "originallyAvailableAt" | "contentRating" | "studio" => left.scalar(key).cmp(&right.scalar(key)),
        _ => left.sort_key.cmp(&right.sort_key),
    }
}
