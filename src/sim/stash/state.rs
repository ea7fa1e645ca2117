//! What does the simulated Stash remember?

use std::collections::{BTreeMap, HashMap};

use super::options::{StashOptions, SystemStatus};
use super::scene::{NewFile, NewScene, Scene, SceneFile};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: StashOptions,
    pub(crate) status: SystemStatus,
    pub(crate) scenes: BTreeMap<i64, Scene>,
    entities: HashMap<(EntityKind, String), Entity>,
    /// Each kind counts for itself, so that the same number means different things.
    last_ids: HashMap<EntityKind, i64>,
    /// Parent of a studio, both by name.
    pub(crate) parents: BTreeMap<String, String>,
    next_scene: i64,
    next_file: i64,
}

/// What scenes are connected with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntityKind {
    Studio,
    Performer,
    Tag,
    Group,
}

impl EntityKind {
    /// As in the names of hooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Studio => "Studio",
            Self::Performer => "Performer",
            Self::Tag => "Tag",
            Self::Group => "Group",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub(crate) id: i64,
    pub(crate) kind: EntityKind,
    pub(crate) name: String,
    pub(crate) updated_at: i64,
}

impl State {
    pub(crate) fn new(options: StashOptions) -> Self {
        Self {
            options,
            status: SystemStatus::Ok,
            scenes: BTreeMap::new(),
            entities: HashMap::new(),
            last_ids: HashMap::new(),
            parents: BTreeMap::new(),
            next_scene: 1,
            next_file: 1,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.options.clock.seconds()
    }

    pub(crate) fn add_scene(&mut self, new: NewScene) -> i64 {
        let now = self.now();
        let id = self.next_scene;
        self.next_scene += 1;
        let files = new.files.into_iter().map(|file| self.file(file)).collect();
        let scene = Scene {
            id,
            title: new.title,
            details: new.details,
            date: new.date,
            code: new.code,
            director: new.director,
            rating100: new.rating100,
            organized: new.organized,
            urls: new.urls,
            studio: new.studio,
            performers: new.performers,
            tags: new.tags,
            groups: new.groups,
            stash_ids: new.stash_ids,
            files,
            cover: new.cover,
            created_at: now,
            updated_at: now,
        };
        self.make_entities(&scene);
        self.scenes.insert(id, scene);
        id
    }

    pub(crate) fn file(&mut self, file: NewFile) -> SceneFile {
        let id = self.next_file;
        self.next_file += 1;
        SceneFile { id, file, updated_at: self.now() }
    }

    /// Changes a scene; its fields that changed, or `None` when there is no such scene.
    pub(crate) fn change(
        &mut self,
        id: i64,
        bump: bool,
        change: impl FnOnce(&mut Scene),
    ) -> Option<Vec<String>> {
        let now = self.now();
        let scene = self.scenes.get_mut(&id)?;
        let before = scene.clone();
        change(scene);
        scene.updated_at = if bump { now } else { before.updated_at };
        let after = scene.clone();
        self.make_entities(&after);
        Some(before.changed_fields(&after))
    }

    fn make_entities(&mut self, scene: &Scene) {
        let studio = scene.studio.iter().map(|name| (EntityKind::Studio, name));
        let performers = scene.performers.iter().map(|name| (EntityKind::Performer, name));
        let tags = scene.tags.iter().map(|name| (EntityKind::Tag, name));
        let groups = scene.groups.iter().map(|(name, _)| (EntityKind::Group, name));
        for (kind, name) in studio.chain(performers).chain(tags).chain(groups) {
            self.entity_id(kind, name);
        }
    }

    /// The id of an entity, which is made when it is new.
    pub(crate) fn entity_id(&mut self, kind: EntityKind, name: &str) -> i64 {
        if let Some(known) = self.entity(kind, name) {
            return known.id;
        }
        let updated_at = self.now();
        let last = self.last_ids.entry(kind).or_default();
        *last += 1;
        let id = *last;
        self.entities.insert((kind, name.to_owned()), Entity { id, kind, name: name.to_owned(), updated_at });
        id
    }

    pub(crate) fn entity(&self, kind: EntityKind, name: &str) -> Option<&Entity> {
        self.entities.get(&(kind, name.to_owned()))
    }

    /// Renames an entity everywhere. No scene's `updated_at` moves, only its own.
    pub(crate) fn rename(&mut self, kind: EntityKind, old: &str, new: &str) -> Option<i64> {
        let now = self.now();
        let mut entity = self.entities.remove(&(kind, old.to_owned()))?;
        new.clone_into(&mut entity.name);
        entity.updated_at = now;
        let id = entity.id;
        self.entities.insert((kind, new.to_owned()), entity);
        for name in self.scenes.values_mut().flat_map(|scene| names_of(scene, kind)) {
            if name == old {
                new.clone_into(name);
            }
        }
        if kind == EntityKind::Studio {
            let parents = std::mem::take(&mut self.parents);
            let renamed = |name: String| if name == old { new.to_owned() } else { name };
            self.parents = parents.into_iter().map(|(child, of)| (renamed(child), renamed(of))).collect();
        }
        Some(id)
    }

    /// Deletes an entity everywhere. No scene's `updated_at` moves.
    pub(crate) fn delete(&mut self, kind: EntityKind, name: &str) -> Option<i64> {
        let id = self.entities.remove(&(kind, name.to_owned()))?.id;
        for scene in self.scenes.values_mut() {
            match kind {
                EntityKind::Studio => scene.studio = scene.studio.take().filter(|known| known != name),
                EntityKind::Performer => scene.performers.retain(|known| known != name),
                EntityKind::Tag => scene.tags.retain(|known| known != name),
                EntityKind::Group => scene.groups.retain(|(known, _)| known != name),
            }
        }
        Some(id)
    }

    /// The entities of one kind that a scene is connected with.
    pub(crate) fn entities_of(&self, scene: &Scene, kind: EntityKind) -> Vec<&Entity> {
        let names: Vec<&String> = match kind {
            EntityKind::Studio => scene.studio.iter().collect(),
            EntityKind::Performer => scene.performers.iter().collect(),
            EntityKind::Tag => scene.tags.iter().collect(),
            EntityKind::Group => scene.groups.iter().map(|(name, _)| name).collect(),
        };
        names.into_iter().filter_map(|name| self.entity(kind, name)).collect()
    }

    /// Starts over with other ids, as an import with reset does: ids begin at 1 again.
    pub(crate) fn reset_ids(&mut self) {
        self.next_scene = 1;
        for (_, mut scene) in std::mem::take(&mut self.scenes) {
            scene.id = self.next_scene;
            self.next_scene += 1;
            self.scenes.insert(scene.id, scene);
        }
    }
}

fn names_of(scene: &mut Scene, kind: EntityKind) -> Vec<&mut String> {
    match kind {
        EntityKind::Studio => scene.studio.iter_mut().collect(),
        EntityKind::Performer => scene.performers.iter_mut().collect(),
        EntityKind::Tag => scene.tags.iter_mut().collect(),
        EntityKind::Group => scene.groups.iter_mut().map(|(name, _)| name).collect(),
    }
}
