//! How does PlexSync answer others?

use std::net::SocketAddr;
use std::time::Duration;

use garde::Validate;
use secrecy::SecretString;
use toml::Value;
use url::Host;

use super::bounds::{MINUTE, between, from_to_bytes};
use super::reader::Reader;
use super::values;

/// `[server]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct ServerConfig {
    /// Address on which to listen; port 0 takes any free one. Not loopback only with a `token`.
    pub listen: SocketAddr,
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
}

fn host_name(value: &Value) -> Result<String, String> {
    let written = values::text(value)?.trim();
    let host = Host::parse(written).ok().filter(|_| !written.contains('*'));
    host.map(|host| host.to_string()).ok_or_else(|| {
        format!("is not a host name: {written:?} (write the name alone, for example \"nas.lan\")")
    })
}
