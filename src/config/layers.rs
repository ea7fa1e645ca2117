//! Which value of a key counts, and where does it come from? Layers of TOML, merged key by key.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::problems::{ConfigError, Problem, Source};

/// The keys that hold secrets. Each can also be given as a file.
pub(super) const SECRETS: [&str; 3] = ["plex.token", "server.token", "stash.api_key"];
/// The one key that is a list of tables.
pub(super) const PATH_MAP: &str = "path_map";
const PREFIX: &str = "PLEXSYNC_";
/// Names the configuration file itself.
const NOT_A_KEY: &str = "PLEXSYNC_CONFIG";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    BuiltIn,
    File(PathBuf),
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "${name}"),
        }
    }
}

/// A secret that was read from a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSource {
    pub key: String,
    pub path: PathBuf,
}

/// All layers on top of each other.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) values: BTreeMap<String, Value>,
    pub(super) defaults: BTreeMap<String, Value>,
    pub(super) origins: BTreeMap<String, Origin>,
    pub(super) secret_files: Vec<SecretSource>,
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    pub(super) fn read(
        example: &str,
        file: Option<&Path>,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut layers = Self::built_in(example)?;
        if let Some(path) = file {
            let unreadable = |error| ConfigError::Unreadable { path: path.to_owned(), error };
            let text = std::fs::read_to_string(path).map_err(unreadable)?;
            let table = parse(&text, &path.display().to_string())?;
            layers.lay(table, &Origin::File(path.to_owned()));
        }
        layers.lay_environment(env);
        Ok(layers)
    }

    pub(super) fn read_text(example: &str, overrides: &str) -> Result<Self, ConfigError> {
        let mut layers = Self::built_in(example)?;
        layers.lay(parse(overrides, "overrides")?, &Origin::File(PathBuf::from("overrides")));
        Ok(layers)
    }

    fn built_in(example: &str) -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        for (section, table) in parse(example, "config.example.toml")? {
            for (key, value) in table.as_table().into_iter().flatten() {
                layers.set(format!("{section}.{key}"), value.clone(), Origin::BuiltIn);
            }
        }
        layers.set(PATH_MAP.to_owned(), Value::Array(Vec::new()), Origin::BuiltIn);
        layers.defaults = layers.values.clone();
        Ok(layers)
    }

    fn lay(&mut self, table: Table, origin: &Origin) {
        for (section, value) in table {
            if let Value::Table(keys) = value {
                for (key, value) in keys {
                    self.set_known(format!("{section}.{key}"), value, origin.clone());
                }
            } else {
                self.set_known(section, value, origin.clone());
            }
        }
    }

    fn lay_environment(&mut self, env: &BTreeMap<String, String>) {
        for (name, text) in env.iter().filter(|(name, _)| name.starts_with(PREFIX) && *name != NOT_A_KEY) {
            let key = name.trim_start_matches(PREFIX).to_lowercase().replace("__", ".");
            let origin = Origin::Environment(name.clone());
            let secret = key.strip_suffix("_file").filter(|key| SECRETS.contains(key));
            if let Some(secret) = secret {
                self.lay_secret_file(secret, name, text, env, origin);
                continue;
            }
            let value = self.typed(&key, text);
            self.set_known(key, value, origin);
        }
    }

    fn lay_secret_file(
        &mut self,
        key: &str,
        name: &str,
        path: &str,
        env: &BTreeMap<String, String>,
        origin: Origin,
    ) {
        let direct = name.trim_end_matches("_FILE");
        if env.contains_key(direct) {
            self.problem(key, "", format!("is set twice, by {direct} and by {name}; keep one of them"));
            return;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let secret = text.strip_suffix('\n').unwrap_or(&text);
                let secret = secret.strip_suffix('\r').unwrap_or(secret);
                self.set(key.to_owned(), Value::String(secret.to_owned()), origin);
                self.secret_files.push(SecretSource { key: key.to_owned(), path: PathBuf::from(path) });
            }
            Err(error) => {
                self.problem(key, "", format!("cannot be read from {path:?}, which {name} names: {error}"));
            }
        }
    }

    /// An environment variable is text; what it should be tells the default.
    fn typed(&self, key: &str, text: &str) -> Value {
        match self.defaults.get(key) {
            Some(Value::String(_)) | None => Value::String(text.to_owned()),
            Some(_) => {
                let line = format!("value = {text}").parse::<Table>().ok();
                line.and_then(|mut table| table.remove("value"))
                    .unwrap_or_else(|| Value::String(text.to_owned()))
            }
        }
    }

    fn set_known(&mut self, key: String, value: Value, origin: Origin) {
        if self.defaults.contains_key(&key) {
            self.set(key, value, origin);
            return;
        }
        let text = match self.nearest(&key) {
            Some(known) => format!("is not a setting; did you mean {known}?"),
            None => "is not a setting".to_owned(),
        };
        let whence =
            if let Origin::Environment(name) = origin { format!(" (from ${name})") } else { String::new() };
        self.problem(&key, "", text + &whence);
    }

    fn nearest(&self, key: &str) -> Option<&str> {
        /// Below this likeness a suggestion confuses more than it helps.
        const ALIKE: f64 = 0.6;
        let scored =
            self.defaults.keys().map(|known| (strsim::normalized_damerau_levenshtein(key, known), known));
        let (likeness, known) = scored.max_by(|left, right| left.0.total_cmp(&right.0))?;
        (likeness >= ALIKE).then_some(known)
    }

    fn set(&mut self, key: String, value: Value, origin: Origin) {
        self.origins.insert(key.clone(), origin);
        self.values.insert(key, value);
    }

    fn problem(&mut self, key: &str, value: &str, text: String) {
        self.problems.push(Problem { key: key.to_owned(), value: value.to_owned(), text });
    }

    /// A value as a person wrote it; a secret is masked.
    pub(super) fn shown(&self, key: &str) -> String {
        let Some(value) = self.values.get(key) else { return String::new() };
        match value {
            Value::String(secret) if SECRETS.contains(&key) => {
                if secret.is_empty() { "\"\"" } else { "***" }.to_owned()
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => value.to_string(),
            Value::Array(_) | Value::Table(_) => {
                if SECRETS.contains(&key) {
                    "***".to_owned()
                } else {
                    value.to_string()
                }
            }
        }
    }

    /// What to call the settings in an error.
    pub(super) fn name(file: Option<&Path>) -> Source {
        Source(file.map_or_else(|| "configuration".to_owned(), |file| file.display().to_string()))
    }
}

fn parse(text: &str, path: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>()
        .map_err(|error| ConfigError::NotToml { path: path.to_owned(), error: error.to_string() })
}
