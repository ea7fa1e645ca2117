//! How is a service set up for a test?

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::{Connection as _, SqliteConnection};
use jiff::Timestamp;
use plexsync::actors;
use plexsync::app::App;
use plexsync::clock::{Clock, ManualClock, SystemClock};
use plexsync::config::Config;
use plexsync::sim::world::World;
use plexsync::supervision::Fault;
use plexsync::supervision::supervisor::ActorName;

use super::verdict::Expected;
use super::{TestApp, wait_for};

/// Restarts without long pauses, but no restart of an actor that only had to wait for a busy machine. No pace: with one,
/// a clock that stands still would hold work up.
const CALM: &str = "supervision.first_pause = \"10ms\"\nsupervision.max_pause = \"50ms\"\n\
    supervision.heartbeat = \"20s\"\nsupervision.max_restarts = 50\n\
    rate_limit.writes_per_second = 0\nstash.max_requests_per_second = 0\n";

/// On the system's clock waits are as short as a test can bear; the logic is the same.
const QUICK: &str = "queue.debounce = 0\nqueue.create_delay = 0\nretry.first_delay = \"20ms\"\nretry.max_delay = \"100ms\"\n\
    circuit_breaker.open_for = \"20ms\"\ncircuit_breaker.max_open_for = \"100ms\"\n";

/// What the test tells the thread of its service.
pub(super) enum Order {
    Strike(ActorName, Fault),
    /// Answers when nothing is due and nothing in hand.
    Settle(mpsc::Sender<()>),
    Stop,
}

/// The choices of a test; each has a default.
pub(crate) struct Setup {
    world: World,
    settings: String,
    clock: Option<Arc<ManualClock>>,
    seed: u64,
}

impl Setup {
    /// What a manual clock shows at first, in seconds since 1970: 2026-03-01T12:00:00Z.
    pub(crate) const START: i64 = 1_772_366_400;

    /// So many scenes that all have their items.
    pub(crate) fn new(scenes: usize) -> Self {
        Self::around(World::start(scenes).unwrap())
    }

    /// A household of the test's own making.
    pub(crate) fn around(world: World) -> Self {
        Self { world, settings: String::new(), clock: None, seed: 7 }
    }

    /// The peers, before the service knows them.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// One key a line, in the form `section.key = value`.
    pub(crate) fn settings(mut self, settings: &str) -> Self {
        self.settings.push_str(settings);
        self.settings.push('\n');
        self
    }

    /// Waits are those that users have, and end when the test moves the clock.
    pub(crate) fn manual_clock(mut self) -> Self {
        self.clock = Some(Arc::new(ManualClock::new(Timestamp::from_second(Self::START).unwrap())));
        self
    }

    /// What all chance in the service comes from.
    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Each key comes from one layer only, as a second line for it would be a second definition.
    fn config(&self, database: &std::path::Path) -> Config {
        let quick = if self.clock.is_some() { "" } else { QUICK };
        let world = self.world.settings(database);
        let (peers, tables) = world.split_once("[[").unwrap();
        let mut lines: Vec<&str> = Vec::new();
        for line in self.settings.lines().chain(CALM.lines()).chain(quick.lines()).chain(peers.lines()) {
            let key = line.split_once(" =").map(|(key, _)| key);
            if !lines.iter().any(|known| known.split_once(" =").map(|(key, _)| key) == key) {
                lines.push(line);
            }
        }
        // A test that maps paths itself has no use for the map of the household.
        let tables = if self.settings.contains("path_map") { String::new() } else { format!("[[{tables}") };
        Config::defaults_with(&format!("{}\n{tables}", lines.join("\n"))).unwrap()
    }

    pub(crate) fn start(self) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("test.db");
        let config = self.config(&database);
        let Self { world, clock: manual, seed, .. } = self;
        let clock: Arc<dyn Clock> = match manual.clone() {
            Some(manual) => manual,
            None => Arc::new(SystemClock::new()),
        };
        let (started, ready) = mpsc::channel();
        let (giving_up, gave_up) = mpsc::channel();
        let (orders, mut given) = tokio::sync::mpsc::unbounded_channel();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let mut app = App::start(&config, clock, seed).unwrap();
                started.send((app.address(), app.readers().clone(), app.board().clone())).unwrap();
                let why = app.gave_up();
                actix_rt::spawn(async move { giving_up.send(why.await).ok() });
                loop {
                    match given.recv().await {
                        Some(Order::Strike(name, fault)) => app.strike(name, fault),
                        Some(Order::Settle(reply)) => {
                            let idle = app.until_idle();
                            actix_rt::spawn(async move {
                                idle.await;
                                reply.send(()).ok()
                            });
                        }
                        Some(Order::Stop) | None => break,
                    }
                }
                app.stop().await;
            });
        });
        let (address, readers, board) =
            ready.recv_timeout(Duration::from_secs(20)).expect("the service starts");
        let app = TestApp {
            world,
            url: format!("http://{address}"),
            readers,
            board,
            gave_up,
            clock: manual,
            expected: Mutex::new(Expected::default()),
            orders,
            thread: Some(thread),
            watcher: Mutex::new(SqliteConnection::establish(database.to_str().unwrap()).unwrap()),
            _folder: folder,
        };
        wait_for("all actors are up", || {
            (app.board.actors().len() == actors::ALL.len() && app.board.all_up()).then_some(())
        });
        app
    }
}
