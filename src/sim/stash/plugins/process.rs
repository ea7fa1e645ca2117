//! How is a plugin run? As a process that is waited for, and killed when whoever waits for the change hangs up.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// How often it is looked whether somebody has hung up.
const LOOK: Duration = Duration::from_millis(2);

const BUSY_TRIES: usize = 200;

/// Whether the client that made a change is still there.
#[derive(Clone, Debug, Default)]
pub struct HangUp(Arc<AtomicBool>);

impl HangUp {
    /// The browser's tab is closed, or a proxy gives up.
    pub fn hang_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_hung_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is to be started, and what it gets on its standard input.
pub(super) struct Start {
    /// The first one that is there is started.
    pub(super) programs: Vec<PathBuf>,
    pub(super) arguments: Vec<String>,
    pub(super) input: String,
}

/// How it ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// What the system says of an end that was none with code 0.
    status: Option<String>,
    pub(super) cancelled: bool,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    output: Value,
}

impl Start {
    pub(super) fn run(self, hang_up: &HangUp) -> Result<Ended, String> {
        let mut child = self.spawn()?;
        let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = self.input;
        // A plugin may not read all of it.
        thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(input.as_bytes())));
        let errors = thread::spawn(move || read(stderr));
        let (done, output) = channel();
        thread::spawn(move || done.send(read(stdout)));
        // Its end is the end of its standard output, whoever holds it.
        loop {
            match output.recv_timeout(LOOK) {
                Ok(stdout) => {
                    let stderr = errors.join().unwrap_or_default();
                    return Ok(Ended { stdout, stderr, status: status(&mut child), cancelled: false });
                }
                Err(RecvTimeoutError::Timeout) if hang_up.is_hung_up() => {
                    drop(child.kill());
                    drop(child.wait());
                    return Ok(Ended { cancelled: true, ..Ended::default() });
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err("the output could not be read".to_owned()),
            }
        }
    }
}

impl Start {
    fn spawn(&self) -> Result<Child, String> {
        let mut problem = "empty exec value".to_owned();
        for program in &self.programs {
            match self.spawn_one(program) {
                Ok(child) => return Ok(child),
                Err(error) => {
                    // In the words of Go's runtime.
                    let text = error.to_string();
                    let words = text.split(" (os error").next().unwrap_or_default().to_lowercase();
                    problem = format!("fork/exec {}: {words}", program.display());
                    if error.kind() != io::ErrorKind::NotFound {
                        break;
                    }
                }
            }
        }
        Err(problem)
    }

    fn spawn_one(&self, program: &Path) -> io::Result<Child> {
        let mut command = Command::new(program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut spawned = command.spawn();
        // A process that another thread is just starting may still have the new program open for writing.
        for _ in 0..BUSY_TRIES {
            if !spawned.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ExecutableFileBusy) {
                break;
            }
            pause();
            spawned = command.spawn();
        }
        spawned
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread that runs a plugin waits for it anyway")]
fn pause() {
    thread::sleep(LOOK);
}

fn read(from: Option<impl io::Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        drop(from.read_to_end(&mut bytes));
    }
    bytes
}

fn status(child: &mut Child) -> Option<String> {
    let status = child.wait().ok().filter(|status| !status.success())?;
    Some(status.code().map_or_else(|| "signal: killed".to_owned(), |code| format!("exit status {code}")))
}

impl Ended {
    /// What the plugin gives back, or what went wrong.
    pub(super) fn result(&self) -> Result<Value, String> {
        let text = String::from_utf8_lossy(&self.stdout);
        let output = serde_json::from_str::<Output>(&text);
        match (output, &self.status) {
            (Ok(Output { error: Some(error), .. }), _) => Err(error),
            (_, Some(status)) => Err(status.clone()),
            (Ok(Output { output, .. }), None) => Ok(output),
            (Err(_), None) => Ok(Value::from(text.into_owned())),
        }
    }

    /// What it wrote to its log, each line with its level.
    pub(super) fn log_lines(&self) -> Vec<(&'static str, String)> {
        let text = String::from_utf8_lossy(&self.stderr).into_owned();
        let line = |line: &str| {
            let marked = line.strip_prefix('\u{1}').and_then(|rest| rest.split_once('\u{2}'));
            let Some((level, text)) = marked else { return ("Error", line.to_owned()) };
            let level = match level {
                "t" => "Trace",
                "d" => "Debug",
                "i" => "Info",
                "w" => "Warning",
                _ => "Error",
            };
            (level, text.to_owned())
        };
        text.lines().map(line).collect()
    }
}
