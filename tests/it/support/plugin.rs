//! What does Stash do with a plugin? Starts `plexsync hook` in a folder, tells it of a change, and waits for its answer.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::stranger::{Posted, Stranger};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plexsync");

/// Where Stash would run the plugin: a folder of its own.
pub(crate) struct Plugin {
    pub(crate) folder: tempfile::TempDir,
    url: String,
}

/// What Stash gets.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) answer: Value,
    pub(crate) log: String,
    pub(crate) took: Duration,
}

impl Plugin {
    pub(crate) fn of(url: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: url.to_owned() }
    }

    /// The same plugin, with the service elsewhere.
    pub(crate) fn at(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.spool().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn waiting(&self) -> Vec<String> {
        self.lines("waiting.jsonl")
    }

    pub(crate) fn input(&self, context: &Value) -> String {
        json!({
            "server_connection": { "Scheme": "http", "Port": 9999, "PluginDir": self.folder.path() },
            "args": { "url": self.url, "token": "t0ken", "hookContext": context },
        })
        .to_string()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.arg("hook").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        let began = Instant::now();
        let mut child = self.start(arguments);
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "a hook always succeeds: {log}");
        let answer = serde_json::from_slice(&output.stdout).expect("an answer in JSON");
        Ended { answer, log, took: began.elapsed() }
    }

    /// Reports a change of the scene.
    pub(crate) fn report(&self, scene: i64) -> Ended {
        self.run_with(&[], self.input(&json!({ "type": "Scene.Update.Post", "id": scene })).as_bytes())
    }
}

pub(crate) fn taken() -> Stranger {
    Stranger::start(|_| (202, "{}".to_owned()))
}

/// An address at which nobody listens, and which nobody gets while the tests run.
pub(crate) fn nobody() -> String {
    static HELD: LazyLock<(Socket, u16)> = LazyLock::new(|| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let port = socket.local_addr().unwrap().as_socket().unwrap().port();
        (socket, port)
    });
    format!("http://127.0.0.1:{}", HELD.1)
}

/// The ids of all events that were posted, in their order.
pub(crate) fn ids(posted: &[Posted]) -> Vec<i64> {
    let bodies = posted.iter().map(|posted| serde_json::from_str(&posted.body).unwrap());
    let events = bodies.flat_map(|body: Value| body.as_array().cloned().unwrap_or_else(|| vec![body]));
    events.map(|event| event["id"].as_i64().unwrap()).collect()
}
