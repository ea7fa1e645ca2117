//! What do the tests with chance stand on? Two peers, the built program that is killed again and again, and the hook's spool.

use std::path::Path;
use std::time::{Duration, Instant};

use plexsync::domain::job::Job;
use plexsync::sim::world::World;
use plexsync::sim::{Failing, Fault, PlexOp, StashOp};
use plexsync::store::Readers;
use plexsync::store::counts::counts;
use plexsync::store::jobs::jobs;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{agent, tell, wait_for};
use crate::process::{Service, free_port, write_settings};

const LONGEST_PAUSE: Duration = Duration::from_millis(60);
/// More than any of these tests has.
const MOST_JOBS: usize = 1000;
/// Short enough that a peer that hangs does not make the test long. An outage is over as soon as the peer is back.
const PATIENCE: &str = "stash.read_timeout = \"1s\"\nplex.read_timeout = \"1s\"\nplex.write_timeout = \"1s\"\n\
    circuit_breaker.open_for = \"1s\"\ncircuit_breaker.max_open_for = \"1s\"\n\
    rate_limit.writes_per_second = 0\nstash.max_requests_per_second = 0\n";

/// Two peers, a service that is killed again and again, and the changes that it has to hear of.
pub(crate) struct Household<'a> {
    folder: &'a Path,
    port: u16,
    pub(crate) world: World,
    service: Service,
    pub(crate) readers: Readers,
    pub(crate) rng: SmallRng,
    /// Events that have not been taken yet, as the spool of the hook keeps them.
    spooled: Vec<Event>,
}

/// What Stash tells, and of which scene.
type Event = (&'static str, i64);

pub(crate) const UPDATED: &str = "Scene.Update.Post";

#[expect(
    clippy::disallowed_methods,
    reason = "another one in each run; it fixes what is done, and not how far the service gets meanwhile"
)]
pub(crate) fn fresh_seed() -> u64 {
    rand::rng().random()
}

impl Drop for Household<'_> {
    /// What is open, for whoever reads why the test failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let jobs = agent().get(format!("{}/api/v1/jobs", self.service.url)).call();
            let status = agent().get(format!("{}/api/v1/status", self.service.url)).call();
            for answer in [jobs, status].into_iter().flatten() {
                tell(&answer.into_body().read_to_string().unwrap_or_default());
            }
        }
    }
}

impl<'a> Household<'a> {
    pub(crate) fn start(folder: &'a Path, world: World, seed: u64) -> Self {
        tell(&format!("the seed is {seed}"));
        let port = free_port();
        write_settings(folder, &world, port);
        let file = folder.join("config.toml");
        let settings = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{PATIENCE}{settings}")).unwrap();
        Self {
            folder,
            port,
            world,
            service: Service::start(folder, port),
            readers: Readers::open(&folder.join("p.db")).unwrap(),
            rng: SmallRng::seed_from_u64(seed),
            spooled: Vec::new(),
        }
    }

    /// The service hears of it with the next delivery.
    pub(crate) fn tell_of(&mut self, kind: &'static str, scene: i64) {
        self.spooled.push((kind, scene));
    }

    /// The hook posts what it has, and keeps what is not taken.
    pub(crate) fn deliver(&mut self) {
        let spooled = std::mem::take(&mut self.spooled);
        self.spooled =
            spooled.into_iter().filter(|(kind, scene)| !self.service.tell_of(kind, *scene)).collect();
    }

    /// Something goes wrong in the house: a peer misbehaves, goes away or comes back, or the service is killed.
    pub(crate) fn trouble(&mut self) {
        match self.rng.random_range(0..10) {
            0..=4 => self.disturb(),
            5 | 6 => self.kill(),
            7 if self.rng.random_bool(0.5) => self.world.plex.go_down().unwrap(),
            7 => self.world.stash.go_down().unwrap(),
            _ => self.bring_back(),
        }
    }

    fn bring_back(&self) {
        self.world.plex.come_back().unwrap();
        self.world.stash.come_back().unwrap();
    }

    /// A peer misbehaves a few times.
    fn disturb(&mut self) {
        let times = self.rng.random_range(1..4);
        let fault = match self.rng.random_range(0..10) {
            0 => Fault::status(500),
            1 => Fault::Reset,
            2 => Fault::CutBody,
            3 | 4 => Fault::AppliedButLost,
            5 => Fault::Hang,
            6 => Fault::Failing(Failing::DatabaseBusy),
            // What it says is old when it arrives.
            7 | 8 => Fault::LateAnswer(Duration::from_millis(40)),
            _ => Fault::retry_after(503, 1),
        };
        match self.rng.random_range(0..7) {
            0 | 1 => self.world.stash.faults().inject(StashOp::FindScene, fault, times),
            2 => self.world.plex.faults().inject(PlexOp::Item, fault, times),
            3 => self.world.plex.faults().inject(PlexOp::Rate, fault, times),
            _ => self.world.plex.faults().inject(PlexOp::Edit, fault, times),
        };
    }

    /// Lets some requests to Plex pass, so that what comes next comes in the middle of something.
    pub(crate) fn let_pass(&mut self, at_most: usize) {
        let until = self.world.plex.requests().len() + self.rng.random_range(0..at_most);
        let began = Instant::now();
        // A service that has nothing to do sends no more.
        while self.world.plex.requests().len() < until && began.elapsed() < LONGEST_PAUSE {
            std::thread::yield_now();
        }
    }

    /// Ends the service without a word, mostly in the middle of something, and starts it again.
    pub(crate) fn kill(&mut self) {
        self.let_pass(6);
        self.service.signal("-KILL");
        self.service.wait();
        self.service = Service::start(self.folder, self.port);
    }

    /// Nothing fails any more, and every job comes to rest.
    pub(crate) fn calm_down(&mut self, rests: impl Fn(&Job) -> bool) {
        self.world.plex.faults().clear();
        self.world.stash.faults().clear();
        self.bring_back();
        wait_for("every event is taken", || {
            self.deliver();
            self.spooled.is_empty().then_some(())
        });
        wait_for("everything is done", || {
            let unfinished = self.jobs();
            // A scene that was in hand in three kills is thought to be their reason, until its next event.
            let suspected = unfinished.iter().filter(|job| job.code.as_deref() == Some("crash_loop"));
            suspected.for_each(|job| assert!(self.service.report(job.scene.get())));
            unfinished.iter().all(&rests).then_some(())
        });
    }

    /// The jobs of all scenes.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        self.readers.with(|reader| jobs(reader, None, None, MOST_JOBS)).unwrap()
    }

    /// What has to be true whenever nothing is in hand.
    pub(crate) fn assert_sums(&self) {
        let counts = self.readers.with(counts).unwrap();
        let error = counts.conservation_error();
        assert_eq!((error.events, error.jobs, counts.dead), (0, 0, 0), "{counts:?}");
        assert_eq!(self.world.plex.needless_edits(), 0, "nothing is written twice");
    }

    /// Ends the service as whoever runs it does.
    pub(crate) fn end(mut self) {
        self.service.signal("-TERM");
        assert_eq!(self.service.wait(), 0);
    }
}
