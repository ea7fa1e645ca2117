//! Where is Stash, and how long may it take?

use std::time::Duration;

use garde::Validate;
use secrecy::SecretString;
use url::Url;

use super::bounds::{HOUR, MINUTE, between, rate};
use super::reader::Reader;

/// `[stash]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct StashConfig {
    /// The server's address; http or https, the path ends in `/`.
    pub url: Url,
    /// The API key; none where Stash asks for no login.
    pub api_key: Option<SecretString>,
    /// Time in which a connection must be made.
    #[garde(custom(between(Duration::from_millis(10), 5 * MINUTE)))]
    pub connect_timeout: Duration,
    /// Longest silence within an answer.
    #[garde(custom(between(Duration::from_millis(10), HOUR)))]
    pub read_timeout: Duration,
    /// Questions in a second; 0 is off.
    #[garde(custom(rate()))]
    pub max_requests_per_second: f64,
}

impl StashConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            url: reader.server_url("stash.url", "graphql"),
            api_key: reader.secret("stash.api_key"),
            connect_timeout: reader.duration("stash.connect_timeout"),
            read_timeout: reader.duration("stash.read_timeout"),
            max_requests_per_second: reader.fraction("stash.max_requests_per_second"),
        };
        reader.check("stash", &section);
        section
    }
}
