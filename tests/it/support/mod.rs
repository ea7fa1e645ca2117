//! What do the tests stand on? A whole service between simulated peers, asked over HTTP by another client than its own.

pub(crate) mod asked;
pub(crate) mod household;
pub(crate) mod listeners;
pub(crate) mod plugin;
mod setup;
pub(crate) mod stranger;
mod verdict;
mod wait;

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection};
use plexsync::clock::{Clock as _, ManualClock};
use plexsync::domain::ids::SceneId;
use plexsync::domain::job::{Job, JobState};
use plexsync::sim::world::{Pair, World};
use plexsync::store::Readers;
use plexsync::store::counts::{Counts, counts};
use plexsync::store::jobs::{job, jobs as unfinished};
use plexsync::store::settings;
use plexsync::supervision::supervisor::ActorName;
use plexsync::supervision::{Board, Fault};
use serde_json::Value;

use setup::Order;
pub(crate) use setup::Setup;
use verdict::Expected;
pub(crate) use wait::wait_for;

/// How long everything that is due may take.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// A running service. Dropping it fails the test when the sums do not add up, when jobs are left in hand, and when
/// something was buried or restarted that the test did not ask for.
pub(crate) struct TestApp {
    pub(crate) world: World,
    pub(crate) url: String,
    pub(crate) readers: Readers,
    pub(crate) board: Board,
    /// Says why, once the actors have failed more often than they may.
    pub(crate) gave_up: mpsc::Receiver<String>,
    clock: Option<Arc<ManualClock>>,
    expected: Mutex<Expected>,
    orders: tokio::sync::mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
    /// A connection of the test's own.
    watcher: Mutex<SqliteConnection>,
    _folder: tempfile::TempDir,
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

impl TestApp {
    /// A service with so many scenes that all have their items, on the system's clock with short waits.
    pub(crate) fn start(scenes: usize) -> Self {
        Setup::new(scenes).start()
    }

    /// The same with settings of its own.
    pub(crate) fn start_with(scenes: usize, settings: &str) -> Self {
        Setup::new(scenes).settings(settings).start()
    }

    /// A service with the waits that users have, on a clock that moves only when it is told.
    pub(crate) fn on_manual_clock(scenes: usize) -> Self {
        Setup::new(scenes).manual_clock().start()
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

    /// The token that the service made for its plugin.
    pub(crate) fn hook_token(&self) -> String {
        self.readers.with(|reader| settings::get(reader, "hook_token")).unwrap().unwrap()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.readers.with(counts).unwrap()
    }

    /// The last outage of that circuit which has ended, or has not, as the status tells it.
    pub(crate) fn outage(&self, circuit: &str, ended: bool) -> Option<Value> {
        let status = self.get("/api/v1/status").1;
        let outages = status["outages"].as_array().unwrap();
        let fits = |outage: &&Value| outage["circuit"] == circuit && outage["ended_at"].is_string() == ended;
        outages.iter().find(fits).cloned()
    }

    /// The scene may be buried.
    pub(crate) fn expect_death(&self, scene: i64) {
        self.expected.lock().unwrap().bury(scene);
    }

    /// Waits until the job of the scene stands there. Who waits for a death has asked for it.
    pub(crate) fn wait_for_state(&self, scene: i64, state: JobState) -> Job {
        if state == JobState::Dead {
            self.expect_death(scene);
        }
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

    /// The clock that was asked for at the start.
    pub(crate) fn clock(&self) -> &ManualClock {
        self.clock.as_deref().expect("the service runs on a manual clock")
    }

    /// Lets time pass, which wakes whatever waits for it. What becomes due is not waited for.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// Waits until nothing is due and nothing is in hand, as `run --until-idle` does.
    pub(crate) fn settle_all(&self) {
        let (reply, settled) = mpsc::channel();
        self.orders.send(Order::Settle(reply)).unwrap();
        settled.recv_timeout(SETTLED_WITHIN).unwrap_or_else(|_| {
            let jobs = self.get("/api/v1/jobs").1;
            panic!("not idle after {SETTLED_WITHIN:?}: {jobs:#}")
        });
    }

    /// Waits until neither peer has a request in hand and nothing new comes to them or to the database in several looks
    /// one after the other: whoever is still at work waits for the clock.
    pub(crate) fn wait_until_calm(&self) {
        const LOOKS: usize = 3;
        let (mut last, mut equal) = (None, 0);
        wait_for("the peers are left alone", || {
            let (plex, stash) = (&self.world.plex, &self.world.stash);
            let now = Some((plex.requests().len(), stash.requests().len(), self.changes()));
            let as_before = std::mem::replace(&mut last, now) == now && plex.in_hand() + stash.in_hand() == 0;
            equal = if as_before { equal + 1 } else { 0 };
            (equal == LOOKS).then_some(())
        });
    }

    /// Is another number when the service has changed its database.
    fn changes(&self) -> i64 {
        let mut watcher = self.watcher.lock().unwrap();
        let version: DataVersion =
            diesel::sql_query("PRAGMA data_version").get_result(&mut *watcher).unwrap();
        version.data_version
    }

    /// Lets the time pass that is left until the scene's job is due, and waits for what becomes of it.
    pub(crate) fn advance_to(&self, scene: i64) -> Job {
        let job = self.job(scene).unwrap();
        let due = job.due_at.unwrap_or_else(|| panic!("scene {scene} has no due time: {job:?}"));
        let left = Duration::try_from(due.duration_since(self.clock().now())).unwrap_or_default();
        // Due times are kept in whole milliseconds.
        self.advance(left + Duration::from_millis(1));
        self.settle_all();
        self.job(scene).unwrap()
    }

    /// What a test that waited in vain wants to know.
    #[expect(clippy::print_stderr, reason = "for whoever reads why a test failed")]
    fn tell_what_was_last_seen(&self) {
        eprintln!("actors: {:#?}", self.board.actors());
        match self.readers.with(|reader| unfinished(reader, None, None, 20)) {
            Ok(jobs) => eprintln!("unfinished jobs: {jobs:#?}"),
            Err(error) => eprintln!("the database cannot be read: {error}"),
        }
    }

    /// Makes an actor fail.
    pub(crate) fn strike(&self, name: ActorName, fault: Fault) {
        self.expected.lock().unwrap().restart(name);
        self.orders.send(Order::Strike(name, fault)).unwrap();
    }

    /// Makes an actor panic and waits until it is back.
    pub(crate) fn kill(&self, name: ActorName) {
        let before = self.board.restarts(name);
        self.strike(name, Fault::Panic);
        wait_for("the actor is back", || {
            (self.board.restarts(name) > before && self.board.all_up()).then_some(())
        });
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell_what_was_last_seen();
        }
        self.orders.send(Order::Stop).ok();
        let ended = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        if !std::thread::panicking() {
            assert!(ended, "the service ends in order");
            self.expected.lock().unwrap().compare(&self.readers, &self.board);
        }
    }
}

/// Prints a line of figures, for whoever runs a test to read them.
#[expect(clippy::print_stderr, reason = "a test speaks to whoever runs it")]
pub(crate) fn tell(line: &str) {
    eprintln!("{line}");
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
