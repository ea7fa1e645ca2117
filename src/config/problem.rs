//! What can be wrong with a configuration, and how is it said?

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::origin::Origin;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for by name is not there.
    #[error("{} does not exist, but {named_by} names it", path.display())]
    Missing {
        /// The file as it was named.
        path: PathBuf,
        /// What names it: `--config` or `PLEXSYNC_CONFIG`.
        named_by: &'static str,
    },
    /// A directory stands where the file should be.
    #[error("{} is a directory, not a file (Docker makes one when a mounted file does not exist)", .0.display())]
    Directory(PathBuf),
    /// The file is there and cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no TOML. The parser's own error is not kept, as it holds the whole text with its secrets.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// The values are not right.
    #[error(transparent)]
    Invalid(#[from] Problems),
}

/// All that is wrong with the values of a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// One for each thing to put right, in the order of `config.example.toml`.
    pub problems: Vec<Problem>,
}

/// One thing to put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key (`plex.url`), or the name of an environment variable that stands for no key.
    pub key: String,
    /// What is wrong, with the value (but for secrets) and what would be right.
    pub text: String,
    /// Where the value came from, when that is known.
    pub origin: Option<Origin>,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => f.write_str("configuration")?,
        }
        let count = self.problems.len();
        write!(f, ": {count} problem{}", if count == 1 { "" } else { "s" })?;
        let width = self.problems.iter().map(|problem| problem.key.chars().count()).max().unwrap_or_default();
        for Problem { key, text, origin } in &self.problems {
            write!(f, "\n  {key:width$}   {text}")?;
            // The heading names the file already.
            if let Some(Origin::Environment(name) | Origin::Flag(name)) = origin
                && name != key
            {
                write!(f, " (from {name})")?;
            }
        }
        Ok(())
    }
}
