//! How are posters and backgrounds uploaded, listed and selected?

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::element::Element;
use super::item::Item;
use super::render;
use super::state::State;
use crate::sim::net::Request;

/// From here on a real server answers 500.
const TOO_LARGE: usize = 10 << 20;

/// What became of a request about images.
pub(crate) enum Outcome {
    List(Element),
    Done,
    NotFound,
    TooLarge,
}

/// The images of one kind that an item has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    /// The newest last.
    pub(crate) keys: Vec<String>,
    pub(crate) selected: Option<String>,
}

/// A kind of image: by which name it is listed and selected, and how its field and its uploads are called.
struct Kind {
    list: &'static str,
    select: &'static str,
    field: &'static str,
    uploads: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind { list: "posters", select: "poster", field: "thumb", uploads: "posters" },
    Kind { list: "arts", select: "art", field: "art", uploads: "art" },
];

/// Handles the requests below one video that are about its images.
pub(crate) fn route(state: &mut State, method: &str, key: i64, rest: &[&str], request: &Request) -> Outcome {
    let [name] = rest else { return Outcome::NotFound };
    let Some(kind) = KINDS.iter().find(|kind| [kind.list, kind.select].contains(name)) else {
        return Outcome::NotFound;
    };
    match method {
        "GET" | "HEAD" if *name == kind.list => Outcome::List(list(state, key, kind)),
        "POST" if *name == kind.list && request.body.len() >= TOO_LARGE => Outcome::TooLarge,
        "POST" if *name == kind.list => {
            let upload = upload_key(kind.uploads, &request.body);
            state.uploads.insert(upload.clone(), request.body.clone());
            show(state, key, kind.field, &upload);
            Outcome::Done
        }
        "PUT" if *name == kind.select => {
            let wanted = request.parameter("url").unwrap_or_default();
            let has_it = |item: &Item| shelf(item, kind.field).is_some_and(|shelf| has(shelf, wanted));
            if !state.items.get(&key).is_some_and(has_it) {
                return Outcome::NotFound;
            }
            show(state, key, kind.field, wanted);
            Outcome::Done
        }
        _ => Outcome::NotFound,
    }
}

/// The same bytes always get the same key.
pub(crate) fn upload_key(kind: &str, bytes: &[u8]) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let digits: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("upload://{kind}/{}", digits.concat())
}

/// Uploading and selecting both lock the image.
pub(crate) fn show(state: &mut State, key: i64, field: &'static str, image: &str) -> bool {
    let shown = state.change(key, |item| {
        let shelf = item.images.entry(field).or_default();
        if !has(shelf, image) {
            shelf.keys.push(image.to_owned());
        }
        shelf.selected = Some(image.to_owned());
        item.locked.insert(field.to_owned());
    });
    shown.is_some()
}

fn shelf<'a>(item: &'a Item, field: &str) -> Option<&'a Shelf> {
    item.images.get(field)
}

fn has(shelf: &Shelf, image: &str) -> bool {
    shelf.keys.iter().any(|known| known == image)
}

fn list(state: &State, key: i64, kind: &Kind) -> Element {
    let shelf = state.items.get(&key).and_then(|item| shelf(item, kind.field)).cloned().unwrap_or_default();
    let photos = shelf.keys.iter().map(|name| {
        let provider = name.split("://").next().unwrap_or_default();
        Element::new("Photo")
            .text("key", format!("/library/metadata/{key}/file?url={name}"))
            .text("provider", provider.to_owned())
            .text("ratingKey", name.as_str())
            .flag("selected", shelf.selected.as_ref() == Some(name))
            .text("thumb", format!("/library/metadata/{key}/file?url={name}"))
    });
    render::container(shelf.keys.len()).children(photos)
}
