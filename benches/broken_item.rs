//! How much longer do 299 scenes take when one item in Plex is broken? Everything as it is shipped: pace, time-outs, breakers.

#[path = "shared/events.rs"]
mod events;
#[path = "shared/http.rs"]
mod http;

use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use plexsync::app::App;
use plexsync::clock::SystemClock;
use plexsync::config::Config;
use plexsync::sim::world::World;
use plexsync::sim::{Fault, PlexOp};
use plexsync::store::counts::counts;

const SCENES: usize = 300;
const LIMIT: Duration = Duration::from_mins(8);
const LOOK: Duration = Duration::from_millis(100);
/// The most that one broken item may cost all the others together.
const BAR: f64 = 2.0;

/// What is wrong with the one item.
#[derive(Debug, Clone)]
struct Broken {
    name: &'static str,
    fault: Option<(PlexOp, Fault)>,
}

#[derive(Debug)]
struct Measured {
    name: &'static str,
    /// Until the others show.
    took: Duration,
    requests_for_broken: usize,
    dead: i64,
}

fn main() -> anyhow::Result<()> {
    let broken = |name, op, fault| Broken { name, fault: Some((op, fault)) };
    let all = [
        Broken { name: "undisturbed", fault: None },
        broken("answers 500 to reads", PlexOp::Item, Fault::status(500)),
        broken("answers 500 to writes", PlexOp::Edit, Fault::status(500)),
        broken("hangs on reads", PlexOp::Item, Fault::Hang),
        broken("hangs on writes", PlexOp::Edit, Fault::Hang),
    ];
    // At the same time, as each of them mostly waits for its pace.
    let running = all.map(|broken| std::thread::spawn(move || one(&broken)));
    let mut measured = Vec::new();
    for thread in running {
        measured.push(thread.join().ok().context("a run panicked")??);
    }
    let undisturbed = measured.first().context("there is a first run")?.took.as_secs_f64();
    let mut out = stdout();
    writeln!(out, "{SCENES} scenes, of which one has an item that …")?;
    for Measured { name, took, requests_for_broken, dead } in &measured {
        let ratio = took.as_secs_f64() / undisturbed;
        writeln!(
            out,
            "{name:>24}: the other {} show after {took:>7.1?}, {ratio:.2} x; {requests_for_broken} requests for it, {dead} dead",
            SCENES - 1
        )?;
        ensure!(ratio <= BAR, "one broken item makes the others take {ratio:.2} times as long");
        ensure!(*dead == 0, "{dead} scenes are dead");
    }
    Ok(())
}

fn one(broken: &Broken) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let world = World::start(SCENES)?;
    // In the middle, so that there is as much before it as behind it.
    let bad = world.pairs.get(SCENES / 2).context("there are scenes")?.clone();
    if let Some((op, fault)) = &broken.fault {
        world.plex.faults().inject_for(&bad.rating_key, *op, fault.clone(), None);
    }
    let config = Config::defaults_with(&world.settings(&folder.path().join("bench.db")))?;
    actix_rt::System::new().block_on(async {
        let app = App::start(&config, Arc::new(SystemClock::new()), 1)?;
        let began = Instant::now();
        events::post_all(app.address(), &world).await?;
        let others = || world.pairs.iter().filter(|pair| **pair != bad).all(|pair| world.is_synced(pair));
        while !others() {
            ensure!(
                began.elapsed() < LIMIT,
                "{}: {} of {SCENES} after {LIMIT:?}",
                broken.name,
                world.synced()
            );
            tokio::time::sleep(LOOK).await;
        }
        let took = began.elapsed();
        let concerns = |request: &&plexsync::sim::Recorded<PlexOp>| {
            let about = &request.path_and_query;
            about.contains(&format!("metadata/{}?", bad.rating_key))
                || about.contains(&format!("id={}&", bad.rating_key))
        };
        let requests_for_broken = world.plex.requests().iter().filter(concerns).count();
        let dead = app.readers().with(counts)?.dead;
        app.stop().await;
        Ok(Measured { name: broken.name, took, requests_for_broken, dead })
    })
}
