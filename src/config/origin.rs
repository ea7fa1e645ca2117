//! Where did a value come from?

use std::fmt;
use std::path::PathBuf;

/// Where a value came from; each overrules the ones before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `config.example.toml`, which is part of the program.
    BuiltIn,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable, by name.
    Environment(String),
    /// A flag on the command line, by name.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}
