//! What do the tests stand on? A whole service between simulated peers, asked over HTTP by another client than its own.

mod wait;

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use plexsync::app::App;
use plexsync::clock::SystemClock;
use plexsync::config::Config;
use plexsync::domain::ids::SceneId;
use plexsync::domain::job::{Job, JobState};
use plexsync::sim::world::{Pair, World};
use plexsync::store::Readers;
use plexsync::store::counts::{Counts, counts};
use plexsync::store::jobs::job;
use plexsync::supervision::supervisor::ActorName;
use plexsync::supervision::{Board, Fault};
use serde_json::Value;

pub(crate) use wait::wait_for;

/// Waits as short as a test can bear; the logic is the same.
const QUICK: &str = "queue.debounce = 0\nqueue.create_delay = 0\nretry.first_delay = \"20ms\"\nretry.max_delay = \"100ms\"\n\
    supervision.first_pause = \"10ms\"\nsupervision.max_pause = \"50ms\"\nsupervision.heartbeat = \"500ms\"\n\
    supervision.max_restarts = 50\n";

/// A running service. Dropping it fails the test when the sums do not add up.
pub(crate) struct TestApp {
    pub(crate) world: World,
    pub(crate) url: String,
    pub(crate) readers: Readers,
    pub(crate) board: Board,
    /// Says why, once the actors have failed more often than they may.
    pub(crate) gave_up: mpsc::Receiver<String>,
    orders: tokio::sync::mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

enum Order {
    Strike(ActorName, Fault),
    Stop,
}

impl TestApp {
    /// A service with so many scenes that all have their items.
    pub(crate) fn start(scenes: usize) -> Self {
        Self::start_with(scenes, "")
    }

    /// The same with settings of its own.
    pub(crate) fn start_with(scenes: usize, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::start(scenes).unwrap();
        let database = folder.path().join("test.db");
        // Later lines of one table would be a second definition, so each key comes from one layer only.
        let own: Vec<_> = settings
            .lines()
            .filter_map(|line| line.split_once(" =").map(|(key, _)| key.to_owned()))
            .collect();
        let is_own = |line: &&str| own.iter().any(|key| line.starts_with(key.as_str()));
        let quick = QUICK.lines().filter(|line| !is_own(line)).collect::<Vec<_>>().join("\n");
        let config =
            Config::defaults_with(&format!("{quick}\n{settings}\n{}", world.settings(&database))).unwrap();
        let (started, ready) = mpsc::channel();
        let (giving_up, gave_up) = mpsc::channel();
        let (orders, mut given) = tokio::sync::mpsc::unbounded_channel();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let mut app = App::start(&config, Arc::new(SystemClock::new()), 7).unwrap();
                started.send((app.address(), app.readers().clone(), app.board().clone())).unwrap();
                let why = app.gave_up();
                actix_rt::spawn(async move { giving_up.send(why.await).ok() });
                while let Some(Order::Strike(name, fault)) = given.recv().await {
                    app.strike(name, fault);
                }
                app.stop().await;
            });
        });
        let (address, readers, board) =
            ready.recv_timeout(Duration::from_secs(20)).expect("the service starts");
        let app = Self {
            world,
            url: format!("http://{address}"),
            readers,
            board,
            gave_up,
            orders,
            thread: Some(thread),
            _folder: folder,
        };
        wait_for("all actors are up", || (app.board.actors().len() == 7 && app.board.all_up()).then_some(()));
        app
    }

    /// Posts a body to the webhook and returns the status and the answer.
    pub(crate) fn post(&self, body: &str) -> (u16, Value) {
        self.post_with(body, &[("content-type", "application/json")])
    }

    pub(crate) fn post_with(&self, body: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = agent().post(format!("{}/webhooks/stash", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.send(body).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let mut answer = agent().get(format!("{}{path}", self.url)).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Reports a change of the scene and expects it to be taken.
    pub(crate) fn report(&self, scene: i64) {
        let (status, answer) = self.post(&format!(r#"{{"type":"Scene.Update.Post","id":{scene}}}"#));
        assert_eq!(status, 202, "{answer}");
    }

    /// Reports a change and comes again as long as the service asks for that.
    pub(crate) fn report_until_taken(&self, scene: i64) {
        let body = format!(r#"{{"type":"Scene.Update.Post","id":{scene}}}"#);
        wait_for("the event is taken", || (self.post(&body).0 == 202).then_some(()));
    }

    pub(crate) fn pair(&self, place: usize) -> Pair {
        self.world.pairs[place].clone()
    }

    pub(crate) fn job(&self, scene: i64) -> Option<Job> {
        self.readers.with(|reader| job(reader, SceneId::try_from(scene).unwrap())).unwrap()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.readers.with(counts).unwrap()
    }

    /// Waits until the job of the scene stands there.
    pub(crate) fn wait_for_state(&self, scene: i64, state: JobState) -> Job {
        wait_for(&format!("scene {scene} is {state}"), || self.job(scene).filter(|job| job.state == state))
    }

    /// Waits until every job is done and every scene shows.
    pub(crate) fn wait_until_synced(&self) {
        wait_for("everything is synced", || {
            let counts = self.counts();
            let idle = counts.open() == 0 && counts.dead == 0;
            (idle && self.world.synced() == self.world.pairs.len()).then_some(())
        });
    }

    pub(crate) fn strike(&self, name: ActorName, fault: Fault) {
        self.orders.send(Order::Strike(name, fault)).unwrap();
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let counts = self.counts();
        self.orders.send(Order::Stop).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        if !std::thread::panicking() {
            let error = counts.conservation_error();
            assert_eq!(
                (error.events, error.jobs),
                (0, 0),
                "every event and every job is accounted for: {counts:?}"
            );
        }
    }
}

/// A client that tells every status instead of failing, and keeps no connection.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .max_idle_connections(0)
        .build()
        .into()
}
