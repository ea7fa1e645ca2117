//! How is one write taken back, and when can it not be?

use super::edit::{Change, Edit, ListChange};
use super::field::{Field, Shape};
use super::value::{Names, Tag, Value, same_value};
use super::{EditPolicy, HandEdits, Ownership};
use crate::domain::item::PlexItem;

/// A write as the history has it.
#[derive(Debug, Clone, Copy)]
pub struct PastWrite<'a> {
    pub field: Field,
    pub before: &'a Value,
    pub after: &'a Value,
}

/// What has to be written so that a field holds again what it held before that write; an error says why that cannot be.
/// Only what the write left is taken back: what somebody put there since is not ours to remove.
pub fn plan_undo(past: PastWrite<'_>, item: &PlexItem, policy: &EditPolicy) -> Result<Edit, String> {
    let PastWrite { field, before, after } = past;
    if policy.hand_edits == HandEdits::Overwrite {
        return Err(format!(
            "{field} would be written again at once, because sync.hand_edits is \"overwrite\""
        ));
    }
    // What is put back is held as it is, an empty field as well.
    let locked = (policy.lock && field.has_lock()).then_some(true);
    let change = match field.shape() {
        Shape::List if policy.ownership == Ownership::Mirror => {
            return Err(format!(
                "{field} would be written again at once, because sync.ownership is \"mirror\""
            ));
        }
        Shape::List => Change::List(list(field, before.tags(), after.tags(), item.tags(field))?),
        Shape::Text | Shape::Rating | Shape::Image(_) => {
            Change::Text(text(field, before.text(), after.text(), item.text(field))?)
        }
    };
    Ok(Edit { field, value: Some(change), locked })
}

fn text(field: Field, before: &str, after: &str, present: &str) -> Result<String, String> {
    if same_value(field, before, after) {
        return Err(format!("the write left {field} as it was"));
    }
    if same_value(field, before, present) {
        return Err(format!("{field} already holds {before:?} again"));
    }
    if !same_value(field, after, present) {
        return Err(format!("{field} has changed since: it holds {present:?} and not {after:?}"));
    }
    if before.is_empty() && !field.can_be_cleared() {
        return Err(format!("there was no {field} before, and Plex cannot go without one"));
    }
    Ok(before.to_owned())
}

/// The elements that the write added go, and those that it removed come back. Others are none of its business.
fn list(field: Field, before: &[Tag], after: &[Tag], present: &[Tag]) -> Result<ListChange, String> {
    let [had, left, held] = [before, after, present].map(|tags| Names::of(field, tags));
    let add: Vec<_> = before.iter().filter(|tag| !left.has(tag)).cloned().collect();
    let mut added = after.iter().filter(|tag| !had.has(tag)).peekable();
    if add.is_empty() && added.peek().is_none() {
        return Err(format!("the write left {field} as they were"));
    }
    if let Some(gone) = added.find(|tag| !held.has(tag)) {
        return Err(format!("{field} have changed since: {gone} is gone already"));
    }
    if let Some(back) = add.iter().find(|tag| held.has(tag)) {
        return Err(format!("{field} have changed since: {back} is back already"));
    }
    let goes = |tag: &Tag| left.has(tag) && !had.has(tag);
    let (remove, stay) = present.iter().cloned().partition(goes);
    // Nothing of it is ours: it stands there by the wish of a person.
    Ok(ListChange { stay, add, remove, ours: Vec::new() })
}
