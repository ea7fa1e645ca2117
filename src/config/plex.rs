//! Where is Plex, what of it may be touched, and how long may it take?

use std::time::Duration;

use garde::Validate;
use secrecy::SecretString;
use toml::Value;
use url::Url;

use super::bounds::{HOUR, MINUTE, between};
use super::reader::Reader;
use super::values;

/// Where Plex says how its owner finds the token.
const TOKEN_ARTICLE: &str =
    "https://support.plex.tv/articles/204059436-finding-an-authentication-token-x-plex-token/";

/// `[plex]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct PlexConfig {
    /// The server's address; http or https, the path ends in `/`.
    pub url: Url,
    /// The owner's token; always there in a configuration that was loaded to run.
    pub token: Option<SecretString>,
    /// Names of the libraries to touch; none means every library of the movie type.
    pub libraries: Vec<String>,
    /// Whether a certificate must be valid.
    pub verify_tls: bool,
    /// Time in which a connection must be made.
    #[garde(custom(between(Duration::from_millis(10), 5 * MINUTE)))]
    pub connect_timeout: Duration,
    /// Longest silence within an answer.
    #[garde(custom(between(Duration::from_millis(10), HOUR)))]
    pub read_timeout: Duration,
    /// Time for one whole edit.
    #[garde(custom(between(Duration::from_millis(10), HOUR)))]
    pub write_timeout: Duration,
    /// The device name towards Plex; none takes the one kept in the database.
    pub client_id: Option<String>,
}

impl PlexConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            url: reader.server_url("plex.url", "web"),
            token: reader.secret("plex.token"),
            libraries: reader.list("plex.libraries", library_name),
            verify_tls: reader.truth("plex.verify_tls"),
            connect_timeout: reader.duration("plex.connect_timeout"),
            read_timeout: reader.duration("plex.read_timeout"),
            write_timeout: reader.duration("plex.write_timeout"),
            client_id: reader.read("plex.client_id", client_id),
        };
        reader.check("plex", &section);
        section
    }

    /// Notes a problem if there is no token: without one Plex answers nothing that PlexSync needs.
    pub(super) fn require_token(&self, reader: &mut Reader) {
        if self.token.is_none() && !reader.is_troubled("plex.token") {
            reader.complain("plex.token", format!("is empty (how to find yours: {TOKEN_ARTICLE})"));
        }
    }
}

fn library_name(value: &Value) -> Result<String, String> {
    let name = values::text(value)?.trim();
    if name.is_empty() { Err("is empty (write the library's name)".to_owned()) } else { Ok(name.to_owned()) }
}

/// Travels in a header, so it is held to what fits there.
fn client_id(value: &Value) -> Result<Option<String>, String> {
    let id = values::text(value)?;
    if id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        Ok(Some(id).filter(|id| !id.is_empty()).map(str::to_owned))
    } else {
        Err(format!("is not a client id: {id:?} (letters, digits, \"-\", \"_\" and \".\" are right)"))
    }
}
