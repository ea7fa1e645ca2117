//! Which settings are in force? Every key with its value and where that comes from; secrets are masked.

use super::layers::{Layers, PATH_MAP};
use super::{ConfigError, EXAMPLE, LoadOptions};

/// One line per key: `key = value   # origin`.
pub fn render(options: &LoadOptions) -> Result<String, ConfigError> {
    let layers = Layers::read(EXAMPLE, options.found().as_deref(), &options.env)?;
    let line = |(key, origin): (&String, &super::Origin)| {
        let setting = format!("{key} = {}", layers.shown(key));
        format!("{setting:<60} # {origin}\n")
    };
    let (tables, keys): (Vec<_>, Vec<_>) = layers.origins.iter().partition(|(key, _)| *key == PATH_MAP);
    Ok(keys.into_iter().chain(tables).map(line).collect())
}
