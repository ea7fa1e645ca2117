//! What has to be written into an item, and what is left alone?

mod sanitise;
mod wanted;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use wanted::{Limits, Wanted, wanted};

use super::item::PlexItem;

/// The fields that can be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Title,
    Studio,
    Summary,
    Date,
}

impl Field {
    pub const ALL: [Self; 4] = [Self::Title, Self::Studio, Self::Summary, Self::Date];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Studio => "studio",
            Self::Summary => "summary",
            Self::Date => "date",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a hand edit in Plex is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HandEdits {
    #[default]
    Keep,
    Overwrite,
}

/// What an empty value in Stash does to the one in Plex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClearEmpty {
    /// Clears what PlexSync wrote.
    #[default]
    Own,
    Always,
    Never,
}

/// The settings that decide between Stash and Plex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditPolicy {
    pub fields: Vec<Field>,
    pub hand_edits: HandEdits,
    pub clear_empty: ClearEmpty,
    /// Whether a written field is locked against Plex's own metadata refresh.
    pub lock: bool,
    pub limits: Limits,
}

/// One change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    pub field: Field,
    /// The new value; `None` leaves the value as it is and changes the lock alone. Empty clears the field.
    pub value: Option<String>,
    /// The new state of the lock; `None` leaves it as it is.
    pub locked: Option<bool>,
}

impl Edit {
    /// Whether an item read back shows this edit.
    pub fn is_applied(&self, item: &PlexItem) -> bool {
        let value_stands = self.value.as_deref().is_none_or(|value| same(item.value(self.field), value));
        let lock_stands = self.locked.is_none_or(|locked| item.locked.contains(&self.field) == locked);
        value_stands && lock_stands
    }
}

/// What is to be done to one item, with remarks for the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub edits: Vec<Edit>,
    pub notes: Vec<Note>,
}

/// Something about a field that a person may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub field: Field,
    pub text: String,
}

impl Note {
    fn new(field: Field, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}

/// What PlexSync last wrote into the item and saw applied, by field.
pub type Base = BTreeMap<Field, String>;

/// Compares what Stash wants, what Plex holds and what was written before, field by field.
pub fn plan(wanted: &Wanted, item: &PlexItem, base: &Base, policy: &EditPolicy) -> Plan {
    let mut plan = Plan { edits: Vec::new(), notes: wanted.notes.clone() };
    for (&field, value) in &wanted.values {
        let base = base.get(&field).map(String::as_str);
        match decide(field, value, item, base, policy) {
            Decision::Nothing => {}
            Decision::KeepHandEdit => {
                plan.notes.push(Note::new(field, "was edited in Plex by hand and is kept"));
            }
            Decision::Do(edit) => plan.edits.push(edit),
        }
    }
    plan
}

enum Decision {
    Nothing,
    KeepHandEdit,
    Do(Edit),
}

/// The first rule that fits decides.
fn decide(field: Field, wanted: &str, item: &PlexItem, base: Option<&str>, policy: &EditPolicy) -> Decision {
    let present = item.value(field);
    let locked = item.locked.contains(&field);
    if same(present, wanted) {
        // The lock belongs to what is wanted; an empty field needs none.
        let lacks_its_lock = policy.lock && !locked && !wanted.is_empty();
        return if lacks_its_lock {
            Decision::Do(Edit { field, value: None, locked: Some(true) })
        } else {
            Decision::Nothing
        };
    }
    if wanted.is_empty() {
        return clear(field, present, base, policy);
    }
    let write =
        Decision::Do(Edit { field, value: Some(wanted.to_owned()), locked: policy.lock.then_some(true) });
    // Without a base this is the first contact and Stash is the primary source; with another base Stash has changed.
    let unchanged_in_stash = base.is_some_and(|base| same(base, wanted));
    // An unlocked field may have been overwritten by a refresh of Plex, an empty one wiped: both are repaired.
    let edited_by_hand = unchanged_in_stash && !present.is_empty() && locked;
    match policy.hand_edits {
        HandEdits::Keep if edited_by_hand => Decision::KeepHandEdit,
        HandEdits::Keep | HandEdits::Overwrite => write,
    }
}

fn clear(field: Field, present: &str, base: Option<&str>, policy: &EditPolicy) -> Decision {
    // An item without a title cannot be found any more.
    if field == Field::Title {
        return Decision::Nothing;
    }
    let ours = base.is_some_and(|base| !base.is_empty() && same(base, present));
    let clears = match policy.clear_empty {
        ClearEmpty::Own => ours,
        ClearEmpty::Always => true,
        ClearEmpty::Never => false,
    };
    if !clears {
        return Decision::Nothing;
    }
    // The lock goes with the value: Stash has nothing to say about the field any more.
    Decision::Do(Edit { field, value: Some(String::new()), locked: policy.lock.then_some(false) })
}

/// Whether two values are the same once Plex has stored them: it trims, and may compose characters.
pub fn same(left: &str, right: &str) -> bool {
    left == right || sanitise::composed(left.trim()) == sanitise::composed(right.trim())
}

#[cfg(test)]
mod tests;
