//! Does the built program start truthfully, end in order, and lose nothing when it is killed?

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use plexsync::sim::PlexOp;
use plexsync::sim::world::World;
use rstest::rstest;

use crate::support::{agent, wait_for};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plexsync");

/// The program in a folder of its own, deaf to the environment of whoever runs the tests.
pub(crate) fn program(folder: &Path, arguments: &[&str]) -> Command {
    command(Path::new(PROGRAM), folder, arguments)
}

/// The same program without what only debuggers read, which is more than half of it: for tests in which Stash installs it.
pub(crate) fn light_program(folder: &Path, arguments: &[&str]) -> Command {
    static LIGHT: OnceLock<PathBuf> = OnceLock::new();
    let light = LIGHT.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plexsync-light");
        let own = file.with_extension(std::process::id().to_string());
        let strip = Command::new("strip").arg("-o").arg(&own).arg(PROGRAM).status();
        assert!(strip.expect("the C compiler comes with strip").success());
        // Another run of the tests may be using the one that is there.
        std::fs::rename(own, &file).unwrap();
        file
    });
    command(light, folder, arguments)
}

fn command(program: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("HOME", folder).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().unwrap()
}

pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A port that nobody listens on. It lies below those that systems hand out by themselves, so that no other socket of
/// these tests gets it before the service does; runs of the tests side by side begin at different places.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const RUNS: u32 = 40;
    const OF_EACH: u32 = 500;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = FIRST + std::process::id() % RUNS * OF_EACH;
    let ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed) % OF_EACH);
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.take(500).filter_map(|port| u16::try_from(port).ok()).find(is_free).unwrap()
}

/// A service as a process. It is killed when dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
}

impl Service {
    pub(crate) fn start(folder: &Path, port: u16) -> Self {
        let log = std::fs::File::options().append(true).create(true).open(folder.join("log")).unwrap();
        Self::of(program(folder, &["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap(), port)
    }

    /// One whose program Stash installs.
    pub(crate) fn start_light(folder: &Path, port: u16) -> Self {
        let log = std::fs::File::options().append(true).create(true).open(folder.join("log")).unwrap();
        Self::of(light_program(folder, &["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap(), port)
    }

    /// Waits until a process that was started serves.
    fn of(mut child: Child, port: u16) -> Self {
        let url = format!("http://127.0.0.1:{port}");
        wait_for("the service is ready", || {
            let answer = agent().get(format!("{url}/readyz")).call().ok()?;
            (answer.status() == 200).then_some(())
        });
        assert_eq!(child.try_wait().unwrap(), None, "it is this process that answers on port {port}");
        Self { child, url }
    }

    pub(crate) fn report(&self, scene: i64) -> bool {
        self.tell_of("Scene.Update.Post", scene)
    }

    /// Posts an event; whether it was taken.
    #[expect(clippy::print_stderr, reason = "for whoever reads why a test failed")]
    pub(crate) fn tell_of(&self, kind: &str, scene: i64) -> bool {
        let body = format!(r#"{{"type":{kind:?},"id":{scene}}}"#);
        let sent = agent()
            .post(format!("{}/webhooks/stash", self.url))
            .header("content-type", "application/json")
            .send(body);
        if !matches!(&sent, Ok(answer) if answer.status() == 202) {
            eprintln!("scene {scene} was not taken: {sent:?}");
        }
        sent.is_ok_and(|answer| answer.status() == 202)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub(crate) fn ended(mut self) -> i32 {
        self.wait()
    }

    /// Waits for its end, whose code it returns, and -1 after a kill.
    pub(crate) fn wait(&mut self) -> i32 {
        let status = self.child.wait().unwrap();
        status.code().unwrap_or(-1)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn write_settings(folder: &Path, world: &World, port: u16) {
    let settings = world.settings(&folder.join("p.db")).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let quick = "queue.debounce = 0\nqueue.create_delay = 0\nretry.first_delay = \"20ms\"\nretry.max_delay = \"100ms\"\n";
    std::fs::write(folder.join("config.toml"), format!("{quick}{settings}")).unwrap();
}

#[test]
fn killed_at_any_moment_it_loses_nothing_that_it_acknowledged_and_writes_nothing_twice() {
    const SCENES: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(SCENES).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let mut acknowledged = Vec::new();
    for (round, part) in world.pairs.chunks(10).enumerate() {
        let service = Service::start(folder.path(), port);
        acknowledged.extend(part.iter().filter(|pair| service.report(pair.scene)));
        let edits = round * 10 + 1 + round % 4;
        wait_for("some writes", || (world.plex.count(PlexOp::Edit) >= edits).then_some(()));
        service.signal("-KILL");
        service.ended();
    }
    assert_eq!(acknowledged.len(), SCENES, "every event was acknowledged");
    let service = Service::start(folder.path(), port);
    wait_for("every acknowledged scene shows", || {
        acknowledged.iter().all(|pair| world.is_synced(pair)).then_some(())
    });
    for pair in &world.pairs {
        let of_item = |request: &&plexsync::sim::Recorded<PlexOp>| {
            request.op == PlexOp::Edit && request.path_and_query.contains(&format!("id={}&", pair.rating_key))
        };
        let writes = world.plex.requests().iter().filter(of_item).count();
        assert_eq!(writes, 1, "item {} was written once", pair.rating_key);
    }
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
}

#[test]
fn on_a_full_disk_the_answer_is_503_and_everything_acknowledged_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(0).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    Service::start(folder.path(), port).signal("-TERM");
    // No file may grow beyond this from here on, which is how a full disk looks to SQLite.
    let shell = format!("trap '' XFSZ; ulimit -f 600; exec {PROGRAM} run");
    let mut command = Command::new("sh");
    command.args(["-c", &shell]).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    let log = std::fs::File::create(folder.path().join("full.log")).unwrap();
    let child = wait_for("the lock is free", || {
        let held = plexsync::store::InstanceLock::acquire(&folder.path().join("p.db"), "test");
        held.is_ok().then(|| command.stdout(Stdio::null()).stderr(log.try_clone().unwrap()).spawn().unwrap())
    });
    let service = Service::of(child, port);
    let (mut acknowledged, mut refused) = (Vec::new(), None);
    for batch in 0_i64..400 {
        let scenes: Vec<_> = (1..=50).map(|place| batch * 50 + place).collect();
        let events: Vec<_> =
            scenes.iter().map(|id| format!(r#"{{"type":"Scene.Update.Post","id":{id}}}"#)).collect();
        let request = agent()
            .post(format!("{}/webhooks/stash", service.url))
            .header("content-type", "application/json");
        let answer = request.send(format!("[{}]", events.join(","))).unwrap();
        if answer.status() != 202 {
            refused = Some(answer);
            break;
        }
        acknowledged.extend(scenes);
    }
    let refused = refused.expect("the disk is full at some time");
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(!acknowledged.is_empty());
    service.signal("-KILL");
    service.ended();
    let readers = plexsync::store::Readers::open(&folder.path().join("p.db")).unwrap();
    for id in acknowledged {
        let scene = plexsync::domain::ids::SceneId::try_from(id).unwrap();
        let stored = readers.with(|reader| plexsync::store::jobs::job(reader, scene)).unwrap();
        assert!(stored.is_some(), "scene {id} was acknowledged and is not stored");
    }
}

#[test]
fn run_until_idle_ends_when_nothing_is_due_and_does_not_wait_for_a_peer_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(1).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let service = Service::start(folder.path(), port);
    world.plex.go_down().unwrap();
    assert!(service.report(world.pairs[0].scene));
    service.signal("-TERM");
    assert_eq!(service.ended(), 0, "SIGTERM ends it in order");
    let left = run(folder.path(), &["run", "--until-idle"]);
    assert_eq!(left.status.code(), Some(69), "{}", errors(&left));
    assert!(errors(&left).contains("scenes that are due were left"), "{}", errors(&left));
    world.plex.come_back().unwrap();
    let output = run(folder.path(), &["run", "--until-idle"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert!(world.is_synced(&world.pairs[0]));
}

#[test]
fn the_commands_read_the_database_with_the_service_and_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(0).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let missing = run(folder.path(), &["queue", "list"]);
    assert_eq!(missing.status.code(), Some(74), "{}", errors(&missing));
    let service = Service::start(folder.path(), port);
    assert!(service.report(42));
    let status = run(folder.path(), &["status"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("running"), "{status:?}");
    wait_for("the run is seen", || {
        let listed = run(folder.path(), &["queue", "list", "--json"]);
        let jobs: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        (jobs.as_array().unwrap().is_empty()).then_some(())
    });
    let shown = run(folder.path(), &["queue", "show", "42"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Stash"), "{shown:?}");
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    let alone = run(folder.path(), &["status"]);
    assert!(String::from_utf8_lossy(&alone.stdout).contains("database"), "{alone:?}");
    assert_eq!(run(folder.path(), &["queue", "show", "7"]).status.code(), Some(1));
    assert_eq!(run(folder.path(), &["healthcheck"]).status.code(), Some(1));
}

#[rstest]
#[case::no_token("", 78, "plex.token")]
#[case::typo("[plex]\ntokn = \"x\"", 78, "token")]
#[case::bad_url("[plex]\ntoken = \"x\"\nurl = \"plex:32400\"", 78, "plex.url")]
#[case::not_toml("[plex", 78, "config.toml")]
#[case::open_to_all("[server]\nlisten = \"0.0.0.0:1\"\n[plex]\ntoken = \"x\"", 78, "server.token")]
#[case::no_folder("[storage]\npath = \"no/such/folder/p.db\"\n[plex]\ntoken = \"x\"", 74, "no/such/folder")]
fn a_start_that_cannot_be_says_why(#[case] settings: &str, #[case] code: i32, #[case] names: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), settings).unwrap();
    let output = run(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(code), "{}", errors(&output));
    assert!(errors(&output).contains(names), "{}", errors(&output));
}

#[test]
fn a_damaged_database_and_a_taken_port_and_a_second_process_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(0).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let service = Service::start(folder.path(), port);
    let second = run(folder.path(), &["run"]);
    assert_eq!(second.status.code(), Some(75), "{}", errors(&second));
    assert!(
        errors(&second).contains(&service.child.id().to_string()),
        "it names the owner: {}",
        errors(&second)
    );
    let other = tempfile::tempdir().unwrap();
    write_settings(other.path(), &world, port);
    let taken = run(other.path(), &["run"]);
    assert_eq!(taken.status.code(), Some(74), "{}", errors(&taken));
    assert!(errors(&taken).contains(&port.to_string()), "{}", errors(&taken));
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    std::fs::write(other.path().join("p.db"), "this is no database, and it is long enough to be looked at")
        .unwrap();
    let damaged = run(other.path(), &["run"]);
    assert_eq!(damaged.status.code(), Some(65), "{}", errors(&damaged));
    assert!(errors(&damaged).contains("p.db"), "{}", errors(&damaged));
}

#[rstest]
#[case(&["nonsense"], 64)]
#[case(&["queue", "show", "zero"], 64)]
#[case(&["queue", "list", "--state", "lost"], 64)]
#[case(&["--help"], 0)]
#[case(&["--version"], 0)]
#[case(&["config", "example"], 0)]
#[case(&["config", "show"], 0)]
fn usage_errors_exit_with_64(#[case] arguments: &[&str], #[case] code: i32) {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), arguments).status.code(), Some(code));
}

#[test]
fn the_demo_ends_with_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let output = light_program(folder.path(), &["demo", "--scenes", "6"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text} {}", errors(&output));
    for row in
        ["scenes", "synced", "waiting", "dead", "Plex requests per scene", "a save in Stash", "from save"]
    {
        assert!(text.contains(row), "{row} in {text}");
    }
    assert!(text.contains("Stash installs version") && text.contains("was restarted"), "{text}");
}

#[test]
fn the_demo_ends_early_at_a_signal_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = light_program(folder.path(), &["demo", "--scenes", "5000", "--calm"]);
    let mut demo = demo.env("TMPDIR", folder.path()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("scenes are edited")), "the hooks are being started");
    assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
    assert!(lines.any(|line| line.contains("ending early")));
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}
