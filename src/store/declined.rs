//! What does Stash say that is not to be written, because a person took it back?

use diesel::prelude::*;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{ItemKey, Table, stored};
use super::schema::declined;

use crate::domain::edits::{Change, Edit, Field, Shape, Tag, Value};
use crate::domain::ids::SceneId;

/// All that is declined of an item, by field.
pub(super) fn of_item(
    conn: &mut impl ReadConn,
    item: &ItemKey,
    scene: SceneId,
) -> Result<Vec<(Field, Value)>, StoreError> {
    let rows = declined::table
        .filter(declined::machine_id.eq(&item.machine.0))
        .filter(declined::rating_key.eq(item.rating_key.as_str()))
        .filter(declined::scene_id.eq(scene.get()))
        .select((declined::field, declined::value))
        .load::<(String, String)>(conn.connection())?;
    let table = Table("declined");
    let known = |(word, value): (String, String)| {
        let field = table.field(&word)?;
        Ok((field, table.value(field, value)?))
    };
    rows.into_iter().map(known).collect()
}

/// Remembers what an edit that takes a write back has removed. `before` is what stood there, which is what that write
/// had left. Of a list only the elements count that went; those that came back are welcome again.
pub(super) fn decline(
    tx: &mut WriteTx<'_>,
    item: &ItemKey,
    scene: SceneId,
    edit: &Edit,
    before: &Value,
) -> Result<(), StoreError> {
    let value = match &edit.value {
        Some(Change::List(list)) => {
            let known = of_item(tx, item, scene)?.into_iter().find(|(field, _)| *field == edit.field);
            let known = known.map(|(_, value)| value.tags().to_vec()).unwrap_or_default();
            let comes_back = |tag: &Tag| list.add.iter().any(|added| added.name == tag.name);
            let mut all: Vec<_> = known.into_iter().chain(list.remove.iter().cloned()).collect();
            all.retain(|tag| !comes_back(tag));
            Value::List(all)
        }
        Some(Change::Text(_)) | None => before.clone(),
    };
    diesel::replace_into(declined::table)
        .values((
            declined::machine_id.eq(&item.machine.0),
            declined::rating_key.eq(item.rating_key.as_str()),
            declined::scene_id.eq(scene.get()),
            declined::field.eq(edit.field.as_str()),
            declined::value.eq(stored(&value)?),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// A text was written: Stash says something else by now. Of a list each element stays declined by itself.
pub(super) fn written(
    tx: &mut WriteTx<'_>,
    item: &ItemKey,
    scene: SceneId,
    field: Field,
) -> Result<(), StoreError> {
    match field.shape() {
        Shape::List => Ok(()),
        Shape::Text | Shape::Rating | Shape::Image(_) => {
            let row = (&item.machine.0, item.rating_key.as_str(), scene.get(), field.as_str());
            diesel::delete(declined::table.find(row)).execute(tx.connection())?;
            Ok(())
        }
    }
}

/// Forgets what was declined of an item, whichever scene it was for.
pub(super) fn forget_item(tx: &mut WriteTx<'_>, item: &ItemKey) -> Result<(), StoreError> {
    let of_item =
        declined::machine_id.eq(&item.machine.0).and(declined::rating_key.eq(item.rating_key.as_str()));
    diesel::delete(declined::table.filter(of_item)).execute(tx.connection())?;
    Ok(())
}

pub(super) fn forget_scene(tx: &mut WriteTx<'_>, scene: SceneId) -> Result<(), StoreError> {
    diesel::delete(declined::table.filter(declined::scene_id.eq(scene.get()))).execute(tx.connection())?;
    Ok(())
}
