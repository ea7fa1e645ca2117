//! What does an item say about a write, once it was read back?

use crate::domain::circuit::Circuit;
use crate::domain::edits::{Edit, Note};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::item::PlexItem;
use crate::store::intents::{SettledField, SettledIntent};
use crate::store::writes::WriteOutcome;

/// Compares what was to be written with what stands there. Notes go to the fields that they are about.
pub(super) fn settled(id: i64, edits: &[Edit], notes: &[Note], item: &PlexItem) -> SettledIntent {
    let field = |edit: &Edit| SettledField {
        field: edit.field,
        outcome: if edit.is_applied(item) { WriteOutcome::Applied } else { WriteOutcome::NotApplied },
        after: item.value(edit.field),
        base: edit.base_after(item),
        note: note(edit, notes),
    };
    SettledIntent { id, fields: edits.iter().map(field).collect() }
}

fn note(edit: &Edit, notes: &[Note]) -> Option<String> {
    let lock = edit.value.is_none().then_some("the lock alone was set");
    let said = notes.iter().filter(|note| note.field == edit.field).map(|note| note.text.as_str());
    let all: Vec<_> = lock.into_iter().chain(said).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Whether none of the fields shows what was written.
pub(super) fn nothing_arrived(intent: &SettledIntent) -> bool {
    intent.fields.iter().all(|field| field.outcome != WriteOutcome::Applied)
}

/// Names the fields that do not show what was written, if there are any.
pub(super) fn missing(intent: &SettledIntent) -> Option<Failure> {
    let missing = intent.fields.iter().filter(|field| field.outcome != WriteOutcome::Applied);
    let names: Vec<_> = missing.map(|field| field.field.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let detail = format!("Plex answered that all is well but did not store: {}", names.join(", "));
    Some(Failure::new(FailureClass::NotApplied, Peer::Plex, "not_applied", detail).on(Circuit::PlexWrite))
}
