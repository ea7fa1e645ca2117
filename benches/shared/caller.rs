//! How does a benchmark call a hook as Stash does? It starts a process, writes to it, and waits for its answer.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::ensure;
use serde_json::{Value, json};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_plexsync");

/// One hook, in a plugin's folder of its own.
pub(crate) struct Caller {
    program: &'static str,
    arguments: Vec<String>,
    url: String,
    token: String,
    folder: tempfile::TempDir,
}

impl Caller {
    pub(crate) fn program(url: &str, token: &str) -> anyhow::Result<Self> {
        Self::of(PROGRAM, &["hook"], url, token)
    }

    pub(crate) fn of(
        program: &'static str,
        arguments: &[&str],
        url: &str,
        token: &str,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            program,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            url: url.to_owned(),
            token: token.to_owned(),
            folder: tempfile::tempdir()?,
        })
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// Reports a change of a scene and of its cover, and gives back the answer.
    pub(crate) fn report(&self, scene: i64, cover: &str) -> anyhow::Result<Value> {
        let (child, stdout) = finished(self.command(), &self.input(scene, cover))?;
        ensure!(child == Some(0), "a hook ended with {child:?}");
        Ok(serde_json::from_str(&stdout)?)
    }

    /// Starts it and writes its input.
    pub(crate) fn start(&self, scene: i64, cover: &str) -> anyhow::Result<Child> {
        started(self.command(), &self.input(scene, cover))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.args(&self.arguments).current_dir(self.folder.path());
        command
    }

    fn input(&self, scene: i64, cover: &str) -> String {
        json!({
            "server_connection": { "Scheme": "http", "Port": 9999, "PluginDir": self.folder.path() },
            "args": {
                "url": self.url,
                "token": self.token,
                "hookContext": {
                    "id": scene,
                    "type": "Scene.Update.Post",
                    "input": { "id": scene.to_string(), "cover_image": cover },
                    "inputFields": ["cover_image", "id"],
                },
            },
        })
        .to_string()
    }
}

/// Runs a process to its end: its code, and what it wrote.
pub(crate) fn finished(command: Command, input: &str) -> anyhow::Result<(Option<i32>, String)> {
    let output = started(command, input)?.wait_with_output()?;
    Ok((output.status.code(), String::from_utf8(output.stdout)?))
}

fn started(mut command: Command, input: &str) -> anyhow::Result<Child> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A process that does nothing has ended before it could be told anything.
        drop(stdin.write_all(input.as_bytes()));
    }
    Ok(child)
}
