//! What does the simulated Plex tell by itself? Frames as a real server sends them, many for each change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::state::State;
use crate::sim::net::{Channel, Say};

const LIBRARY: &str = "com.plexapp.plugins.library";
/// A guide of TV programmes, which numbers its items as the libraries do.
const GUIDE: &str = "tv.plex.providers.epg.onconnect:4";
/// A new movie was seen to make 156 frames: so many about tasks, about progress and about the item.
const TASKS: usize = 80;
const PROGRESS: usize = 52;

/// Those who listen.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    open: Vec<Listener>,
    silent: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Listener {
    says: UnboundedSender<Say>,
    /// The kinds of frames that were asked for; none are all but `log`.
    kinds: Option<Vec<String>>,
}

impl Listeners {
    pub(crate) fn count(&mut self) -> usize {
        self.open.retain(|listener| !listener.says.is_closed());
        self.open.len()
    }

    /// Sends to everybody what no filter holds back.
    pub(crate) fn say(&mut self, say: impl Fn() -> Say) {
        self.open.retain(|listener| listener.says.send(say()).is_ok());
    }

    pub(crate) fn fall_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }
}

impl State {
    pub(crate) fn listen(&mut self, filters: Option<&str>) -> Channel {
        let (says, heard) = unbounded_channel();
        let kinds = filters.filter(|_| !self.options.ignores_notification_filters);
        let kinds = kinds.map(|kinds| kinds.split(',').map(str::to_owned).collect());
        self.listeners.open.push(Listener { says, kinds });
        Channel { says: heard, silent: Arc::clone(&self.listeners.silent) }
    }

    /// An item is new: it is created, looked for, analysed; all of it is told.
    pub(crate) fn tell_added(&mut self, key: i64) {
        if self.listeners.count() == 0 {
            return;
        }
        let Some(item) = self.items.get(&key) else { return };
        let title = item.title().to_owned();
        let personal = self.libraries.get(&item.section).is_some_and(super::state::Library::is_personal);
        let settles = !personal || self.options.tells_when_personal_items_are_settled;
        self.timeline(key, json!({ "state": 0, "metadataState": "created", "title": title }));
        for round in 0..TASKS {
            self.activity(key, round);
            if round % 16 == 7 {
                self.timeline(key, json!({ "state": 1, "metadataState": "queued", "queueSize": 80 - round }));
            }
        }
        for percent in 0..PROGRESS {
            let said = json!({ "message": format!("{percent} of {PROGRESS}") });
            self.tell("progress", "ProgressNotification", &said);
        }
        let states = if settles { [2, 3, 4, 4].as_slice() } else { &[1, 1] };
        for state in states {
            self.timeline(key, json!({ "state": state, "metadataState": "processing" }));
        }
        self.foreign(key);
        if settles {
            for media in ["analyzing", "thumbnailing"] {
                self.timeline(key, json!({ "state": 5, "mediaState": media }));
            }
            self.timeline(key, json!({ "state": 5 }));
        }
    }

    pub(crate) fn tell_changed(&mut self, key: i64) {
        if self.listeners.count() > 0 {
            self.timeline(key, json!({ "state": 5 }));
        }
    }

    /// The item is there no more, so what is told of it is what was known before.
    pub(crate) fn tell_deleted(&mut self, key: i64, section: &str) {
        let kind = if self.options.notifies_with_numbers { 1 } else { -1 };
        let said = json!({ "state": 9, "metadataState": "deleted", "type": kind });
        self.entry(LIBRARY, key, section, said);
    }

    fn timeline(&mut self, key: i64, said: Value) {
        let Some(section) = self.items.get(&key).map(|item| item.section.clone()) else { return };
        self.entry(LIBRARY, key, &section, said);
    }

    /// Somebody else deletes an item of the same number.
    fn foreign(&mut self, key: i64) {
        self.entry(GUIDE, key, "1", json!({ "state": 9, "metadataState": "deleted" }));
    }

    fn entry(&mut self, identifier: &str, key: i64, section: &str, mut said: Value) {
        let id = |text: &str| match text.parse::<i64>() {
            Ok(number) if self.options.notifies_with_numbers => Value::from(number),
            _ => Value::from(text),
        };
        let (item, section) = (id(&key.to_string()), id(section));
        if let Some(entry) = said.as_object_mut() {
            entry.insert("identifier".to_owned(), identifier.into());
            entry.insert("sectionID".to_owned(), section);
            entry.insert("itemID".to_owned(), item);
            entry.entry("type").or_insert(1.into());
            entry.insert("updatedAt".to_owned(), self.clock.seconds().into());
        }
        self.tell("timeline", "TimelineEntry", &said);
    }

    fn activity(&mut self, key: i64, round: usize) {
        let event = match round {
            0 => "started",
            79 => "ended",
            _ => "updated",
        };
        let uuid = format!("ac710000-0000-4000-8000-{key:012}");
        let task = json!({
            "uuid": uuid, "type": "library.update.item.metadata", "cancellable": false, "userID": 1,
            "title": "Processing", "subtitle": "", "progress": round,
            "Context": { "key": format!("/library/metadata/{key}") },
        });
        self.tell(
            "activity",
            "ActivityNotification",
            &json!({ "event": event, "uuid": uuid, "Activity": task }),
        );
    }

    fn tell(&mut self, kind: &str, member: &str, said: &Value) {
        let frame =
            json!({ "NotificationContainer": { "type": kind, "size": 1, member: [said] } }).to_string();
        self.listeners.open.retain(|listener| {
            let wanted = listener.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|known| known == kind));
            !wanted || listener.says.send(Say::Text(frame.clone())).is_ok()
        });
    }
}
