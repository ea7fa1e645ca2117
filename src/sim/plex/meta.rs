//! Which filters, sort orders and operators does a library say it has?

use super::element::Element;

/// Field and its type, as a movie library lists them.
const FIELDS: [(&str, &str, &str); 18] = [
    ("title", "Title", "string"),
    ("studio", "Studio", "string"),
    ("userRating", "Rating", "integer"),
    ("contentRating", "Content Rating", "tag"),
    ("year", "Year", "integer"),
    ("originallyAvailableAt", "Release Date", "date"),
    ("duration", "Duration", "integer"),
    ("unmatched", "Unmatched", "boolean"),
    ("duplicate", "Duplicate", "boolean"),
    ("genre", "Genre", "tag"),
    ("collection", "Collection", "tag"),
    ("director", "Director", "tag"),
    ("writer", "Writer", "tag"),
    ("producer", "Producer", "tag"),
    ("actor", "Actor", "tag"),
    ("addedAt", "Date Added", "date"),
    ("mediaSize", "File Size", "integer"),
    ("label", "Label", "tag"),
];

const FILTERS: [(&str, &str, &str); 8] = [
    ("genre", "Genre", "string"),
    ("year", "Year", "integer"),
    ("contentRating", "Content Rating", "string"),
    ("collection", "Collection", "string"),
    ("director", "Director", "string"),
    ("actor", "Actor", "string"),
    ("studio", "Studio", "string"),
    ("label", "Labels", "string"),
];

/// Sort key, title, and the direction it starts with.
const SORTS: [(&str, &str, &str); 6] = [
    ("titleSort", "Title", "asc"),
    ("year", "Year", "desc"),
    ("originallyAvailableAt", "Release Date", "desc"),
    ("duration", "Duration", "desc"),
    ("addedAt", "Date Added", "desc"),
    ("mediaSize", "File Size", "desc"),
];

const OPERATORS: [(&str, &[(&str, &str)]); 5] = [
    ("tag", &[("=", "is"), ("!=", "is not")]),
    ("integer", &[("=", "is"), ("!=", "is not"), (">>=", "is greater than"), ("<<=", "is less than")]),
    (
        "string",
        &[
            ("=", "contains"),
            ("!=", "does not contain"),
            ("==", "is"),
            ("!==", "is not"),
            ("<=", "begins with"),
            (">=", "ends with"),
        ],
    ),
    ("boolean", &[("=", "is true"), ("!=", "is false")]),
    ("date", &[("<<=", "is before"), (">>=", "is after")]),
];

/// What `includeMeta=1` adds to a listing of videos.
pub(crate) fn movies(section: &str) -> Element {
    let videos = Element::new("Type")
        .text("key", format!("/library/sections/{section}/all?type=1"))
        .text("type", "movie")
        .text("title", "Movies")
        .flag("active", true)
        .children(FILTERS.map(|filter| listed_filter(section, filter)))
        .children(SORTS.map(sort_order))
        .children(FIELDS.map(field));
    let folders = Element::new("Type")
        .text("key", format!("/library/sections/{section}/folder"))
        .text("type", "folder")
        .text("title", "Folders")
        .flag("active", false);
    Element::new("Meta").child(videos).child(folders).children(OPERATORS.map(field_type))
}

/// What `includeMeta=1` adds to a listing of collections.
pub(crate) fn collections(section: &str) -> Element {
    let kind = Element::new("Type")
        .text("key", format!("/library/sections/{section}/all?type=18"))
        .text("type", "collection")
        .text("title", "Collections")
        .flag("active", true)
        .children([sort_order(("titleSort", "Title", "asc"))])
        .children([field(("title", "Title", "string"))]);
    Element::new("Meta").child(kind)
}

fn listed_filter(section: &str, (key, title, kind): (&'static str, &'static str, &'static str)) -> Element {
    Element::new("Filter")
        .text("filter", key)
        .text("filterType", kind)
        .text("key", format!("/library/sections/{section}/{key}"))
        .text("title", title)
        .text("type", "filter")
}

fn sort_order((key, title, direction): (&'static str, &'static str, &'static str)) -> Element {
    Element::new("Sort")
        .text("defaultDirection", direction)
        .text("descKey", format!("{key}:desc"))
        .text("key", key)
        .text("title", title)
}

fn field((key, title, kind): (&'static str, &'static str, &'static str)) -> Element {
    Element::new("Field").text("key", key).text("title", title).text("type", kind)
}

fn field_type((kind, operators): (&'static str, &'static [(&'static str, &'static str)])) -> Element {
    let operators =
        operators.iter().map(|(key, title)| Element::new("Operator").text("key", *key).text("title", *title));
    Element::new("FieldType").text("type", kind).children(operators)
}
