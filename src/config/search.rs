//! Which file is the configuration?

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::environment::{CONFIG_FILE, Environment};
use super::problem::ConfigError;

/// A configuration file that was found and read.
pub(super) struct Found {
    /// The path as the user would write it.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Reads the file that `flag` or the environment names, else the first that exists of [`places`].
pub(super) fn find(
    flag: Option<&Path>,
    environment: &Environment,
    cwd: &Path,
) -> Result<Option<Found>, ConfigError> {
    let named = flag
        .map(|path| (path.to_path_buf(), "--config"))
        .or_else(|| environment.filled(CONFIG_FILE).map(|path| (PathBuf::from(path), CONFIG_FILE)));
    if let Some((path, named_by)) = named {
        return match read(&path, cwd)? {
            Some(text) => Ok(Some(Found { path, text })),
            None => Err(ConfigError::Missing { path, named_by }),
        };
    }
    for path in places(environment) {
        if let Some(text) = read(&path, cwd)? {
            return Ok(Some(Found { path, text }));
        }
    }
    Ok(None)
}

/// Where a file is looked for when none is named, first place first.
pub(super) fn places(environment: &Environment) -> Vec<PathBuf> {
    // As the XDG specification has it: a relative directory is as good as none, and then it is ~/.config.
    let user = environment
        .filled("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|directory| directory.is_absolute())
        .or_else(|| environment.filled("HOME").map(|home| Path::new(home).join(".config")));
    let directories = user.into_iter().chain([PathBuf::from("/etc")]);
    std::iter::once(PathBuf::from("config.toml"))
        .chain(directories.map(|directory| directory.join("plexsync/config.toml")))
        .collect()
}

/// The text of the file, or nothing if there is no such file.
fn read(path: &Path, cwd: &Path) -> Result<Option<String>, ConfigError> {
    let full = cwd.join(path);
    if full.is_dir() {
        return Err(ConfigError::Directory(path.to_path_buf()));
    }
    match fs::read_to_string(full) {
        Ok(text) => Ok(Some(text)),
        // A parent that is a file, not a directory, is a missing file as well.
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(ConfigError::Unreadable { path: path.to_path_buf(), source }),
    }
}
