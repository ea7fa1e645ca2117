//! Whatever happens to Stash, to Plex and to the service, in an order that nobody chose: does Plex end as the rules say?

mod moves;

use std::collections::BTreeSet;

use plexsync::domain::job::JobState;
use plexsync::sim::world::{Pair, World};
use plexsync::sim::{ItemView, PlexOptions, SimScene, StashOptions, TagAdds};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rstest::rstest;

use crate::support::household::{Household, UPDATED, fresh_seed};
use crate::support::tell;

const SCENES: usize = 4;
const ROUNDS: usize = 8;
const STEPS: usize = 16;

/// Edits that follow one another, and what is to come of them.
struct Edits<'a> {
    house: Household<'a>,
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
    let folder = tempfile::tempdir().unwrap();
    let options = PlexOptions { tag_adds, ..PlexOptions::default() };
    let world = World::start_with(SCENES, StashOptions::default(), options).unwrap();
    let house = Household::start(folder.path(), world, seed.unwrap_or_else(fresh_seed));
    let mut edits = Edits { house, by_hand: BTreeSet::new(), number: 0 };
    for Pair { scene, .. } in edits.house.world.pairs.clone() {
        edits.house.tell_of(UPDATED, scene);
    }
    for round in 0..ROUNDS {
        tell(&format!("round {round}"));
        for _ in 0..STEPS {
            edits.step();
        }
        edits.house.kill();
        edits.house.calm_down(|job| job.state == JobState::Done);
        edits.compare();
        edits.edit_by_hand();
    }
    edits.house.end();
}

impl Edits<'_> {
    fn step(&mut self) {
        if self.house.rng.random_bool(0.5) {
            self.edit_in_stash();
        } else {
            self.house.trouble();
        }
        self.house.deliver();
        self.house.let_pass(4);
    }

    /// Some user saves a scene; the service hears of it at once, later, or twice.
    fn edit_in_stash(&mut self) {
        self.number += 1;
        let number = self.number;
        let Household { world, rng, .. } = &mut self.house;
        let Pair { scene, .. } = world.pairs.choose(rng).unwrap().clone();
        let what = rng.random_range(0..7);
        world.stash.update_scene(scene, |scene| match what {
            0 => scene.title = format!("Title {number}"),
            1 => scene.details = format!("Details {number}"),
            2 => scene.details.clear(),
            3 => scene.tags.push(format!("Tag {number}")),
            4 => drop(scene.tags.pop()),
            5 => scene.performers = vec![format!("Performer {number}")],
            _ => scene.rating100 = Some(number % 100 + 1),
        });
        let times = rng.random_range(1..3);
        for _ in 0..times {
            self.house.tell_of(UPDATED, scene);
        }
    }

    fn compare(&self) {
        let world = &self.house.world;
        for pair in &world.pairs {
            let scene = world.stash.scene(pair.scene).unwrap();
            let item = world.plex.item(&pair.rating_key).unwrap();
            self.compare_item(&scene, &item);
        }
        self.house.assert_sums();
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
        let Household { world, rng, .. } = &mut self.house;
        let Pair { rating_key, .. } = world.pairs.choose(rng).unwrap().clone();
        assert!(world.plex.add_tag(&rating_key, "genre", &name));
        self.by_hand.insert((rating_key, name));
    }
}
