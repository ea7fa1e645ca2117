//! How is a peer called over HTTP? One client builder, one bounded exchange, and no secret in any error.

mod answer;
#[cfg(test)]
pub(crate) mod canned;
mod credential;
mod no_answer;
mod redirect;
#[cfg(test)]
mod tests;
mod upgrade;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, retry};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use url::Url;

pub use answer::{Answer, Download, Undecodable, excerpt};
pub use credential::Credential;
pub use no_answer::NoAnswer;
pub use redirect::Redirect;
pub use upgrade::{Upgrade, upgrade};

/// How long a connection is silent before the system asks whether the other end is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What `localhost` stands for (RFC 6761), also where there is no `/etc/hosts` to say so. The port is the address's own.
const LOOPBACK: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
];

/// What a client for one peer needs to know.
#[derive(Debug, Clone)]
pub struct HttpOptions<'a> {
    /// The peer's address: with `https` the system's certificate authorities are loaded, with `http` none is needed.
    pub url: &'a Url,
    /// `false` accepts any certificate of the peer.
    pub verify_tls: bool,
    /// How long a connection may take to open, TLS included.
    pub connect_timeout: Duration,
    /// How long the peer may be silent, before its answer and within it.
    pub read_timeout: Duration,
}

/// Why no client could be built. None of these goes away by itself.
#[derive(Debug, Error)]
pub enum HttpError {
    #[error(
        "an address starts with http:// or https:// and names a host, but this one starts with {scheme:?}"
    )]
    Address { scheme: String },
    #[error("the {name} holds characters that cannot be sent in a header, such as a line break")]
    Header { name: &'static str },
    #[error("the HTTP client could not be set up; with https, are the CA certificates installed?")]
    Setup(#[source] reqwest::Error),
}

/// Builds the client for one peer. It follows no redirects and uses no proxy: a token must reach its peer alone.
pub fn client(options: &HttpOptions<'_>) -> Result<reqwest::Client, HttpError> {
    let tls = match options.url.scheme() {
        "https" => true,
        "http" => false,
        scheme => return Err(HttpError::Address { scheme: scheme.to_owned() }),
    };
    install_crypto();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("PlexSync/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .redirect(Policy::none())
        // Whether to try again is decided where the failure is understood.
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .gzip(true)
        .pool_max_idle_per_host(4)
        // A time-out would start a task when the first connection comes back. One that comes back because its thread
        // is being stopped finds no runtime to start it on, and such a panic ends the process. A peer closes idle
        // connections itself, and keep-alive finds out dead ones.
        .pool_idle_timeout(None)
        .tcp_keepalive(KEEP_ALIVE)
        .resolve_to_addrs("localhost", &LOOPBACK)
        .tls_danger_accept_invalid_certs(!options.verify_tls);
    // Without CA files on the machine `build` fails even for plain HTTP, unless it is told to look for none.
    let builder = if tls { builder } else { builder.tls_certs_only([]) };
    builder.build().map_err(|error| HttpError::Setup(error.without_url()))
}

/// Chooses the TLS implementation of the process. Called again it changes nothing.
pub fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error says that another thread was first, with the same provider.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

/// A header value. `name` is what the operator calls it, for the error.
pub fn header(name: &'static str, value: &str) -> Result<HeaderValue, HttpError> {
    // By bytes, as both peers take UTF-8 here.
    HeaderValue::from_bytes(value.as_bytes()).map_err(|_invalid| HttpError::Header { name })
}

/// A header value that prints as `Sensitive`.
pub fn secret_header(name: &'static str, value: &SecretString) -> Result<HeaderValue, HttpError> {
    let mut value = header(name, value.expose_secret())?;
    value.set_sensitive(true);
    Ok(value)
}

/// An address below that of a peer, whose own path is kept and whose query is not.
pub fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses like `mailto:` have no path to extend, and `client` has refused those.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// How much of an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first byte sent to the last byte received.
    pub total: Duration,
    /// Bytes of the body, once decompressed.
    pub body: usize,
}

/// Sends a request and receives the whole answer within the limits. Wherever the peer repeats `secret`, the answer
/// holds `***` instead, so that whatever quotes it later is safe.
pub async fn exchange(
    request: RequestBuilder,
    limits: Limits,
    secret: Option<&SecretString>,
) -> Result<Answer, NoAnswer> {
    Ok(download(request, limits).await?.into_answer(secret))
}

/// Sends a request and receives the whole answer within the limits, byte for byte.
pub async fn download(request: RequestBuilder, limits: Limits) -> Result<Download, NoAnswer> {
    // Boxed, as the state of a connection being opened would make every caller's future large.
    let received = Box::pin(async move {
        let response = request.send().await.map_err(NoAnswer::before_the_answer)?;
        receive(response, limits.body).await
    });
    within(limits.total, received).await
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_elapsed| Err(NoAnswer::too_slow(limit)))
}

/// Receives what is left of an answer that has begun.
async fn receive(mut response: Response, cap: usize) -> Result<Download, NoAnswer> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let asked = response.url().clone();
    let body = read_body(response, cap).await?;
    Ok(Download { asked, status, headers, body })
}

/// Reads a body chunk by chunk, and stops at the first one that would go beyond `cap` bytes. When the peer announces
/// more than that, nothing is read.
pub async fn read_body(mut response: Response, cap: usize) -> Result<Vec<u8>, NoAnswer> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > cap) {
        return Err(NoAnswer::TooLarge { cap });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(NoAnswer::within_the_answer)? {
        if chunk.len() > cap - body.len() {
            return Err(NoAnswer::TooLarge { cap });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
