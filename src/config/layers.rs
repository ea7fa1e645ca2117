//! What is given for each key, once all layers lie on one another?

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::environment::{CONFIG_FILE, Environment, variable_of};
use super::nearest::{nearest, nearest_key};
use super::origin::Origin;
use super::problem::Problem;
use super::secret::{self, SECRETS, SecretError};
use super::{EXAMPLE, Flag};

/// The one key that is a list of blocks; the others all stand in a section.
pub(super) const PATH_MAP: &str = "path_map";

/// What is given for one key.
#[derive(Clone)]
pub(super) struct Entry {
    /// Dotted: `plex.url`.
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The file of its own from which a secret came.
    pub(super) secret_file: Option<PathBuf>,
}

/// Every key with the topmost value given for it, in the order of the example file.
pub(super) struct Layers {
    pub(super) entries: Vec<Entry>,
    /// What stands in a layer and means nothing.
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    /// The lowest layer. The keys that it has are the keys that there are.
    #[expect(clippy::expect_used, reason = "the file is part of the program, and every test reads it")]
    pub(super) fn built_in() -> Self {
        let table: Table = EXAMPLE.parse().expect("config.example.toml is TOML");
        let entry =
            |key: String, value: Value| Entry { key, value, origin: Origin::BuiltIn, secret_file: None };
        let mut entries = Vec::new();
        for (section, keys) in table {
            let keys = keys.as_table().cloned().unwrap_or_default();
            // The blocks are commented out in the example, where they stand in front of [sync].
            if section == "sync" {
                entries.push(entry(PATH_MAP.to_owned(), Value::Array(Vec::new())));
            }
            entries.extend(keys.into_iter().map(|(key, value)| entry(format!("{section}.{key}"), value)));
        }
        Self { entries, problems: Vec::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Lays a TOML table over what is there.
    pub(super) fn lay_table(&mut self, table: Table, origin: &Origin) {
        for (section, value) in table {
            if section == PATH_MAP {
                self.set(PATH_MAP, value, origin);
                continue;
            }
            let known = self.has_section(&section);
            let is_table = value.is_table();
            if let (Value::Table(keys), true) = (value, known) {
                self.lay_section(&section, keys, origin);
                continue;
            }
            let text = if known {
                format!("is a section (write [{section}] on a line and its keys below)")
            } else {
                self.unknown_section(&section, is_table)
            };
            self.complain(section, text, origin);
        }
    }

    /// Lays the variables `PLEXSYNC_<SECTION>__<KEY>` over what is there. Relative paths start at `cwd`.
    pub(super) fn lay_environment(&mut self, environment: &Environment, cwd: &Path) {
        let mut given_inline = Vec::new();
        for (name, rest, value) in environment.ours().filter(|(name, ..)| *name != CONFIG_FILE) {
            let origin = Origin::Environment(name.to_owned());
            let key = rest.to_ascii_lowercase().replacen("__", ".", 1);
            let secret =
                key.strip_suffix("_file").and_then(|key| SECRETS.into_iter().find(|secret| *secret == key));
            if secret.is_some() && value.is_empty() {
                // As compose files leave it behind when there is no such file.
                continue;
            }
            if self.get(&key).is_some() {
                self.set_from_text(&key, value, &origin);
                given_inline.push(key);
            } else if let Some(key) = secret {
                // In order of name, so that the variable without _FILE has had its turn.
                if given_inline.iter().any(|inline| inline == key) {
                    let text =
                        format!("is given twice: by {} and by {name} (unset one of them)", variable_of(key));
                    self.complain(key.to_owned(), text, &Origin::BuiltIn);
                } else {
                    self.set_from_secret_file(key, &cwd.join(value), &origin);
                }
            } else if let Some(text) = self.unknown_variable(rest, &key) {
                self.complain(name.to_owned(), text, &origin);
            }
        }
    }

    /// Lays what was said on the command line over what is there.
    pub(super) fn lay_flags(&mut self, flags: &[Flag]) {
        for Flag { flag, key, value } in flags {
            let origin = Origin::Flag(flag.clone());
            if !self.set_from_text(key, OsStr::new(value), &origin) {
                let text = self.unknown_key(key);
                self.complain(key.clone(), text, &origin);
            }
        }
    }

    fn lay_section(&mut self, section: &str, keys: Table, origin: &Origin) {
        for (key, value) in keys {
            let key = format!("{section}.{key}");
            if !self.set(&key, value, origin) {
                let text = self.unknown_key(&key);
                self.complain(key, text, origin);
            }
        }
    }

    /// False if there is no such key.
    fn set(&mut self, key: &str, value: Value, origin: &Origin) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.key == key);
        entry
            .map(|entry| {
                *entry = Entry { value, origin: origin.clone(), key: key.to_owned(), secret_file: None }
            })
            .is_some()
    }

    /// Sets a key from a text without quotes around it, as variables and flags have it.
    fn set_from_text(&mut self, key: &str, text: &OsStr, origin: &Origin) -> bool {
        let Some(text) = text.to_str() else {
            self.complain(key.to_owned(), "is not UTF-8".to_owned(), origin);
            return true;
        };
        let is_text = self.get(key).is_some_and(|entry| entry.value.is_str());
        let as_text = || Value::String(text.to_owned());
        // What is no TOML stays a text, and the key that wants something else says so.
        let value = if is_text {
            as_text()
        } else {
            text.trim().parse().unwrap_or_else(|_: toml::de::Error| as_text())
        };
        self.set(key, value, origin)
    }

    fn set_from_secret_file(&mut self, key: &str, path: &Path, origin: &Origin) {
        match secret::read(path) {
            Ok(text) => {
                self.set(key, Value::String(text), origin);
                if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
                    entry.secret_file = Some(path.to_path_buf());
                }
            }
            Err(error @ SecretError::Unreadable { .. }) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                self.complain(key.to_owned(), format!("{error}: {cause}"), origin);
            }
            Err(error @ (SecretError::Empty(_) | SecretError::Unfit { .. })) => {
                self.complain(key.to_owned(), error.to_string(), origin);
            }
        }
    }

    fn complain(&mut self, key: String, text: String, origin: &Origin) {
        self.problems.push(Problem { key, text, origin: Some(origin.clone()) });
    }

    fn keys(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.key.as_str()).collect()
    }

    fn sections(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .map(|entry| entry.key.split_once('.').map_or(entry.key.as_str(), |(section, _)| section))
    }

    fn has_section(&self, section: &str) -> bool {
        section != PATH_MAP && self.sections().any(|known| known == section)
    }

    /// The value of an unknown key is never shown: it may be a secret whose key is misspelt.
    fn unknown_key(&self, key: &str) -> String {
        if let Some(meant) = nearest_key(key, &self.keys()) {
            return format!("is not a key (did you mean {meant}?)");
        }
        let section = key.split_once('.').map_or("", |(section, _)| section);
        let prefix = format!("{section}.");
        let own: Vec<_> = self.entries.iter().filter_map(|entry| entry.key.strip_prefix(&prefix)).collect();
        format!("is not a key ([{section}] has {})", own.join(", "))
    }

    fn unknown_section(&self, name: &str, is_table: bool) -> String {
        if is_table && let Some(meant) = nearest(name, self.sections()) {
            return format!("is not a section (did you mean [{meant}]?)");
        }
        let named = |key: &&str| key.split_once('.').is_some_and(|(_, known)| known == name);
        let meant: Vec<_> = self.keys().into_iter().filter(named).collect();
        if !is_table && !meant.is_empty() {
            return format!("stands outside of its section (did you mean {}?)", meant.join(" or "));
        }
        let mut sections: Vec<_> = self.sections().collect();
        sections.dedup();
        format!("is not a section (there are {})", sections.join(", "))
    }

    /// What is wrong with a variable that stands for no key. Nothing, if it has no `__` and looks like no key: other
    /// programs set such variables too, Kubernetes for one (`PLEXSYNC_PORT`, `PLEXSYNC_SERVICE_HOST`).
    fn unknown_variable(&self, rest: &str, key: &str) -> Option<String> {
        if rest.contains("__") {
            let meant = nearest_key(key, &self.keys());
            let meant = meant.map(|key| format!(" (did you mean {}?)", variable_of(key))).unwrap_or_default();
            return Some(format!("stands for no key{meant}"));
        }
        let written = rest.to_ascii_lowercase();
        let meant = self.entries.iter().find(|entry| entry.key.replace('.', "_") == written)?;
        Some(format!("has one underscore too few (did you mean {}?)", variable_of(&meant.key)))
    }
}

/// What `config show` prints for a value: TOML on one line.
pub(super) fn as_toml(entry: &Entry) -> String {
    let empty = entry.value.as_str().is_some_and(str::is_empty);
    if SECRETS.contains(&entry.key.as_str()) && !empty {
        return format!("{:?}", secret::MASK);
    }
    entry.value.to_string()
}
