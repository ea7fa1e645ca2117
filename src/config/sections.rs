//! Which settings are there? As meant: typed, with what each value may be.

#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "garde hands values and contexts over like this"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use garde::Validate;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::layers::PATH_MAP;
use super::values::Values;
use crate::domain::edits::{ClearEmpty, Field, HandEdits};

const DAY: Duration = Duration::from_hours(24);

/// All settings. The names are those of the file; see `config.example.toml` for what each does.
#[derive(Debug, Clone, Validate)]
pub struct Config {
    #[garde(dive)]
    pub server: ServerConfig,
    #[garde(dive)]
    pub storage: StorageConfig,
    #[garde(dive)]
    pub stash: StashConfig,
    #[garde(dive)]
    pub plex: PlexConfig,
    #[garde(skip)]
    pub path_map: Vec<PathMapConfig>,
    #[garde(dive)]
    pub sync: SyncConfig,
    #[garde(dive)]
    pub matching: MatchingConfig,
    #[garde(dive)]
    pub queue: QueueConfig,
    #[garde(dive)]
    pub retry: RetryConfig,
    #[garde(dive)]
    pub log: LogConfig,
    #[garde(dive)]
    pub supervision: SupervisionConfig,
}

#[derive(Debug, Clone, Validate)]
pub struct ServerConfig {
    #[garde(custom(loopback_or_token(&self.token)))]
    pub listen: SocketAddr,
    #[garde(custom(fit_for_a_header))]
    pub token: Option<SecretString>,
    #[garde(skip)]
    pub allowed_hosts: Vec<String>,
    /// Bytes.
    #[garde(custom(sizes(1 << 10, 64 << 20)))]
    pub max_body: usize,
    #[garde(custom(between(Duration::from_millis(100), Duration::from_mins(5))))]
    pub request_timeout: Duration,
}

#[derive(Debug, Clone, Validate)]
pub struct StorageConfig {
    #[garde(custom(a_path))]
    pub path: PathBuf,
    #[garde(custom(between(Duration::from_hours(1), 3650 * DAY)))]
    pub keep_history: Duration,
    #[garde(custom(between(Duration::from_hours(1), 3650 * DAY)))]
    pub keep_dead: Duration,
}

#[derive(Debug, Clone, Validate)]
pub struct StashConfig {
    #[garde(skip)]
    pub url: Url,
    #[garde(custom(fit_for_a_header))]
    pub api_key: Option<SecretString>,
    #[garde(custom(between(Duration::from_millis(50), Duration::from_mins(5))))]
    pub connect_timeout: Duration,
    #[garde(custom(between(Duration::from_millis(50), Duration::from_mins(10))))]
    pub read_timeout: Duration,
}

#[derive(Debug, Clone, Validate)]
pub struct PlexConfig {
    #[garde(skip)]
    pub url: Url,
    #[garde(custom(fit_for_a_header))]
    pub token: Option<SecretString>,
    #[garde(skip)]
    pub libraries: Vec<String>,
    #[garde(skip)]
    pub verify_tls: bool,
    #[garde(custom(between(Duration::from_millis(50), Duration::from_mins(5))))]
    pub connect_timeout: Duration,
    #[garde(custom(between(Duration::from_millis(50), Duration::from_mins(10))))]
    pub read_timeout: Duration,
    #[garde(custom(between(Duration::from_millis(50), Duration::from_mins(30))))]
    pub write_timeout: Duration,
    #[garde(custom(a_client_id))]
    pub client_id: String,
}

/// One block of `[[path_map]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathMapConfig {
    pub stash: String,
    pub plex: String,
}

#[derive(Debug, Clone, Validate)]
pub struct SyncConfig {
    #[garde(skip)]
    pub fields: Vec<Field>,
    #[garde(skip)]
    pub hand_edits: HandEdits,
    #[garde(skip)]
    pub clear_empty: ClearEmpty,
    #[garde(skip)]
    pub lock: bool,
    #[garde(range(min = 1, max = 1000))]
    pub max_title: u32,
    #[garde(range(min = 1, max = 100_000))]
    pub max_summary: u32,
}

#[derive(Debug, Clone, Validate)]
pub struct MatchingConfig {
    #[garde(range(min = 0.0, max = 1.0))]
    pub auto_threshold: f64,
    #[garde(range(min = 0.0, max = 1.0), custom(at_most("matching.auto_threshold", self.auto_threshold)))]
    pub review_threshold: f64,
}

#[derive(Debug, Clone, Validate)]
pub struct QueueConfig {
    #[garde(custom(between(Duration::ZERO, Duration::from_secs(30))))]
    pub debounce: Duration,
    #[garde(custom(between(Duration::ZERO, Duration::from_hours(1))))]
    pub create_delay: Duration,
    #[garde(range(min = 1, max = 16))]
    pub concurrency: u32,
    #[garde(custom(between(Duration::from_secs(1), 3650 * DAY)))]
    pub not_found_for: Duration,
}

#[derive(Debug, Clone, Validate)]
pub struct RetryConfig {
    #[garde(custom(between(Duration::from_millis(10), DAY)), custom(no_longer_than("retry.max_delay", self.max_delay)))]
    pub first_delay: Duration,
    #[garde(custom(between(Duration::from_millis(10), 7 * DAY)))]
    pub max_delay: Duration,
    #[garde(custom(between(Duration::from_secs(1), 365 * DAY)))]
    pub give_up_after: Duration,
    #[garde(range(min = 1, max = 10_000))]
    pub min_attempts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Validate)]
pub struct LogConfig {
    #[garde(custom(a_filter))]
    pub level: String,
    #[garde(skip)]
    pub format: LogFormat,
    #[garde(skip)]
    pub file: Option<PathBuf>,
    #[garde(skip)]
    pub obfuscate_paths: bool,
}

#[derive(Debug, Clone, Validate)]
pub struct SupervisionConfig {
    #[garde(range(min = 1, max = 1000))]
    pub max_restarts: u32,
    #[garde(custom(between(Duration::from_secs(1), DAY)))]
    pub within: Duration,
    #[garde(custom(between(Duration::from_millis(1), Duration::from_mins(10))), custom(no_longer_than("supervision.max_pause", self.max_pause)))]
    pub first_pause: Duration,
    #[garde(custom(between(Duration::from_millis(1), Duration::from_hours(1))))]
    pub max_pause: Duration,
    #[garde(custom(between(Duration::from_millis(200), Duration::from_mins(10))))]
    pub heartbeat: Duration,
}

/// Reads every key.
pub(super) fn read(values: &mut Values<'_>) -> Config {
    Config {
        server: read_server(values),
        storage: StorageConfig {
            path: values.text("storage.path").into(),
            keep_history: values.duration("storage.keep_history"),
            keep_dead: values.duration("storage.keep_dead"),
        },
        stash: StashConfig {
            url: values.url("stash.url").unwrap_or_else(nowhere),
            api_key: values.secret("stash.api_key"),
            connect_timeout: values.duration("stash.connect_timeout"),
            read_timeout: values.duration("stash.read_timeout"),
        },
        plex: read_plex(values),
        path_map: values
            .tables(PATH_MAP, ["stash", "plex"])
            .into_iter()
            .map(|[stash, plex]| PathMapConfig { stash, plex })
            .collect(),
        sync: read_sync(values),
        matching: MatchingConfig {
            auto_threshold: values.share("matching.auto_threshold"),
            review_threshold: values.share("matching.review_threshold"),
        },
        queue: QueueConfig {
            debounce: values.duration("queue.debounce"),
            create_delay: values.duration("queue.create_delay"),
            concurrency: values.whole("queue.concurrency"),
            not_found_for: values.duration("queue.not_found_for"),
        },
        retry: RetryConfig {
            first_delay: values.duration("retry.first_delay"),
            max_delay: values.duration("retry.max_delay"),
            give_up_after: values.duration("retry.give_up_after"),
            min_attempts: values.whole("retry.min_attempts"),
        },
        log: LogConfig {
            level: values.text("log.level"),
            format: values.choice("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]),
            file: Some(values.text("log.file")).filter(|file| !file.is_empty()).map(PathBuf::from),
            obfuscate_paths: values.truth("log.obfuscate_paths"),
        },
        supervision: SupervisionConfig {
            max_restarts: values.whole("supervision.max_restarts"),
            within: values.duration("supervision.within"),
            first_pause: values.duration("supervision.first_pause"),
            max_pause: values.duration("supervision.max_pause"),
            heartbeat: values.duration("supervision.heartbeat"),
        },
    }
}

fn read_server(values: &mut Values<'_>) -> ServerConfig {
    ServerConfig {
        listen: values.address("server.listen").unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8765))),
        token: values.secret("server.token"),
        allowed_hosts: values.texts("server.allowed_hosts"),
        max_body: values.bytes("server.max_body"),
        request_timeout: values.duration("server.request_timeout"),
    }
}

fn read_plex(values: &mut Values<'_>) -> PlexConfig {
    PlexConfig {
        url: values.url("plex.url").unwrap_or_else(nowhere),
        token: values.secret("plex.token"),
        libraries: values.texts("plex.libraries"),
        verify_tls: values.truth("plex.verify_tls"),
        connect_timeout: values.duration("plex.connect_timeout"),
        read_timeout: values.duration("plex.read_timeout"),
        write_timeout: values.duration("plex.write_timeout"),
        client_id: values.text("plex.client_id"),
    }
}

fn read_sync(values: &mut Values<'_>) -> SyncConfig {
    SyncConfig {
        fields: values.words("sync.fields", &Field::ALL.map(|field| (field.as_str(), field))),
        hand_edits: values
            .choice("sync.hand_edits", &[("keep", HandEdits::Keep), ("overwrite", HandEdits::Overwrite)]),
        clear_empty: values.choice(
            "sync.clear_empty",
            &[("own", ClearEmpty::Own), ("always", ClearEmpty::Always), ("never", ClearEmpty::Never)],
        ),
        lock: values.truth("sync.lock"),
        max_title: values.whole("sync.max_title"),
        max_summary: values.whole("sync.max_summary"),
    }
}

/// Stands in for an address that could not be read; it is never used, since the problem is told instead.
fn nowhere() -> Url {
    #[expect(clippy::expect_used, reason = "a literal that is a URL")]
    Url::parse("http://localhost").expect("a URL")
}

fn refuse(text: impl std::fmt::Display) -> garde::Result {
    Err(garde::Error::new(text))
}

fn between(least: Duration, most: Duration) -> impl Fn(&Duration, &()) -> garde::Result {
    move |value, ()| {
        if (least..=most).contains(value) {
            return Ok(());
        }
        refuse(format!("is out of range; {} to {} can be used", shown(least), shown(most)))
    }
}

fn sizes(least: usize, most: usize) -> impl Fn(&usize, &()) -> garde::Result {
    move |value, ()| {
        if (least..=most).contains(value) {
            return Ok(());
        }
        refuse(format!("is out of range; {} KiB to {} MiB can be used", least >> 10, most >> 20))
    }
}

fn no_longer_than(key: &'static str, most: Duration) -> impl Fn(&Duration, &()) -> garde::Result {
    move |value, ()| {
        if *value <= most { Ok(()) } else { refuse(format!("is longer than {key} {}", shown(most))) }
    }
}

fn at_most(key: &'static str, most: f64) -> impl Fn(&f64, &()) -> garde::Result {
    move |value, ()| {
        if *value <= most { Ok(()) } else { refuse(format!("is above {key} {most}")) }
    }
}

fn shown(duration: Duration) -> String {
    let signed = jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX);
    if duration >= DAY && duration.as_secs().is_multiple_of(DAY.as_secs()) {
        return format!("{}d", duration.as_secs() / DAY.as_secs());
    }
    format!("{signed:#}")
}

fn loopback_or_token(token: &Option<SecretString>) -> impl Fn(&SocketAddr, &()) -> garde::Result {
    let has_token = token.is_some();
    move |listen, ()| {
        if has_token || listen.ip().is_loopback() {
            return Ok(());
        }
        refuse("can be reached from other machines, so server.token has to be set; or listen on 127.0.0.1")
    }
}

fn fit_for_a_header(secret: &Option<SecretString>, (): &()) -> garde::Result {
    let fits = |secret: &SecretString| secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
    if secret.as_ref().is_none_or(fits) {
        return Ok(());
    }
    refuse("holds a blank or another character that cannot be in one; was something else copied with it?")
}

fn a_path(path: &std::path::Path, (): &()) -> garde::Result {
    if path.as_os_str().is_empty() {
        refuse("is empty; name a file, such as \"plexsync.db\"")
    } else {
        Ok(())
    }
}

fn a_client_id(id: &str, (): &()) -> garde::Result {
    let fits = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits { Ok(()) } else { refuse("is not made of up to 64 letters, digits and -") }
}

fn a_filter(level: &str, (): &()) -> garde::Result {
    match level.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) if !level.trim().is_empty() => Ok(()),
        Ok(_) | Err(_) => {
            refuse("is not \"error\", \"warn\", \"info\", \"debug\", \"trace\" or a filter of such")
        }
    }
}
