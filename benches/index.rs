//! How long does the index of a large library take, how often is Plex asked for it, and how large is the database?

#[path = "shared/http.rs"]
mod http;
#[path = "shared/peers.rs"]
mod peers;
#[path = "shared/service.rs"]
mod service;

use std::io::{Write as _, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use http::Connection;
use plexsync::sim::corpus::{Corpus, CorpusItem};
use plexsync::sim::{NewFile, NewItem, NewScene, PlexOptions, SimPlex, SimStash, StashOptions};
use plexsync::store::counts::counts;
use plexsync::store::{Reader, plex_index};
use service::Service;

const ITEMS: u32 = 100_000;
/// Makes somewhat more than that.
const CASES: usize = 95_000;
const SEED: u64 = 20_261_125;

const FILL_BAR: Duration = Duration::from_secs(20);
const FILL_REQUESTS_BAR: usize = 210;
const REFRESH_REQUESTS_BAR: usize = 3;
const MEGABYTES_BAR: f64 = 80.0;

/// How long an index counts as fresh, with a margin.
const FRESH: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_millis(20);

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let plex = library()?;
    let stash = SimStash::start(StashOptions::default())?;
    let folder = tempfile::tempdir()?;
    let settings = peers::settings(&stash, &plex);
    // The libraries are read as soon as Plex is heard, which is with the start.
    let (began, ours) = (Instant::now(), at_work(std::process::id())?);
    let service = Service::start(folder.path(), &settings).await?;
    let mut reader = Reader::open(&folder.path().join("plexsync.db"))?;
    until("the library is indexed", || {
        let sections = plex_index::sections(&mut reader)?;
        Ok(sections.iter().any(|section| section.walked_at.is_some()))
    })
    .await?;
    let (took, requests) = (began.elapsed(), plex.requests().len());
    let (ours, its) = (at_work(std::process::id())?.saturating_sub(ours), at_work(service.id())?);
    ensure!(plex_index::count(&mut reader)? == i64::from(ITEMS), "not every item is in the index");
    let megabytes = megabytes(folder.path())?;
    miss(&service, &stash).await?;
    until("the scene waits", || Ok(counts(&mut reader)?.waiting == 1)).await?;

    tokio::time::sleep(FRESH).await;
    plex.clear_requests();
    let again = Instant::now();
    miss(&service, &stash).await?;
    until("the second scene waits", || Ok(counts(&mut reader)?.waiting == 2)).await?;
    let (refreshed, asked) = (again.elapsed(), plex.requests().len());

    let mut out = stdout();
    writeln!(out, "{ITEMS} items indexed in {took:.2?} (wanted: {FILL_BAR:?})")?;
    writeln!(out, "  time on a processor: the service {its:.2?}, the simulated Plex {ours:.2?}")?;
    writeln!(out, "  with {requests} requests (wanted: {FILL_REQUESTS_BAR} at most)")?;
    writeln!(out, "database with its log {megabytes:.1} MB (wanted: {MEGABYTES_BAR} at most)")?;
    writeln!(out, "looked at again, unchanged, in {refreshed:.2?}")?;
    writeln!(out, "  with {asked} requests (wanted: {REFRESH_REQUESTS_BAR} at most)")?;
    ensure!(took < FILL_BAR, "the index is filled too slowly");
    ensure!(requests <= FILL_REQUESTS_BAR, "the index is filled with too many requests");
    ensure!(megabytes <= MEGABYTES_BAR, "the database is too large");
    ensure!(asked <= REFRESH_REQUESTS_BAR, "an unchanged library is asked for too often");
    Ok(())
}

/// One library with the files of a corpus, so that names are as long and as alike as they usually are.
fn library() -> anyhow::Result<SimPlex> {
    let plex = SimPlex::start(PlexOptions::default())?;
    plex.add_library("1", "Films", &["/media"]);
    let corpus = Corpus::generate(SEED, CASES);
    let items = usize::try_from(ITEMS)?;
    ensure!(corpus.items.len() >= items, "a corpus of {} items is too small", corpus.items.len());
    for item in corpus.items.into_iter().take(items) {
        let CorpusItem { path, size, duration_ms, title, date, studio, .. } = item;
        plex.add_item(
            "1",
            NewItem {
                title,
                files: vec![(path, size.map_or(Ok(0), u64::try_from)?)],
                duration_ms: duration_ms.map_or(Ok(0), u64::try_from)?,
                date,
                studio,
                ..NewItem::default()
            },
        );
    }
    Ok(plex)
}

/// How long the threads of a process have been at work.
fn at_work(process: u32) -> anyhow::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let times = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let time = times.split(' ').next().context("/proc does not tell how long a thread worked")?;
        nanoseconds += time.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Reports a scene that is not in Plex, and of which no library could hold the folder.
async fn miss(service: &Service, stash: &SimStash) -> anyhow::Result<()> {
    let files = vec![NewFile { size: 7, duration: 60.0, ..NewFile::at("/nowhere/in/Plex.mp4") }];
    let scene = stash.add_scene(NewScene { title: "Zyzzyva".to_owned(), files, ..NewScene::default() });
    let mut connection = Connection::open(service.address).await?;
    let answer = connection.exchange(&http::event(service.address, None, scene)).await?;
    ensure!(answer.status == 202, "the event was answered {answer:?}");
    Ok(())
}

async fn until(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so()? {
        ensure!(began.elapsed() < LIMIT, "it takes too long until {what}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// The database and SQLite's log.
fn megabytes(folder: &Path) -> anyhow::Result<f64> {
    let mut bytes = 0;
    for name in ["plexsync.db", "plexsync.db-wal"] {
        bytes += std::fs::metadata(folder.join(name))?.len();
    }
    Ok(f64::from(u32::try_from(bytes / 1000)?) / 1000.0)
}
