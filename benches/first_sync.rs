//! How long does a first synchronisation take, how much does it ask of Plex, and does a second one write anything?

#[path = "shared/events.rs"]
mod events;
#[path = "shared/http.rs"]
mod http;

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use plexsync::app::App;
use plexsync::clock::SystemClock;
use plexsync::config::Config;
use plexsync::sim::PlexOp;
use plexsync::sim::world::World;
use plexsync::store::counts::counts;

const SCENES: u32 = 100;
const SETTINGS: &str = "queue.debounce = \"0\"\nqueue.create_delay = \"0\"\n\
    rate_limit.writes_per_second = 0\nstash.max_requests_per_second = 0\n";
const LIMIT: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(2);

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let world = World::start(usize::try_from(SCENES)?)?;
    let config =
        Config::defaults_with(&(SETTINGS.to_owned() + &world.settings(&folder.path().join("bench.db"))))?;
    actix_rt::System::new().block_on(async {
        let app = App::start(&config, Arc::new(SystemClock::new()), 1)?;
        let outcome = both(&app, &world).await;
        app.stop().await;
        outcome
    })
}

async fn both(app: &App, world: &World) -> anyhow::Result<()> {
    let mut out = stdout();
    let began = Instant::now();
    events::post_all(app.address(), world).await?;
    let posted = began.elapsed();
    until("all scenes show in Plex", || Ok(world.synced() == world.pairs.len())).await?;
    let shown = began.elapsed();
    settled(app, i64::from(SCENES)).await?;
    writeln!(
        out,
        "first sync of {SCENES} scenes: posted in {posted:.3?}, all shown in Plex after {shown:.3?}"
    )?;
    requests(world, "first")?;

    world.plex.clear_requests();
    let began = Instant::now();
    events::post_all(app.address(), world).await?;
    settled(app, 2 * i64::from(SCENES)).await?;
    writeln!(out, "same events again: done after {:.3?}", began.elapsed())?;
    requests(world, "second")?;
    let puts = world.plex.requests().iter().filter(|request| request.method == "PUT").count();
    writeln!(out, "second: {puts} PUT, {} edits", world.plex.count(PlexOp::Edit))?;
    ensure!(puts == 0, "a second sync of the same wrote to Plex");
    ensure!(world.synced() == world.pairs.len(), "a scene does not show any more");
    Ok(())
}

/// Waits until so many jobs are done and none is left.
async fn settled(app: &App, done: i64) -> anyhow::Result<()> {
    until("all jobs are done", || {
        let counts = app.readers().with(counts)?;
        ensure!(counts.dead == 0 && counts.parked == 0, "not every scene could be synced: {counts:?}");
        Ok(counts.open() == 0 && counts.tallies.done == done)
    })
    .await
}

async fn until(what: &str, is_so: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so()? {
        ensure!(began.elapsed() < LIMIT, "it takes too long until {what}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn requests(world: &World, which: &str) -> anyhow::Result<()> {
    let mut kinds = BTreeMap::<PlexOp, usize>::new();
    let all = world.plex.requests();
    for request in &all {
        *kinds.entry(request.op).or_default() += 1;
    }
    let per_scene =
        |number: usize| -> anyhow::Result<f64> { Ok(f64::from(u32::try_from(number)?) / f64::from(SCENES)) };
    let of_scenes: usize =
        [PlexOp::Item, PlexOp::Edit, PlexOp::Rate].map(|op| world.plex.count(op)).iter().sum();
    writeln!(
        stdout(),
        "{which}: {} requests to Plex, {:.2} per scene; reading and writing items {:.2} per scene; {kinds:?}",
        all.len(),
        per_scene(all.len())?,
        per_scene(of_scenes)?,
    )?;
    Ok(())
}
