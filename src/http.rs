//! How do we talk HTTP? The one place that builds clients: time-outs, user agent, a bound on bodies, no redirects, and no
//! address in any error, since an address may hold a secret.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use thiserror::Error;

/// How a client behaves.
#[derive(Debug, Clone, Copy)]
pub struct HttpOptions {
    pub connect_timeout: Duration,
    /// The longest silence in the middle of an answer.
    pub silence: Duration,
    pub is_https: bool,
    pub verify_tls: bool,
}

/// A client that cannot be built.
#[derive(Debug, Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct HttpError(#[from] reqwest::Error);

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct NoAnswer {
    /// A stable word.
    pub code: &'static str,
    pub text: String,
    /// Whether the request may have reached the peer, so that a write may have been done.
    pub may_have_arrived: bool,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

/// Builds a client.
pub fn client(options: &HttpOptions) -> Result<Client, HttpError> {
    // Every client uses it; whoever comes first installs it.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut builder = Client::builder()
        .user_agent(concat!("PlexSync/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.silence)
        .redirect(Policy::none())
        .no_proxy()
        .tls_danger_accept_invalid_certs(!options.verify_tls);
    if !options.is_https {
        // Without this, building fails on a machine that holds no certificates, even for plain HTTP.
        builder = builder.tls_certs_only([]);
    }
    Ok(builder.build()?)
}

/// Sends a request and reads the whole answer, `limit` in all and at most `most` bytes of body.
pub async fn fetch(request: RequestBuilder, limit: Duration, most: usize) -> Result<Answer, NoAnswer> {
    tokio::time::timeout(limit, read(request, most)).await.unwrap_or_else(|_| {
        let text = format!("no whole answer within {limit:?}");
        Err(NoAnswer { code: "timeout", text, may_have_arrived: true })
    })
}

async fn read(request: RequestBuilder, most: usize) -> Result<Answer, NoAnswer> {
    let mut response = request.send().await.map_err(explain)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(explain)? {
        if body.len() + chunk.len() > most {
            let text = format!("the answer is larger than {most} bytes");
            return Err(NoAnswer { code: "too_large", text, may_have_arrived: true });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// Says what happened without saying where.
fn explain(error: reqwest::Error) -> NoAnswer {
    let error = error.without_url();
    let causes: Vec<&(dyn std::error::Error + 'static)> =
        std::iter::successors(error.source(), |cause| (*cause).source()).collect();
    let io_kind =
        causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let cause = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    let may_have_arrived = !error.is_connect() && !error.is_builder();
    let (code, text) = if error.is_timeout() {
        ("timeout", "the peer was silent for too long".to_owned())
    } else if io_kind == Some(io::ErrorKind::ConnectionRefused) {
        ("connection_refused", "the connection was refused".to_owned())
    } else if cause.contains("lookup") || cause.contains("resolve") || cause.contains("Name or service") {
        ("dns", format!("the name of the host cannot be resolved ({cause})"))
    } else if cause.contains("certificate") || cause.contains("TLS") {
        ("tls", format!("the secure connection failed ({cause})"))
    } else if error.is_connect() {
        ("connect", format!("cannot connect ({cause})"))
    } else {
        ("connection_lost", format!("the connection was lost ({cause})"))
    };
    NoAnswer { code, text, may_have_arrived }
}

/// How long a peer asks us to wait: seconds, or a moment in HTTP's own form, seen from the peer's own `Date`.
pub fn retry_after(answer: &Answer) -> Option<Duration> {
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let wanted = header(reqwest::header::RETRY_AFTER)?;
    if let Ok(seconds) = wanted.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text| jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp());
    let (until, now) = (moment(wanted)?, moment(header(reqwest::header::DATE)?)?);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// The beginning of a body as text, for an error.
pub fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect()
}
