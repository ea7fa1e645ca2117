//! What does the simulated Stash answer to which request?

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::StashOp;
use super::answer::{self, AboutPlugins, LOCKED, NOT_OPEN};
use super::document::{Invalid, Query};
use super::plugins::Plugins;
use super::schema;
use super::state::State;
use crate::sim::faults::Failing;
use crate::sim::net::{Answer, Peer, Request};

/// Stands in for a cover that a scene does not have.
const PLACEHOLDER: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 9\"><rect width=\"16\" height=\"9\"/></svg>";

/// The server side of a [`super::SimStash`].
pub(crate) struct Stash {
    state: Mutex<State>,
    plugins: Plugins,
}

impl Stash {
    pub(crate) fn new(state: State, plugins: Plugins) -> Self {
        Self { state: Mutex::new(state), plugins }
    }

    pub(crate) fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// Without the state in hand: a plugin runs for a while, and may ask for something itself.
    fn about_plugins(&self, request: &Request) -> AboutPlugins {
        let query = {
            let state = self.state();
            let is_open = request.segments().as_slice() == ["graphql"] && refused(&state, request).is_none();
            is_open.then(|| read(request, &state).ok()).flatten()
        };
        let roots = query.into_iter().flat_map(|query| query.roots);
        roots.filter_map(|root| Some((root.key.clone(), self.plugins.resolve(&root)?))).collect()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer for Stash {
    type Op = StashOp;

    fn op(&self, request: &Request) -> StashOp {
        match request.segments().as_slice() {
            ["graphql"] => {}
            ["healthz"] => return StashOp::Health,
            ["scene", _, "screenshot"] => return StashOp::Screenshot,
            _ => return StashOp::Other,
        }
        let query = read(request, &self.state());
        let names: Vec<_> =
            query.iter().flat_map(|query| query.roots.iter().map(|root| root.name.as_str())).collect();
        StashOp::of(&names)
    }

    fn subjects(&self, request: &Request) -> Vec<String> {
        if let ["scene", id, ..] = request.segments().as_slice() {
            return vec![(*id).to_owned()];
        }
        let query = read(request, &self.state());
        let ids =
            query.iter().flat_map(|query| query.roots.iter()).filter_map(|root| root.arguments.get("id"));
        ids.map(answer::text_of).collect()
    }

    fn answer(&self, request: &Request) -> Answer {
        let plugins = self.about_plugins(request);
        route(&self.state(), request, &plugins)
            .with("Vary", "Origin")
            .with("X-Content-Type-Options", "nosniff")
    }

    fn failing(&self, request: &Request, failing: Failing) -> Answer {
        let state = self.state();
        let message = match failing {
            Failing::StartingUp | Failing::Maintenance => NOT_OPEN,
            Failing::DatabaseBusy => LOCKED,
        };
        match read(request, &state) {
            Ok(query) => graphql_answer(&state, request, 200, answer::failed(&state, &query, message)),
            Err(_) => Answer::new(500, "text/plain; charset=utf-8", message),
        }
    }
}

fn route(state: &State, request: &Request, plugins: &AboutPlugins) -> Answer {
    let segments = request.segments();
    if segments.as_slice() == ["healthz"] {
        return Answer::new(200, "text/plain", ".");
    }
    if let Some(refusal) = refused(state, request) {
        return refusal;
    }
    match (request.method.as_str(), segments.as_slice()) {
        (_, ["graphql"]) => graphql(state, request, plugins),
        ("GET", ["scene", id, "screenshot"]) => screenshot(state, request, id),
        (_, ["scene", _, "screenshot"]) => Answer::empty(405).with("Allow", "GET"),
        _ => Answer::new(200, "text/html; charset=utf-8", "<!DOCTYPE html><html><body>Stash</body></html>"),
    }
}

/// A key that is wrong, or not wanted, is refused everywhere; without one, only the API says so plainly.
fn refused(state: &State, request: &Request) -> Option<Answer> {
    let sent = request.header("apikey").or_else(|| request.parameter("apikey")).filter(|key| !key.is_empty());
    let unauthorized = Answer::empty(401).with("WWW-Authenticate", "FormBased");
    match (state.options.api_key.as_deref(), sent) {
        (Some(key), Some(sent)) if key == sent => None,
        (None, None) => None,
        (Some(_), None) if request.path != "/graphql" => {
            let back: String = url::form_urlencoded::byte_serialize(request.path.as_bytes()).collect();
            let login = format!("/login?returnURL={back}");
            let page = format!("<a href=\"{login}\">Found</a>.\n\n");
            Some(Answer::new(302, "text/html; charset=utf-8", page).with("Location", login))
        }
        (Some(_) | None, Some(_)) | (Some(_), None) => Some(unauthorized),
    }
}

/// A request's query, whatever its transport.
fn read(request: &Request, state: &State) -> Result<Query, Refusal> {
    let version = schema::minor(&state.options.version);
    if request.method == "GET" {
        let text = request.parameter("query").ok_or(Refusal::Transport)?;
        let variables = request.parameter("variables").and_then(|text| serde_json::from_str(text).ok());
        return Ok(Query::parse(text, None, &variables.unwrap_or_default(), version)?);
    }
    let content_type = request.header("content-type").unwrap_or_default();
    if request.method != "POST" || !content_type.starts_with("application/json") {
        return Err(Refusal::Transport);
    }
    let body: Map<String, Value> =
        serde_json::from_slice(&request.body).map_err(|error| Refusal::NotJson(error.to_string()))?;
    let text = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let operation = body.get("operationName").and_then(Value::as_str);
    let variables = body.get("variables").and_then(Value::as_object).cloned().unwrap_or_default();
    Ok(Query::parse(text, operation, &variables, version)?)
}

enum Refusal {
    Transport,
    NotJson(String),
    Invalid(Invalid),
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

fn graphql(state: &State, request: &Request, plugins: &AboutPlugins) -> Answer {
    let base = format!("http://{}", request.header("host").unwrap_or("localhost"));
    let refuse =
        |status, error: Value| graphql_answer(state, request, status, answer::body(&[error], &Value::Null));
    match read(request, state) {
        Ok(query) => graphql_answer(state, request, 200, answer::answer(state, &query, &base, plugins)),
        Err(Refusal::Transport) => refuse(400, json!({ "message": "transport not supported" })),
        Err(Refusal::NotJson(why)) => {
            refuse(400, json!({ "message": format!("json request body could not be decoded: {why}") }))
        }
        Err(Refusal::Invalid(invalid)) => {
            let status = if newer_content_type(state, request) { 400 } else { 422 };
            refuse(status, invalid.json())
        }
    }
}

/// Since v0.29 a client that takes anything gets the newer content type, and with it other statuses.
fn newer_content_type(state: &State, request: &Request) -> bool {
    let accept = request.header("accept").unwrap_or("application/json");
    schema::minor(&state.options.version) >= 29 && !accept.contains("application/json")
}

fn graphql_answer(state: &State, request: &Request, status: u16, body: Vec<u8>) -> Answer {
    let content_type = if newer_content_type(state, request) {
        "application/graphql-response+json"
    } else {
        "application/json"
    };
    Answer::new(status, content_type, body).with("Cache-Control", "no-store")
}

fn screenshot(state: &State, request: &Request, id: &str) -> Answer {
    let plain = "text/plain; charset=utf-8";
    let Ok(id) = id.parse() else { return Answer::new(400, plain, "Bad Request") };
    let Some(scene) = state.scenes.get(&id) else { return Answer::new(404, plain, "Not Found") };
    let (content_type, bytes) = match &scene.cover {
        Some(cover) => (cover.content_type.as_str(), cover.bytes.clone()),
        None => ("image/svg+xml", PLACEHOLDER.as_bytes().to_vec()),
    };
    // The real one uses MD5. Nothing may depend on which hash it is.
    let tag = format!("\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(&bytes));
    let cache =
        if request.parameter("t").is_some() { "private, max-age=31536000, immutable" } else { "no-cache" };
    let answer = if request.header("if-none-match") == Some(tag.as_str()) {
        Answer::empty(304)
    } else {
        Answer::new(200, content_type, bytes).with("Accept-Ranges", "bytes")
    };
    answer.with("Cache-Control", cache).with("ETag", tag)
}
