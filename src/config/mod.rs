//! What is PlexSync told to do? Reads the layers of configuration - built-in, file, environment, flags - and gives
//! either a [`Config`] in which every value is right, or all that is wrong at once.

mod bounds;
mod circuit_breaker;
mod environment;
mod layers;
mod log;
mod matching;
mod nearest;
mod origin;
mod path_map;
mod plex;
mod problem;
mod queue;
mod rate_limit;
mod reader;
mod reconcile;
mod retry;
mod search;
mod secret;
mod server;
mod show;
mod stash;
mod storage;
mod supervision;
mod sync;
mod values;

use std::io;
use std::path::{Path, PathBuf};

use toml::Table;

use layers::Layers;
use reader::Reader;
use search::Found;

pub use circuit_breaker::CircuitBreakerConfig;
pub use environment::Environment;
pub use log::{LogConfig, LogFormat};
pub use matching::MatchingConfig;
pub use origin::Origin;
pub use path_map::PathMap;
pub use plex::PlexConfig;
pub use problem::{ConfigError, Problem, Problems};
pub use queue::QueueConfig;
pub use rate_limit::RateLimitConfig;
pub use reconcile::ReconcileConfig;
pub use retry::RetryConfig;
pub use secret::{MASK, SecretError, SecretSource, SecretSources};
pub use server::{ServerConfig, local_url};
pub use show::render_show;
pub use stash::StashConfig;
pub use storage::StorageConfig;
pub use supervision::SupervisionConfig;
pub use sync::SyncConfig;

/// The annotated example file, which is where the defaults come from.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// A configuration as it is meant. Each field is a section of the file, where every key is explained.
#[derive(Clone, Debug)]
pub struct Config {
    /// How PlexSync answers others.
    pub server: ServerConfig,
    /// Where it keeps its state.
    pub storage: StorageConfig,
    /// Where Stash is.
    pub stash: StashConfig,
    /// Where Plex is.
    pub plex: PlexConfig,
    /// Directories that the two see under different names, in the order given.
    pub path_map: Vec<PathMap>,
    /// What is carried over.
    pub sync: SyncConfig,
    /// How sure a match must be.
    pub matching: MatchingConfig,
    /// When work is due.
    pub queue: QueueConfig,
    /// When failed work is tried again.
    pub retry: RetryConfig,
    /// How fast Plex is written to.
    pub rate_limit: RateLimitConfig,
    /// When a peer counts as away.
    pub circuit_breaker: CircuitBreakerConfig,
    /// How often is looked whether all is as it should be.
    pub reconcile: ReconcileConfig,
    /// What is logged.
    pub log: LogConfig,
    /// How failed parts are restarted.
    pub supervision: SupervisionConfig,
    /// Where each secret came from, for those that can be read again.
    pub secret_sources: SecretSources,
}

/// What a configuration is loaded for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To look at it or at the database: what only the service needs may be missing.
    #[default]
    Inspect,
    /// To run the service or to talk to Plex, which takes a token.
    Run,
}

/// A value from the command line.
#[derive(Clone)]
pub struct Flag {
    /// The flag as the user wrote it, for messages: `--listen`.
    pub flag: String,
    /// The key that it sets: `server.listen`.
    pub key: String,
    /// The value: a text as it is, anything else as TOML.
    pub value: String,
}

/// Where the layers are to be found.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The file named by `--config`.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// The directory at which relative paths of files to read start.
    pub cwd: PathBuf,
    /// Values from the command line.
    pub flags: Vec<Flag>,
    /// What the configuration is for.
    pub purpose: Purpose,
}

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is meant.
    pub config: Config,
    /// The file that was read, as it was named; none if there was none.
    pub file: Option<PathBuf>,
    /// Every key with its value as written and where that came from, in the order of the example file.
    pub settings: Vec<Setting>,
}

/// One key as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key: `plex.url`.
    pub key: String,
    /// The value as TOML, a secret as [`MASK`].
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl LoadOptions {
    /// The options of this process: its environment and its working directory.
    pub fn of_process(file: Option<PathBuf>, purpose: Purpose) -> io::Result<Self> {
        let cwd = std::env::current_dir()?;
        Ok(Self { file, environment: Environment::of_process(), cwd, flags: Vec::new(), purpose })
    }
}

impl Config {
    /// Reads all layers. Blocks for as long as the disk does.
    pub fn load(options: &LoadOptions) -> Result<Loaded, ConfigError> {
        let mut layers = Layers::built_in();
        let found = search::find(options.file.as_deref(), &options.environment, &options.cwd)?;
        let file = found.as_ref().map(|found| found.path.clone());
        if let Some(Found { path, text }) = found {
            layers.lay_table(parse(&path, &text)?, &Origin::File(path));
        }
        layers.lay_environment(&options.environment, &options.cwd);
        layers.lay_flags(&options.flags);
        read(layers, file, options.purpose)
    }

    /// The defaults alone, without file or environment.
    pub fn builtin() -> Result<Self, ConfigError> {
        Self::defaults_with("")
    }

    /// The defaults with `overrides`, a TOML text, laid over them: for the demo and for tests.
    pub fn defaults_with(overrides: &str) -> Result<Self, ConfigError> {
        let name = PathBuf::from("overrides");
        let mut layers = Layers::built_in();
        layers.lay_table(parse(&name, overrides)?, &Origin::File(name.clone()));
        Ok(read(layers, Some(name), Purpose::Inspect)?.config)
    }
}

impl Loaded {
    /// Where the value of `key` came from; none if there is no such key.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.settings.iter().find(|setting| setting.key == key).map(|setting| &setting.origin)
    }
}

/// The value may be a secret.
impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flag").field("flag", &self.flag).field("key", &self.key).finish_non_exhaustive()
    }
}

fn parse(path: &Path, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        ConfigError::Syntax {
            path: path.to_path_buf(),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            // Only the first line: it says what is wrong, and what may follow quotes the file.
            message: error.message().lines().next().unwrap_or_default().to_owned(),
        }
    })
}

fn read(layers: Layers, file: Option<PathBuf>, purpose: Purpose) -> Result<Loaded, ConfigError> {
    let mut reader = Reader::new(layers);
    let config = Config {
        server: ServerConfig::read(&mut reader),
        storage: StorageConfig::read(&mut reader),
        stash: StashConfig::read(&mut reader),
        plex: PlexConfig::read(&mut reader),
        path_map: path_map::read(&mut reader),
        sync: SyncConfig::read(&mut reader),
        matching: MatchingConfig::read(&mut reader),
        queue: QueueConfig::read(&mut reader),
        retry: RetryConfig::read(&mut reader),
        rate_limit: RateLimitConfig::read(&mut reader),
        circuit_breaker: CircuitBreakerConfig::read(&mut reader),
        reconcile: ReconcileConfig::read(&mut reader),
        log: LogConfig::read(&mut reader),
        supervision: SupervisionConfig::read(&mut reader),
        secret_sources: SecretSources {
            server_token: reader.secret_source("server.token"),
            stash_api_key: reader.secret_source("stash.api_key"),
            plex_token: reader.secret_source("plex.token"),
        },
    };
    if purpose == Purpose::Run {
        config.plex.require_token(&mut reader);
    }
    let (layers, problems) = reader.finish();
    if !problems.is_empty() {
        return Err(Problems { file, problems }.into());
    }
    let setting = |entry: layers::Entry| {
        let value = layers::as_toml(&entry);
        Setting { key: entry.key, value, origin: entry.origin }
    };
    Ok(Loaded { config, file, settings: layers.entries.into_iter().map(setting).collect() })
}

#[cfg(test)]
mod tests;
