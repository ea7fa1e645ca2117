//! What does Stash look like from PlexSync's side?
//!
//! Written from what is known of real servers, with their traps: errors come together with data, times are compared
//! as text, an empty list of ids finds everything, a key is refused where none is configured.

mod answer;
mod document;
mod filter;
mod options;
mod plugins;
mod routes;
mod scene;
mod schema;
mod state;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub use options::{StashOptions, SystemStatus};
pub use plugins::HangUp;
pub use scene::{Cover, NewFile, NewScene, Scene, SceneFile};
pub use state::EntityKind;

use super::clock::SimClock;
use super::faults::Faults;
use super::net::Running;
use super::record::Recorded;
use plugins::{Machine, Plugins};
use routes::Stash;
use serde_json::{Value, json};
use state::State;
use tempfile::TempDir;

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
    /// What Stash was asked to change; null where nobody asked.
    pub input: Value,
    /// Absent where Stash sends none.
    pub input_fields: Option<Vec<String>>,
}

/// Called after each change that fires a hook, on the thread that made the change.
pub type Hook = Arc<dyn Fn(HookCall) + Send + Sync>;

/// A running simulated Stash. Clones are the same server, which stops with the last of them.
#[derive(Clone)]
pub struct SimStash {
    running: Arc<Running<Stash>>,
    /// Here, and not with what the server's threads share: nobody waits for the end of each of those, and a process may
    /// end before the last of them.
    plugins_folder: Arc<TempDir>,
    hook: Arc<Mutex<Option<Hook>>>,
    clock: SimClock,
}

impl SimStash {
    /// Starts a server without scenes on a free port of 127.0.0.1.
    pub fn start(options: StashOptions) -> io::Result<Self> {
        let clock = options.clock.clone();
        let StashOptions { runs_programs, has_python, .. } = options;
        let plugins_folder = Arc::new(tempfile::tempdir()?);
        let plugins = Plugins::new(plugins_folder.path().to_owned(), options.roots.clone());
        let stash = Stash::new(State::new(options), plugins);
        let running = Arc::new(Running::start("sim-stash", stash)?);
        let machine = Machine { port: running.port(), runs_programs, has_python };
        running.peer().plugins().set_machine(machine);
        Ok(Self { running, plugins_folder, hook: Arc::default(), clock })
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
        self.call_hook("Scene.Create.Post", id, Value::Null, None);
        id
    }

    /// Changes a scene as the edit form does; whether there is such a scene. Even no change counts as one.
    pub fn update_scene(&self, id: i64, change: impl FnOnce(&mut Scene)) -> bool {
        self.save_scene(id, change, &HangUp::default())
    }

    /// The same by a client that may hang up meanwhile: the hook that runs is killed, and the change stays.
    pub fn save_scene(&self, id: i64, change: impl FnOnce(&mut Scene), client: &HangUp) -> bool {
        let fields = self.running.peer().state().change(id, true, change);
        let Some(fields) = fields else { return false };
        let input = json!({ "id": id.to_string() });
        self.call_hooks(&hook_call("Scene.Update.Post", id, input, Some(fields)), client);
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
            self.call_hook("Scene.Update.Post", id, Value::Null, None);
        }
        found
    }

    pub fn destroy_scene(&self, id: i64) -> bool {
        let Some(scene) = self.running.peer().state().scenes.remove(&id) else { return false };
        let file = scene.files.first().map(|file| &file.file);
        let input = json!({
            "id": id.to_string(),
            "delete_file": false,
            "oshash": file.map(|file| file.oshash.as_str()),
            "path": file.map(|file| file.path.as_str()),
        });
        self.call_hook("Scene.Destroy.Post", id, input, None);
        true
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
            json!({ "id": id.to_string(), "name": new }),
            Some(vec!["name".to_owned(), "id".to_owned()]),
        );
        true
    }

    /// Deletes a studio, performer, tag or group: its own hook, and no scene's. Whether there was one.
    pub fn delete(&self, kind: EntityKind, name: &str) -> bool {
        let id = self.running.peer().state().delete(kind, name);
        let Some(id) = id else { return false };
        let input = json!({ "id": id.to_string() });
        self.call_hook(&format!("{}.Destroy.Post", kind.name()), id, input, None);
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

    /// How many requests are being answered at this moment.
    pub fn in_hand(&self) -> usize {
        self.running.shared().log.in_hand()
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

    /// Changes several scenes as the bulk edit does: all are changed first, then the hooks run, one scene after another.
    /// When the client hangs up meanwhile, the running one is killed and the others never come.
    pub fn bulk_update(&self, ids: &[i64], change: impl Fn(&mut Scene), client: &HangUp) {
        let input = json!({ "ids": ids.iter().map(ToString::to_string).collect::<Vec<_>>() });
        let changed: Vec<_> = ids
            .iter()
            .filter_map(|id| Some((*id, self.running.peer().state().change(*id, true, &change)?)))
            .collect();
        for (id, fields) in changed {
            if client.is_hung_up() {
                return;
            }
            self.call_hooks(&hook_call("Scene.Update.Post", id, input.clone(), Some(fields)), client);
        }
    }

    /// The folder of the plugins. Whatever is put there is loaded by [`Self::reload_plugins`].
    pub fn plugins_folder(&self) -> &Path {
        self.plugins_folder.path()
    }

    pub fn reload_plugins(&self) {
        self.running.peer().plugins().reload();
    }

    /// The newest lines of the log, oldest first: level and message.
    pub fn log(&self) -> Vec<(String, String)> {
        self.running.peer().plugins().log()
    }

    fn call_hook(&self, kind: &str, id: i64, input: Value, input_fields: Option<Vec<String>>) {
        self.call_hooks(&hook_call(kind, id, input, input_fields), &HangUp::default());
    }

    /// Without any lock held: a hook may well look at this server.
    fn call_hooks(&self, call: &HookCall, client: &HangUp) {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(call.clone());
        }
        self.running.peer().plugins().run_hooks(call, client);
    }
}

fn hook_call(kind: &str, id: i64, input: Value, input_fields: Option<Vec<String>>) -> HookCall {
    HookCall { kind: kind.to_owned(), id, input, input_fields }
}
