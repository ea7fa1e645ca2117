//! How does the command line reach a running service?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::Global;
use super::exit::{Exit, Failed};
use crate::config::{Config, Purpose};
use crate::http::{self, Answer, HttpOptions, NoAnswer, fetch};

const PATIENCE: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 16 << 20;

/// Asks the service that the configuration describes.
pub(super) fn get(config: &Config, path: &str) -> Result<Answer, NoAnswer> {
    let options =
        HttpOptions { connect_timeout: PATIENCE, silence: PATIENCE, is_https: false, verify_tls: true };
    let failed = |error: &dyn std::fmt::Display| NoAnswer {
        code: "no_client",
        text: error.to_string(),
        may_have_arrived: false,
    };
    let client = http::client(&options).map_err(|error| failed(&error))?;
    let mut request = client.get(format!("http://{}{path}", reachable(config.server.listen)));
    if let Some(token) = &config.server.token {
        request = request.bearer_auth(token.expose_secret());
    }
    actix_rt::System::new().block_on(fetch(request, PATIENCE, LARGEST_ANSWER))
}

/// A service that listens on every address is reached on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        known @ (IpAddr::V4(_) | IpAddr::V6(_)) => known,
    };
    SocketAddr::new(ip, listen.port())
}

pub(super) fn healthcheck(global: &Global) -> Result<(), Failed> {
    let loaded = global.load(Purpose::Inspect)?;
    let answer = get(&loaded.config, "/readyz");
    let answer = answer
        .map_err(|error| Failed::text(Exit::Reported, format!("the service does not answer: {error}")))?;
    if answer.status.is_success() {
        return Ok(());
    }
    Err(Failed::text(Exit::Reported, format!("the service is not ready: {}", http::beginning(&answer.body))))
}
