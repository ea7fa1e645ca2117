//! Why is there no answer? Tells the ways apart in which a call can fail before its answer is complete.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::iter;
use std::time::Duration;

use thiserror::Error;

/// Why a call brought no complete answer. The text continues a sentence that begins with the peer's name, and holds
/// neither the address nor any header.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// No connection: the request certainly had no effect.
    #[error("{detail}")]
    NotSent { code: &'static str, detail: String },
    /// The answer is missing or cut; the request may have been carried out.
    #[error("{detail}")]
    Lost { code: &'static str, detail: String },
    #[error("sent an answer of more than {} MiB", .cap >> 20)]
    TooLarge { cap: usize },
}

impl NoAnswer {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent { code, .. } | Self::Lost { code, .. } => code,
            Self::TooLarge { .. } => "answer_too_large",
        }
    }

    /// The error of a request whose status line has not been received.
    pub(super) fn before_the_answer(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let root = root(&error);
        let not_sent = |code, detail| Self::NotSent { code, detail };
        if error.is_builder() {
            not_sent("not_sent", format!("could not be asked: {root}"))
        } else if error.is_dns() {
            not_sent("dns", format!("could not be found by its name: {root}"))
        } else if is_tls(&error) {
            not_sent("tls", format!("could not be reached by TLS: {root}"))
        } else if error.is_connect() && error.is_timeout() {
            not_sent("connect_timeout", "did not open a connection in time".to_owned())
        } else if error.is_connect() {
            match kind(&error) {
                Some(ErrorKind::ConnectionRefused) => {
                    not_sent("connection_refused", "refused the connection".to_owned())
                }
                _ => not_sent("connection_failed", format!("could not be reached: {root}")),
            }
        } else {
            Self::lost(&error, "connection_closed", "closed the connection without an answer")
        }
    }

    /// The error of an answer that has begun.
    pub(super) fn within_the_answer(error: reqwest::Error) -> Self {
        Self::lost(&error.without_url(), "truncated", "broke off in the middle of its answer")
    }

    /// The whole call took longer than it may.
    pub(super) fn too_slow(limit: Duration) -> Self {
        let detail = format!("did not complete its answer within {} s", limit.as_secs_f32());
        Self::Lost { code: "deadline_exceeded", detail }
    }

    fn lost(error: &reqwest::Error, otherwise: &'static str, what: &str) -> Self {
        let (code, detail) = if error.is_timeout() {
            ("timeout", "fell silent for longer than the read time-out".to_owned())
        } else if is_reset(error) {
            ("connection_reset", "reset the connection".to_owned())
        } else {
            (otherwise, format!("{what}: {}", root(error)))
        };
        Self::Lost { code, detail }
    }
}

fn is_reset(error: &reqwest::Error) -> bool {
    let reset = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];
    kind(error).is_some_and(|kind| reset.contains(&kind))
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        // An I/O error hands on the source of what it wraps, not the wrapped error, and may wrap another I/O error.
        let mut wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        while let Some(inner) = wrapped.and_then(|error| error.downcast_ref::<io::Error>()) {
            wrapped = inner.get_ref();
        }
        cause.is::<rustls::Error>() || wrapped.and_then(|e| e.downcast_ref::<rustls::Error>()).is_some()
    })
}

fn kind(error: &reqwest::Error) -> Option<ErrorKind> {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}

/// The innermost cause; the outer ones only say that something failed.
fn root(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    iter::successors(Some(error as &(dyn StdError + 'static)), |&error| error.source())
}
