//! Whatever happens to Stash, to Plex and to the service, in an order that nobody chose: does Plex end as the rules say?

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use plexsync::domain::job::JobState;
use plexsync::sim::world::{Pair, World};
use plexsync::sim::{
    Failing, Fault, ItemView, PlexOp, PlexOptions, SimScene, StashOp, StashOptions, TagAdds,
};
use plexsync::store::Readers;
use plexsync::store::counts::counts;
use plexsync::store::jobs::jobs;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rstest::rstest;

use crate::process::{Service, free_port, write_settings};
use crate::support::{agent, tell, wait_for};

const SCENES: usize = 4;
const ROUNDS: usize = 8;
const STEPS: usize = 16;
const LONGEST_PAUSE: Duration = Duration::from_millis(60);
/// Short enough that a peer that hangs does not make the test long. An outage is over as soon as the peer is back.
const PATIENCE: &str = "stash.read_timeout = \"1s\"\nplex.read_timeout = \"1s\"\nplex.write_timeout = \"1s\"\n\
    circuit_breaker.open_for = \"1s\"\ncircuit_breaker.max_open_for = \"1s\"\n\
    rate_limit.writes_per_second = 0\nstash.max_requests_per_second = 0\n";

/// Two peers, a service that is killed again and again, and what is to come of it.
struct House<'a> {
    folder: &'a Path,
    port: u16,
    world: World,
    service: Service,
    readers: Readers,
    rng: SmallRng,
    /// Changes whose events have not been taken yet, as the spool of the hook keeps them.
    spooled: Vec<i64>,
    /// What was put into Plex by hand, by rating key.
    by_hand: BTreeSet<(String, String)>,
    /// Makes every value another one.
    number: u32,
}

#[rstest]
fn plex_ends_as_the_rules_say_whatever_fails_and_wherever_the_service_is_killed(
    #[values(TagAdds::Merge, TagAdds::Replace)] tag_adds: TagAdds,
    #[values(Some(7), None)] seed: Option<u64>,
) {
    let seed = seed.unwrap_or_else(fresh_seed);
    tell(&format!("the seed is {seed}"));
    let folder = tempfile::tempdir().unwrap();
    let options = PlexOptions { tag_adds, ..PlexOptions::default() };
    let world = World::start_with(SCENES, StashOptions::default(), options).unwrap();
    let port = free_port();
    write_settings(folder.path(), &world, port);
    let settings = std::fs::read_to_string(folder.path().join("config.toml")).unwrap();
    std::fs::write(folder.path().join("config.toml"), format!("{PATIENCE}{settings}")).unwrap();
    let mut house = House {
        folder: folder.path(),
        port,
        spooled: world.pairs.iter().map(|pair| pair.scene).collect(),
        world,
        service: Service::start(folder.path(), port),
        readers: Readers::open(&folder.path().join("p.db")).unwrap(),
        rng: SmallRng::seed_from_u64(seed),
        by_hand: BTreeSet::new(),
        number: 0,
    };
    for round in 0..ROUNDS {
        tell(&format!("round {round}"));
        for _ in 0..STEPS {
            house.step();
        }
        house.kill();
        house.calm_down();
        house.compare();
        house.edit_by_hand();
    }
    house.service.signal("-TERM");
    assert_eq!(house.service.wait(), 0);
}

#[expect(
    clippy::disallowed_methods,
    reason = "another one in each run; it fixes what is done, and not how far the service gets meanwhile"
)]
fn fresh_seed() -> u64 {
    rand::rng().random()
}

impl Drop for House<'_> {
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

impl House<'_> {
    fn step(&mut self) {
        match self.rng.random_range(0..10) {
            0..=4 => self.edit_in_stash(),
            5 | 6 => self.disturb(),
            7 => self.kill(),
            8 if self.rng.random_bool(0.5) => self.world.plex.go_down().unwrap(),
            8 => self.world.stash.go_down().unwrap(),
            _ => self.bring_back(),
        }
        self.deliver();
        self.let_pass(4);
    }

    fn bring_back(&self) {
        self.world.plex.come_back().unwrap();
        self.world.stash.come_back().unwrap();
    }

    /// Some user saves a scene; the service hears of it at once, later, or twice.
    fn edit_in_stash(&mut self) {
        self.number += 1;
        let number = self.number;
        let Pair { scene, .. } = self.world.pairs.choose(&mut self.rng).unwrap().clone();
        let what = self.rng.random_range(0..7);
        self.world.stash.update_scene(scene, |scene| match what {
            0 => scene.title = format!("Title {number}"),
            1 => scene.details = format!("Details {number}"),
            2 => scene.details.clear(),
            3 => scene.tags.push(format!("Tag {number}")),
            4 => drop(scene.tags.pop()),
            5 => scene.performers = vec![format!("Performer {number}")],
            _ => scene.rating100 = Some(number % 100 + 1),
        });
        let times = self.rng.random_range(1..3);
        self.spooled.extend(std::iter::repeat_n(scene, times));
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
    fn let_pass(&mut self, at_most: usize) {
        let until = self.world.plex.requests().len() + self.rng.random_range(0..at_most);
        let began = Instant::now();
        // A service that has nothing to do sends no more.
        while self.world.plex.requests().len() < until && began.elapsed() < LONGEST_PAUSE {
            std::thread::yield_now();
        }
    }

    /// Ends the service without a word, mostly in the middle of something, and starts it again.
    fn kill(&mut self) {
        self.let_pass(6);
        self.service.signal("-KILL");
        self.service.wait();
        self.service = Service::start(self.folder, self.port);
    }

    /// The hook posts what it has, and keeps what is not taken.
    fn deliver(&mut self) {
        let spooled = std::mem::take(&mut self.spooled);
        self.spooled = spooled.into_iter().filter(|scene| !self.service.report(*scene)).collect();
    }

    /// Nothing fails any more, and everything that is to be done is done.
    fn calm_down(&mut self) {
        self.world.plex.faults().clear();
        self.world.stash.faults().clear();
        self.bring_back();
        wait_for("every event is taken", || {
            self.deliver();
            self.spooled.is_empty().then_some(())
        });
        wait_for("everything is done", || {
            let unfinished = self.readers.with(|reader| jobs(reader, None, None, SCENES)).unwrap();
            // A scene that was in hand in three kills is thought to be their reason, until its next event.
            let suspected = unfinished.iter().filter(|job| job.code.as_deref() == Some("crash_loop"));
            suspected.for_each(|job| assert!(self.service.report(job.scene.get())));
            unfinished.iter().all(|job| job.state == JobState::Done).then_some(())
        });
    }

    fn compare(&self) {
        for pair in &self.world.pairs {
            let scene = self.world.stash.scene(pair.scene).unwrap();
            let item = self.world.plex.item(&pair.rating_key).unwrap();
            self.compare_item(&scene, &item);
        }
        let counts = self.readers.with(counts).unwrap();
        let error = counts.conservation_error();
        assert_eq!((error.events, error.jobs, counts.dead), (0, 0, 0), "{counts:?}");
        assert_eq!(self.world.plex.needless_edits(), 0, "nothing is written twice");
    }

    fn compare_item(&self, scene: &SimScene, item: &ItemView) {
        let key = &item.rating_key;
        assert_eq!(item.title, scene.title, "title of item {key}");
        assert_eq!(item.summary, scene.details, "summary of item {key}");
        let rating = scene.rating100.map(|rating| (f64::from(rating) / 10.0).to_string());
        assert_eq!(item.user_rating, rating, "rating of item {key}");
        let own = self.by_hand.iter().filter(|(of, _)| of == key).map(|(_, name)| name);
        let genres: BTreeSet<_> = scene.tags.iter().chain(own).collect();
        assert_eq!(item.genres.iter().collect::<BTreeSet<_>>(), genres, "genres of item {key}");
        let shown: BTreeSet<_> = item.actors.iter().collect();
        assert_eq!(shown, scene.performers.iter().collect(), "actors of item {key}");
        let written = [
            ("title", true),
            ("summary", !scene.details.is_empty()),
            ("genre", !scene.tags.is_empty()),
            ("actor", true),
        ];
        for (field, _) in written.into_iter().filter(|(_, written)| *written) {
            assert!(item.locked.contains(field), "{field} of item {key} has no lock: {:?}", item.locked);
        }
    }

    /// Somebody adds a genre in Plex while nothing is going on.
    fn edit_by_hand(&mut self) {
        self.number += 1;
        let name = format!("By hand {}", self.number);
        let Pair { rating_key, .. } = self.world.pairs.choose(&mut self.rng).unwrap().clone();
        assert!(self.world.plex.add_tag(&rating_key, "genre", &name));
        self.by_hand.insert((rating_key, name));
    }
}
