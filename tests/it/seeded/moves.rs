//! Files that move, come twice, go and come back, on both sides and in any order: is each item written by its scene alone?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plexsync::domain::ids::MachineId;
use plexsync::domain::job::{Job, JobState};
use plexsync::domain::matching::FileKeys;
use plexsync::sim::world::World;
use plexsync::sim::{ItemView, NewFile, NewItem, NewScene};
use plexsync::store::candidates::items_at;
use plexsync::store::{ItemKey, ledger, settings};
use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use rstest::rstest;

use crate::support::household::{Household, UPDATED, fresh_seed};
use crate::support::tell;

const ROUNDS: usize = 6;
const STEPS: usize = 16;
/// Names that have nothing in common, so that nothing but an equal path makes an item a scene's.
const NAMES: [&str; 8] = ["Ash", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel"];
/// A look at the libraries that began so shortly ago is not made again for a scene.
const FRESH_ENOUGH: Duration = Duration::from_secs(2);
const LIBRARIES: [&str; 2] = ["1", "2"];

struct Moves<'a> {
    house: Household<'a>,
    number: u32,
}

/// The place of a file, as the peers see it, and its size.
fn place(name: usize) -> (String, u64) {
    (format!("{}/{}.mp4", name % 3, NAMES[name]), 1000 + 17 * u64::try_from(name).unwrap())
}

fn in_stash(name: usize) -> NewFile {
    let (path, size) = place(name);
    NewFile { size, ..NewFile::at(&format!("/data/{path}")) }
}

fn in_plex(name: usize) -> (String, u64) {
    let (path, size) = place(name);
    (format!("/media/{path}"), size)
}

#[rstest]
fn every_item_shows_the_scene_whose_file_it_has_wherever_files_go(
    #[values(Some(7), None)] seed: Option<u64>,
) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(0).unwrap();
    world.plex.add_library("2", "Also films", &["/media"]);
    let house = Household::start(folder.path(), world, seed.unwrap_or_else(fresh_seed));
    let mut moves = Moves { house, number: 0 };
    for round in 0..ROUNDS {
        tell(&format!("round {round}"));
        for _ in 0..STEPS {
            moves.step();
        }
        moves.house.kill();
        moves.come_to_rest();
        moves.compare();
    }
    moves.house.end();
}

impl Moves<'_> {
    fn step(&mut self) {
        match self.house.rng.random_range(0..12) {
            0..=2 => self.add_scene(),
            3 => self.destroy_scene(),
            4 => self.move_scene(),
            5 => self.swap_scenes(),
            6..=7 => self.add_item(),
            8 => self.remove_item(),
            9 => self.move_item(),
            10 => self.rename_scene(),
            _ => self.house.trouble(),
        }
        self.house.deliver();
        self.house.let_pass(4);
    }

    fn name(&mut self) -> usize {
        self.house.rng.random_range(0..NAMES.len())
    }

    /// The scenes, and the name of the file of each.
    fn scenes(&self) -> BTreeMap<i64, usize> {
        let scenes = self.house.world.stash.scenes();
        scenes.iter().map(|scene| (scene.id, name_in(&scene.files[0].file.path))).collect()
    }

    fn some_scene(&mut self) -> Option<i64> {
        self.scenes().into_keys().choose(&mut self.house.rng)
    }

    fn some_item(&mut self) -> Option<ItemView> {
        self.house.world.plex.items().choose(&mut self.house.rng).cloned()
    }

    /// A file is scanned: one that is new, or, now and then, one that another scene has already.
    fn add_scene(&mut self) {
        let name = self.name();
        let taken = self.scenes().values().any(|other| *other == name);
        if taken && self.house.rng.random_bool(0.7) {
            return;
        }
        self.number += 1;
        let new = NewScene {
            title: format!("Title {}", self.number),
            files: vec![in_stash(name)],
            ..NewScene::default()
        };
        let scene = self.house.world.stash.add_scene(new);
        self.house.tell_of("Scene.Create.Post", scene);
    }

    fn destroy_scene(&mut self) {
        if let Some(scene) = self.some_scene() {
            assert!(self.house.world.stash.destroy_scene(scene));
            self.house.tell_of("Scene.Destroy.Post", scene);
        }
    }

    fn move_scene(&mut self) {
        let name = self.name();
        if let Some(scene) = self.some_scene() {
            assert!(self.house.world.stash.move_files(scene, vec![in_stash(name)]));
            self.house.tell_of(UPDATED, scene);
        }
    }

    /// Two scenes exchange their files.
    fn swap_scenes(&mut self) {
        let scenes = self.scenes();
        let two = scenes.iter().sample(&mut self.house.rng, 2);
        if let [(first, its), (second, others)] = two[..] {
            for (scene, name) in [(first, others), (second, its)] {
                assert!(self.house.world.stash.move_files(*scene, vec![in_stash(*name)]));
                self.house.tell_of(UPDATED, *scene);
            }
        }
    }

    fn rename_scene(&mut self) {
        self.number += 1;
        let title = format!("Title {}", self.number);
        if let Some(scene) = self.some_scene() {
            assert!(self.house.world.stash.update_scene(scene, |scene| scene.title = title));
            self.house.tell_of(UPDATED, scene);
        }
    }

    /// A library has a file once at most.
    fn is_free(&self, library: &str, path: &str) -> bool {
        let items = self.house.world.plex.items();
        !items.iter().any(|item| item.section == library && item.files[0] == path)
    }

    fn add_item(&mut self) {
        let (path, size) = in_plex(self.name());
        let library = LIBRARIES.choose(&mut self.house.rng).unwrap();
        if self.is_free(library, &path) {
            self.house.world.plex.add_item(library, NewItem::file(&path, size));
        }
    }

    fn remove_item(&mut self) {
        if let Some(item) = self.some_item() {
            assert!(self.house.world.plex.remove_item(&item.rating_key));
        }
    }

    fn move_item(&mut self) {
        let (path, size) = in_plex(self.name());
        if let Some(item) = self.some_item()
            && self.is_free(&item.section, &path)
        {
            assert!(self.house.world.plex.set_files(&item.rating_key, &[(&path, size)]));
        }
    }

    /// Whatever was not heard is made up for by one more event for each scene.
    #[expect(clippy::disallowed_methods, reason = "a test thread may block")]
    fn come_to_rest(&mut self) {
        self.house.calm_down(rests);
        std::thread::sleep(FRESH_ENOUGH);
        for scene in self.scenes().into_keys() {
            self.house.tell_of(UPDATED, scene);
        }
        self.house.calm_down(rests);
    }

    fn compare(&self) {
        let scenes = self.scenes();
        let jobs: BTreeMap<_, _> = self.house.jobs().into_iter().map(|job| (job.scene.get(), job)).collect();
        for item in self.house.world.plex.items() {
            let name = name_in(&item.files[0]);
            let claimants: BTreeSet<_> =
                scenes.iter().filter(|(_, its)| **its == name).map(|(scene, _)| *scene).collect();
            self.compare_item(&item, &claimants, &jobs);
        }
        for (scene, name) in &scenes {
            let (path, _) = in_plex(*name);
            let is_there = self.house.world.plex.items().iter().any(|item| item.files[0] == path);
            // An item that it had before may be like it, since it still shows it.
            let is_looked_for = matches!(jobs[scene].state, JobState::Waiting | JobState::Parked);
            assert!(is_there || is_looked_for, "scene {scene} has no item: {:?}", jobs[scene]);
        }
        self.house.assert_sums();
    }

    /// One scene alone is shown. Of several that have the same file one may be.
    fn compare_item(&self, item: &ItemView, claimants: &BTreeSet<i64>, jobs: &BTreeMap<i64, Job>) {
        let (key, path) = (&item.rating_key, &item.files[0]);
        let holder = self.holder(key);
        let is_done = |scene: &i64| jobs[scene].state == JobState::Done;
        // That there is a second item is known once the library has been looked at, which none but a scene without an item
        // waits for.
        if claimants.iter().any(is_done) && !self.is_known_there(item) {
            return;
        }
        if let Some(only) = claimants.iter().next().filter(|_| claimants.len() == 1) {
            let title = self.house.world.stash.scene(*only).unwrap().title;
            assert_eq!(item.title, title, "item {key} at {path} is scene {only}: {:?}", jobs[only]);
            assert_eq!(holder, Some(*only), "item {key} at {path}");
            assert!(is_done(only), "{:?}", jobs[only]);
        } else if let Some(holder) = holder.filter(|holder| claimants.contains(holder)) {
            let title = self.house.world.stash.scene(holder).unwrap().title;
            // One that another scene keeps from a second item has not written the first again.
            assert!(
                item.title == title || !is_done(&holder),
                "item {key} at {path} is held by scene {holder}"
            );
        } else {
            assert!(
                claimants.is_empty(),
                "item {key} at {path} is held by {holder:?}, and not by {claimants:?}"
            );
        }
    }

    fn is_known_there(&self, item: &ItemView) -> bool {
        let paths = BTreeSet::from([FileKeys::of(&item.files[0]).path]);
        let known = self.house.readers.with(|reader| items_at(reader, &paths)).unwrap();
        known.iter().any(|key| key.as_str() == item.rating_key)
    }

    fn holder(&self, rating_key: &str) -> Option<i64> {
        let link = self.house.readers.with(|reader| {
            let machine = MachineId(settings::get(reader, settings::MACHINE)?.unwrap());
            ledger::holder(reader, &ItemKey { machine, rating_key: rating_key.parse().unwrap() })
        });
        link.unwrap().map(|link| link.scene.get())
    }
}

fn name_in(path: &str) -> usize {
    NAMES.iter().position(|name| path.ends_with(&format!("/{name}.mp4"))).unwrap()
}

/// Whether nothing but an event, a file or much time changes where the job stands.
fn rests(job: &Job) -> bool {
    matches!(job.state, JobState::Done | JobState::Waiting | JobState::Parked)
}
