//! Which scene holds an item, and what did PlexSync last write there?

use std::collections::BTreeMap;

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{ItemKey, Table, millis, stored};
use super::schema::{ledger, links};
use super::{covers, declined, settings};

use crate::domain::edits::{Base, Field, Value};
use crate::domain::ids::{MachineId, RatingKey, SceneId, SectionKey};
use crate::domain::scene::{Scene, SceneIdentity};

/// A match that was acted on: the scene holds the item.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub item: ItemKey,
    pub scene: SceneId,
    /// What the scene was when it was matched. Whoever renews a link passes on the identity it found, as long as
    /// [`Scene::is`] accepts it: another one means another scene, which inherits nothing.
    pub identity: SceneIdentity,
    pub section: SectionKey,
    /// The path of the part that was matched, as the Plex server sees it.
    pub part_path: String,
    /// The kinds of evidence, in words.
    pub evidence: String,
    /// From 0 to 1.
    pub confidence: f64,
    pub linked_at: Timestamp,
}

/// The link of an item.
pub fn holder(conn: &mut impl ReadConn, item: &ItemKey) -> Result<Option<Link>, StoreError> {
    let row = links::table
        .find((&item.machine.0, item.rating_key.as_str()))
        .select(LinkRow::as_select())
        .get_result(conn.connection());
    row.optional()?.map(Link::try_from).transpose()
}

/// The items that a scene holds.
pub fn links_of(conn: &mut impl ReadConn, scene: SceneId) -> Result<Vec<Link>, StoreError> {
    let rows = links::table
        .filter(links::scene_id.eq(scene.get()))
        .order((links::machine_id.asc(), links::rating_key.asc()))
        .select(LinkRow::as_select())
        .load(conn.connection())?;
    rows.into_iter().map(Link::try_from).collect()
}

/// Whether the scene holds the item on the server that the index belongs to.
pub(super) fn holds_here(
    conn: &mut impl ReadConn,
    scene: SceneId,
    item: &RatingKey,
) -> Result<bool, StoreError> {
    let Some(machine) = settings::get(conn, settings::MACHINE)? else { return Ok(false) };
    let key = ItemKey { machine: MachineId(machine), rating_key: item.clone() };
    Ok(holder(conn, &key)?.is_some_and(|link| link.scene == scene))
}

/// What was last written into the item for this scene, and what was taken back of it. Empty when the scene does not hold the item, or only had its
/// id from Stash after the one that does.
pub fn base(conn: &mut impl ReadConn, item: &ItemKey, scene: &Scene) -> Result<Base, StoreError> {
    if !is_held_by(conn, item, scene)? {
        return Ok(Base::new());
    }
    let rows = ledger::table
        .filter(ledger::machine_id.eq(&item.machine.0))
        .filter(ledger::rating_key.eq(item.rating_key.as_str()))
        .filter(ledger::scene_id.eq(scene.id.get()))
        .select((ledger::field, ledger::value))
        .load::<(String, String)>(conn.connection())?;
    let table = Table("ledger");
    let known = |(word, value): (String, String)| {
        let field = table.field(&word)?;
        Ok((field, table.value(field, value)?))
    };
    let mut base = rows.into_iter().map(known).collect::<Result<Base, StoreError>>()?;
    for (field, value) in declined::of_item(conn, item, scene.id)? {
        base.decline(field, value);
    }
    Ok(base)
}

/// What was last written into the items for whichever scene, as it is stored, by their rating keys on the server that the
/// index belongs to.
pub(super) fn words_in(
    conn: &mut impl ReadConn,
    items: &[&str],
) -> Result<BTreeMap<String, BTreeMap<Field, String>>, StoreError> {
    let Some(machine) = settings::get(conn, settings::MACHINE)? else { return Ok(BTreeMap::new()) };
    let rows = ledger::table
        .filter(ledger::machine_id.eq(machine))
        .filter(ledger::rating_key.eq_any(items))
        .select((ledger::rating_key, ledger::field, ledger::value))
        .load::<(String, String, String)>(conn.connection())?;
    let mut found: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (item, word, value) in rows {
        found.entry(item).or_default().insert(Table("ledger").field(&word)?, value);
    }
    Ok(found)
}

/// Whether the scene holds the item, and is the same scene as when it came to hold it.
pub(super) fn is_held_by(
    conn: &mut impl ReadConn,
    item: &ItemKey,
    scene: &Scene,
) -> Result<bool, StoreError> {
    Ok(holder(conn, item)?.is_some_and(|link| link.scene == scene.id && scene.is(&link.identity)))
}

/// Gives the item to the scene. When another one held it, or one that had the same id, what was written for that one
/// is forgotten.
pub(super) fn link(tx: &mut WriteTx<'_>, link: &Link) -> Result<(), StoreError> {
    let inherits = holder(tx, &link.item)?
        .is_some_and(|before| before.scene == link.scene && before.identity == link.identity);
    if !inherits {
        diesel::delete(
            ledger::table
                .filter(ledger::machine_id.eq(&link.item.machine.0))
                .filter(ledger::rating_key.eq(link.item.rating_key.as_str())),
        )
        .execute(tx.connection())?;
        covers::forget_item(tx, &link.item)?;
        declined::forget_item(tx, &link.item)?;
    }
    diesel::replace_into(links::table).values(LinkRow::from(link)).execute(tx.connection())?;
    Ok(())
}

/// Takes the item from the scene, if it holds it.
pub(super) fn unlink(tx: &mut WriteTx<'_>, item: &ItemKey, scene: SceneId) -> Result<(), StoreError> {
    let (machine, key) = (&item.machine.0, item.rating_key.as_str());
    diesel::delete(links::table.find((machine, key)).filter(links::scene_id.eq(scene.get())))
        .execute(tx.connection())?;
    diesel::delete(
        ledger::table
            .filter(ledger::machine_id.eq(machine).and(ledger::rating_key.eq(key)))
            .filter(ledger::scene_id.eq(scene.get())),
    )
    .execute(tx.connection())?;
    covers::forget_item(tx, item)?;
    declined::forget_item(tx, item)
}

/// Forgets everything about a scene that is gone; its history stays.
pub(super) fn forget_scene(tx: &mut WriteTx<'_>, scene: SceneId) -> Result<(), StoreError> {
    diesel::delete(links::table.filter(links::scene_id.eq(scene.get()))).execute(tx.connection())?;
    diesel::delete(ledger::table.filter(ledger::scene_id.eq(scene.get()))).execute(tx.connection())?;
    covers::forget_scene(tx, scene)?;
    declined::forget_scene(tx, scene)
}

/// Remembers what is `PlexSync`'s own in a field: what was written and seen applied.
pub(super) fn record(
    tx: &mut WriteTx<'_>,
    item: &ItemKey,
    scene: SceneId,
    field: Field,
    value: &Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    declined::written(tx, item, scene, field)?;
    diesel::replace_into(ledger::table)
        .values((
            ledger::machine_id.eq(&item.machine.0),
            ledger::rating_key.eq(item.rating_key.as_str()),
            ledger::scene_id.eq(scene.get()),
            ledger::field.eq(field.as_str()),
            ledger::value.eq(stored(value)?),
            ledger::written_at.eq(millis(now)),
        ))
        .execute(tx.connection())?;
    Ok(())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = links)]
struct LinkRow {
    machine_id: String,
    rating_key: String,
    scene_id: i64,
    section_key: String,
    part_path: String,
    created_at: String,
    oshash: String,
    evidence: String,
    confidence: f64,
    linked_at: i64,
}

impl From<&Link> for LinkRow {
    fn from(link: &Link) -> Self {
        Self {
            machine_id: link.item.machine.0.clone(),
            rating_key: link.item.rating_key.as_str().to_owned(),
            scene_id: link.scene.get(),
            section_key: link.section.as_str().to_owned(),
            part_path: link.part_path.clone(),
            created_at: link.identity.created_at.clone(),
            oshash: link.identity.oshash.clone(),
            evidence: link.evidence.clone(),
            confidence: link.confidence,
            linked_at: millis(link.linked_at),
        }
    }
}

impl TryFrom<LinkRow> for Link {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> Result<Self, StoreError> {
        let table = Table("links");
        Ok(Self {
            item: ItemKey {
                machine: MachineId(row.machine_id),
                rating_key: table.rating_key(row.rating_key)?,
            },
            scene: table.scene(row.scene_id)?,
            identity: SceneIdentity { created_at: row.created_at, oshash: row.oshash },
            section: table.section(row.section_key)?,
            part_path: row.part_path,
            evidence: row.evidence,
            confidence: row.confidence,
            linked_at: table.time(row.linked_at)?,
        })
    }
}
