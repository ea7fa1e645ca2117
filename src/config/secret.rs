//! Where does a secret stand, and how is it read again?

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// What is shown in the place of a secret.
pub const MASK: &str = "***";

/// The keys whose values are never shown and may come from a file of their own (`…_FILE`).
pub(super) const SECRETS: [&str; 3] = ["server.token", "stash.api_key", "plex.token"];

/// No token or key comes near this many bytes: a longer file is the wrong file.
const LARGEST: u64 = 4096;

/// Where a secret came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecretSource {
    /// There is none.
    #[default]
    Unset,
    /// The configuration file, a variable or a flag: fixed until the next start.
    Inline,
    /// A file of its own, which can be read again.
    File(PathBuf),
}

/// Where each secret came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretSources {
    /// Of `server.token`.
    pub server_token: SecretSource,
    /// Of `stash.api_key`.
    pub stash_api_key: SecretSource,
    /// Of `plex.token`.
    pub plex_token: SecretSource,
}

/// Why a secret could not be read from its file.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The system refuses.
    #[error("cannot be read from {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing stands in it. Taken for "no secret" it would silently open what the secret should close.
    #[error("is to be read from {}, which is empty", .0.display())]
    Empty(PathBuf),
    /// The content is no secret that could be sent in a header.
    #[error("as read from {} {text}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the content.
        text: String,
    },
}

impl SecretSource {
    /// The secret as its file holds it now; nothing if it has no file of its own. Reads the disk.
    pub fn read_again(&self) -> Result<Option<SecretString>, SecretError> {
        match self {
            Self::Unset | Self::Inline => Ok(None),
            Self::File(path) => {
                let unfit = |text| SecretError::Unfit { path: path.clone(), text };
                fit(&read(path)?).map(Some).map_err(unfit)
            }
        }
    }
}

/// The content of a secret's file without the newline at its end; never empty.
pub(super) fn read(path: &Path) -> Result<String, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_path_buf(), source };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        let text = format!("is longer than {LARGEST} bytes (name another)");
        return Err(SecretError::Unfit { path: path.to_path_buf(), text });
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(SecretError::Empty(path.to_path_buf()));
    }
    Ok(secret.to_owned())
}

/// Takes `text` for a secret if it can travel in an HTTP header as it stands.
pub(super) fn fit(text: &str) -> Result<SecretString, String> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(SecretString::from(text))
    } else {
        Err("has a space, a line break or a letter outside of ASCII in it (copy it again, without quotes)"
            .to_owned())
    }
}
