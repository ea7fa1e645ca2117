//! Who may ask? Tokens in constant time; without a token the name in `Host` and the `Origin` of a write are checked.

use actix_web::http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use actix_web::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::error::WebError;

/// What a request has to show.
#[derive(Debug, Clone)]
pub struct Access {
    token: Option<SecretString>,
    /// Host names, without a port and in lower case, under which the service may be addressed when it has no token.
    hosts: Vec<String>,
}

impl Access {
    /// Loopback names are always allowed.
    pub fn new(token: Option<SecretString>, allowed_hosts: &[String]) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let allowed = allowed_hosts.iter().map(|host| host.to_ascii_lowercase());
        Self { token, hosts: loopback.into_iter().chain(allowed).collect() }
    }

    /// Lets a request pass or says why not.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), WebError> {
        if let Some(token) = &self.token {
            let expected = token.expose_secret().as_bytes();
            return match presented(headers) {
                Some(shown) if bool::from(shown.as_bytes().ct_eq(expected)) => Ok(()),
                Some(_) => Err(WebError::new(StatusCode::UNAUTHORIZED, "the token is wrong")),
                None => Err(WebError::new(
                    StatusCode::UNAUTHORIZED,
                    "a token is needed: as bearer, as X-PlexSync-Token, or as the password of HTTP Basic",
                )),
            };
        }
        self.check_host(headers)?;
        self.check_origin(method, headers)
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
mod tests {
    use actix_web::ResponseError as _;
    use actix_web::http::header::{HeaderName, HeaderValue};
    use rstest::rstest;

    use super::*;

    fn check(token: Option<&str>, method: &Method, headers: &[(&str, &str)]) -> u16 {
        let access = Access::new(token.map(Into::into), &["nas.local".to_owned()]);
        let header = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
        };
        let headers: HeaderMap = headers.iter().map(header).collect();
        access.check(method, &headers).map_or_else(|error| error.status_code().as_u16(), |()| 200)
    }

    #[rstest]
    #[case::bearer(&[("authorization", "Bearer s3cret")], 200)]
    #[case::own_header(&[("x-plexsync-token", "s3cret")], 200)]
    #[case::basic(&[("authorization", "Basic YW55Ym9keTpzM2NyZXQ=")], 200)]
    #[case::wrong(&[("authorization", "Bearer s3cret2")], 401)]
    #[case::empty(&[("authorization", "Bearer ")], 401)]
    #[case::not_base64(&[("authorization", "Basic ***")], 401)]
    #[case::none(&[], 401)]
    fn with_a_token_every_request_shows_it(#[case] headers: &[(&str, &str)], #[case] status: u16) {
        assert_eq!(check(Some("s3cret"), &Method::POST, headers), status);
    }

    #[rstest]
    #[case("localhost:8765", 200)]
    #[case("127.0.0.1:8765", 200)]
    #[case("[::1]:8765", 200)]
    #[case("NAS.local", 200)]
    #[case("evil.example:8765", 421)]
    #[case("", 421)]
    fn without_a_token_only_known_names_are_answered(#[case] host: &str, #[case] status: u16) {
        assert_eq!(check(None, &Method::GET, &[("host", host)]), status);
    }

    #[rstest]
    #[case(&Method::POST, "http://evil.example", 403)]
    #[case(&Method::POST, "null", 403)]
    #[case(&Method::POST, "http://localhost:8765", 200)]
    #[case(&Method::GET, "http://evil.example", 200)]
    fn without_a_token_a_foreign_page_cannot_post(
        #[case] method: &Method,
        #[case] origin: &str,
        #[case] status: u16,
    ) {
        assert_eq!(check(None, method, &[("host", "localhost"), ("origin", origin)]), status);
    }
}
