//! `plexsync demo`: the real service on a simulated Stash and Plex, with an outage and a crash in front of one's eyes.

mod edits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

use super::exit::{Exit, Failed};
use super::plugin;
use super::run::{seed, stop_signal};
use super::{Global, output};
use crate::actors::{PERSISTENCE, PLEX_SYNC};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::sim::PlexOp;
use crate::sim::world::World;
use crate::store::counts::{Counts, counts};
use crate::store::outages::latest;
use crate::supervision::Fault;
use edits::{Edits, Saves};

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many scenes there are
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    scenes: u32,
    /// Stage neither an outage nor a crash
    #[arg(long)]
    calm: bool,
}

const LOOK: Duration = Duration::from_millis(20);
/// How long Plex is away.
const OUTAGE: Duration = Duration::from_secs(3);
/// A demo that takes longer than this for a scene has gone wrong.
const LONGEST_PER_SCENE: Duration = Duration::from_millis(500);
const LONGEST_AT_LEAST: Duration = Duration::from_mins(1);
/// Short waits and a quick pace, so that nobody has to watch ten minutes of backoff.
const SETTINGS: &str = "queue.debounce = \"200ms\"\nqueue.create_delay = 0\nretry.first_delay = \"250ms\"\n\
    retry.max_delay = \"1s\"\ncircuit_breaker.open_for = \"500ms\"\ncircuit_breaker.max_open_for = \"1s\"\n\
    rate_limit.writes_per_second = 200\nrate_limit.ramp_up = \"2s\"\nstash.max_requests_per_second = 0\n\
    log.level = \"error,panic=off,plexsync::supervision=warn\"\n";

pub(super) fn demo(global: &Global, args: &DemoArgs) -> Result<(), Failed> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let scenes = usize::try_from(args.scenes).unwrap_or(usize::MAX);
    let world = World::start(scenes).context("cannot start the simulated peers")?;
    let settings = SETTINGS.to_owned() + &world.settings(&folder.path().join("demo.db"));
    let config = Config::defaults_with(&settings).map_err(|error| Failed::new(Exit::Internal, error))?;
    let _log = global.start_log(&config)?;
    actix_rt::System::new().block_on(async {
        let app = App::start(&config, Arc::new(SystemClock::new()), seed())?;
        let started = Instant::now();
        let tell = Box::new(move |text: &str| say(started, text));
        let mut play = Play {
            app: &app,
            world: &world,
            plugin: plugin::Context::of(&app, &config, tell)?,
            started,
            saves: Saves::default(),
            took: BTreeMap::new(),
        };
        let ended = tokio::select! {
            ended = play.run(args.calm) => ended,
            signal = stop_signal() => say(started, &format!("{signal}: ending early")),
        };
        let shown = ended.and_then(|()| play.table());
        app.stop().await;
        shown
    })
}

/// One performance.
struct Play<'a> {
    app: &'a App,
    world: &'a World,
    plugin: plugin::Context,
    started: Instant,
    saves: Saves,
    /// How long each scene took to show in Plex, by its place.
    took: BTreeMap<usize, Duration>,
}

impl Play<'_> {
    async fn run(&mut self, calm: bool) -> Result<(), Failed> {
        let all = self.world.pairs.len();
        self.say(&format!(
            "a simulated Stash at {} and Plex at {}",
            self.world.stash.url(),
            self.world.plex.url()
        ))?;
        self.say(&format!(
            "PlexSync at http://{0}; its state: http://{0}/api/v1/status",
            self.app.address()
        ))?;
        self.plugin.install().await?;
        let half = if calm { all } else { all / 2 };
        self.say(&format!("{half} scenes are edited in Stash, which starts `plexsync hook` for each"))?;
        let edits = self.saves.start(self.world, 0..half);
        self.watch(half).await?;
        self.saved(edits).await?;
        if !calm {
            self.unlucky(half, all).await?;
        }
        self.say("everything that was edited in Stash shows in Plex")
    }

    async fn unlucky(&mut self, half: usize, all: usize) -> Result<(), Failed> {
        self.say("Plex goes down")?;
        self.world.plex.go_down().context("the simulated Plex does not go down")?;
        self.say(&format!("{} more scenes are edited in Stash meanwhile", all - half))?;
        self.saved(self.saves.start(self.world, half..all)).await?;
        tokio::time::sleep(OUTAGE).await;
        let counts = self.counts()?;
        self.say(&format!("{} scenes wait, {} are dead, nothing is lost", counts.open(), counts.dead))?;
        for outage in self.app.readers().with(|reader| latest(reader, 1))? {
            self.say(&format!(
                "on record: {} is out of order, so nothing is tried: {}",
                outage.circuit, outage.detail
            ))?;
        }
        self.world.plex.come_back().context("the simulated Plex does not come back")?;
        self.say(
            "Plex is back; now the actor that writes to it panics, and the one that stores panics as well",
        )?;
        self.app.strike(PLEX_SYNC, Fault::Panic);
        self.app.strike(PERSISTENCE, Fault::Panic);
        self.watch(all).await?;
        for actor in self.app.board().actors().into_iter().filter(|actor| actor.restarts > 0) {
            let cause = actor.last_cause.unwrap_or_default();
            self.say(&format!(
                "the {} actor was restarted {} time(s), last after a {cause}",
                actor.name, actor.restarts
            ))?;
        }
        Ok(())
    }

    /// Waits until everything is saved in Stash and PlexSync has heard of it.
    async fn saved(&self, edits: Edits) -> Result<(), Failed> {
        edits.ended().await?;
        // On a machine that is too busy a hook may have kept its event, and no next one would bring it along.
        self.plugin.ping().await.map_err(|failure| Failed::text(Exit::Internal, failure.detail))?;
        Ok(())
    }

    /// Waits until so many scenes show in Plex.
    async fn watch(&mut self, expected: usize) -> Result<(), Failed> {
        let limit = LONGEST_AT_LEAST + LONGEST_PER_SCENE * u32::try_from(expected).unwrap_or(u32::MAX);
        let (began, mut told) = (Instant::now(), Instant::now());
        while self.took.len() < expected {
            for (place, since) in self.saves.began() {
                let is_new = !self.took.contains_key(&place);
                if is_new && self.world.pairs.get(place).is_some_and(|pair| self.world.is_synced(pair)) {
                    self.took.insert(place, since.elapsed());
                }
            }
            if began.elapsed() > limit {
                return Err(Failed::text(
                    Exit::Reported,
                    format!("only {} of {expected} scenes show in Plex after {limit:?}", self.took.len()),
                ));
            }
            if told.elapsed() > Duration::from_secs(1) {
                told = Instant::now();
                self.say(&format!("{} of {expected} show in Plex", self.took.len()))?;
            }
            tokio::time::sleep(LOOK).await;
        }
        self.say(&format!("{expected} of {expected} show in Plex"))
    }

    fn table(&self) -> Result<(), Failed> {
        let counts = self.counts()?;
        let (saves, times) = (Times::of(self.saves.waited()), Times::of(self.took.values().copied()));
        let plex = &self.world.plex;
        let of_scenes: usize =
            [PlexOp::Item, PlexOp::Edit, PlexOp::Rate].map(|op| plex.count(op)).iter().sum();
        let of_index = plex.requests().len().saturating_sub(of_scenes);
        let synced = self.world.synced();
        let rows = [
            ["scenes".to_owned(), self.world.pairs.len().to_string()],
            ["synced".to_owned(), synced.to_string()],
            ["waiting".to_owned(), counts.open().to_string()],
            ["dead".to_owned(), counts.dead.to_string()],
            [
                "Plex requests per scene".to_owned(),
                format!("{} ({of_scenes} in all)", per(of_scenes, synced)),
            ],
            ["other Plex requests (index, probes)".to_owned(), of_index.to_string()],
            ["a save in Stash with its hook, median".to_owned(), saves.median()],
            ["a save in Stash with its hook, longest".to_owned(), saves.longest()],
            ["from save to Plex, median".to_owned(), times.median()],
            ["from save to Plex, longest".to_owned(), times.longest()],
        ];
        output::text(&format!("\n{}\n", output::table(["", ""], &rows)))
    }

    fn counts(&self) -> Result<Counts, Failed> {
        Ok(self.app.readers().with(counts)?)
    }

    fn say(&self, text: &str) -> Result<(), Failed> {
        say(self.started, text)
    }
}

/// In ascending order.
struct Times(Vec<Duration>);

impl Times {
    fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }

    fn median(&self) -> String {
        self.at(self.0.len() / 2)
    }

    fn longest(&self) -> String {
        self.at(self.0.len().saturating_sub(1))
    }

    fn at(&self, place: usize) -> String {
        self.0.get(place).map_or_else(|| "-".to_owned(), |time| format!("{time:.2?}"))
    }
}

/// Two decimals without leaving whole numbers.
fn per(requests: usize, scenes: usize) -> String {
    let hundredths = requests * 100 / scenes.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn say(started: Instant, text: &str) -> Result<(), Failed> {
    output::text(&format!("{:>8.2?}  {text}\n", started.elapsed()))
}
