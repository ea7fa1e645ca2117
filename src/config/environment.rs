//! Which environment variables does PlexSync see?

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// What every variable of PlexSync begins with.
pub(super) const PREFIX: &str = "PLEXSYNC_";
/// The variable that names the configuration file; it stands for no key.
pub(super) const CONFIG_FILE: &str = "PLEXSYNC_CONFIG";

/// The environment, as a value: the only place of the program that reads the real one.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// The environment of this process. Variables whose names are no Unicode are left out: none is ours.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of `name`, if it is set to something.
    pub(super) fn filled(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The variables that begin with [`PREFIX`], as (full name, rest of the name, value), in order of name.
    pub(super) fn ours(&self) -> impl Iterator<Item = (&str, &str, &OsStr)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), name.strip_prefix(PREFIX)?, value.as_os_str())))
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .filter_map(|(name, value)| Some((name.into().into_string().ok()?, value.into())))
                .collect(),
        )
    }
}

/// Names only: any value may be a secret.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.ours().map(|(name, ..)| name)).finish()
    }
}

/// The variable that stands for `key`: `plex.url` is `PLEXSYNC_PLEX__URL`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}
