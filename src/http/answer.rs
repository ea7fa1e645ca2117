//! What did the peer say? A complete answer, with the few things that both peers' answers are asked.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{AsHeaderName, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;
use url::Url;

use super::redirect::Redirect;

/// A complete answer, of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The address that was asked.
    pub asked: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body. Bytes that are not UTF-8 became U+FFFD: both peers send file names as the disk has them.
    pub text: String,
}

/// A complete answer whose body is no text.
#[derive(Debug, Clone)]
pub struct Download {
    /// The address that was asked.
    pub asked: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Download {
    /// The same as a text, in which `***` stands for the secret.
    pub fn into_answer(self, secret: Option<&SecretString>) -> Answer {
        let Self { asked, status, headers, body } = self;
        let text = String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Answer { asked, status, headers: without_in(headers, secret), text: without(text, secret) }
    }

    /// A header's value, unless it is missing or not ASCII.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// Why a body could not be turned into what was asked for. The text continues a sentence about the peer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Undecodable {
    #[error("sent {what} where JSON was due")]
    NotJson { what: &'static str },
    #[error("sent JSON of an unknown shape: {detail}")]
    Shape { detail: String },
}

impl Answer {
    /// Parses the body, whatever its declared type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Undecodable> {
        serde_json::from_str(&self.text).map_err(|error| {
            // The shape can be wrong before the syntax is: half an answer of another kind is still half an answer.
            let whole = serde_json::from_str::<IgnoredAny>(&self.text).is_ok();
            if whole {
                Undecodable::Shape { detail: excerpt(&error.to_string()) }
            } else {
                Undecodable::NotJson { what: look(&self.text) }
            }
        })
    }

    /// How long the peer asks to be left alone: seconds, or a date, which is measured against the peer's own clock.
    pub fn retry_after(&self) -> Option<Duration> {
        let asked = self.header(RETRY_AFTER)?;
        if let Ok(seconds) = asked.parse::<u32>() {
            return Some(Duration::from_secs(seconds.into()));
        }
        let wait = http_date(asked)?.duration_since(http_date(self.header(DATE)?)?);
        Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
    }

    /// Where a redirect leads whoever asked the peer at `base`.
    pub fn redirect(&self, base: &Url) -> Option<Redirect> {
        let location = self.header(LOCATION).filter(|_| self.status.is_redirection())?;
        Redirect::new(base, &self.asked, location)
    }

    /// Whether the body is a page for people. A peer's own short errors in XML are none.
    pub fn is_page(&self) -> bool {
        const BEGINNING: usize = 1024;
        let beginning: String = self.text.trim_start().chars().take(BEGINNING).collect();
        let beginning = beginning.trim_start_matches('\u{feff}').to_ascii_lowercase();
        beginning.starts_with('<') && (beginning.contains("<html") || beginning.contains("<!doctype html"))
    }

    /// A header's value, unless it is missing or not ASCII.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// The beginning of a text that a peer chose, for a sentence of ours.
pub fn excerpt(text: &str) -> String {
    const KEPT: usize = 300;
    let mut kept: String = text.chars().take(KEPT).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

fn without(text: String, secret: Option<&SecretString>) -> String {
    let secret = secret.map(ExposeSecret::expose_secret).filter(|secret| text.contains(*secret));
    match secret {
        Some(secret) if !secret.is_empty() => text.replace(secret, "***"),
        Some(_) | None => text,
    }
}

/// Of the headers only this one is ever told.
fn without_in(mut headers: HeaderMap, secret: Option<&SecretString>) -> HeaderMap {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let hidden = location.map(|location| without(location.to_owned(), secret).parse());
    if let Some(Ok(hidden)) = hidden {
        headers.insert(LOCATION, hidden);
    }
    headers
}

fn http_date(text: &str) -> Option<Timestamp> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text).ok()
}

fn look(text: &str) -> &'static str {
    match text.trim_start().chars().next() {
        None => "an empty body",
        Some('<') => "a page",
        Some('{' | '[') => "half an answer",
        Some(_) => "text",
    }
}
