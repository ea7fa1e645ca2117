//! What is logged, how, and where?

use std::path::PathBuf;

use toml::Value;
use tracing_subscriber::EnvFilter;

use super::nearest::nearest;
use super::reader::Reader;
use super::values::{self, Words};

/// `[log]`
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// A level, or directives as `EnvFilter` takes them: `info,plexsync::plex=debug`.
    pub level: String,
    /// The shape of a line.
    pub format: LogFormat,
    /// The file to which lines are appended; none is standard error.
    pub file: Option<PathBuf>,
    /// Whether names in paths are replaced by codes.
    pub obfuscate_paths: bool,
}

/// The shape of a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            level: reader.read("log.level", directives),
            format: reader.word("log.format"),
            file: reader.path_if_any("log.file"),
            obfuscate_paths: reader.truth("log.obfuscate_paths"),
        }
    }
}

impl Words for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

fn directives(value: &Value) -> Result<String, String> {
    let written = values::text(value)?.trim();
    let all = LEVELS.join(", ");
    // `EnvFilter` takes a word that is no level for the name of a module and then logs nothing else, so that a slip
    // of the finger ("inof") would silence the log. Span directives have commas of their own inside of brackets.
    let plain = || written.split(',').map(str::trim).filter(|directive| !directive.contains('='));
    let stray = plain().find(|word| !LEVELS.contains(&word.to_ascii_lowercase().as_str()));
    if let Some(stray) = stray.filter(|_| !written.contains('[')) {
        let meant =
            nearest(stray, LEVELS).map(|level| format!("; did you mean {level:?}?")).unwrap_or_default();
        return Err(format!(
            "is none of {all}: {stray:?} (for one part: \"info,plexsync::plex=debug\"{meant})"
        ));
    }
    match EnvFilter::try_new(written) {
        Ok(_) => Ok(written.to_owned()),
        Err(_) => {
            Err(format!("is not a log filter: {written:?} (write for example \"info,plexsync::plex=debug\")"))
        }
    }
}
