//! What was last seen of the images of an item, in Stash and in Plex?

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::ledger;
use super::rows::{ItemKey, Table};
use super::schema::covers;
use crate::domain::edits::{Field, ImageSlot, Shape};
use crate::domain::ids::SceneId;
use crate::domain::scene::Scene;

/// One image of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenCover {
    /// By which Stash knows the image it sent; empty when it named none.
    pub tag: String,
    /// What Plex calls the image that Stash sent; empty when that was none that Plex takes.
    pub wanted: String,
    /// The address under which Plex showed an image; empty when it showed none.
    pub address: String,
    /// What Plex calls the image at that address.
    pub shown: String,
}

/// By the place of the image.
pub type SeenCovers = BTreeMap<ImageSlot, SeenCover>;

/// What was seen for this scene. Nothing when the scene does not hold the item.
pub fn covers(conn: &mut impl ReadConn, item: &ItemKey, scene: &Scene) -> Result<SeenCovers, StoreError> {
    if !ledger::is_held_by(conn, item, scene)? {
        return Ok(SeenCovers::new());
    }
    let rows = covers::table
        .filter(covers::machine_id.eq(&item.machine.0))
        .filter(covers::rating_key.eq(item.rating_key.as_str()))
        .filter(covers::scene_id.eq(scene.id.get()))
        .select((covers::field, covers::tag, covers::wanted, covers::address, covers::shown))
        .load::<(String, String, String, String, String)>(conn.connection())?;
    let seen = |(word, tag, wanted, address, shown): (String, String, String, String, String)| {
        let table = Table("covers");
        match table.field(&word)?.shape() {
            Shape::Image(slot) => Ok((slot, SeenCover { tag, wanted, address, shown })),
            Shape::Text | Shape::Rating | Shape::List => Err(table.bad(&format!("no image: {word:?}"))),
        }
    };
    rows.into_iter().map(seen).collect()
}

/// Remembers what a run has seen.
pub(super) fn record(
    tx: &mut WriteTx<'_>,
    item: &ItemKey,
    scene: SceneId,
    seen: &SeenCovers,
) -> Result<(), StoreError> {
    for (slot, cover) in seen {
        let field: Field = slot.field();
        diesel::replace_into(covers::table)
            .values((
                covers::machine_id.eq(&item.machine.0),
                covers::rating_key.eq(item.rating_key.as_str()),
                covers::scene_id.eq(scene.get()),
                covers::field.eq(field.as_str()),
                covers::tag.eq(&cover.tag),
                covers::wanted.eq(&cover.wanted),
                covers::address.eq(&cover.address),
                covers::shown.eq(&cover.shown),
            ))
            .execute(tx.connection())?;
    }
    Ok(())
}

/// Forgets what was seen of an item, whichever scene it was seen for.
pub(super) fn forget_item(tx: &mut WriteTx<'_>, item: &ItemKey) -> Result<(), StoreError> {
    let of_item = covers::machine_id.eq(&item.machine.0).and(covers::rating_key.eq(item.rating_key.as_str()));
    diesel::delete(covers::table.filter(of_item)).execute(tx.connection())?;
    Ok(())
}

pub(super) fn forget_scene(tx: &mut WriteTx<'_>, scene: SceneId) -> Result<(), StoreError> {
    diesel::delete(covers::table.filter(covers::scene_id.eq(scene.get()))).execute(tx.connection())?;
    Ok(())
}
