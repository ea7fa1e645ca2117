//! What does a hook cost whoever saves in Stash? Whole processes of the release program, in turn with one that does nothing.

#[path = "shared/caller.rs"]
mod caller;
#[path = "shared/no_peers.rs"]
mod no_peers;
#[path = "shared/service.rs"]
mod service;

use std::io::{Read as _, Write as _, stdout};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use plexsync::sim::world::World;
use plexsync::sim::{Fault, StashOp};
use plexsync::store::counts::counts;
use plexsync::store::{Reader, tokens};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use caller::{Caller, PROGRAM};
use service::Service;

const RUNS: i64 = 200;
/// Each takes so long that fewer tell as much.
const PYTHON_RUNS: i64 = 40;
/// As large as a picture from a camera becomes in base64.
const COVER: usize = 8 << 20;
const COVER_RUNS: i64 = 20;
const MANY: i64 = 1000;
const AT_ONCE: usize = 20;
const STASH_TAKES: Duration = Duration::from_millis(300);
/// In KiB, of all resident memory, and of the part that is not the program's file. How much of the file counts is up to
/// the system, which maps as much of it at once as it has in one piece.
const WANTED: u64 = 8 << 10;
const MOST_OF_ITS_OWN: u64 = 2 << 10;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let settings = format!("server.token = \"of-the-benchmark\"\n{}", no_peers::no_peers()?);
    let service = runtime.block_on(Service::start(folder.path(), &settings))?;
    let url = format!("http://{}", service.address);
    let hook = Caller::program(&url, &hook_token(folder.path())?)?;

    let cover = "iVBORw0K".repeat(COVER / 8);
    Trial { what: "service up", wanted: Some(10), runs: RUNS, ..TRIAL }.run(&hook)?;
    Trial { what: "service up, 8 MiB of cover", runs: COVER_RUNS, cover: &cover, ..TRIAL }.run(&hook)?;
    python(folder.path(), &url)?;
    drop(service);
    let away = Trial { what: "service away", wanted: Some(15), runs: RUNS, expected: "spooled", ..TRIAL };
    away.run(&hook)?;
    let kept = std::fs::read_to_string(hook.spool().join("waiting.jsonl"))?.lines().count();
    ensure!(kept == usize::try_from(RUNS)?, "{kept} of {RUNS} events were kept");
    memory("a small event", "")?;
    memory("8 MiB of cover", &cover)?;
    many(&runtime)
}

/// Hooks, each in turn with a process that does nothing.
struct Trial<'a> {
    what: &'static str,
    /// How many milliseconds the median may take.
    wanted: Option<u64>,
    runs: i64,
    cover: &'a str,
    expected: &'static str,
    nothing: &'static [&'static str],
}

const TRIAL: Trial<'_> =
    Trial { what: "", wanted: None, runs: 0, cover: "", expected: "delivered", nothing: &["true"] };

impl Trial<'_> {
    fn run(&self, hook: &Caller) -> anyhow::Result<()> {
        let what = self.what;
        let (mut hooks, mut nothing) = (Vec::new(), Vec::new());
        let (program, arguments) = self.nothing.split_first().context("nothing to start")?;
        for scene in 1..=self.runs {
            let mut command = Command::new(program);
            command.args(arguments);
            let began = Instant::now();
            let (code, said) = caller::finished(command, "")?;
            nothing.push(began.elapsed());
            ensure!(code == Some(0) && said.is_empty(), "{program} does something");
            let began = Instant::now();
            let answer = hook.report(scene, self.cover)?;
            hooks.push(began.elapsed());
            ensure!(is(&answer, self.expected), "{what}: {answer}");
        }
        let (hook, late, nothing) = (of(&mut hooks, 50), of(&mut hooks, 95), of(&mut nothing, 50));
        let wanted = self.wanted.map(|wanted| format!(" (at most {wanted} ms wanted)")).unwrap_or_default();
        writeln!(
            stdout(),
            "{what}: median {hook:.2?}{wanted}, 95 of 100 within {late:.2?}; {:.1} times a {program} that does nothing, \
             {nothing:.2?}",
            hook.as_secs_f64() / nothing.as_secs_f64(),
        )?;
        Ok(())
    }
}

fn hook_token(folder: &Path) -> anyhow::Result<String> {
    let known = tokens::known(&mut Reader::open(&folder.join("plexsync.db"))?)?;
    Ok(known.context("the service has made no tokens")?.hook.expose_secret().to_owned())
}

fn is(answer: &Value, expected: &str) -> bool {
    answer.get("output").and_then(Value::as_str) == Some(expected)
}

/// The time within which so many of a hundred ended.
fn of(times: &mut [Duration], of_hundred: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * of_hundred / 100).copied().unwrap_or_default()
}

fn python(folder: &Path, url: &str) -> anyhow::Result<()> {
    if Command::new("python3").arg("--version").output().is_err() {
        writeln!(stdout(), "the script for Python: NOT MEASURED, as there is no python3")?;
        return Ok(());
    }
    let into = folder.join("python");
    let exported = Command::new(PROGRAM)
        .args(["--config".as_ref(), folder.join("config.toml").as_os_str()])
        .args(["plugin", "export", "--variant", "python"])
        .arg(&into)
        .output()?;
    ensure!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let script = into.join("plexsync_hook.py").display().to_string();
    let caller = Caller::of("python3", &["-I", "-S", &script], url, &hook_token(folder)?)?;
    let nothing = &["python3", "-I", "-S", "-c", "pass"];
    Trial { what: "the script for Python", wanted: Some(120), runs: PYTHON_RUNS, nothing, ..TRIAL }
        .run(&caller)
}

/// Reads how much memory a hook has taken when it waits for the service's answer, which is nearly its end.
fn memory(what: &str, cover: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let hook = Caller::program(&format!("http://{}", listener.local_addr()?), "token")?;
    let child = hook.start(1, cover)?;
    let (mut service, _) = listener.accept()?;
    read_request(&mut service)?;
    let (most, own) = (in_kib(child.id(), "VmHWM:")?, in_kib(child.id(), "RssAnon:")?);
    service.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}")?;
    ensure!(child.wait_with_output()?.status.success(), "the hook failed");
    writeln!(
        stdout(),
        "memory, {what}: {most} KiB resident (at most {WANTED} wanted), {own} KiB of them its own, the rest its file"
    )?;
    ensure!(own < MOST_OF_ITS_OWN, "a hook takes too much memory");
    Ok(())
}

fn in_kib(process: u32, what: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(what));
    let value = value.with_context(|| format!("/proc does not tell {what}"))?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}

fn read_request(service: &mut TcpStream) -> anyhow::Result<()> {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.ends_with(b"}") {
        let read = service.read(&mut part)?;
        ensure!(read > 0, "the hook hung up");
        request.extend(part.iter().take(read));
    }
    Ok(())
}

/// Whether any of many hooks at once gets lost while the service works on them against a slow Stash.
fn many(runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let world = World::start(usize::try_from(MANY)?)?;
    world.stash.faults().inject(None::<StashOp>, Fault::Latency(STASH_TAKES), None);
    let settings = format!(
        "queue.debounce = 0\nstash.url = {:?}\nplex.url = {:?}\nplex.token = {:?}\n\
         [[path_map]]\nstash = \"/data\"\nplex = \"/media\"\n",
        world.stash.url(),
        world.plex.url(),
        world.plex.token()
    );
    let service = runtime.block_on(Service::start(folder.path(), &settings))?;
    let hook = Caller::program(&format!("http://{}", service.address), &hook_token(folder.path())?)?;
    let (next, began) = (AtomicUsize::new(0), Instant::now());
    let caller = || {
        let mut times = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(scene) = world.pairs.get(place).map(|pair| pair.scene) else {
                return anyhow::Ok(times);
            };
            let began = Instant::now();
            let answer = hook.report(scene, "")?;
            times.push(began.elapsed());
            ensure!(is(&answer, "delivered"), "scene {scene}: {answer}");
        }
    };
    let mut times = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(caller)).collect();
        let mut times = Vec::new();
        for caller in callers {
            times.extend(caller.join().ok().context("a caller panicked")??);
        }
        anyhow::Ok(times)
    })?;
    let took = began.elapsed();
    let counted = counts(&mut Reader::open(&folder.path().join("plexsync.db"))?)?;
    ensure!(counted.tallies.received == MANY && counted.tallies.opened == MANY, "lost: {counted:?}");
    writeln!(
        stdout(),
        "{MANY} hooks, {AT_ONCE} at a time, while Stash takes {STASH_TAKES:?}: none lost, in {took:.2?}; median {:.2?}, \
         95 of 100 within {:.2?}; {} are done already, and the service has taken at most {} KiB",
        of(&mut times, 50),
        of(&mut times, 95),
        counted.tallies.done,
        in_kib(service.id(), "VmHWM:")?,
    )?;
    Ok(())
}
