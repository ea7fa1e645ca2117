//! What does an answer of Stash mean? Turns everything but a good answer into a classified failure.

use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use super::wire::{Envelope, GraphQlError};
use crate::domain::circuit::Circuit;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::http::{Answer, NoAnswer, Redirect, Undecodable, excerpt};

/// Knows what belongs into the sentences about one Stash.
#[derive(Debug, Clone)]
pub(super) struct Classifier {
    url: Url,
    has_key: bool,
}

impl Classifier {
    pub(super) fn new(url: Url, has_key: bool) -> Self {
        Self { url, has_key }
    }

    pub(super) fn no_answer(&self, error: &NoAnswer) -> Failure {
        let class = match error {
            NoAnswer::NotSent { .. } | NoAnswer::Lost { .. } => FailureClass::Unavailable,
            NoAnswer::TooLarge { .. } => FailureClass::Incompatible,
        };
        self.failure(class, error.code(), &error.to_string())
    }

    /// Looks into an answer: its `data` when there is no reason to distrust it.
    pub(super) fn data(&self, answer: &Answer) -> Result<Value, Failure> {
        if !answer.status.is_success() {
            return Err(self.bad_status(answer));
        }
        let envelope: Envelope =
            answer.decode().map_err(|error| self.undecodable(&error).with_answer(&answer.text))?;
        // Before `data`, which is there and null when the database is not: whoever reads it first takes a scene
        // for deleted while Stash waits for its migration.
        if let Some(errors) = &envelope.errors {
            return Err(self.graphql_errors(errors));
        }
        let nothing =
            || self.failure(FailureClass::Incompatible, "undecodable", "sent neither data nor errors");
        envelope.data.ok_or_else(|| nothing().with_answer(&answer.text))
    }

    pub(super) fn undecodable(&self, error: &Undecodable) -> Failure {
        let detail = error.to_string();
        match error {
            // Stash itself always speaks JSON here, so something between it and us is speaking.
            Undecodable::NotJson { .. } => {
                let detail = format!("{detail}; does a proxy stand before it?");
                self.failure(FailureClass::Unavailable, "not_json", &detail)
            }
            Undecodable::Shape { .. } => self.failure(FailureClass::Incompatible, "undecodable", &detail),
        }
    }

    /// `said` continues a sentence that begins with the peer's name.
    pub(super) fn failure(&self, class: FailureClass, code: &'static str, said: &str) -> Failure {
        let at = self.url.origin().ascii_serialization();
        Failure::new(class, Peer::Stash, code, format!("Stash at {at} {said}")).on(Circuit::Stash)
    }

    pub(super) fn bad_status(&self, answer: &Answer) -> Failure {
        let status = answer.status;
        let failure = if status.is_redirection() {
            self.redirect(answer)
        } else if status.is_server_error() {
            self.server_error(answer)
        } else {
            match status {
                StatusCode::UNAUTHORIZED => {
                    self.failure(FailureClass::Unauthorized, "api_key_refused", self.key_trouble())
                }
                StatusCode::FORBIDDEN => {
                    let said =
                        "refuses access from this machine: has it a password, and is stash.api_key set?";
                    self.failure(FailureClass::Unauthorized, "access_denied", said)
                }
                StatusCode::TOO_MANY_REQUESTS => self
                    .failure(FailureClass::Throttled, "too_many_requests", "asks for fewer requests")
                    .retry_after(answer.retry_after()),
                StatusCode::REQUEST_TIMEOUT => self.failure(
                    FailureClass::Unavailable,
                    "request_timeout",
                    "gave up waiting for the request",
                ),
                StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => self.bad_request(answer),
                _ => {
                    let said = format!("answered {status}; is stash.url the address of Stash's start page?");
                    self.failure(FailureClass::Incompatible, "unexpected_status", &said)
                }
            }
        };
        failure.with_answer(&answer.text)
    }

    fn key_trouble(&self) -> &'static str {
        if self.has_key {
            "refuses the API key: it is wrong, or Stash has none configured and stash.api_key should be empty"
        } else {
            "wants an API key, and stash.api_key is empty"
        }
    }

    fn redirect(&self, answer: &Answer) -> Failure {
        let Some(Redirect { target, moved_to, is_login }) = answer.redirect(&self.url) else {
            let said = "redirects to nowhere; is stash.url the address of Stash's start page?";
            return self.failure(FailureClass::Incompatible, "redirected", said);
        };
        let target = excerpt(&target);
        if is_login {
            let said = format!("sends us to a login at {target}; {}", self.login_advice());
            return self.failure(FailureClass::Unauthorized, "login_redirect", &said);
        }
        let advice = match moved_to {
            Some(moved_to) => format!("set stash.url to {:?} if that is right", excerpt(&moved_to)),
            None => "stash.url should be the final address".to_owned(),
        };
        let said = format!("redirects to {target}, and redirects are not followed; {advice}");
        self.failure(FailureClass::Incompatible, "redirected", &said)
    }

    fn login_advice(&self) -> &'static str {
        if self.has_key { "does a proxy before it want one of its own?" } else { "stash.api_key is empty" }
    }

    fn server_error(&self, answer: &Answer) -> Failure {
        let wait = answer.retry_after();
        if answer.status == StatusCode::SERVICE_UNAVAILABLE && wait.is_some() {
            return self
                .failure(FailureClass::Throttled, "busy", "asks to be left alone for a while")
                .retry_after(wait);
        }
        let said = format!("answered {}", answer.status);
        self.failure(FailureClass::Unavailable, "server_error", &said)
    }

    fn bad_request(&self, answer: &Answer) -> Failure {
        let errors = answer.decode::<Envelope>().ok().and_then(|envelope| envelope.errors);
        let code_and_text = errors.as_ref().map_or_else(
            || ("bad_request", excerpt(answer.text.trim())),
            |errors| {
                let first = first_error(errors);
                let code = match first.extensions.code.as_str() {
                    "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" => "graphql_invalid",
                    _ => "bad_request",
                };
                (code, excerpt(&first.message))
            },
        );
        let (code, text) = code_and_text;
        let code = if text.contains("transport not supported") { "transport_not_supported" } else { code };
        let said = format!("does not understand the query ({}): {text}", answer.status);
        self.failure(FailureClass::Incompatible, code, &said)
    }

    /// The errors of an answer with status 200: whatever they are about, nothing was answered.
    fn graphql_errors(&self, errors: &Value) -> Failure {
        let first = first_error(errors);
        let text = excerpt(&first.message);
        let (class, code) = match first.extensions.code.as_str() {
            "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" => {
                (FailureClass::Incompatible, "graphql_invalid")
            }
            _ if first.message.contains("database is locked") => {
                (FailureClass::Unavailable, "database_locked")
            }
            // Its database is not open: first set-up, a migration to be confirmed, or one that runs.
            _ if first.message.contains("Internal system error") => {
                (FailureClass::Unavailable, "system_error")
            }
            _ => (FailureClass::Unavailable, "resolver_error"),
        };
        let hint = if code == "system_error" { "; does it wait for its set-up or a migration?" } else { "" };
        self.failure(class, code, &format!("answered with an error: {text}{hint}"))
            .with_answer(&errors.to_string())
    }
}

/// The first of the errors that says why, whatever shape the list has.
fn first_error(errors: &Value) -> GraphQlError {
    let first = errors.get(0).and_then(|error| serde_json::from_value::<GraphQlError>(error.clone()).ok());
    let unknown = || GraphQlError {
        message: excerpt(&errors.to_string()),
        extensions: super::wire::Extensions::default(),
    };
    first.unwrap_or_else(unknown)
}
