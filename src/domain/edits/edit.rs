//! What is one change of one field, and has it arrived?

use serde::{Deserialize, Serialize};

use super::field::Field;
use super::value::{Names, Tag, Value, same_value};
use crate::domain::item::PlexItem;

/// One change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    pub field: Field,
    /// What becomes of the value; `None` leaves it as it is and changes the lock alone.
    pub value: Option<Change>,
    /// The new state of the lock; `None` leaves it as it is.
    pub locked: Option<bool>,
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Change {
    /// The new text. An empty one clears the field.
    Text(String),
    List(ListChange),
}

/// What becomes of a list. It names every element that shall stand there afterwards, because reports about real
/// servers differ: to some the elements that are sent are all there are, to others they join those that are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListChange {
    /// What is there and stays, in Plex's spelling.
    pub stay: Vec<Tag>,
    pub add: Vec<Tag>,
    /// What is there and goes, in Plex's spelling.
    pub remove: Vec<Tag>,
    /// What is `PlexSync`'s own, before and after: what it wrote earlier and is not settled, and all of `add`.
    pub ours: Vec<Tag>,
}

impl ListChange {
    /// Every element that shall stand, in order.
    pub fn all(&self) -> impl Iterator<Item = &Tag> {
        self.stay.iter().chain(&self.add)
    }

    /// Whether the list would be another afterwards.
    pub fn changes_something(&self) -> bool {
        !(self.add.is_empty() && self.remove.is_empty())
    }

    /// Does without the last element that would be added. Returns whether there was one.
    pub fn add_one_less(&mut self) -> bool {
        let Some(last) = self.add.pop() else { return false };
        self.ours.retain(|tag| tag.name != last.name);
        true
    }
}

impl Edit {
    /// What the field shall hold afterwards; `None` when its value stays.
    pub fn aim(&self) -> Option<Value> {
        Some(match self.value.as_ref()? {
            Change::Text(text) => Value::Text(text.clone()),
            Change::List(list) => Value::List(list.all().cloned().collect()),
        })
    }

    /// Whether an item read back shows this edit.
    pub fn is_applied(&self, item: &PlexItem) -> bool {
        let value_stands = match &self.value {
            None => true,
            Some(Change::Text(text)) => same_value(self.field, item.text(self.field), text),
            Some(Change::List(list)) => {
                let held = Names::of(self.field, item.tags(self.field));
                list.all().all(|tag| held.has(tag)) && !list.remove.iter().any(|tag| held.has(tag))
            }
        };
        let lock_stands = self.locked.is_none_or(|locked| item.locked.contains(&self.field) == locked);
        value_stands && lock_stands
    }

    /// What is `PlexSync`'s own in the field, now that the item was read back; `None` when that is what it was before.
    /// A text is ours when it stands there. Of a list each element counts by itself, whatever became of the others.
    pub fn base_after(&self, item: &PlexItem) -> Option<Value> {
        match self.value.as_ref()? {
            Change::Text(text) => {
                same_value(self.field, item.text(self.field), text).then(|| Value::Text(text.clone()))
            }
            Change::List(list) => {
                let held = Names::of(self.field, item.tags(self.field));
                let sent = Names::of(self.field, list.all().chain(&list.remove));
                // What was not sent is one of ours that somebody took out by hand: it stays known as ours.
                let is_ours = |tag: &&Tag| held.has(tag) || !sent.has(tag);
                Some(Value::List(list.ours.iter().filter(is_ours).cloned().collect()))
            }
        }
    }
}
