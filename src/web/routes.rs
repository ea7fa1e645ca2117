//! Which routes are there, and who may use them?

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::api;
use super::auth::Scope;
use super::correlation::correlation_of;
use super::error::WebError;
use super::plugin_source;
use super::reviews;
use super::state::WebState;
use super::status::Status;
use super::webhook::{Events, Refusal, parse};
use crate::actors::messages::{IngestEvents, ProveWritable};
use crate::domain::event::StashEvent;
use crate::domain::ids::CorrelationId;
use crate::store::queue::{AcceptedEvent, EventOutcome};

/// A sender that waits longer sends again; storing an event twice is harmless.
const COMMIT_LIMIT: Duration = Duration::from_secs(10);
const PROOF_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn configure(routes: &mut web::ServiceConfig) {
    routes
        .route("/webhooks/stash", web::post().to(take_webhook))
        .route("/webhooks/stash/ping", web::post().to(ping))
        .route("/api/v1/status", web::get().to(status))
        .route("/api/v1/jobs", web::get().to(api::jobs))
        .route("/api/v1/jobs/{scene}", web::get().to(api::job))
        .route("/api/v1/history/{scene}", web::get().to(api::history))
        .route("/api/v1/dead-letters", web::get().to(api::dead_letters))
        .route("/api/v1/dead-letters/{id}", web::get().to(api::dead_letter))
        .route("/api/v1/reviews", web::get().to(reviews::list))
        .route("/api/v1/reviews/{scene}", web::get().to(reviews::one))
        .service(
            web::resource("/stash-plugin/index.yml").get(plugin_source::index).head(plugin_source::index),
        )
        .service(
            web::resource("/stash-plugin/plexsync-hook.zip").get(plugin_source::zip).head(plugin_source::zip),
        )
        .route("/livez", web::get().to(live))
        .route("/readyz", web::get().to(ready))
        .default_service(web::to(nothing_here));
}

#[derive(Serialize)]
struct Taken<'a> {
    correlation_id: &'a CorrelationId,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// For an array: one entry for each event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<TakenEvent>,
}

#[derive(Serialize)]
struct TakenEvent {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

async fn take_webhook(
    request: HttpRequest,
    state: web::Data<WebState>,
    body: web::Payload,
) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::PostEvents)?;
    if state.is_draining() {
        return Err(WebError::later("PlexSync is stopping"));
    }
    is_json(&request)?;
    let body = state.gate.read(body).await?;
    let correlation_id = correlation_of(&request);
    let parsed = parse(&body.bytes, &correlation_id);
    // While the events wait, it would take a hundred times their room.
    drop(body);
    let (events, is_array) = match parsed {
        Ok(Events::One(event)) => (vec![event], false),
        Ok(Events::Many(events)) => (events, true),
        Err(Refusal::NotJson(error)) => {
            return Err(WebError::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")));
        }
        Err(Refusal::Invalid(problems)) => return Err(WebError::invalid(problems)),
    };
    let accepted = store(&state, events).await?;
    let events: Vec<_> = accepted.iter().map(taken).collect();
    let whole = overall(&accepted);
    Ok(HttpResponse::Accepted().json(Taken {
        correlation_id: &correlation_id,
        outcome: whole.outcome,
        reason: whole.reason,
        events: if is_array { events } else { Vec::new() },
    }))
}

#[derive(Serialize)]
struct Pong {
    version: &'static str,
}

/// Whether an event would be let in. The hook asks this from where Stash runs it.
async fn ping(request: HttpRequest, state: web::Data<WebState>) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::PostEvents)?;
    Ok(HttpResponse::Ok().json(Pong { version: env!("CARGO_PKG_VERSION") }))
}

fn is_json(request: &HttpRequest) -> Result<(), WebError> {
    let content_type =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let text = format!("the content type should be application/json, not {content_type:?}");
    Err(WebError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
}

/// Answers only after the commit.
async fn store(state: &WebState, events: Vec<StashEvent>) -> Result<Vec<AcceptedEvent>, WebError> {
    let admission = state.gate.admit(&events)?;
    let stored = state.ingest.ask(IngestEvents { events, admission }, COMMIT_LIMIT).await;
    stored
        .map_err(|error| WebError::later(error.to_string()))?
        .map_err(|error| WebError::later(error.to_string()))
}

fn taken(event: &AcceptedEvent) -> TakenEvent {
    match event.outcome {
        EventOutcome::Opened => TakenEvent { outcome: "queued", reason: None },
        EventOutcome::Coalesced => TakenEvent { outcome: "coalesced", reason: None },
        EventOutcome::Ignored(reason) => TakenEvent { outcome: "ignored", reason: Some(reason) },
    }
}

/// An array is queued when one of its events is, and ignored only when all are.
fn overall(events: &[AcceptedEvent]) -> TakenEvent {
    let telling = events.iter().min_by_key(|event| match event.outcome {
        EventOutcome::Opened => 0,
        EventOutcome::Coalesced => 1,
        EventOutcome::Ignored(_) => 2,
    });
    telling.map_or(TakenEvent { outcome: "ignored", reason: None }, taken)
}

async fn status(request: HttpRequest, state: web::Data<WebState>) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::Everything)?;
    let now = state.clock.now();
    let mut status = api::reading(&state, move |reader| Status::read(reader, now)).await?;
    status.service = Some(super::status::ServiceStatus {
        started_at: state.started_at,
        state: if state.is_draining() { "stopping" } else { "running" }.to_owned(),
        actors: state.board.actors(),
        peers: state.circuits.peers(),
        circuits: state.circuits.status(),
        notifications: state.channel.status(),
        writes_per_second: state.writes.rate(),
        waiting_requests: state.gate.waiting_requests(),
    });
    Ok(HttpResponse::Ok().json(status))
}

/// Whether the loops make progress. Needs no token: a container asks this.
async fn live(state: web::Data<WebState>) -> Result<HttpResponse, WebError> {
    if state.board.all_up() {
        return Ok(HttpResponse::Ok().body("ok\n"));
    }
    let down: Vec<_> = state
        .board
        .actors()
        .into_iter()
        .filter(|actor| actor.state != "up")
        .map(|actor| actor.name)
        .collect();
    Err(WebError::later(format!("being restarted: {}", down.join(", "))))
}

/// Whether events can be stored. Needs no token.
async fn ready(state: web::Data<WebState>) -> Result<HttpResponse, WebError> {
    if state.is_draining() {
        return Err(WebError::later("PlexSync is stopping"));
    }
    let proved = state.persistence.ask(ProveWritable, PROOF_LIMIT).await;
    match proved {
        Ok(Ok(())) => Ok(HttpResponse::Ok().body("ok\n")),
        Ok(Err(error)) => Err(WebError::later(format!("the database cannot be written: {error}"))),
        Err(error) => Err(WebError::later(error.to_string())),
    }
}

async fn nothing_here(request: HttpRequest, state: web::Data<WebState>) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::Everything)?;
    Err(WebError::new(StatusCode::NOT_FOUND, "there is nothing here"))
}
