//! What does a Plex server look like from PlexSync's side?
//!
//! Written from what is known of real servers, with their traps: edits are answered with 200 whatever becomes of
//! them, an edit without ids is for the whole library, listings leave tags out, one paging header alone is ignored.

mod edit;
mod element;
mod images;
mod item;
mod listing;
mod meta;
mod notifications;
mod options;
mod render;
mod routes;
mod state;
mod tree;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

pub use item::{ItemView, NewItem};
pub use options::{PlexOptions, TagAdds};

use super::clock::SimClock;
use super::faults::Faults;
use super::net::{Running, Say};
use super::record::Recorded;
use routes::Plex;
use state::State;

/// Kinds of requests, for counting and for faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlexOp {
    /// `/identity`, which needs no token.
    Identity,
    /// `/`
    Root,
    /// `/library/sections` and what is below it, unless it has a kind of its own.
    Sections,
    /// `/library/sections/{key}/all`, read.
    Listing,
    /// `/library/metadata/{keys}`, read.
    Item,
    /// `/library/metadata/{keys}/tree`
    Tree,
    /// Any change of fields or of tags.
    Edit,
    /// Stars given or taken away.
    Rate,
    /// A library's refresh.
    Scan,
    /// A single video's refresh.
    Refresh,
    /// The list of an item's images.
    Images,
    /// An image uploaded or selected.
    Image,
    Activities,
    /// The channel on which the server tells what happens.
    Notifications,
    Other,
}

impl PlexOp {
    fn of(method: &str, segments: &[&str]) -> Self {
        match (method, segments) {
            (_, ["identity"]) => Self::Identity,
            (_, []) => Self::Root,
            (_, ["activities"]) => Self::Activities,
            ("PUT", ["library", "sections", _, "all"] | ["library", "metadata", _]) => Self::Edit,
            (_, [":", "websockets", "notifications"]) => Self::Notifications,
            ("PUT", [":", "rate"]) => Self::Rate,
            (_, ["library", "sections", _, "refresh"]) => Self::Scan,
            (_, ["library", "metadata", _, "refresh"]) => Self::Refresh,
            ("GET" | "HEAD", ["library", "sections", _, "all"] | ["library", "all"]) => Self::Listing,
            ("GET" | "HEAD", ["library", "sections", ..]) => Self::Sections,
            ("GET" | "HEAD", ["library", "metadata", _]) => Self::Item,
            ("GET" | "HEAD", ["library", "metadata", _, "tree"]) => Self::Tree,
            ("GET" | "HEAD", ["library", "metadata", _, "posters" | "arts"]) => Self::Images,
            (_, ["library", "metadata", _, "posters" | "poster" | "arts" | "art"]) => Self::Image,
            _ => Self::Other,
        }
    }
}

/// A running simulated Plex. Clones are the same server, which stops with the last of them.
#[derive(Clone)]
pub struct SimPlex {
    running: Arc<Running<Plex>>,
    token: Arc<str>,
    clock: SimClock,
}

impl SimPlex {
    /// Starts a server without libraries on a free port of 127.0.0.1.
    pub fn start(options: PlexOptions) -> io::Result<Self> {
        let token = Arc::from(options.token.as_str());
        let clock = options.clock.clone();
        let plex = Plex::new(State::new(options, clock.clone()));
        Ok(Self { running: Arc::new(Running::start("sim-plex", plex)?), token, clock })
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.running.url()
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// Adds a library of personal videos: titles come from file names.
    pub fn add_library(&self, key: &str, title: &str, locations: &[&str]) {
        self.add_library_with_agent(key, title, "com.plexapp.agents.none", locations);
    }

    /// Adds a library whose videos an agent describes: a refresh goes back to what they were added with.
    pub fn add_library_with_agent(&self, key: &str, title: &str, agent: &str, locations: &[&str]) {
        self.running.peer().state().add_library(key, title, agent, locations);
    }

    /// Adds a video and returns its rating key. Each one is younger than all before it.
    pub fn add_item(&self, section: &str, item: NewItem) -> String {
        self.running.peer().state().add_item(section, item).to_string()
    }

    /// Puts a file on disk: it becomes a video when its folder is scanned.
    pub fn place_file(&self, section: &str, item: NewItem) {
        self.running.peer().state().on_disk.push((section.to_owned(), item));
    }

    /// Removes a video; whether there was one.
    pub fn remove_item(&self, rating_key: &str) -> bool {
        rating_key.parse().is_ok_and(|key| self.running.peer().state().remove_item(key))
    }

    /// Moves the file of a video, which a scan has found out; whether there is such a video.
    pub fn move_file(&self, rating_key: &str, path: &str) -> bool {
        let Ok(key) = rating_key.parse() else { return false };
        let mut state = self.running.peer().state();
        let moved =
            state.change(key, |item| item.parts.first_mut().map(|part| path.clone_into(&mut part.path)));
        moved.flatten().is_some()
    }

    /// How many listen to the notifications.
    pub fn listeners(&self) -> usize {
        self.running.peer().state().listeners.count()
    }

    /// Sends a frame of text to all who listen.
    pub fn tell(&self, frame: &str) {
        self.running.peer().state().listeners.say(|| Say::Text(frame.to_owned()));
    }

    /// Sends bytes to all who listen, whether they are a frame or not.
    pub fn tell_raw(&self, bytes: &[u8]) {
        self.running.peer().state().listeners.say(|| Say::Raw(bytes.to_vec()));
    }

    /// Cuts the connections of all who listen.
    pub fn drop_listeners(&self) {
        self.running.peer().state().listeners.say(|| Say::Cut);
    }

    /// Tells nothing and answers no ping from now on, with all connections open; or goes on.
    pub fn fall_silent(&self, silent: bool) {
        self.running.peer().state().listeners.fall_silent(silent);
    }

    /// Gives a video other files, as splitting and merging do; whether there is such a video.
    pub fn set_files(&self, rating_key: &str, files: &[(&str, u64)]) -> bool {
        let Ok(key) = rating_key.parse() else { return false };
        let mut state = self.running.peer().state();
        let part = |(path, size): &(&str, u64)| item::Part {
            id: state.next_id(),
            path: (*path).to_owned(),
            size: *size,
            hash: String::new(),
        };
        let parts: Vec<_> = files.iter().map(part).collect();
        state.change(key, |item| item.parts = parts).is_some()
    }

    pub fn item(&self, rating_key: &str) -> Option<ItemView> {
        let key = rating_key.parse().ok()?;
        self.running.peer().state().view(key)
    }

    /// All videos, oldest first.
    pub fn items(&self) -> Vec<ItemView> {
        let state = self.running.peer().state();
        state.items.keys().filter_map(|key| state.view(*key)).collect()
    }

    /// Sets a field as a user would who edits by hand; whether there is such a field and such a video.
    pub fn set_field(&self, rating_key: &str, field: &str, value: &str) -> bool {
        self.edit_by_hand(rating_key, &format!("{field}.value"), value)
    }

    /// Locks or unlocks a field; whether there is such a field and such a video.
    pub fn set_lock(&self, rating_key: &str, field: &str, locked: bool) -> bool {
        self.edit_by_hand(rating_key, &format!("{field}.locked"), if locked { "1" } else { "0" })
    }

    /// Adds a tag; whether there is such a kind of tag and such a video.
    pub fn add_tag(&self, rating_key: &str, kind: &str, name: &str) -> bool {
        let mut state = self.running.peer().state();
        let kind = item::TAGS.into_iter().find(|(known, _)| *known == kind).map(|(known, _)| known);
        let (Some(kind), Ok(key)) = (kind, rating_key.parse()) else { return false };
        let tag = state.tag_id(kind, name);
        let add = |item: &mut item::Item| {
            let uses = item.tags.entry(kind).or_default();
            if uses.iter().all(|used| used.tag != tag) {
                uses.push(item::TagUse { tag, text: None });
            }
        };
        state.change(key, add).is_some()
    }

    /// Shows a poster as a user does who picks one that is no upload; whether there is such a video.
    pub fn pick_poster(&self, rating_key: &str, name: &str) -> bool {
        let Ok(key) = rating_key.parse() else { return false };
        images::show(&mut self.running.peer().state(), key, "thumb", name)
    }

    /// The bytes of an uploaded image.
    pub fn upload(&self, key: &str) -> Option<Vec<u8>> {
        self.running.peer().state().uploads.get(key).cloned()
    }

    /// What Plex's own refresh does: fields without a lock lose what was written to them.
    pub fn refresh_metadata(&self, rating_key: &str) -> bool {
        let Ok(key) = rating_key.parse() else { return false };
        self.running.peer().state().change(key, item::Item::fall_back).is_some()
    }

    /// Changes how the server behaves from now on. Token and clock stay as they were.
    pub fn reconfigure(&self, change: impl FnOnce(&mut PlexOptions)) {
        let mut state = self.running.peer().state();
        change(&mut state.options);
        self.token.as_ref().clone_into(&mut state.options.token);
    }

    /// Makes all tokens invalid but this one, which [`SimPlex::token`] does not tell.
    pub fn change_token(&self, token: &str) {
        token.clone_into(&mut self.running.peer().state().options.token);
    }

    pub fn requests(&self) -> Vec<Recorded<PlexOp>> {
        self.running.shared().log.all()
    }

    pub fn count(&self, op: PlexOp) -> usize {
        self.running.shared().log.count(op)
    }

    /// How many edits have changed nothing, as those that are sent a second time.
    pub fn needless_edits(&self) -> usize {
        self.running.peer().state().needless_edits
    }

    /// How many requests are being answered at this moment.
    pub fn in_hand(&self) -> usize {
        self.running.shared().log.in_hand()
    }

    pub fn clear_requests(&self) {
        self.running.shared().log.clear();
    }

    pub fn faults(&self) -> &Faults<PlexOp> {
        &self.running.shared().faults
    }

    /// Closes all connections and refuses new ones until [`SimPlex::come_back`].
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

    fn edit_by_hand(&self, rating_key: &str, parameter: &str, value: &str) -> bool {
        let Ok(key) = rating_key.parse() else { return false };
        let mut state = self.running.peer().state();
        let Ok(edit) = edit::Edit::parse(&[(parameter.to_owned(), value.to_owned())]) else { return false };
        edit.apply(&mut state, &[key]);
        state.items.contains_key(&key)
    }
}
