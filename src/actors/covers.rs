//! How does an item come to show the cover of its scene? By requests of its own, after all other fields are written, so
//! that an image which cannot be had or stored holds nothing up.

use super::messages::{NotDone, Wish};
use super::plex_sync::{Run, Written};
use super::read_back::settled;
use super::stage::storage;
use crate::domain::edits::{
    Change, Edit, Field, ImageSlot, Note, Plan, Shape, Value, Wanted, plan, same_value, upload_key,
};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::image::{Image, Unfit};
use crate::domain::item::PlexItem;
use crate::plex::ListedImage;
use crate::stash::Cover;
use crate::store::covers::{self, SeenCovers};

/// How a place comes to show an image.
struct Step {
    slot: ImageSlot,
    /// Under which name Plex has it already.
    known_as: Option<String>,
}

impl Run {
    /// Brings the images of an item up to date. `before` is the item as it was before its other fields were `written`.
    /// Returns what is to be remembered.
    pub(super) async fn show_covers(
        &self,
        before: &PlexItem,
        written: &mut Written,
    ) -> Result<SeenCovers, NotDone> {
        let slots = match self.order.wish {
            Wish::Show => self.editor.policy.image_slots(),
            // There is no way to go without an image.
            Wish::TakeBack | Wish::Undo(_) => Vec::new(),
        };
        if slots.is_empty() {
            return Ok(SeenCovers::new());
        }
        let read =
            self.editor.readers.with(|reader| covers::covers(reader, &self.item_key(), &self.order.scene));
        let mut seen = read.map_err(storage)?;
        seen.retain(|slot, _| slots.contains(slot));
        let (image, mut notes) = self.ask_stash(&slots, &mut seen).await?;
        self.ask_plex(before, &mut seen).await?;
        let item = with_images(&written.item, &seen);
        let Plan { edits, notes: more } = plan(&wanted(&seen), &item, &self.base()?, &self.editor.policy);
        notes.extend(more);
        written.note(&notes);
        if edits.is_empty() {
            // An edit of other fields gives the same image another address.
            note_addresses(&mut seen, &written.item);
            return Ok(seen);
        }
        let steps = self.steps(&edits).await?;
        let image = self.image_for(&steps, image, &seen).await?;
        // An item has one open intent at a time.
        if let Some(intent) = written.intent.take() {
            self.settle_now(intent).await?;
        }
        let id = self.open_intent(&item, &edits).await?;
        let shown = self.carry_out(&item, &steps, image.as_ref(), &mut seen).await;
        let after = match shown {
            Ok(()) => self.lock(with_images(&self.read().await?, &seen), &edits, &seen).await?,
            // As with other fields: what may have arrived is looked into by the next run.
            Err(failure)
                if matches!(failure.class, FailureClass::Unavailable | FailureClass::Interrupted) =>
            {
                return Err(failure.into());
            }
            Err(failure) => {
                return Err(NotDone { failure, intent: Some(settled(id, &edits, &notes, &item)) });
            }
        };
        note_addresses(&mut seen, &after);
        let intent = settled(id, &edits, &notes, &after);
        if let Some(failure) = self.missing(&intent) {
            return Err(NotDone { failure, intent: Some(intent) });
        }
        written.intent = Some(intent);
        Ok(seen)
    }

    /// What Stash has, and its image if it is another than the last.
    async fn ask_stash(
        &self,
        slots: &[ImageSlot],
        seen: &mut SeenCovers,
    ) -> Result<(Option<Image>, Vec<Note>), Failure> {
        let mut tags =
            slots.iter().map(|slot| seen.get(slot).map(|cover| cover.tag.clone()).unwrap_or_default());
        let first = tags.next().filter(|tag| !tag.is_empty());
        let known = first.filter(|first| tags.all(|tag| tag == *first));
        let (image, tag, mut notes) = match self.cover(known.as_deref()).await? {
            Cover::Unchanged => return Ok((None, Vec::new())),
            Cover::Image { image, tag } => (Some(image), tag, Vec::new()),
            Cover::Unfit { why: Unfit::Drawing, tag } => (None, tag, Vec::new()),
            Cover::Unfit { why, tag } => {
                (None, tag, slots.iter().map(|slot| Note::new(slot.field(), why.to_string())).collect())
            }
        };
        notes.dedup();
        let sha1 = image.as_ref().map(Image::sha1);
        for &slot in slots {
            let cover = seen.entry(slot).or_default();
            cover.tag.clone_from(&tag);
            cover.wanted = sha1.as_ref().map(|sha1| upload_key(slot, sha1)).unwrap_or_default();
        }
        Ok((image, notes))
    }

    async fn cover(&self, known: Option<&str>) -> Result<Cover, Failure> {
        self.editor.questions.turn().await;
        self.editor.stash.cover(self.order.scene.id, known).await
    }

    /// Which images the item shows. Plex is asked only for what is not known by its address.
    async fn ask_plex(&self, item: &PlexItem, seen: &mut SeenCovers) -> Result<(), Failure> {
        for (&slot, cover) in seen.iter_mut().filter(|(_, cover)| !cover.wanted.is_empty()) {
            let address = item.shown(slot);
            if address.is_empty() {
                cover.shown = String::new();
            } else if address != cover.address {
                cover.shown = shown(&self.images(slot).await?);
            }
        }
        Ok(())
    }

    pub(super) async fn images(&self, slot: ImageSlot) -> Result<Vec<ListedImage>, Failure> {
        self.editor.plex.images(self.rating_key(), slot).await
    }

    /// The item with the images that it shows in the places that these edits are about.
    pub(super) async fn with_shown(&self, item: &PlexItem, edits: &[Edit]) -> Result<PlexItem, Failure> {
        let mut item = item.clone();
        for slot in edits.iter().filter_map(|edit| slot_of(edit.field)) {
            item = self.showing(&item, slot).await?;
        }
        Ok(item)
    }

    /// The item with the image that it shows in this place.
    pub(super) async fn showing(&self, item: &PlexItem, slot: ImageSlot) -> Result<PlexItem, Failure> {
        let shown = shown(&self.images(slot).await?);
        let mut item = item.clone();
        item.values.insert(slot.field(), Value::Text(shown));
        Ok(item)
    }

    /// What there is to do. An image that Plex has already is not sent again.
    async fn steps(&self, edits: &[Edit]) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::new();
        for edit in edits {
            let (Shape::Image(slot), Some(Change::Text(key))) = (edit.field.shape(), &edit.value) else {
                continue;
            };
            let images = self.images(slot).await?;
            let known = images.into_iter().find(|image| same_value(edit.field, &image.key, key));
            steps.push(Step { slot, known_as: known.map(|image| image.key) });
        }
        Ok(steps)
    }

    /// The image itself, if Plex does not have it.
    async fn image_for(
        &self,
        steps: &[Step],
        image: Option<Image>,
        seen: &SeenCovers,
    ) -> Result<Option<Image>, Failure> {
        let Some(Step { slot, .. }) = steps.iter().find(|step| step.known_as.is_none()) else {
            return Ok(None);
        };
        let image = match image {
            Some(image) => Some(image),
            None => match self.cover(None).await? {
                Cover::Image { image, .. } => Some(image),
                Cover::Unchanged | Cover::Unfit { .. } => None,
            },
        };
        let wanted = seen.get(slot).map(|cover| cover.wanted.as_str()).unwrap_or_default();
        let image = image.filter(|image| upload_key(*slot, &image.sha1()) == wanted);
        let changed = || Failure::interrupted("cover_changed", "the cover has changed in Stash meanwhile");
        image.map(Some).ok_or_else(changed)
    }

    /// Sends and shows, and finds out what is shown then.
    async fn carry_out(
        &self,
        item: &PlexItem,
        steps: &[Step],
        image: Option<&Image>,
        seen: &mut SeenCovers,
    ) -> Result<(), Failure> {
        let (plex, key) = (&self.editor.plex, &item.rating_key);
        for Step { slot, known_as } in steps {
            let Some(cover) = seen.get_mut(slot) else { continue };
            match (known_as, image) {
                (Some(known_as), _) => self.in_turn(plex.select_image(key, *slot, known_as)).await?,
                (None, Some(image)) => self.in_turn(plex.upload_image(key, *slot, image)).await?,
                (None, None) => return Err(Failure::bug("no_image", "there is no image to be sent")),
            }
            let mut images = self.images(*slot).await?;
            // Not every server may show what it was sent.
            let ours = |image: &&ListedImage| same_value(slot.field(), &image.key, &cover.wanted);
            if let Some(ours) = images.iter().find(ours).filter(|image| !image.selected).cloned() {
                self.in_turn(plex.select_image(key, *slot, &ours.key)).await?;
                images = self.images(*slot).await?;
            }
            cover.shown = shown(&images);
        }
        Ok(())
    }

    /// Servers lock what is uploaded or chosen by themselves; where that is not so, or another lock is wanted, they are told.
    async fn lock(&self, item: PlexItem, edits: &[Edit], seen: &SeenCovers) -> Result<PlexItem, Failure> {
        // An image that did not arrive is not to be held on to by locking another one.
        let shown = |edit: &&Edit| {
            edit.aim().is_none_or(|aim| same_value(edit.field, item.text(edit.field), aim.text()))
        };
        let unlocked =
            |edit: &&Edit| edit.locked.is_some_and(|locked| item.locked.contains(&edit.field) != locked);
        let alone = |edit: &Edit| Edit { value: None, ..edit.clone() };
        let locks: Vec<_> = edits.iter().filter(shown).filter(unlocked).map(alone).collect();
        if locks.is_empty() {
            return Ok(item);
        }
        self.in_turn(self.editor.plex.write(&item.section, &item.rating_key, &locks)).await?;
        Ok(with_images(&self.read().await?, seen))
    }
}

fn wanted(seen: &SeenCovers) -> Wanted {
    let known = seen.iter().filter(|(_, cover)| !cover.wanted.is_empty());
    let values = known.map(|(slot, cover)| (slot.field(), Value::Text(cover.wanted.clone()))).collect();
    Wanted { values, notes: Vec::new() }
}

fn with_images(item: &PlexItem, seen: &SeenCovers) -> PlexItem {
    let mut item = item.clone();
    let shown = seen.iter().map(|(slot, cover)| (slot.field(), Value::Text(cover.shown.clone())));
    item.values.extend(shown);
    item
}

fn note_addresses(seen: &mut SeenCovers, item: &PlexItem) {
    // Where nothing is wanted nobody has looked what is shown.
    for (slot, cover) in seen.iter_mut().filter(|(_, cover)| !cover.wanted.is_empty()) {
        item.shown(*slot).clone_into(&mut cover.address);
    }
}

/// What Plex calls the image that is shown; empty for none.
fn shown(images: &[ListedImage]) -> String {
    images.iter().find(|image| image.selected).map(|image| image.key.clone()).unwrap_or_default()
}

fn slot_of(field: Field) -> Option<ImageSlot> {
    match field.shape() {
        Shape::Image(slot) => Some(slot),
        Shape::Text | Shape::Rating | Shape::List => None,
    }
}
