//! How much memory does the service take, idle and with a large library in its index?

#[path = "shared/http.rs"]
mod http;
#[path = "shared/no_peers.rs"]
mod no_peers;
#[path = "shared/peers.rs"]
mod peers;
#[path = "shared/service.rs"]
mod service;

use std::io::{Write as _, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use plexsync::sim::{NewFile, NewItem, NewScene, PlexOp, PlexOptions, SimPlex, SimStash, StashOptions};
use plexsync::store::{Reader, plex_index};
use service::Service;

const ITEMS: u32 = 100_000;
/// By then everything that a start does is over.
const IDLE: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_millis(100);

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        idle().await?;
        large().await
    })
}

async fn idle() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path(), &no_peers::no_peers()?).await?;
    tokio::time::sleep(IDLE).await;
    print("idle, peers away", &service)
}

async fn large() -> anyhow::Result<()> {
    let plex = SimPlex::start(PlexOptions::default())?;
    plex.add_library("1", "Films", &["/media"]);
    for number in 1..=ITEMS {
        let path =
            format!("/media/Studio {}/A film with a usual name {number}/video {number}.mp4", number % 97);
        plex.add_item("1", NewItem::file(&path, 1_000_000 + u64::from(number)));
    }
    let stash = SimStash::start(StashOptions::default())?;
    let files = vec![NewFile { size: 7, duration: 60.0, ..NewFile::at("/media/nowhere/else.mp4") }];
    let scene = stash.add_scene(NewScene { title: "Not in Plex".to_owned(), files, ..NewScene::default() });

    let folder = tempfile::tempdir()?;
    let settings = peers::settings(&stash, &plex);
    let service = Service::start(folder.path(), &settings).await?;
    print("before the index is filled", &service)?;
    let began = Instant::now();
    let mut connection = http::Connection::open(service.address).await?;
    let answer = connection.exchange(&http::event(service.address, None, scene)).await?;
    ensure!(answer.status == 202, "the event was answered {answer:?}");
    let database = folder.path().join("plexsync.db");
    walked(&database, began).await?;
    writeln!(
        stdout(),
        "{ITEMS} items indexed after {:.1?} with {} listing requests; database {:.1} MiB, log of SQLite {:.1} MiB",
        began.elapsed(),
        plex.count(PlexOp::Listing),
        mebibytes(&database)?,
        mebibytes(&folder.path().join("plexsync.db-wal"))?,
    )?;
    print("with the index filled", &service)?;
    tokio::time::sleep(IDLE).await;
    print("a moment later", &service)
}

/// Waits until all parts are there and the walk is over.
async fn walked(database: &Path, began: Instant) -> anyhow::Result<()> {
    let mut reader = Reader::open(database)?;
    loop {
        let count = plex_index::count(&mut reader)?;
        let is_over = plex_index::sections(&mut reader)?.iter().any(|section| section.walked_at.is_some());
        if is_over && count == i64::from(ITEMS) {
            return Ok(());
        }
        ensure!(began.elapsed() < LIMIT, "only {count} items after {LIMIT:?}");
        tokio::time::sleep(LOOK).await;
    }
}

fn print(when: &str, service: &Service) -> anyhow::Result<()> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id()))?;
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim).with_context(|| format!("/proc does not tell {name}"))
    };
    writeln!(stdout(), "{when}: VmRSS {}, at most {}", value("VmRSS:")?, value("VmHWM:")?)?;
    Ok(())
}

fn mebibytes(file: &Path) -> anyhow::Result<f64> {
    let kibibytes = std::fs::metadata(file)?.len() / 1024;
    Ok(f64::from(u32::try_from(kibibytes)?) / 1024.0)
}
