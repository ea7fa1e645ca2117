//! What does an answer of Plex mean? Turns everything but a good answer into a classified failure.

use reqwest::StatusCode;
use url::{Host, Url};

use crate::domain::circuit::Circuit;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::http::{Answer, NoAnswer, Redirect, Undecodable, excerpt};

/// What was asked, as the same status means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// About the server, or for its libraries.
    Server,
    /// For a listing of one library.
    Library,
    /// For one item.
    Item,
    /// To change items.
    Edit,
    /// To take or to show an image.
    Image,
    /// To open the channel of notifications.
    Channel,
}

impl Asked {
    /// Whether something may have been changed although no success was told.
    fn may_change(self) -> bool {
        match self {
            Self::Server | Self::Library | Self::Item | Self::Channel => false,
            Self::Edit | Self::Image => true,
        }
    }
}

/// What Plex writes, with status 400, while it starts.
const STARTING: &str = "still starting up";

/// Knows what belongs into the sentences about one Plex.
#[derive(Debug, Clone)]
pub(super) struct Classifier {
    url: Url,
}

impl Classifier {
    pub(super) fn new(url: Url) -> Self {
        Self { url }
    }

    pub(super) fn no_answer(&self, asked: Asked, error: &NoAnswer) -> Failure {
        let (class, code) = match error {
            // The request is out and the answer is lost: only reading back tells whether it was carried out.
            NoAnswer::Lost { .. } | NoAnswer::TooLarge { .. } if asked.may_change() => {
                (FailureClass::Unavailable, "write_unknown")
            }
            NoAnswer::NotSent { .. } | NoAnswer::Lost { .. } => (FailureClass::Unavailable, error.code()),
            NoAnswer::TooLarge { .. } => (FailureClass::Incompatible, error.code()),
        };
        self.failure(class, code, &error.to_string())
    }

    /// The failure that a status stands for; none if it is a success. A 403 is taken for a refusal of the token,
    /// so whoever asks has to find out first whether it is about one item only: [`Self::closed`].
    pub(super) fn bad_status(&self, asked: Asked, answer: &Answer) -> Option<Failure> {
        let status = answer.status;
        let failure = if status.is_success() {
            return None;
        } else if status.is_redirection() {
            self.redirect(answer)
        } else if status.is_server_error() {
            self.server_error(asked, answer)
        } else {
            self.client_error(asked, answer)
        };
        Some(failure.with_answer(&answer.text))
    }

    /// The failure of a 403 whose token is good elsewhere.
    pub(super) fn closed(&self, asked: Asked, answer: &Answer) -> Failure {
        let what = match asked {
            Asked::Server | Asked::Channel => "this question",
            Asked::Library => "the library",
            Asked::Item | Asked::Edit | Asked::Image => "the item",
        };
        let said = format!("closes {what} to this token; is the library shared with its account?");
        self.failure(FailureClass::Forbidden, "forbidden", &said).with_answer(&answer.text)
    }

    pub(super) fn undecodable(&self, error: &Undecodable, answer: &Answer) -> Failure {
        let detail = error.to_string();
        let failure = match error {
            // Plex was asked for JSON and keeps to it, so something between it and us is speaking.
            Undecodable::NotJson { .. } => {
                let detail = format!("{detail}; does a proxy stand before it?");
                self.failure(FailureClass::Unavailable, "not_json", &detail)
            }
            Undecodable::Shape { .. } => self.failure(FailureClass::Incompatible, "undecodable", &detail),
        };
        failure.with_answer(&answer.text)
    }

    /// What a page means that comes as the success of a change: Plex has nothing to say then, so something between it
    /// and us is speaking.
    pub(super) fn page(&self, answer: &Answer) -> Option<Failure> {
        let said =
            "has not made a change, which was answered with a page; does a proxy before it want a login?";
        let failure = || self.failure(FailureClass::Unavailable, "page_answered", said);
        answer.is_page().then(|| failure().with_answer(&answer.text))
    }

    /// `said` continues a sentence that begins with the peer's name.
    pub(super) fn failure(&self, class: FailureClass, code: &'static str, said: &str) -> Failure {
        let at = self.url.origin().ascii_serialization();
        Failure::new(class, Peer::Plex, code, format!("Plex at {at} {said}")).on(Circuit::PlexRead)
    }

    fn redirect(&self, answer: &Answer) -> Failure {
        let Some(Redirect { target, moved_to, is_login }) = answer.redirect(&self.url) else {
            let said = "redirects to nowhere; is plex.url the address of a Plex server?";
            return self.failure(FailureClass::Incompatible, "redirected", said);
        };
        let target = excerpt(&target);
        if is_login {
            let said = format!(
                "sends us to a login at {target}; let the proxy before it pass PlexSync without one, or set \
                 plex.url to the server's own address"
            );
            return self.failure(FailureClass::Unauthorized, "login_redirect", &said);
        }
        let advice = match moved_to {
            Some(moved_to) => format!("set plex.url to {:?} if that is right", excerpt(&moved_to)),
            None => "plex.url should be the final address".to_owned(),
        };
        let said = format!("redirects to {target}, and the token is not sent there; {advice}");
        self.failure(FailureClass::Incompatible, "redirected", &said)
    }

    fn server_error(&self, asked: Asked, answer: &Answer) -> Failure {
        let wait = answer.retry_after();
        if answer.status == StatusCode::SERVICE_UNAVAILABLE && wait.is_some() {
            let said = "asks to be left alone for a while";
            return self.failure(FailureClass::Throttled, "busy", said).retry_after(wait);
        }
        let said = match reason(&answer.text) {
            Some(reason) => format!("answered {}: {}", answer.status, excerpt(reason)),
            None => format!("answered {}", answer.status),
        };
        let code = if asked.may_change() {
            // A busy database gives up after ten seconds with a 500, and may have written before.
            "write_unknown"
        } else if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            "maintenance"
        } else {
            "server_error"
        };
        self.failure(FailureClass::Unavailable, code, &said)
    }

    fn client_error(&self, asked: Asked, answer: &Answer) -> Failure {
        let status = answer.status;
        match status {
            StatusCode::BAD_REQUEST if answer.text.contains(STARTING) => {
                self.failure(FailureClass::Unavailable, "starting_up", "is still starting up")
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let said = format!("refuses the token ({status}){}", self.host_advice());
                self.failure(FailureClass::Unauthorized, "token_refused", &said)
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let wait = answer.retry_after();
                let said = "asks for fewer requests";
                self.failure(FailureClass::Throttled, "too_many_requests", said).retry_after(wait)
            }
            StatusCode::REQUEST_TIMEOUT => {
                let code = if asked.may_change() { "write_unknown" } else { "request_timeout" };
                self.failure(FailureClass::Unavailable, code, "gave up waiting for the request")
            }
            StatusCode::NOT_FOUND => self.not_found(asked),
            _ if asked == Asked::Channel => self.no_channel(&format!("answered {status}")),
            _ if asked == Asked::Edit => {
                let said = format!("refused the edit with {status}");
                self.failure(FailureClass::Rejected, "edit_rejected", &said)
            }
            _ if asked == Asked::Image => {
                let said = format!("refused the image with {status}");
                self.failure(FailureClass::Rejected, "image_rejected", &said)
            }
            _ => {
                let said = format!("answered {status}; is plex.url the address of a Plex server?");
                self.failure(FailureClass::Incompatible, "unexpected_status", &said)
            }
        }
    }

    fn not_found(&self, asked: Asked) -> Failure {
        match asked {
            Asked::Server => {
                let said = "does not know the question; is plex.url the address of a Plex server?";
                self.failure(FailureClass::Incompatible, "unexpected_status", said)
            }
            Asked::Library => {
                self.failure(FailureClass::StaleMatch, "library_gone", "does not have the library any more")
            }
            Asked::Channel => self.no_channel("does not know the question"),
            Asked::Item | Asked::Edit | Asked::Image => {
                self.failure(FailureClass::StaleMatch, "item_gone", "does not have the item any more")
            }
        }
    }

    /// Whatever answers opens no channel of notifications. `said` continues a sentence that begins with its name.
    pub(super) fn no_channel(&self, said: &str) -> Failure {
        let said = format!(
            "{said} where it should send notifications; does a proxy stand before it that lets no WebSocket through?"
        );
        self.failure(FailureClass::Incompatible, "no_notifications", &said)
    }

    /// Against DNS rebinding a server that nobody has claimed answers 401 to any name that it does not know as its
    /// own, such as a service's name in a Docker network; the token has nothing to do with it.
    fn host_advice(&self) -> String {
        match self.url.host() {
            Some(Host::Domain(name)) if name != "localhost" && !name.ends_with(".plex.direct") => format!(
                "; if the token is right: a server that is not claimed refuses the name {name:?} in the Host \
                 header, as Docker services have, so try its IP address in plex.url"
            ),
            Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | None => String::new(),
        }
    }
}

/// What Plex says in the XML of an error. It is XML even when JSON was asked for, and has only this one attribute
/// that is worth reading, so no parser is needed.
fn reason(text: &str) -> Option<&str> {
    let (_, attributes) = text.split_once("<Response ")?;
    let (_, status) = attributes.split_once("status=\"")?;
    status.split_once('"').map(|(status, _)| status)
}
