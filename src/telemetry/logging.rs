//! Where do log lines go, which of them, and in which shape?

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// What the log is to be like.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// A level, or directives as `EnvFilter` takes them: `info,plexsync::plex=debug`.
    pub directives: String,
    /// The shape of a line.
    pub format: Format,
    /// The file to append to; none is standard error.
    pub file: Option<PathBuf>,
    /// Whether lines are coloured. Lines in a file and JSON never are.
    pub color: Color,
}

/// The shape of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// When lines are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// When standard error is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The directives mean nothing.
    #[error(
        "log.level is not a log filter: {directives:?} (write for example \"info,plexsync::plex=debug\")"
    )]
    Directives {
        /// As they were given.
        directives: String,
        /// What is wrong with them.
        source: ParseError,
    },
    /// The file cannot be appended to.
    #[error("log.file {} cannot be opened for appending", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Logging was set up before: there is one log for a process.
    #[error("logging is set up already")]
    Twice(#[source] TryInitError),
}

/// Keep it until the process ends: when it goes, the lines in the log file are put on the disk.
#[must_use = "the log file is put on the disk when this goes"]
#[derive(Debug)]
pub struct Guard {
    file: Option<Arc<File>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // The process ends and the log is what failed: there is nobody left to tell.
            drop(file.sync_data());
        }
    }
}

/// Sends the log of the whole process, that of libraries included, to where `log` says. Lines are written at once,
/// unbuffered, so that a crash loses none.
pub fn install(log: &LogSettings) -> Result<Guard, LoggingError> {
    let filter = filter(&log.directives)?;
    let Some(path) = &log.file else {
        let ansi = match log.color {
            Color::Auto => io::stderr().is_terminal(),
            Color::Always => true,
            Color::Never => false,
        };
        subscriber(filter, log.format, ansi, io::stderr).try_init().map_err(LoggingError::Twice)?;
        return Ok(Guard { file: None });
    };
    let file = Arc::new(open(path)?);
    subscriber(filter, log.format, false, Arc::clone(&file)).try_init().map_err(LoggingError::Twice)?;
    Ok(Guard { file: Some(file) })
}

/// What the web server says of its threads is of use only to whoever asks for it by name.
const QUIET: &str = "actix_server=warn";

fn filter(directives: &str) -> Result<EnvFilter, LoggingError> {
    // The last directive for a target counts, so one that the user gives wins.
    EnvFilter::try_new(format!("{QUIET},{directives}"))
        .map_err(|source| LoggingError::Directives { directives: directives.to_owned(), source })
}

fn subscriber<W>(
    filter: EnvFilter,
    format: Format,
    ansi: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match format {
        Format::Text => Box::new(lines.with_ansi(ansi).finish()),
        Format::Json => Box::new(lines.json().flatten_event(true).with_span_list(false).finish()),
    }
}

/// Opens the file so that only its owner can read it: names of scenes and paths stand in it.
fn open(path: &Path) -> Result<File, LoggingError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| LoggingError::File { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tracing::subscriber::with_default;
    use tracing::{debug, info, info_span};

    use super::*;

    /// What `log` leaves in a file with this filter and format.
    fn logged(directives: &str, format: Format, log: impl FnOnce()) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plexsync.log");
        let file = Arc::new(open(&path).unwrap());
        with_default(subscriber(filter(directives).unwrap(), format, false, file), log);
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_line_below_the_level_is_left_out() {
        let text = logged("info", Format::Text, || {
            info!(scene.id = 42, "synced scene 42");
            debug!("not for everybody");
        });
        assert!(text.contains("INFO") && text.contains("synced scene 42 scene.id=42"), "{text}");
        assert!(!text.contains("not for everybody"), "{text}");
    }

    #[test]
    fn a_directive_for_one_part_holds_for_that_part_only() {
        let text = logged("warn,loud=debug", Format::Text, || {
            debug!(target: "loud", "heard");
            debug!(target: "quiet", "unheard");
        });
        assert!(text.contains("heard") && !text.contains("unheard"), "{text}");
    }

    #[test]
    fn a_json_line_is_one_object_with_its_fields_and_its_span() {
        let text = logged("info", Format::Json, || {
            info_span!("job", job.id = 7).in_scope(|| info!(scene.id = 42, "synced\nscene"));
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["scene.id"], 42);
        assert_eq!(line["message"], "synced\nscene");
        assert_eq!(line["span"]["job.id"], 7);
    }

    #[test]
    fn lines_in_a_file_carry_no_colours() {
        let text = logged("info", Format::Text, || info!("plain"));
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn an_escape_sequence_in_a_value_does_not_reach_the_terminal() {
        let text = logged("info", Format::Text, || info!(title = "\u{1b}[2Jgone", "synced {}", "\u{1b}[2J"));
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn a_bad_filter_is_named_with_the_key() {
        let error = filter("info,plexsync=loudly").unwrap_err().to_string();
        assert!(error.starts_with("log.level is not a log filter: \"info,plexsync=loudly\""), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let error = open(Path::new("/nowhere/plexsync.log")).unwrap_err().to_string();
        assert_eq!(error, "log.file /nowhere/plexsync.log cannot be opened for appending");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_log_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plexsync.log");
        open(&path).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_is_appended_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plexsync.log");
        fs::write(&path, "from before\n").unwrap();
        let file = Arc::new(open(&path).unwrap());
        with_default(subscriber(filter("info").unwrap(), Format::Text, false, file), || info!("and now"));
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("from before\n") && text.contains("and now"), "{text}");
    }
}
