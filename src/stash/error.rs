//! What does an answer of Stash mean when it is not the one we asked for?

use reqwest::StatusCode;

use super::wire::GraphqlError;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::http::{Answer, NoAnswer, beginning, retry_after};

fn stash(class: FailureClass, code: &'static str, detail: impl Into<String>) -> Failure {
    Failure::new(class, Peer::Stash, code, detail)
}

/// There is no whole answer.
pub(super) fn no_answer(error: &NoAnswer) -> Failure {
    let class =
        if error.code == "too_large" { FailureClass::Incompatible } else { FailureClass::Unavailable };
    stash(class, error.code, format!("Stash: {}", error.text))
}

/// An answer whose status says that there is no result, or `None` when the body has to be looked at.
pub(super) fn by_status(answer: &Answer) -> Option<Failure> {
    let status = answer.status;
    let login = |text: &str| stash(FailureClass::Unauthorized, "unauthorized", text.to_owned());
    let failure = match status.as_u16() {
        200 | 400 | 422 => return None,
        401 => {
            login("Stash refuses the API key (401); set stash.api_key to the key under Settings, Security")
        }
        403 => {
            login("Stash refuses us (403): it takes no requests from public addresses without credentials")
        }
        300..=399 => redirect(answer),
        429 => stash(FailureClass::Throttled, "throttled", "Stash asks us to slow down (429)")
            .retry_after(retry_after(answer)),
        503 if retry_after(answer).is_some() => {
            stash(FailureClass::Throttled, "throttled", "Stash asks us to come later (503)")
                .retry_after(retry_after(answer))
        }
        500..=599 => stash(FailureClass::Unavailable, "server_error", format!("Stash answered {status}")),
        _ => stash(
            FailureClass::Incompatible,
            "unexpected_status",
            format!("Stash answered {status} where GraphQL was expected; is stash.url right?"),
        ),
    };
    Some(failure.with_answer(&beginning(&answer.body)))
}

fn redirect(answer: &Answer) -> Failure {
    let location = answer.headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = location.split(['?', '#']).next().unwrap_or_default();
    if path.ends_with("/login") {
        let text = "Stash asks for a login; set stash.api_key to the key under Settings, Security";
        return stash(FailureClass::Unauthorized, "login", text);
    }
    let text =
        format!("Stash redirects to {path:?}, which is not followed; set stash.url to where it really is");
    stash(FailureClass::Incompatible, "redirect", text)
}

/// A body that is no GraphQL answer.
pub(super) fn not_graphql(answer: &Answer, error: &serde_json::Error) -> Failure {
    let body = beginning(&answer.body);
    if answer.status == StatusCode::BAD_REQUEST || answer.status == StatusCode::UNPROCESSABLE_ENTITY {
        let text = format!("Stash refuses our request: {body}");
        return stash(FailureClass::Incompatible, "bad_request", text);
    }
    if error.is_eof() && !answer.body.is_empty() {
        return stash(FailureClass::Unavailable, "cut_short", "the answer of Stash was cut short");
    }
    if error.is_data() {
        return undecodable(error);
    }
    let text = "something that is not Stash answered (no JSON); is there a proxy in between?";
    stash(FailureClass::Unavailable, "not_json", text).with_answer(&body)
}

/// JSON of another shape than we know.
pub(super) fn undecodable(error: &serde_json::Error) -> Failure {
    let text = format!("an answer of Stash cannot be understood: {error}");
    stash(FailureClass::Incompatible, "undecodable", text)
}

/// Any error means that no answer was given, whatever the data beside it holds: in the middle of a migration Stash says
/// `"findScene": null` and an error, and the scene is there all the same.
pub(super) fn by_errors(errors: &[GraphqlError]) -> Failure {
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    let messages = messages.join("; ");
    let code =
        |error: &GraphqlError| error.extensions.as_ref().and_then(|extensions| extensions.code.clone());
    let schema = |code: &String| code == "GRAPHQL_VALIDATION_FAILED" || code == "GRAPHQL_PARSE_FAILED";
    if errors.iter().filter_map(code).any(|code| schema(&code)) {
        let text = format!("this version of Stash does not know what we ask for: {messages}");
        return stash(FailureClass::Incompatible, "schema", text);
    }
    let (code, text) = if messages.contains("database is locked") {
        ("database_locked", format!("Stash's database is busy: {messages}"))
    } else if messages.contains("Internal system error") {
        ("not_ready", format!("Stash is not ready; does it wait for its setup or a migration? {messages}"))
    } else {
        ("graphql", format!("Stash answered with an error: {messages}"))
    };
    stash(FailureClass::Unavailable, code, text)
}

/// Stash has no such scene.
pub(super) fn gone(scene: crate::domain::ids::SceneId) -> Failure {
    stash(FailureClass::Gone, "gone", format!("Stash has no scene {scene}"))
}

/// This Stash lacks a field that is needed.
pub(super) fn too_old(field: &str) -> Failure {
    let text =
        format!("this Stash does not know the field {field:?} of a scene; version 0.25 or newer is needed");
    stash(FailureClass::Incompatible, "too_old", text)
}
