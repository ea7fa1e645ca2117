//! What does an answer of Plex mean when it is not the one we asked for?

use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::RatingKey;
use crate::http::{Answer, NoAnswer, beginning, retry_after};

/// What was asked; the same status means different things for a read and a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Server,
    Item,
    Edit,
}

pub(super) fn plex(class: FailureClass, code: &'static str, detail: impl Into<String>) -> Failure {
    Failure::new(class, Peer::Plex, code, detail)
}

/// There is no whole answer. A write may have been done all the same.
pub(super) fn no_answer(error: &NoAnswer, call: Call) -> Failure {
    if error.code == "too_large" {
        return plex(FailureClass::Incompatible, error.code, format!("Plex: {}", error.text));
    }
    if call == Call::Edit && error.may_have_arrived {
        let text = format!(
            "Plex: {}; the edit may have been done and is read back before it is sent again",
            error.text
        );
        return plex(FailureClass::Unavailable, "write_unknown", text);
    }
    plex(FailureClass::Unavailable, error.code, format!("Plex: {}", error.text))
}

/// An answer whose status says that there is no result, or `None` when there is one.
pub(super) fn by_status(answer: &Answer, call: Call, item: Option<&RatingKey>) -> Option<Failure> {
    let body = beginning(&answer.body);
    let status = answer.status;
    let failure = match status.as_u16() {
        200..=299 => return None,
        // Plex takes writes seconds later than it takes reads after a start.
        400 if body.contains("still starting up") => {
            plex(FailureClass::Unavailable, "starting_up", "Plex is still starting up")
        }
        300..=399 => redirect(answer),
        401 => plex(
            FailureClass::Unauthorized,
            "unauthorized",
            "Plex refuses the token (401); set plex.token to a valid one. If the token is right, an unclaimed server also \
             refuses host names it does not know: use its IP address in plex.url",
        ),
        403 => {
            plex(FailureClass::Forbidden, "forbidden", "Plex does not let this token touch the item (403)")
        }
        404 if call != Call::Server => {
            let key = item.map_or("", RatingKey::as_str);
            plex(FailureClass::StaleMatch, "item_gone", format!("Plex has no item {key} any more"))
        }
        429 => plex(FailureClass::Throttled, "throttled", "Plex asks us to slow down (429)")
            .retry_after(retry_after(answer)),
        503 if retry_after(answer).is_some() => {
            plex(FailureClass::Throttled, "throttled", "Plex asks us to come later (503)")
                .retry_after(retry_after(answer))
        }
        503 if body.contains("Maintenance") => {
            plex(FailureClass::Unavailable, "maintenance", "Plex is in maintenance (503)")
        }
        500..=599 if call == Call::Edit => plex(
            FailureClass::Unavailable,
            "write_unknown",
            format!(
                "Plex answered {status}; the edit may have been done and is read back before it is sent again"
            ),
        ),
        500..=599 => plex(FailureClass::Unavailable, "server_error", format!("Plex answered {status}")),
        _ if call == Call::Edit => {
            plex(FailureClass::Rejected, "rejected", format!("Plex refused the edit ({status})"))
        }
        _ => plex(
            FailureClass::Incompatible,
            "unexpected_status",
            format!("Plex answered {status} to a read; is plex.url right?"),
        ),
    };
    Some(failure.with_answer(&String::from_utf8_lossy(&answer.body)))
}

/// Following a redirect could hand the token to another host.
fn redirect(answer: &Answer) -> Failure {
    let location = answer.headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = url::Url::parse(location).ok().and_then(|url| url.host_str().map(str::to_owned));
    let whither = host.unwrap_or_else(|| "another path".to_owned());
    let text =
        format!("Plex redirects to {whither}, which is not followed; set plex.url to where Plex really is");
    plex(FailureClass::Incompatible, "redirect", text)
}

/// A good status with a body that is not what we know.
pub(super) fn undecodable(answer: &Answer, error: &serde_json::Error) -> Failure {
    let first = answer.body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        let text = "something that is not Plex answered (no JSON); is there a proxy in between?";
        return plex(FailureClass::Unavailable, "not_json", text).with_answer(&beginning(&answer.body));
    }
    if error.is_eof() || error.is_syntax() {
        return plex(
            FailureClass::Unavailable,
            "cut_short",
            format!("an answer of Plex is damaged: {error}"),
        );
    }
    plex(
        FailureClass::Incompatible,
        "undecodable",
        format!("an answer of Plex cannot be understood: {error}"),
    )
}
