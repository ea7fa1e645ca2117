//! How does PlexSync answer others?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use garde::Validate;
use secrecy::SecretString;
use toml::Value;
use url::{Host, Url};

use super::bounds::{MINUTE, between, from_to_bytes};
use super::reader::Reader;
use super::values;

/// `[server]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct ServerConfig {
    /// Address on which to listen; port 0 takes any free one. Not loopback only with a `token`.
    pub listen: SocketAddr,
    /// Where Stash reaches PlexSync, as written; see [`Self::reached_at`].
    pub public_url: Option<Url>,
    /// What opens the status page and the API; none opens them to everybody who reaches `listen`.
    pub token: Option<SecretString>,
    /// Names accepted in `Host` while there is no token, besides the loopback ones; lower case, without port.
    pub allowed_hosts: Vec<String>,
    /// Largest request body in bytes.
    #[garde(custom(from_to_bytes(1024, 64 * 1024 * 1024)))]
    pub max_body: usize,
    /// Time in which a request must have been answered.
    #[garde(custom(between(Duration::from_millis(100), 5 * MINUTE)))]
    pub request_timeout: Duration,
}

impl ServerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            listen: reader.listen_address("server.listen"),
            public_url: reader.read("server.public_url", public_url),
            token: reader.secret("server.token"),
            allowed_hosts: reader.list("server.allowed_hosts", host_name),
            max_body: reader.size("server.max_body"),
            request_timeout: reader.duration("server.request_timeout"),
        };
        reader.check("server", &section);
        let open = !section.listen.ip().to_canonical().is_loopback() && section.token.is_none();
        if open && !reader.is_troubled("server.token") {
            let text = format!(
                "{} can be reached from other machines and needs server.token (set one, or listen on 127.0.0.1)",
                section.listen
            );
            reader.complain("server.listen", text);
        }
        section
    }

    /// Where PlexSync is reached when it listens on `bound`: at `public_url`, else at that very address. The path ends
    /// in `/`.
    pub fn reached_at(&self, bound: SocketAddr) -> Url {
        self.public_url.clone().unwrap_or_else(|| local_url(bound))
    }
}

/// How this machine reaches a service that listens on `bound`. One that listens on every address is reached on the
/// loopback one.
#[expect(clippy::expect_used, reason = "an address with a port makes a URL, whichever it is")]
pub fn local_url(bound: SocketAddr) -> Url {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        known @ (IpAddr::V4(_) | IpAddr::V6(_)) => known,
    };
    let address = SocketAddr::new(ip, bound.port());
    Url::parse(&format!("http://{address}/")).expect("a URL of an address and a port")
}

fn public_url(value: &Value) -> Result<Option<Url>, String> {
    if value.as_str().is_some_and(|written| written.trim().is_empty()) {
        return Ok(None);
    }
    values::server_url(value, "webhooks").map(Some)
}

fn host_name(value: &Value) -> Result<String, String> {
    let written = values::text(value)?.trim();
    let host = Host::parse(written).ok().filter(|_| !written.contains('*'));
    host.map(|host| host.to_string()).ok_or_else(|| {
        format!("is not a host name: {written:?} (write the name alone, for example \"nas.lan\")")
    })
}
