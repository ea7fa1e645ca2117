//! How does a hook answer Stash? One JSON object on standard output, and log lines with Stash's levels on standard error.

use std::io::Write;

use serde::Serialize;

/// Stash stops reading a plugin's log at a line of 64 KiB; people stop much earlier.
const LONGEST_LINE: usize = 500;

/// The levels of Stash's log that a hook uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

impl Level {
    /// Between two control characters, at the beginning of a line.
    fn letter(self) -> char {
        match self {
            Self::Debug => 'd',
            Self::Info => 'i',
            Self::Warning => 'w',
            Self::Error => 'e',
        }
    }
}

/// What Stash is told in the end.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) enum Outcome {
    #[serde(rename = "output")]
    Text(&'static str),
    #[serde(rename = "output")]
    Ping(Pong),
    /// Stash shows it in its log as an error.
    #[serde(rename = "error")]
    Error(String),
}

/// The answer to a ping.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Pong {
    version: &'static str,
    /// The kind of program that answers: the Python script says `python`.
    variant: &'static str,
    url: String,
    reached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// Bytes that wait in the spool.
    spooled: u64,
}

impl Outcome {
    pub(super) fn ping(url: &str, problem: Option<&str>, spooled: u64) -> Self {
        Self::Ping(Pong {
            version: env!("CARGO_PKG_VERSION"),
            variant: "program",
            url: url.to_owned(),
            reached: problem.is_none(),
            problem: problem.map(str::to_owned),
            spooled,
        })
    }
}

/// Where a hook speaks. A listener that has gone away is no reason to fail.
pub(super) struct Voice<O, E> {
    stdout: O,
    stderr: E,
}

impl<O: Write, E: Write> Voice<O, E> {
    pub(super) fn new(stdout: O, stderr: E) -> Self {
        Self { stdout, stderr }
    }

    pub(super) fn log(&mut self, level: Level, text: &str) {
        let line = one_line(text);
        drop(self.stderr.write_all(format!("\u{1}{}\u{2}{line}\n", level.letter()).as_bytes()));
    }

    pub(super) fn answer(&mut self, outcome: &Outcome) {
        let document = serde_json::to_string(outcome).unwrap_or_default();
        drop(self.stdout.write_all(document.as_bytes()));
        drop(self.stdout.flush());
    }
}

fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(LONGEST_LINE).map(plain).collect()
}
