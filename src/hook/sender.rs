//! How does an event get to the service? One small post with short limits, and what the answer means for the event.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};
use url::Url;

const CONNECT: Duration = Duration::from_secs(1);
/// The answers are short; of what a stranger answers, the beginning is enough.
const LONGEST_ANSWER: u64 = 16 << 10;
/// As much of it as a person reads.
const SHOWN: usize = 300;

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reception {
    /// It is stored.
    Taken,
    /// It will never be taken as it is.
    Refused(String),
    /// The service is away or cannot store now.
    NotNow(String),
    /// The service is there and lets us in no more, or something else answers in its place: kept, and somebody told.
    Denied(String),
}

/// The way to one service, for as long as one call may take.
pub(super) struct Sender {
    agent: Agent,
    url: Url,
    token: Option<SecretString>,
    until: Instant,
}

/// How the service words a refusal.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    field: String,
    problem: String,
}

impl Sender {
    /// `until`: when all that is sent has to be over.
    pub(super) fn new(url: &str, token: Option<SecretString>, until: Instant) -> Result<Self, String> {
        let mut url = Url::parse(url).map_err(|error| format!("{url:?} is no address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{url} is no address of http or https"));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // Stash may have a proxy for the world outside; the service is not there. The same goes for redirects.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("plexsync-hook/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls(&url))
            .build()
            .new_agent();
        Ok(Self { agent, url, token, until })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn has_time(&self) -> bool {
        !self.time_left().is_zero()
    }

    fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Posts one event, or an array of them.
    pub(super) fn send(&self, events: &str) -> Reception {
        self.post("webhooks/stash", events, 202)
    }

    /// Asks whether an event would be let in.
    pub(super) fn ping(&self) -> Reception {
        self.post("webhooks/stash/ping", "{}", 200)
    }

    fn post(&self, path: &str, body: &str, expected: u16) -> Reception {
        let left = self.time_left();
        if left.is_zero() {
            return Reception::NotNow("there was no time left".to_owned());
        }
        let Ok(url) = self.url.join(path) else { return Reception::Denied(format!("{path} is no path")) };
        let mut request = self
            .agent
            .post(url.as_str())
            .config()
            .timeout_global(Some(left))
            .build()
            .header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.expose_secret()));
        }
        match request.send(body) {
            Err(error) => Reception::NotNow(format!("PlexSync at {} is away: {error}", self.url)),
            Ok(mut answer) => {
                let status = answer.status().as_u16();
                if status == expected {
                    return Reception::Taken;
                }
                let text = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string();
                self.meaning(status, &text.unwrap_or_default())
            }
        }
    }

    fn meaning(&self, status: u16, text: &str) -> Reception {
        let refusal: Refusal = serde_json::from_str(text).unwrap_or_default();
        let problems = refusal.problems.iter().map(|it| format!("; {} {}", it.field, it.problem));
        let said: String =
            refusal.error.chars().chain(problems.collect::<String>().chars()).take(SHOWN).collect();
        let said = format!("PlexSync at {} answered {status} {said}", self.url);
        match status {
            400 | 413 | 415 | 422 => Reception::Refused(said),
            408 | 429 | 500..=599 => Reception::NotNow(said),
            _ => Reception::Denied(said),
        }
    }
}

/// Nothing is set up for http: reading all certificates would take longer than everything else.
fn tls(url: &Url) -> TlsConfig {
    if url.scheme() == "https" {
        // An error only says that it was done before.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build()
}
