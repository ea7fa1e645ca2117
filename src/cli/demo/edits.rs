//! Who edits in the demo's Stash? A few people at once, and each waits for a save for as long as Stash waits for its hook.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::cli::exit::Failed;
use crate::sim::world::World;
use crate::sim::{HangUp, SimStash};

/// The saves of one person come one after another.
const PEOPLE: usize = 4;

/// What is known of all saves so far. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Saves(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// When each scene was saved, by its place.
    began: BTreeMap<usize, Instant>,
    /// How long each save kept its person waiting.
    waited: Vec<Duration>,
}

/// Saves that are under way. When this is dropped everybody closes the page: hooks that run are killed, and no more come.
pub(super) struct Edits {
    client: HangUp,
    people: Vec<JoinHandle<()>>,
}

impl Saves {
    /// Has the scenes at these places edited.
    pub(super) fn start(&self, world: &World, places: std::ops::Range<usize>) -> Edits {
        let scenes: Vec<_> =
            places.filter_map(|place| Some((place, world.pairs.get(place)?.scene))).collect();
        let (client, scenes) = (HangUp::default(), Arc::new(Mutex::new(scenes.into_iter())));
        let person = |_| {
            let (stash, client, saves) = (world.stash.clone(), client.clone(), self.clone());
            let scenes = Arc::clone(&scenes);
            spawn_blocking(move || {
                let next = || scenes.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((place, scene)) = next().filter(|_| !client.is_hung_up()) {
                    saves.save(&stash, place, scene, &client);
                }
            })
        };
        let people = (0..PEOPLE).map(person).collect();
        Edits { client, people }
    }

    fn save(&self, stash: &SimStash, place: usize, scene: i64, client: &HangUp) {
        let began = Instant::now();
        self.known().began.insert(place, began);
        stash.save_scene(scene, |scene| scene.title.push_str(", edited"), client);
        self.known().waited.push(began.elapsed());
    }

    pub(super) fn began(&self) -> BTreeMap<usize, Instant> {
        self.known().began.clone()
    }

    pub(super) fn waited(&self) -> Vec<Duration> {
        self.known().waited.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Edits {
    /// Waits until everything is saved.
    pub(super) async fn ended(mut self) -> Result<(), Failed> {
        for person in self.people.drain(..) {
            person.await.context("somebody who edits scenes failed")?;
        }
        Ok(())
    }
}

impl Drop for Edits {
    fn drop(&mut self) {
        self.client.hang_up();
    }
}
