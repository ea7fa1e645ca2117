//! How many events a second does the service put on the disk before it answers, measured against what the disk and the
//! web server can do in the same run? And is anything that it acknowledged missing after `kill -9`?

#[path = "shared/http.rs"]
mod http;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/no_peers.rs"]
mod no_peers;
#[path = "shared/service.rs"]
mod service;

use std::collections::BTreeSet;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use load::{Tally, Traffic};
use service::Service;

const TOKEN: &str = "token-of-the-benchmark";
/// Longer than the run: only ingest works.
const QUIET: &str = "queue.debounce = \"30s\"\n";
/// Connections, and how many times the rate of single commits is wanted.
const CASES: [(usize, f64); 3] = [(64, 5.0), (16, 2.0), (1, 0.35)];
/// How much of the rate of the cheapest request is wanted; the lower of the two counts.
const OF_LIVEZ: f64 = 0.4;
const COMMITS_FOR: Duration = Duration::from_secs(2);
const LIVEZ_FOR: Duration = Duration::from_secs(2);
const ACKS_FOR: Duration = Duration::from_secs(3);
const KILL_AFTER: Duration = Duration::from_millis(1500);
/// About as large as a job's row and its share of the indexes.
const PAYLOAD: usize = 480;

diesel::table! {
    payloads (id) {
        id -> BigInt,
        payload -> Text,
    }
}

diesel::table! {
    jobs (kind, id) {
        kind -> Text,
        id -> BigInt,
    }
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let settings = format!("server.token = {TOKEN:?}\n{QUIET}{}", no_peers::no_peers()?);
    let mut service = runtime.block_on(Service::start(folder.path(), &settings))?;
    let next = Arc::new(AtomicI64::new(1));
    let events = Traffic::Events { token: TOKEN, next };
    let mut commits = Commits::open(&folder.path().join("commits.db"))?;

    let mut acknowledged = Vec::new();
    let mut in_order = true;
    let mut before = commits.rate(COMMITS_FOR)?;
    for (connections, of_commits) in CASES {
        let livez = load::run(service.address, connections, LIVEZ_FOR, &livez(&service))?;
        let spent = cpu_time(&service)?;
        let acks = load::run(service.address, connections, ACKS_FOR, &events)?;
        let spent = cpu_time(&service)?.saturating_sub(spent);
        let after = commits.rate(COMMITS_FOR)?;
        if livez.good == 0 || livez.broken + acks.broken + livez.others.len() > 0 {
            bail!("a connection broke, or /livez did not answer 200");
        }
        let case = Case { connections, of_commits, single: (before, after), livez, acks, spent };
        case.print()?;
        in_order &= case.acks.refusals_are_in_order();
        acknowledged.extend(case.acks.acknowledged);
        before = after;
    }

    let killed = kill_in_full_load(&mut service, &events)?;
    let of_the_last = killed.acknowledged.len();
    in_order &= killed.refusals_are_in_order();
    acknowledged.extend(killed.acknowledged);
    let stored = stored(&folder.path().join("plexsync.db"))?;
    let missing = acknowledged.iter().filter(|scene| !stored.contains(scene)).count();
    writeln!(
        stdout(),
        "kill -9 in full load at {} connections: acknowledged {} ({of_the_last} in that load), stored {}, \
         acknowledged but missing {missing}",
        killed.broken,
        acknowledged.len(),
        stored.len(),
    )?;
    if missing > 0 || !in_order {
        bail!("{missing} acknowledged events are missing; refusals in order: {in_order}");
    }
    Ok(())
}

fn livez(service: &Service) -> Traffic {
    Traffic::Same(format!("GET /livez HTTP/1.1\r\nhost: {}\r\n\r\n", service.address).into_bytes().into())
}

/// One number of connections and what was measured with it.
struct Case {
    connections: usize,
    of_commits: f64,
    /// Single commits a second, before and after. Far apart they say that something else used the disk.
    single: (f64, f64),
    livez: Tally,
    acks: Tally,
    /// Processor time that the service took for the acknowledgements.
    spent: Duration,
}

impl Case {
    fn print(&self) -> anyhow::Result<()> {
        let Self { connections, of_commits, single: (before, after), livez, acks, spent } = self;
        let single = f64::midpoint(*before, *after);
        let (cheapest, rate) = (per_second(livez.good, LIVEZ_FOR), per_second(acks.good, ACKS_FOR));
        let bar = (of_commits * single).min(OF_LIVEZ * cheapest);
        writeln!(
            stdout(),
            "{connections:>2} connections: A {rate:.0}/s, R {single:.0}/s ({before:.0} before, {after:.0} after), \
             C {cheapest:.0}/s; A/R {:.2}, A/C {:.2}; bar min({of_commits} R, {OF_LIVEZ} C) = {bar:.0}/s: {}",
            rate / single,
            rate / cheapest,
            if rate >= bar { "reached" } else { "MISSED" },
        )?;
        writeln!(
            stdout(),
            "   p50 {:.2} ms, p99 {:.2} ms; {} not 202{}; service {:.0} µs of processor time each",
            acks.percentile(50),
            acks.percentile(99),
            acks.others.len(),
            if acks.refusals_are_in_order() { "" } else { ", and not all of them 503 with Retry-After" },
            spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(acks.good.max(1))?),
        )?;
        Ok(())
    }
}

fn per_second(count: usize, over: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / over.as_secs_f64()
}

/// What one durable commit costs on this disk.
struct Commits {
    connection: SqliteConnection,
    payload: String,
}

impl Commits {
    fn open(file: &Path) -> anyhow::Result<Self> {
        let mut connection = connect(file)?;
        connection.batch_execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE payloads (id INTEGER NOT NULL PRIMARY KEY, payload TEXT NOT NULL) STRICT;",
        )?;
        Ok(Self { connection, payload: "x".repeat(PAYLOAD) })
    }

    /// Commits of one row each, a second.
    fn rate(&mut self, lasting: Duration) -> anyhow::Result<f64> {
        let began = Instant::now();
        let mut count = 0;
        while began.elapsed() < lasting {
            let row = payloads::payload.eq(&self.payload);
            self.connection.immediate_transaction(|connection| {
                diesel::insert_into(payloads::table).values(row).execute(connection)
            })?;
            count += 1;
        }
        Ok(per_second(count, began.elapsed()))
    }
}

fn connect(file: &Path) -> anyhow::Result<SqliteConnection> {
    Ok(SqliteConnection::establish(file.to_str().context("a path that is not UTF-8")?)?)
}

/// Runs the load at the largest number of connections and kills the service in the middle of it.
fn kill_in_full_load(service: &mut Service, events: &Traffic) -> anyhow::Result<Tally> {
    let (connections, _) = CASES[0];
    let (address, events) = (service.address, events.clone());
    let load = std::thread::spawn(move || load::run(address, connections, Duration::from_mins(1), &events));
    #[expect(clippy::disallowed_methods, reason = "nothing else runs on this thread")]
    std::thread::sleep(KILL_AFTER);
    service.kill()?;
    load.join().ok().context("the load panicked")?
}

/// The scenes in the database, as the next start would find them.
fn stored(database: &Path) -> anyhow::Result<BTreeSet<i64>> {
    let scenes = jobs::table.select(jobs::id).load::<i64>(&mut connect(database)?)?;
    Ok(scenes.into_iter().collect())
}

/// Processor time that the service has taken so far. Linux counts it in hundredths of a second.
fn cpu_time(service: &Service) -> anyhow::Result<Duration> {
    let line = std::fs::read_to_string(format!("/proc/{}/stat", service.id()))?;
    let (_, after_name) = line.rsplit_once(')').context("/proc looks different here")?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>()?))
}
