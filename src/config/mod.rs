//! What did the user choose? The built-in example, a file, the environment, in this order; all problems at once.

mod layers;
mod problems;
mod sections;
mod show;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use garde::Validate as _;

pub use layers::{Origin, SecretSource};
pub use problems::{ConfigError, Problem};
pub use sections::{
    Config, LogConfig, LogFormat, MatchingConfig, PathMapConfig, PlexConfig, QueueConfig, RetryConfig,
    ServerConfig, StashConfig, StorageConfig, SupervisionConfig, SyncConfig,
};
pub use show::render;

use layers::Layers;
use values::Values;

/// The annotated example, which is also the layer of defaults.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Where to look for settings.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// A file that the user named; it has to be there.
    pub file: Option<PathBuf>,
    /// The environment.
    pub env: BTreeMap<String, String>,
}

impl LoadOptions {
    /// The environment of this process. A variable that is not Unicode cannot be one of ours.
    pub fn from_process(file: Option<PathBuf>) -> Self {
        let unicode =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self { file, env: std::env::vars_os().filter_map(unicode).collect() }
    }

    /// The file to read: the one that was named, else the first that exists.
    fn found(&self) -> Option<PathBuf> {
        if self.file.is_some() {
            return self.file.clone();
        }
        if let Some(named) = self.env.get("PLEXSYNC_CONFIG").filter(|named| !named.is_empty()) {
            return Some(PathBuf::from(named));
        }
        let home = self.env.get("HOME").map(|home| PathBuf::from(home).join(".config"));
        let xdg = self.env.get("XDG_CONFIG_HOME").map(PathBuf::from).or(home);
        let usual = [
            Some(PathBuf::from("config.toml")),
            xdg.map(|folder| folder.join("plexsync/config.toml")),
            Some(PathBuf::from("/etc/plexsync/config.toml")),
        ];
        usual.into_iter().flatten().find(|path| path.exists())
    }
}

/// The settings as meant, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    /// By key, such as `plex.url`.
    pub origins: BTreeMap<String, Origin>,
    pub file: Option<PathBuf>,
    /// The files that secrets were read from, by key.
    pub secret_files: Vec<SecretSource>,
}

impl Config {
    /// Reads all layers.
    pub fn load(options: &LoadOptions) -> Result<Loaded, ConfigError> {
        let file = options.found();
        let layers = Layers::read(EXAMPLE, file.as_deref(), &options.env)?;
        Self::from_layers(layers, file)
    }

    /// The defaults with some TOML laid over them, for the demo, tests and benchmarks.
    pub fn with(overrides: &str) -> Result<Self, ConfigError> {
        let layers = Layers::read_text(EXAMPLE, overrides)?;
        Self::from_layers(layers, None).map(|loaded| loaded.config)
    }

    fn from_layers(layers: Layers, file: Option<PathBuf>) -> Result<Loaded, ConfigError> {
        let mut values = Values::new(&layers);
        let config = sections::read(&mut values);
        let mut problems = layers.problems.clone();
        problems.extend(values.problems);
        if let Err(report) = config.validate() {
            for (path, error) in report.iter() {
                let key = path.to_string();
                // A value that could not be read stands at its default here; its problem is known already.
                if !problems.iter().any(|problem| problem.key == key) {
                    problems.push(Problem { value: layers.shown(&key), key, text: error.to_string() });
                }
            }
        }
        if problems.is_empty() {
            return Ok(Loaded { config, origins: layers.origins, file, secret_files: layers.secret_files });
        }
        problems.sort_by(|left, right| left.key.cmp(&right.key));
        Err(ConfigError::Problems { source: Layers::name(file.as_deref()), problems })
    }
}

#[cfg(test)]
mod tests;
