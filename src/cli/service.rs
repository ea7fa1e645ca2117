//! How does the command line reach a running service?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use url::Url;

use super::Global;
use super::exit::{Exit, Failed};
use crate::config::{Config, Purpose};
use crate::http::{self, Answer, HttpOptions, Limits, exchange};

const PATIENCE: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 16 << 20;

/// Asks the service that the configuration describes.
pub(super) fn get(config: &Config, path: &str) -> anyhow::Result<Answer> {
    let url = Url::parse(&format!("http://{}{path}", reachable(config.server.listen)))?;
    let options =
        HttpOptions { url: &url, verify_tls: true, connect_timeout: PATIENCE, read_timeout: PATIENCE };
    let mut request = http::client(&options)?.get(url.clone());
    if let Some(token) = &config.server.token {
        request = request.bearer_auth(token.expose_secret());
    }
    let limits = Limits { total: PATIENCE, body: LARGEST_ANSWER };
    Ok(actix_rt::System::new().block_on(exchange(request, limits, config.server.token.as_ref()))?)
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
    Err(Failed::text(Exit::Reported, format!("the service is not ready: {}", answer.text.trim())))
}
