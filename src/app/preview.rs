//! What would be written for a scene? Asks Stash and Plex, and writes nothing, neither there nor into the database.

pub mod walkthrough;

use serde::Serialize;

use super::parts;
use crate::config::Config;
use crate::domain::edits::{
    Edit, EditPolicy, Field, ImageSlot, Note, Plan, Value, Wanted, plan, upload_key, wanted,
};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::{MachineId, RatingKey, SceneId};
use crate::domain::item::PlexItem;
use crate::domain::matching::{Decision, MatchPolicy, PathMap, Scored, decide};
use crate::domain::scene::Scene;
use crate::plex::PlexClient;
use crate::stash::{Cover, StashClient};
use crate::store::candidates::candidates;
use crate::store::{ItemKey, Readers, StoreError, ledger, settings};
use crate::telemetry::redact::PathStyle;

/// Answers the question for one scene after another.
pub struct Preview {
    stash: StashClient,
    plex: PlexClient,
    readers: Readers,
    map: PathMap,
    matches: MatchPolicy,
    edits: EditPolicy,
    only_organized: bool,
    machine: MachineId,
    /// How paths stand in what people read.
    paths: PathStyle,
}

/// What a run would write for a scene.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScenePreview {
    pub scene_id: SceneId,
    pub items: Vec<ItemPreview>,
    /// Why nothing would be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_alone: Option<String>,
}

/// What a run would write into one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemPreview {
    pub rating_key: RatingKey,
    /// Another scene that holds the item; while it does, a run writes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<SceneId>,
    pub differences: Vec<Difference>,
    /// What a run would remark on fields, whether it writes them or not.
    pub notes: Vec<Note>,
}

/// One field that would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub field: Field,
    pub present: Value,
    /// Absent when only the lock would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub becomes: Option<Value>,
    /// The new state of the lock; absent when it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
}

impl Preview {
    /// Works from the database of the service, whether that runs or not.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let readers = Readers::open(&config.storage.path)?;
        let known = |key| readers.with(|reader| settings::get(reader, key));
        let machine = MachineId(known(settings::MACHINE)?.unwrap_or_default());
        let (stash, plex) = parts::clients_as_known(config, Some(&readers))?;
        Ok(Self {
            stash,
            plex,
            readers,
            map: parts::path_map(config),
            matches: parts::matches(config),
            edits: parts::edits(config),
            only_organized: config.sync.only_organized,
            machine,
            paths: PathStyle::obfuscated_if(config.log.obfuscate_paths),
        })
    }

    /// Compares one scene with its items.
    pub async fn of(&self, id: SceneId) -> Result<ScenePreview, Failure> {
        let scene = self.stash.find_scene(id).await?;
        let left_alone =
            |why: String| ScenePreview { scene_id: id, items: Vec::new(), left_alone: Some(why) };
        if self.only_organized && !scene.organized {
            return Ok(left_alone("it is not organized in Stash (sync.only_organized)".to_owned()));
        }
        let found = match self.decide(&scene)? {
            Decision::Auto(found) => found,
            Decision::Review { code, candidates } => {
                let items: Vec<_> = candidates.iter().map(|item| item.rating_key.to_string()).collect();
                return Ok(left_alone(format!("{code}: it could be item {}", items.join(" or "))));
            }
            Decision::None => {
                let why =
                    "no item in the index of Plex's files fits; a run would have the index refreshed first";
                return Ok(left_alone(why.to_owned()));
            }
        };
        let mut items = Vec::with_capacity(found.len());
        for scored in found {
            items.push(self.item(&scene, &scored).await?);
        }
        Ok(ScenePreview { scene_id: id, items, left_alone: None })
    }

    fn decide(&self, scene: &Scene) -> Result<Decision, Failure> {
        let found = self
            .readers
            .with(|reader| candidates(reader, scene, &self.map))
            .map_err(|error| storage(&error))?;
        Ok(decide(scene, &found, &self.map, &self.matches))
    }

    async fn item(&self, scene: &Scene, scored: &Scored) -> Result<ItemPreview, Failure> {
        let mut item = self.plex.item(&scored.rating_key).await?;
        if !item.paths.contains(&scored.path) {
            let detail =
                format!("item {} in Plex no longer holds the file of scene {}", item.rating_key, scene.id);
            return Err(Failure::new(FailureClass::StaleMatch, Peer::Plex, "file_moved", detail));
        }
        let key = ItemKey { machine: self.machine.clone(), rating_key: item.rating_key.clone() };
        let base =
            self.readers.with(|reader| ledger::base(reader, &key, scene)).map_err(|error| storage(&error))?;
        let holder =
            self.readers.with(|reader| ledger::holder(reader, &key)).map_err(|error| storage(&error))?;
        let held_by = holder.map(|link| link.scene).filter(|holder| *holder != scene.id);
        let mut wish = self.plex.fitted(&item.section, &item.rating_key, wanted(scene, &self.edits));
        for slot in self.edits.image_slots() {
            self.look_at_image(scene, slot, &mut item, &mut wish).await?;
        }
        let Plan { edits, mut notes } = plan(&wish, &item, &base, &self.edits);
        let (edits, cut) = self.plex.shortened(&item.section, &item.rating_key.clone().into(), edits);
        notes.extend(cut);
        let differences = edits.iter().map(|edit| difference(edit, &item)).collect();
        Ok(ItemPreview { rating_key: item.rating_key, held_by, differences, notes })
    }

    /// Adds what Stash has for a place, and what Plex shows there.
    async fn look_at_image(
        &self,
        scene: &Scene,
        slot: ImageSlot,
        item: &mut PlexItem,
        wish: &mut Wanted,
    ) -> Result<(), Failure> {
        let Cover::Image { image, .. } = self.stash.cover(scene.id, None).await? else { return Ok(()) };
        let images = self.plex.images(&item.rating_key, slot).await?;
        let shown = images.into_iter().find(|image| image.selected).map(|image| image.key);
        item.values.insert(slot.field(), Value::Text(shown.unwrap_or_default()));
        wish.values.insert(slot.field(), Value::Text(upload_key(slot, &image.sha1())));
        Ok(())
    }
}

fn difference(edit: &Edit, item: &PlexItem) -> Difference {
    Difference {
        field: edit.field,
        present: item.value(edit.field),
        becomes: edit.aim(),
        locked: edit.locked,
    }
}

fn storage(error: &StoreError) -> Failure {
    Failure::new(FailureClass::Unavailable, Peer::PlexSync, "storage", error.to_string())
}
