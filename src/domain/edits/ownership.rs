//! Which elements of a list are added, which go, and which are none of ours?

use super::edit::{Change, Edit, ListChange};
use super::field::Field;
use super::value::{Names, Tag};
use super::{ClearEmpty, Decided, EditPolicy, HandEdits, Ownership};

/// A list in Plex as it is, and what `PlexSync` wrote there before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) present: &'a [Tag],
    pub(super) locked: bool,
    pub(super) base: &'a [Tag],
    /// Elements that a person took back; `None` if nobody ever took anything back.
    pub(super) declined: Option<&'a [Tag]>,
}

/// Decides element by element: each is wanted or not, present or not, and written before or not.
pub(super) fn decide(field: Field, wanted: &[Tag], standing: Standing<'_>, policy: &EditPolicy) -> Decided {
    let Standing { present, locked, base, declined } = standing;
    let [asked, held, ours] = [wanted, present, base].map(|tags| Names::of(field, tags));
    let declined = declined.filter(|_| hand_edits_count(policy));
    // What a person has put back is not to be cleared.
    let clear_empty = match (policy.clear_empty, declined) {
        (ClearEmpty::Always, Some(_)) => ClearEmpty::Own,
        (clear_empty, _) => clear_empty,
    };
    let leaves = |tag: &Tag| {
        !asked.has(tag) && may_go(ours.has(tag), wanted.is_empty(), policy.ownership, clear_empty)
    };
    let (remove, stay): (Vec<_>, Vec<_>) = present.iter().cloned().partition(leaves);
    // As with a text: an unlocked list may have been refreshed by Plex, an empty one wiped, and both are repaired. One
    // that our own removals empty would look wiped the next time.
    let keeps_hand_edits = hand_edits_count(policy) && locked && !stay.is_empty();
    let missing = wanted.iter().filter(|tag| !held.has(tag)).cloned();
    let declined = Names::of(field, declined.unwrap_or_default());
    let (taken_out, add): (Vec<_>, Vec<_>) =
        missing.partition(|tag| declined.has(tag) || (keeps_hand_edits && ours.has(tag)));
    let added = Names::of(field, &add);
    let still_known = base.iter().filter(|tag| (asked.has(tag) || held.has(tag)) && !added.has(tag));
    let ours = still_known.chain(&add).cloned().collect();
    let list = ListChange { stay, add, remove, ours };
    Decided { edit: edit(field, list, wanted.is_empty(), locked, policy), note: note(&taken_out) }
}

/// Whether what a person changed in a list outweighs what Stash says.
fn hand_edits_count(policy: &EditPolicy) -> bool {
    match (policy.hand_edits, policy.ownership) {
        (HandEdits::Keep, Ownership::Own | Ownership::Add) => true,
        (HandEdits::Keep, Ownership::Mirror)
        | (HandEdits::Overwrite, Ownership::Own | Ownership::Add | Ownership::Mirror) => false,
    }
}

/// Whether an element that Stash does not name may be removed.
fn may_go(ours: bool, stash_has_none: bool, ownership: Ownership, clear_empty: ClearEmpty) -> bool {
    match (ownership, stash_has_none) {
        (Ownership::Add, true | false) => false,
        (Ownership::Own, false) => ours,
        (Ownership::Mirror, false) => true,
        (Ownership::Own | Ownership::Mirror, true) => match clear_empty {
            ClearEmpty::Own => ours,
            ClearEmpty::Always => true,
            ClearEmpty::Never => false,
        },
    }
}

fn edit(
    field: Field,
    list: ListChange,
    stash_has_none: bool,
    locked: bool,
    policy: &EditPolicy,
) -> Option<Edit> {
    let ends_empty = list.all().next().is_none();
    let value = list.changes_something().then_some(Change::List(list));
    let locked = match (&value, stash_has_none) {
        // The lock belongs to what is wanted, and goes with the last element: Stash has nothing to say any more.
        (Some(_), true) => (policy.lock && ends_empty).then_some(false),
        (None, true) => None,
        (Some(_), false) => policy.lock.then_some(true),
        (None, false) => (policy.lock && !locked).then_some(true),
    };
    (value.is_some() || locked.is_some()).then_some(Edit { field, value, locked })
}

fn note(taken_out: &[Tag]) -> Option<String> {
    let names: Vec<_> = taken_out.iter().map(Tag::to_string).collect();
    (!names.is_empty()).then(|| format!("lost {} by hand in Plex, which is kept", names.join(", ")))
}
