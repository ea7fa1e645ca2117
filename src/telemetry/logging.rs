//! Where do log lines go, and in which form?

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use thiserror::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

/// How to log.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// A level or a filter such as `info,plexsync::plex=debug`.
    pub level: String,
    pub json: bool,
    pub file: Option<PathBuf>,
    /// Colours on the standard error output; `None` means: when it is a terminal.
    pub color: Option<bool>,
}

/// A log that cannot be set up.
#[derive(Debug, Error)]
pub enum LoggingError {
    #[error("log.level {0:?} is not a level or a filter")]
    Level(String),
    #[error("log.file {path} cannot be written: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("a log is set up already")]
    Again,
}

/// Sets the log of this process up. Panics go there as well, with the name of their thread.
pub fn install(settings: &LogSettings) -> Result<(), LoggingError> {
    let filter: Targets = settings.level.parse().or(Err(LoggingError::Level(settings.level.clone())))?;
    // The web server reports its own start and stop line by line, which tells an operator nothing.
    let filter = if settings.level.contains("actix") {
        filter
    } else {
        filter.with_target("actix_server", LevelFilter::WARN)
    };
    let (writer, terminal) = match &settings.file {
        Some(path) => {
            let open = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
            let file = open.map_err(|error| LoggingError::File { path: path.clone(), error })?;
            (BoxMakeWriter::new(std::sync::Mutex::new(file)), false)
        }
        None => (BoxMakeWriter::new(io::stderr), io::stderr().is_terminal()),
    };
    let ansi = settings.color.unwrap_or(terminal) && settings.file.is_none();
    let layer = if settings.json {
        fmt::layer().json().flatten_event(true).with_writer(writer).boxed()
    } else {
        fmt::layer().with_ansi(ansi).with_target(false).with_writer(writer).boxed()
    };
    let installed = Registry::default().with(layer.with_filter(filter)).try_init();
    installed.or(Err(LoggingError::Again))?;
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        tracing::error!(thread = thread.name().unwrap_or("unnamed"), "a panic: {panic}");
    }));
    Ok(())
}
