//! How far are the libraries of Plex indexed? Walks through them, and what each walk has seen.

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::plex_parts::{Changes, remove, remove_all, upsert_parts};
use super::rows::{Table, millis};
use super::schema::{plex_parts as parts, plex_sections as sections};

use crate::domain::ids::{MachineId, RatingKey, SectionKey};
use crate::domain::item::{IndexedPart, Library};

/// Up to where it is known what was added to a library and what has changed in it, in Unix seconds by Plex's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ground {
    pub added_at: Option<i64>,
    pub updated_at: Option<i64>,
}

/// A library as far as it is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedSection {
    pub key: SectionKey,
    pub machine: MachineId,
    pub title: String,
    /// The number of the last walk that was begun; parts that are found between walks are stored with it.
    pub walk: i64,
    /// The end of the last walk that was finished.
    pub walked_at: Option<Timestamp>,
    pub ground: Ground,
    /// Counts up; not a time.
    pub content_changed_at: Option<i64>,
}

/// Begins to walk through a library and returns the number of the walk.
pub fn begin_walk(tx: &mut WriteTx<'_>, machine: &MachineId, library: &Library) -> Result<i64, StoreError> {
    let title = (sections::machine_id.eq(&machine.0), sections::title.eq(&library.title));
    let walk = diesel::insert_into(sections::table)
        .values((sections::section_key.eq(library.key.as_str()), title, sections::walk.eq(1)))
        .on_conflict(sections::section_key)
        .do_update()
        .set((title, sections::walk.eq(sections::walk + 1)))
        .returning(sections::walk)
        .get_result(tx.connection())?;
    Ok(walk)
}

/// Ends a walk that saw the whole library: what it did not see is gone.
pub fn finish_walk(
    tx: &mut WriteTx<'_>,
    section: &SectionKey,
    walk: i64,
    ground: Ground,
    content_changed_at: Option<i64>,
    now: Timestamp,
) -> Result<Changes, StoreError> {
    let unseen = parts::section_key.eq(section.as_str()).and(parts::walk.lt(walk));
    let unseen = parts::table.filter(unseen).select(parts::part).load(tx.connection())?;
    let dropped = remove(tx, &unseen)?;
    diesel::update(sections::table.find(section.as_str()))
        .set((
            sections::walked_at.eq(Some(millis(now))),
            sections::newest_added_at.eq(ground.added_at),
            sections::newest_updated_at.eq(ground.updated_at),
            sections::content_changed_at.eq(content_changed_at),
        ))
        .execute(tx.connection())?;
    Ok(dropped)
}

/// Notes how far a look for what is new and what has changed came.
pub fn note_progress(
    tx: &mut WriteTx<'_>,
    section: &SectionKey,
    ground: Ground,
    content_changed_at: Option<i64>,
) -> Result<(), StoreError> {
    diesel::update(sections::table.find(section.as_str()))
        .set((
            sections::newest_added_at.eq(ground.added_at),
            sections::newest_updated_at.eq(ground.updated_at),
            sections::content_changed_at.eq(content_changed_at),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// Removes an item that Plex does not have any more, or before its parts are stored anew.
pub fn forget(tx: &mut WriteTx<'_>, item: &RatingKey) -> Result<Changes, StoreError> {
    let mut removed = Changes::default();
    // Library by library, because that is how the rows are ordered; there are few of them.
    for section in sections::table.select(sections::section_key).load::<String>(tx.connection())? {
        let of_item = parts::section_key.eq(section).and(parts::rating_key.eq(item.as_str()));
        let rows = parts::table.filter(of_item).select(parts::part).load(tx.connection())?;
        removed.add(remove(tx, &rows)?);
    }
    Ok(removed)
}

/// Stores the files of these items as they are now, in place of all that was known of them, as far as their libraries are
/// indexed. An item without files is gone.
pub fn replace_items(
    tx: &mut WriteTx<'_>,
    items: &[RatingKey],
    found: &[IndexedPart],
) -> Result<Changes, StoreError> {
    let mut changes = Changes::default();
    for section in sections(tx)? {
        let here = |part: &&IndexedPart| part.section == section.key && items.contains(&part.rating_key);
        let now: Vec<_> = found.iter().filter(here).cloned().collect();
        for item in items {
            let of_item =
                parts::section_key.eq(section.key.as_str()).and(parts::rating_key.eq(item.as_str()));
            let known = parts::table.filter(of_item).select((parts::part, parts::part_id));
            let known: Vec<(i64, i64)> = known.load(tx.connection())?;
            let stays = |id| now.iter().any(|part| part.part_id == id && part.rating_key == *item);
            let gone: Vec<_> = known.into_iter().filter(|(_, id)| !stays(*id)).map(|(row, _)| row).collect();
            changes.add(remove(tx, &gone)?);
        }
        changes.add(upsert_parts(tx, &now, section.walk)?);
    }
    Ok(changes)
}

/// Removes a library that Plex does not have any more, or that is not configured.
pub fn drop_section(tx: &mut WriteTx<'_>, section: &SectionKey) -> Result<Changes, StoreError> {
    let rows = parts::table.filter(parts::section_key.eq(section.as_str())).select(parts::part);
    let rows = rows.load(tx.connection())?;
    let removed = remove(tx, &rows)?;
    diesel::delete(sections::table.find(section.as_str())).execute(tx.connection())?;
    Ok(removed)
}

/// Removes all libraries but these.
pub fn follow(tx: &mut WriteTx<'_>, keys: &[SectionKey]) -> Result<Changes, StoreError> {
    let mut removed = Changes::default();
    for section in sections(tx)?.iter().filter(|section| !keys.contains(&section.key)) {
        removed.add(drop_section(tx, &section.key)?);
    }
    Ok(removed)
}

/// Removes everything, because the server is another one.
pub fn drop_all(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    remove_all(tx)?;
    diesel::delete(sections::table).execute(tx.connection())?;
    Ok(())
}

/// The libraries that are indexed, or about to be.
pub fn sections(conn: &mut impl ReadConn) -> Result<Vec<IndexedSection>, StoreError> {
    let rows = sections::table
        .order(sections::section_key.asc())
        .select(SectionRow::as_select())
        .load(conn.connection())?;
    rows.into_iter().map(IndexedSection::try_from).collect()
}

/// Whether each of these libraries was walked through at least once, so that what is not found is not there.
pub fn all_walked(conn: &mut impl ReadConn, keys: &[SectionKey]) -> Result<bool, StoreError> {
    let known = sections(conn)?;
    let walked =
        |key: &SectionKey| known.iter().any(|section| section.key == *key && section.walked_at.is_some());
    Ok(keys.iter().all(walked))
}

/// The number of parts.
pub fn count(conn: &mut impl ReadConn) -> Result<i64, StoreError> {
    Ok(parts::table.count().get_result(conn.connection())?)
}

/// The path of every part.
pub fn paths(conn: &mut impl ReadConn) -> Result<Vec<String>, StoreError> {
    Ok(parts::table.select(parts::path).load(conn.connection())?)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sections)]
struct SectionRow {
    section_key: String,
    machine_id: String,
    title: String,
    walk: i64,
    walked_at: Option<i64>,
    newest_added_at: Option<i64>,
    newest_updated_at: Option<i64>,
    content_changed_at: Option<i64>,
}

impl TryFrom<SectionRow> for IndexedSection {
    type Error = StoreError;

    fn try_from(row: SectionRow) -> Result<Self, StoreError> {
        let table = Table("plex_sections");
        Ok(Self {
            key: table.section(row.section_key)?,
            machine: MachineId(row.machine_id),
            title: row.title,
            walk: row.walk,
            walked_at: table.opt_time(row.walked_at)?,
            ground: Ground { added_at: row.newest_added_at, updated_at: row.newest_updated_at },
            content_changed_at: row.content_changed_at,
        })
    }
}

#[cfg(test)]
mod tests;
