//! What does the simulated Plex answer to which request?

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::edit::{Edit, Refusal};
use super::element::Element;
use super::images::{self, Outcome};
use super::item::TAGS;
use super::listing::listing;
use super::render::{self, Detail};
use super::state::State;
use super::{PlexOp, meta, tree};
use crate::sim::faults::Failing;
use crate::sim::net::{Answer, Channel, Peer, Request};

/// The server side of a [`super::SimPlex`].
pub(crate) struct Plex {
    state: Mutex<State>,
}

impl Plex {
    pub(crate) fn new(state: State) -> Self {
        Self { state: Mutex::new(state) }
    }

    /// The state, with everything that should have happened by now.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle();
        state
    }
}

impl Peer for Plex {
    type Op = PlexOp;

    fn op(&self, request: &Request) -> PlexOp {
        PlexOp::of(&request.method, &request.segments())
    }

    fn subjects(&self, request: &Request) -> Vec<String> {
        let named = match request.segments().as_slice() {
            ["library", "metadata", keys, ..] => Some(*keys),
            ["library", "sections", _, "all"] => request.parameter("id"),
            [":", "rate"] => request.parameter("key"),
            _ => None,
        };
        named.into_iter().flat_map(|keys| keys.split(',')).map(str::to_owned).collect()
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        let answer = if request.target.len() > state.options.longest_target {
            page(400)
        } else {
            route(&mut state, request)
        };
        answer.with("X-Plex-Protocol", "1.0")
    }

    fn channel(&self, request: &Request) -> Option<Channel> {
        let mut state = self.state();
        let is_open = request.method == "GET"
            && request.segments().as_slice() == [":", "websockets", "notifications"]
            && state.options.notifies
            && host_is_known(&state, request)
            && is_authorized(&state, request);
        is_open.then(|| state.listen(request.parameter("filters")))
    }

    fn pass(&self) {
        drop(self.state());
    }

    fn failing(&self, _: &Request, failing: Failing) -> Answer {
        match failing {
            Failing::StartingUp => {
                Answer::new(400, "text/html", "the server is still starting up. Please retry later")
            }
            Failing::Maintenance => Answer::new(
                503,
                "text/xml;charset=utf-8",
                "<Response code=\"503\" title=\"Maintenance\" \
                 status=\"Plex Media Server is currently running database migrations.\"/>\n",
            ),
            Failing::DatabaseBusy => page(500),
        }
    }
}

fn route(state: &mut State, request: &Request) -> Answer {
    let segments = request.segments();
    if !host_is_known(state, request) {
        return page(401);
    }
    if segments.as_slice() != ["identity"] && !is_authorized(state, request) {
        return page(401);
    }
    match (request.method.as_str(), segments.as_slice()) {
        ("GET" | "HEAD", ["identity"]) => reply(request, &identity(state)),
        ("GET" | "HEAD", []) => reply(request, &root(state)),
        ("GET" | "HEAD", ["library"]) => reply(request, &library_root()),
        ("GET" | "HEAD", ["library", "sections"] | ["library", "sections", "all"]) => {
            reply(request, &sections(state))
        }
        ("GET" | "HEAD", ["library", "all"]) => listed(state, None, request),
        ("GET" | "HEAD", ["activities"]) => reply(request, &activities(state)),
        (method, ["library", "sections", key, rest @ ..]) => section(state, method, key, rest, request),
        (method, ["library", "metadata", keys, rest @ ..]) => metadata(state, method, keys, rest, request),
        ("PUT", [":", "rate"]) => rate(state, request),
        _ => page(404),
    }
}

fn section(state: &mut State, method: &str, key: &str, rest: &[&str], request: &Request) -> Answer {
    if !state.libraries.contains_key(key) {
        return page(404);
    }
    match (method, rest) {
        ("GET" | "HEAD", ["all"]) => listed(state, Some(key), request),
        ("PUT", ["all"]) => {
            // Without ids the edit is for everything in the library. That is how the real server does it.
            let named = request.parameter("id").filter(|ids| !ids.is_empty()).map(keys_of);
            let members = state.items.values().filter(|item| item.section == key);
            let keys: Vec<i64> = members
                .map(|item| item.key)
                .filter(|member| named.as_ref().is_none_or(|named| named.contains(member)))
                .collect();
            edit(state, &keys, request)
        }
        ("GET" | "POST", ["refresh"]) => {
            state.scan(key, request.parameter("path"));
            Answer::new(200, "text/html", "")
        }
        ("GET" | "HEAD", _) => {
            section_part(state, key, rest).map_or_else(|| page(404), |element| reply(request, &element))
        }
        _ => page(404),
    }
}

fn section_part(state: &State, key: &str, rest: &[&str]) -> Option<Element> {
    let library = state.libraries.get(key)?;
    match rest {
        [] => Some(render::container(1).child(render::library(state, library))),
        ["location"] => {
            let folders = library.locations.iter().map(|(id, path)| render::location(*id, path));
            Some(render::container(library.locations.len()).children(folders))
        }
        ["collections"] => Some(render::container(0).int("totalSize", 0).child(meta::collections(key))),
        [kind] => {
            let (kind, _) = TAGS.into_iter().find(|(known, _)| known == kind)?;
            let used = |id: i64| {
                let mut members = state.items.values().filter(|item| item.section == key);
                members.any(|item| {
                    item.tags.get(kind).is_some_and(|uses| uses.iter().any(|used| used.tag == id))
                })
            };
            let shown: Vec<_> = state
                .tags
                .iter()
                .filter(|tag| tag.kind == kind && used(tag.id))
                .map(|tag| {
                    Element::new("Directory")
                        .text("fastKey", format!("/library/sections/{key}/all?{kind}={}", tag.id))
                        .text("key", tag.id.to_string())
                        .text("title", tag.name.as_str())
                })
                .collect();
            Some(render::container(shown.len()).children(shown))
        }
        _ => None,
    }
}

fn metadata(state: &mut State, method: &str, keys: &str, rest: &[&str], request: &Request) -> Answer {
    let keys: Vec<i64> = keys_of(keys).into_iter().filter(|key| state.items.contains_key(key)).collect();
    let Some(first) = keys.first().copied() else { return page(404) };
    match (method, rest) {
        ("GET" | "HEAD", []) => {
            let videos: Vec<_> = keys
                .iter()
                .filter_map(|key| state.items.get(key))
                .map(|item| render::video(state, item, Detail::Full))
                .collect();
            let container = render::container(videos.len()).text("identifier", "com.plexapp.plugins.library");
            reply(request, &container.children(videos))
        }
        ("GET" | "HEAD", ["tree"]) => {
            let items = keys.iter().filter_map(|key| state.items.get(key));
            reply(request, &tree::tree(items, state.options.shows_content_hash))
        }
        ("PUT", []) => edit(state, &keys, request),
        ("PUT", ["refresh"]) => {
            for key in keys {
                state.change(key, super::item::Item::fall_back);
            }
            Answer::new(200, "text/html", "")
        }
        ("PUT", ["analyze"]) => Answer::new(200, "text/html", ""),
        _ => match images::route(state, method, first, rest, request) {
            Outcome::List(list) => reply(request, &list),
            Outcome::Done => Answer::new(200, "text/html", ""),
            Outcome::NotFound => page(404),
            Outcome::TooLarge => page(500),
        },
    }
}

fn edit(state: &mut State, keys: &[i64], request: &Request) -> Answer {
    match Edit::parse(&request.query) {
        Ok(edit) => {
            edit.apply(state, keys);
            Answer::new(200, "text/html", "")
        }
        Err(Refusal::UnknownField) => page(400),
        Err(Refusal::InvalidValue) => page(500),
    }
}

fn rate(state: &mut State, request: &Request) -> Answer {
    let key = request.parameter("key").and_then(|key| key.parse().ok());
    let rating = request.parameter("rating").and_then(|rating| rating.parse::<f64>().ok());
    let (Some(key), Some(rating)) = (key, rating.filter(|rating| *rating <= 10.0)) else {
        return page(400);
    };
    let done = state.change(key, |item| {
        if rating < 0.0 {
            item.scalars.remove("userRating");
        } else {
            item.scalars.insert("userRating", rating.to_string());
        }
    });
    done.map_or_else(|| page(404), |()| Answer::new(200, "text/html", ""))
}

fn listed(state: &State, key: Option<&str>, request: &Request) -> Answer {
    let library = key.and_then(|key| state.libraries.get(key));
    let listing = listing(state, library, request);
    let mut answer = reply(request, &listing.element);
    if let Some(total) = listing.total {
        answer = answer
            .with("X-Plex-Container-Start", listing.offset.to_string())
            .with("X-Plex-Container-Total-Size", total.to_string());
    }
    answer
}

fn identity(state: &State) -> Element {
    Element::new("MediaContainer")
        .int("size", 1)
        .flag("claimed", state.options.claimed)
        .text("machineIdentifier", state.options.machine_identifier.as_str())
        .text("version", state.options.version.as_str())
}

fn root(state: &State) -> Element {
    let parts = ["activities", "identity", "library"];
    let directories =
        parts.map(|part| Element::new("Directory").int("count", 1).text("key", part).text("title", part));
    Element::new("MediaContainer")
        .int("size", render::count(parts.len()))
        .flag("allowMediaDeletion", true)
        .text("friendlyName", "Simulated Plex")
        .text("machineIdentifier", state.options.machine_identifier.as_str())
        .flag("multiuser", true)
        .flag("myPlex", state.options.claimed)
        .text("myPlexSigninState", if state.options.claimed { "ok" } else { "none" })
        .flag("myPlexSubscription", false)
        .text("platform", "Linux")
        .text("platformVersion", "6.1 (simulated)")
        .flag("requestParametersInCookie", true)
        .int("updatedAt", state.clock.seconds())
        .text("version", state.options.version.as_str())
        .children(directories)
}

fn library_root() -> Element {
    let directory = Element::new("Directory").text("key", "sections").text("title", "Library Sections");
    Element::new("MediaContainer")
        .int("size", 1)
        .text("identifier", "com.plexapp.plugins.library")
        .text("title1", "Plex Library")
        .child(directory)
}

fn sections(state: &State) -> Element {
    let libraries = state.libraries.values().map(|library| render::library(state, library));
    Element::new("MediaContainer")
        .int("size", render::count(state.libraries.len()))
        .flag("allowSync", false)
        .text("title1", "Plex Library")
        .children(libraries)
}

fn activities(state: &State) -> Element {
    let scans = state.scans.iter().map(|scan| {
        Element::new("Activity")
            .text("uuid", format!("5ca00000-0000-4000-8000-{:012}", scan.id))
            .text("type", "library.update.section")
            .flag("cancellable", false)
            .int("userID", 1)
            .text("title", "Scanning")
            .text("subtitle", "")
            .int("progress", -1)
            .child(Element::new("Context").text("librarySectionID", scan.section.as_str()))
    });
    // A real server shows this row all the time.
    let butler = Element::new("Activity")
        .text("uuid", "b0710000-0000-4000-8000-000000000000")
        .text("type", "butler")
        .flag("cancellable", false)
        .int("userID", 1)
        .text("title", "Maintenance")
        .int("progress", 100);
    Element::new("MediaContainer")
        .int("size", render::count(state.scans.len() + 1))
        .child(butler)
        .children(scans)
}

fn keys_of(list: &str) -> Vec<i64> {
    list.split(',').filter_map(|key| key.parse().ok()).collect()
}

fn is_authorized(state: &State, request: &Request) -> bool {
    let token = request.header("x-plex-token").or_else(|| request.parameter("X-Plex-Token"));
    token == Some(state.options.token.as_str())
}

fn host_is_known(state: &State, request: &Request) -> bool {
    let Some(known) = &state.options.known_hosts else { return true };
    let host = request.header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok() || known.contains(name)
}

/// XML, unless the client asks for JSON.
fn reply(request: &Request, element: &Element) -> Answer {
    if request.header("accept").is_some_and(|accept| accept.contains("application/json")) {
        Answer::new(200, "application/json", element.to_json())
    } else {
        Answer::new(200, "text/xml;charset=utf-8", element.to_xml())
    }
}

/// An error in Plex's words, which are HTML whatever the client asks for.
fn page(status: u16) -> Answer {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Payload Too Large",
        _ => "Internal Server Error",
    };
    let body =
        format!("<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>");
    Answer::new(status, "text/html", body)
}
