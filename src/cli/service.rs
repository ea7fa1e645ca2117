//! How does the command line reach a running service?

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::Global;
use super::exit::{Exit, Failed};
use crate::config::{Config, Purpose, local_url};
use crate::http::{self, Answer, HttpOptions, Limits, exchange};

const PATIENCE: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 16 << 20;

/// Asks the service that the configuration describes.
pub(super) fn get(config: &Config, path: &str) -> anyhow::Result<Answer> {
    let url = local_url(config.server.listen).join(path)?;
    let options =
        HttpOptions { url: &url, verify_tls: true, connect_timeout: PATIENCE, read_timeout: PATIENCE };
    let mut request = http::client(&options)?.get(url.clone());
    if let Some(token) = &config.server.token {
        request = request.bearer_auth(token.expose_secret());
    }
    let limits = Limits { total: PATIENCE, body: LARGEST_ANSWER };
    Ok(actix_rt::System::new().block_on(exchange(request, limits, config.server.token.as_ref()))?)
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
