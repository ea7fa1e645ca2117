//! What does Stash look like from PlexSync's side?
//!
//! Written from what is known of real servers, with their traps: errors come together with data, times are compared
//! as text, an empty list of ids finds everything, a key is refused where none is configured.

mod answer;
mod document;
mod filter;
mod options;
mod routes;
mod scene;
mod schema;
mod state;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

pub use options::{StashOptions, SystemStatus};
pub use scene::{Cover, NewFile, NewScene, Scene, SceneFile};
pub use state::EntityKind;

use super::clock::SimClock;
use super::faults::Faults;
use super::net::Running;
use super::record::Recorded;
use routes::Stash;
use state::State;

/// Kinds of requests, for counting and for faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StashOp {
    /// One scene by its id, or several by aliases.
    FindScene,
    FindScenes,
    /// `version`, `systemStatus` or the schema, and nothing else.
    About,
    /// GraphQL that is none of these, or not valid.
    OtherQuery,
    Screenshot,
    Health,
    Other,
}

impl StashOp {
    fn of(roots: &[&str]) -> Self {
        if roots.contains(&"findScenes") {
            Self::FindScenes
        } else if roots.contains(&"findScene") {
            Self::FindScene
        } else if !roots.is_empty()
            && roots.iter().all(|name| matches!(*name, "version" | "systemStatus" | "__type"))
        {
            Self::About
        } else {
            Self::OtherQuery
        }
    }
}

/// What Stash tells its plugins after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCall {
    /// As `Scene.Update.Post`.
    pub kind: String,
    /// Of the scene or of the entity.
    pub id: i64,
    /// Absent where Stash sends none.
    pub input_fields: Option<Vec<String>>,
}

/// Called after each change that fires a hook, on the thread that made the change.
pub type Hook = Arc<dyn Fn(HookCall) + Send + Sync>;

/// A running simulated Stash. Clones are the same server, which stops with the last of them.
#[derive(Clone)]
pub struct SimStash {
    running: Arc<Running<Stash>>,
    hook: Arc<Mutex<Option<Hook>>>,
    clock: SimClock,
}

impl SimStash {
    /// Starts a server without scenes on a free port of 127.0.0.1.
    pub fn start(options: StashOptions) -> io::Result<Self> {
        let clock = options.clock.clone();
        let stash = Stash::new(State::new(options));
        let running = Arc::new(Running::start("sim-stash", stash)?);
        Ok(Self { running, hook: Arc::default(), clock })
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.running.url()
    }

    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// From now on this is called after changes that fire a hook. Stash would wait for it, and so does the caller.
    pub fn on_edit(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    /// Adds a scene as a scan does: the hook has no input.
    pub fn add_scene(&self, scene: NewScene) -> i64 {
        let id = self.running.peer().state().add_scene(scene);
        self.call_hook("Scene.Create.Post", id, None);
        id
    }

    /// Changes a scene as the edit form does; whether there is such a scene. Even no change counts as one.
    pub fn update_scene(&self, id: i64, change: impl FnOnce(&mut Scene)) -> bool {
        let fields = self.running.peer().state().change(id, true, change);
        let Some(fields) = fields else { return false };
        self.call_hook("Scene.Update.Post", id, Some(fields));
        true
    }

    /// Changes a scene without a hook, as jobs do. `bump`: whether `updated_at` moves (auto-tag: yes; a folder
    /// that was renamed, or a file that was moved: no).
    pub fn change_silently(&self, id: i64, bump: bool, change: impl FnOnce(&mut Scene)) -> bool {
        self.running.peer().state().change(id, bump, change).is_some()
    }

    /// Replaces a scene's files, as a scan does that finds them elsewhere: a hook without input, no new `updated_at`.
    pub fn move_files(&self, id: i64, files: Vec<NewFile>) -> bool {
        let mut state = self.running.peer().state();
        let files = files.into_iter().map(|file| state.file(file)).collect();
        let found = state.change(id, false, |scene| scene.files = files).is_some();
        drop(state);
        if found {
            self.call_hook("Scene.Update.Post", id, None);
        }
        found
    }

    pub fn destroy_scene(&self, id: i64) -> bool {
        let found = self.running.peer().state().scenes.remove(&id).is_some();
        if found {
            self.call_hook("Scene.Destroy.Post", id, None);
        }
        found
    }

    pub fn scene(&self, id: i64) -> Option<Scene> {
        self.running.peer().state().scenes.get(&id).cloned()
    }

    /// All scenes by id.
    pub fn scenes(&self) -> Vec<Scene> {
        self.running.peer().state().scenes.values().cloned().collect()
    }

    /// Renames a studio, performer, tag or group: its own hook, and no scene's. Whether there was one.
    pub fn rename(&self, kind: EntityKind, old: &str, new: &str) -> bool {
        let id = self.running.peer().state().rename(kind, old, new);
        let Some(id) = id else { return false };
        self.call_hook(
            &format!("{}.Update.Post", kind.name()),
            id,
            Some(vec!["name".to_owned(), "id".to_owned()]),
        );
        true
    }

    /// Deletes a studio, performer, tag or group: its own hook, and no scene's. Whether there was one.
    pub fn delete(&self, kind: EntityKind, name: &str) -> bool {
        let id = self.running.peer().state().delete(kind, name);
        let Some(id) = id else { return false };
        self.call_hook(&format!("{}.Destroy.Post", kind.name()), id, None);
        true
    }

    /// The id of a studio, performer, tag or group that some scene has had.
    pub fn entity_id(&self, kind: EntityKind, name: &str) -> Option<i64> {
        self.running.peer().state().entity(kind, name).map(|entity| entity.id)
    }

    /// Puts a studio below another one, which is made when it is new.
    pub fn set_parent_studio(&self, child: &str, parent: &str) {
        let mut state = self.running.peer().state();
        state.entity_id(EntityKind::Studio, child);
        state.entity_id(EntityKind::Studio, parent);
        state.parents.insert(child.to_owned(), parent.to_owned());
    }

    /// Numbers all scenes anew from 1, as a full import does. No hooks.
    pub fn reset_ids(&self) {
        self.running.peer().state().reset_ids();
    }

    pub fn set_status(&self, status: SystemStatus) {
        self.running.peer().state().status = status;
    }

    /// Changes how the server presents itself from now on.
    pub fn reconfigure(&self, change: impl FnOnce(&mut StashOptions)) {
        change(&mut self.running.peer().state().options);
    }

    pub fn requests(&self) -> Vec<Recorded<StashOp>> {
        self.running.shared().log.all()
    }

    pub fn count(&self, op: StashOp) -> usize {
        self.running.shared().log.count(op)
    }

    pub fn clear_requests(&self) {
        self.running.shared().log.clear();
    }

    pub fn faults(&self) -> &Faults<StashOp> {
        &self.running.shared().faults
    }

    /// Closes all connections and refuses new ones until [`SimStash::come_back`].
    pub fn go_down(&self) -> io::Result<()> {
        self.running.go_down()
    }

    /// Listens again, at the same address and with the same state.
    pub fn come_back(&self) -> io::Result<()> {
        self.running.come_back()
    }

    /// Ends the server for all handles.
    pub fn stop(&self) {
        self.running.stop();
    }

    /// Without any lock held: a hook may well look at this server.
    fn call_hook(&self, kind: &str, id: i64, input_fields: Option<Vec<String>>) {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(HookCall { kind: kind.to_owned(), id, input_fields });
        }
    }
}
