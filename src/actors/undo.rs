//! How is one write taken back? By a write of its own, noted before and read back like any other.

use super::messages::{Applied, NotDone, RefuseUndo};
use super::plex_sync::{Run, STORE_LIMIT};
use super::read_back::settled;
use super::stage::{storage, stored};
use crate::domain::edits::{Change, Edit, ImageSlot, PastWrite, Shape, plan_undo, same_value};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::item::PlexItem;
use crate::store::undos::{self, UndoState};
use crate::store::writes;

impl Run {
    /// Takes a write back, or records why it cannot be.
    pub(super) async fn undo(&self, id: i64, item: &PlexItem) -> Result<Applied, NotDone> {
        // The end of an earlier run may have been looked into a moment ago.
        let asked = self.editor.readers.with(|reader| undos::state(reader, id)).map_err(storage)?;
        if asked != Some(UndoState::Asked) {
            return Ok(Applied::default());
        }
        let found = self.editor.readers.with(|reader| writes::write(reader, id)).map_err(storage)?;
        let Some(writes::RecordedWrite { write, .. }) = found else {
            return self.refuse(id, "the history has lost it".to_owned()).await;
        };
        let item = match write.field.shape() {
            Shape::Image(slot) => self.showing(item, slot).await?,
            Shape::Text | Shape::Rating | Shape::List => item.clone(),
        };
        let past = PastWrite { field: write.field, before: &write.before, after: &write.after };
        let edit = match plan_undo(past, &item, &self.editor.policy) {
            Ok(edit) => edit,
            Err(why) => return self.refuse(id, why).await,
        };
        let chosen = match (edit.field.shape(), &edit.value) {
            (Shape::Image(slot), Some(Change::Text(key))) => {
                let images = self.images(slot).await?;
                let Some(known) = images.into_iter().find(|image| same_value(edit.field, &image.key, key))
                else {
                    return self.refuse(id, format!("Plex has lost the {} that was there", edit.field)).await;
                };
                Some((slot, known.key))
            }
            (Shape::Image(_) | Shape::Text | Shape::Rating | Shape::List, _) => None,
        };
        match self.write_back(&item, edit, chosen).await {
            Ok(()) => {
                let told = format!("write {id} of {} was taken back", write.field);
                Ok(Applied { notes: vec![told], ..Applied::default() })
            }
            Err(failure) if is_final(failure.class) => self.refuse(id, failure.detail).await,
            Err(failure) => Err(failure.into()),
        }
    }

    /// An image is put back by choosing it, under the name by which Plex has it.
    async fn write_back(
        &self,
        before: &PlexItem,
        edit: Edit,
        chosen: Option<(ImageSlot, String)>,
    ) -> Result<(), Failure> {
        let edits = [edit];
        let id = self.open_intent(before, &edits).await?;
        let sent = match chosen {
            Some((slot, key)) => {
                self.in_turn(self.editor.plex.select_image(self.rating_key(), slot, &key)).await
            }
            None => self.write_all(before, &edits).await.map_err(|(failure, _)| failure),
        };
        // As with other writes: what may have arrived is looked into by the next run.
        if let Err(failure) = &sent
            && matches!(failure.class, FailureClass::Unavailable | FailureClass::Interrupted)
        {
            return sent;
        }
        let after = self.with_shown(&self.read().await?, &edits).await?;
        let intent = settled(id, &edits, &[], &after);
        let not_stored = self.missing(&intent);
        self.settle_now(intent).await?;
        sent?;
        not_stored.map_or(Ok(()), Err)
    }

    async fn refuse(&self, write: i64, why: String) -> Result<Applied, NotDone> {
        let told = format!("write {write} cannot be taken back: {why}");
        stored(self.editor.persistence.ask(RefuseUndo { write, why }, STORE_LIMIT).await)?;
        Ok(Applied { notes: vec![told], ..Applied::default() })
    }
}

/// Whether trying again would end alike, so that the wish must not hold up the scene for ever.
fn is_final(class: FailureClass) -> bool {
    match class {
        FailureClass::NotApplied
        | FailureClass::Rejected
        | FailureClass::Forbidden
        | FailureClass::Gone
        | FailureClass::NotInPlex
        | FailureClass::Ambiguous
        | FailureClass::Bug => true,
        FailureClass::Unavailable
        | FailureClass::Throttled
        | FailureClass::Unauthorized
        | FailureClass::Incompatible
        | FailureClass::StaleMatch
        | FailureClass::Interrupted => false,
    }
}
