//! How are posters uploaded, listed and selected?

use super::element::Element;
use super::render;
use super::state::State;
use crate::sim::net::Request;

/// What became of a request about posters.
pub(crate) enum Outcome {
    List(Element),
    Done,
    NotFound,
}

/// Handles the requests below one video that are about its posters.
pub(crate) fn route(state: &mut State, method: &str, key: i64, rest: &[&str], request: &Request) -> Outcome {
    match (method, rest) {
        ("GET" | "HEAD", ["posters"]) => Outcome::List(list(state, key)),
        ("POST", ["posters"]) => {
            let name = upload_key(&request.body);
            state.posters.insert(name.clone(), request.body.clone());
            select(state, key, name);
            Outcome::Done
        }
        ("PUT", ["poster"]) => {
            let wanted = request.parameter("url").unwrap_or_default();
            if !state.posters.contains_key(wanted) {
                return Outcome::NotFound;
            }
            select(state, key, wanted.to_owned());
            Outcome::Done
        }
        _ => Outcome::NotFound,
    }
}

/// The same bytes always get the same key.
pub(crate) fn upload_key(bytes: &[u8]) -> String {
    // A real server uses SHA-1. Nothing may depend on which hash it is.
    format!("upload://posters/{:032x}", xxhash_rust::xxh3::xxh3_128(bytes))
}

/// Uploading and selecting both lock the poster.
fn select(state: &mut State, key: i64, name: String) {
    state.change(key, |item| {
        if !item.posters.contains(&name) {
            item.posters.push(name.clone());
        }
        item.selected_poster = Some(name);
        item.locked.insert("thumb".to_owned());
    });
}

fn list(state: &State, key: i64) -> Element {
    let Some(item) = state.items.get(&key) else { return render::container(0) };
    let photos = item.posters.iter().map(|name| {
        Element::new("Photo")
            .text("key", format!("/library/metadata/{key}/file?url={name}"))
            .text("provider", "upload")
            .text("ratingKey", name.as_str())
            .flag("selected", item.selected_poster.as_ref() == Some(name))
            .text("thumb", format!("/library/metadata/{key}/file?url={name}"))
    });
    render::container(item.posters.len()).children(photos)
}
