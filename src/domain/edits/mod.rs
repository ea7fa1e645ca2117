//! What has to be written into an item, and what is left alone?

mod base;
mod edit;
mod field;
mod ownership;
mod sanitise;
mod undo;
mod value;
mod wanted;

use serde::{Deserialize, Serialize};

pub use base::Base;
pub use edit::{Change, Edit, ListChange};
pub use field::{Field, ImageSlot, Shape};
pub use sanitise::cut;
pub use undo::{PastWrite, plan_undo};
pub use value::{Tag, Value, rating, same, same_value, upload_key};
pub use wanted::{Limits, Wanted, wanted};

use super::item::PlexItem;
use ownership::Standing;

/// What a hand edit in Plex is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HandEdits {
    #[default]
    Keep,
    Overwrite,
}

/// What becomes of the item of a scene that is deleted in Stash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDelete {
    /// It stays as it is.
    #[default]
    Keep,
    /// What PlexSync wrote is cleared, as far as it can be.
    Clear,
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

/// Which elements of a list may be removed. Elements that Stash names are added in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ownership {
    /// Those that PlexSync wrote.
    #[default]
    Own,
    /// All: the list becomes what Stash says, whoever changed it.
    Mirror,
    /// None.
    Add,
}

/// The settings that decide between Stash and Plex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditPolicy {
    pub fields: Vec<Field>,
    pub hand_edits: HandEdits,
    pub clear_empty: ClearEmpty,
    pub ownership: Ownership,
    /// Whether a written field is locked against Plex's own metadata refresh.
    pub lock: bool,
    /// The content rating of every item; empty leaves it alone.
    pub content_rating: String,
    pub limits: Limits,
}

impl EditPolicy {
    /// The places whose images are carried.
    pub fn image_slots(&self) -> Vec<ImageSlot> {
        let slots = [ImageSlot::Poster, ImageSlot::Background];
        slots.into_iter().filter(|slot| self.fields.contains(&slot.field())).collect()
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
    pub fn new(field: Field, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}

/// What has to be done so that nothing is left of what was written before; a title and images stay, as an item cannot
/// be without them.
pub fn plan_to_take_back(item: &PlexItem, base: &Base, policy: &EditPolicy) -> Plan {
    let values = base.fields().map(|field| (field, field.nothing())).collect();
    let policy = EditPolicy {
        hand_edits: HandEdits::Keep,
        clear_empty: ClearEmpty::Own,
        ownership: Ownership::Own,
        ..policy.clone()
    };
    plan(&Wanted { values, notes: Vec::new() }, item, base, &policy)
}

/// Compares what Stash wants, what Plex holds and what was written before, field by field.
pub fn plan(wanted: &Wanted, item: &PlexItem, base: &Base, policy: &EditPolicy) -> Plan {
    let mut plan = Plan { edits: Vec::new(), notes: wanted.notes.clone() };
    for (&field, value) in &wanted.values {
        let (written, declined) = (base.get(field), base.declined(field));
        let decided = match value {
            Value::Text(text) => {
                let known = Known { base: written.map(Value::text), declined: declined.map(Value::text) };
                decide(field, text, item, known, policy)
            }
            Value::List(tags) => {
                let (present, locked) = (item.tags(field), item.locked.contains(&field));
                let base = written.map(Value::tags).unwrap_or_default();
                let standing = Standing { present, locked, base, declined: declined.map(Value::tags) };
                ownership::decide(field, tags, standing, policy)
            }
        };
        plan.edits.extend(decided.edit);
        plan.notes.extend(decided.note.map(|text| Note::new(field, text)));
    }
    plan
}

/// What becomes of one field.
#[derive(Debug, Default)]
struct Decided {
    edit: Option<Edit>,
    note: Option<String>,
}

impl From<Edit> for Decided {
    fn from(edit: Edit) -> Self {
        Self { edit: Some(edit), note: None }
    }
}

/// What is remembered of a text.
#[derive(Debug, Clone, Copy)]
struct Known<'a> {
    base: Option<&'a str>,
    declined: Option<&'a str>,
}

/// Of a text: the first rule that fits decides.
fn decide(field: Field, wanted: &str, item: &PlexItem, known: Known<'_>, policy: &EditPolicy) -> Decided {
    let Known { base, declined } = known;
    let present = item.text(field);
    // A refresh leaves alone what has no lock: what changed there was changed by hand.
    let locked = !field.has_lock() || item.locked.contains(&field);
    let lock = policy.lock && field.has_lock();
    if same_value(field, present, wanted) {
        // The lock belongs to what is wanted; an empty field needs none.
        let lacks_its_lock = lock && !locked && !wanted.is_empty();
        let edit = lacks_its_lock.then_some(Edit { field, value: None, locked: Some(true) });
        return Decided { edit, note: None };
    }
    let taken_back = declined.is_some_and(|declined| same_value(field, declined, wanted));
    if taken_back && policy.hand_edits == HandEdits::Keep {
        return Decided { edit: None, note: Some("was taken back by hand, which is kept".to_owned()) };
    }
    if wanted.is_empty() {
        return clear(field, present, base, policy);
    }
    let value = Some(Change::Text(wanted.to_owned()));
    let write = Edit { field, value, locked: lock.then_some(true) };
    // Without a base this is the first contact and Stash is the primary source; with another base Stash has changed.
    let unchanged_in_stash = base.is_some_and(|base| same_value(field, base, wanted));
    // An unlocked field may have been overwritten by a refresh of Plex, an empty one wiped: both are repaired.
    let edited_by_hand = unchanged_in_stash && !present.is_empty() && locked;
    match policy.hand_edits {
        HandEdits::Keep if edited_by_hand => {
            Decided { edit: None, note: Some("was edited in Plex by hand and is kept".to_owned()) }
        }
        HandEdits::Keep | HandEdits::Overwrite => write.into(),
    }
}

fn clear(field: Field, present: &str, base: Option<&str>, policy: &EditPolicy) -> Decided {
    if !field.can_be_cleared() {
        return Decided::default();
    }
    let ours = base.is_some_and(|base| !base.is_empty() && same_value(field, base, present));
    let clears = match policy.clear_empty {
        ClearEmpty::Own => ours,
        ClearEmpty::Always => true,
        ClearEmpty::Never => false,
    };
    if !clears {
        return Decided::default();
    }
    // The lock goes with the value: Stash has nothing to say about the field any more.
    let value = Some(Change::Text(String::new()));
    Edit { field, value, locked: (policy.lock && field.has_lock()).then_some(false) }.into()
}

#[cfg(test)]
mod tests;
