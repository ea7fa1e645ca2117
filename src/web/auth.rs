//! Who may ask? Tokens in constant time; without a token the name in `Host` and the `Origin` of a write are checked.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use actix_web::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConstantTimeEq as _};

use super::error::WebError;
use crate::store::tokens::NarrowTokens;

/// What a request is for. Some things a narrower token opens as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only the service's own token will do.
    Everything,
    /// The hook token as well.
    PostEvents,
    /// The plugin token as well, also in the query: Stash keeps the address of a plugin source and sends nothing else.
    ReadPlugin,
}

/// What a request has to show.
#[derive(Debug, Clone)]
pub struct Access {
    token: Option<SecretString>,
    narrow: NarrowTokens,
    /// Host names, without a port and in lower case, under which the service may be addressed when it has no token.
    hosts: Vec<String>,
}

impl Access {
    /// Loopback names are always allowed. Without a `token` the others are not asked for.
    pub fn new(token: Option<SecretString>, narrow: NarrowTokens, allowed_hosts: &[String]) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let allowed = allowed_hosts.iter().map(|host| host.to_ascii_lowercase());
        Self { token, narrow, hosts: loopback.into_iter().chain(allowed).collect() }
    }

    /// Lets a request pass or says why not.
    pub fn check(&self, request: &HttpRequest, scope: Scope) -> Result<(), WebError> {
        let shown = presented(request.headers()).or_else(|| match scope {
            Scope::Everything | Scope::PostEvents => None,
            Scope::ReadPlugin => in_query(request.query_string()),
        });
        let Some(token) = &self.token else {
            self.check_host(request.headers())?;
            return self.check_origin(request.method(), request.headers());
        };
        let narrow = match scope {
            Scope::Everything => None,
            Scope::PostEvents => Some(&self.narrow.hook),
            Scope::ReadPlugin => Some(&self.narrow.plugin),
        };
        match shown {
            // All are compared, so that the time tells nothing.
            Some(shown) if is_one_of(&shown, [Some(token), narrow]) => Ok(()),
            Some(_) => Err(WebError::new(StatusCode::UNAUTHORIZED, "the token is wrong")),
            None => Err(WebError::new(
                StatusCode::UNAUTHORIZED,
                "a token is needed: as bearer, as X-PlexSync-Token, or as the password of HTTP Basic",
            )),
        }
    }

    /// A web page elsewhere can point a name of its own at this machine (DNS rebinding), but it cannot hide that name.
    fn check_host(&self, headers: &HeaderMap) -> Result<(), WebError> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if self.knows(host) {
            return Ok(());
        }
        let text = format!(
            "this service does not answer as {host:?}; set server.token, or add the name to server.allowed_hosts"
        );
        Err(WebError::new(StatusCode::MISDIRECTED_REQUEST, text))
    }

    fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), WebError> {
        if !matches!(*method, Method::POST | Method::PUT | Method::DELETE | Method::PATCH) {
            return Ok(());
        }
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        if origin.split_once("://").is_some_and(|(_, host)| self.knows(host)) {
            return Ok(());
        }
        Err(WebError::new(StatusCode::FORBIDDEN, format!("a page of {origin:?} may not post here")))
    }

    fn knows(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        self.hosts.contains(&name)
    }
}

/// In constant time for texts of one length.
fn is_one_of(shown: &str, tokens: [Option<&SecretString>; 2]) -> bool {
    let equal = tokens.into_iter().flatten().fold(Choice::from(0), |equal, token| {
        equal | shown.as_bytes().ct_eq(token.expose_secret().as_bytes())
    });
    equal.into()
}

fn in_query(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.into_owned())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

fn presented(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = headers.get("x-plexsync-token") {
        return token.to_str().ok().map(str::to_owned);
    }
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        return pair.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

#[cfg(test)]
mod tests;
