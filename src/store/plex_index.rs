//! Which files does Plex have, and in which items? The index that matching asks instead of the server.

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{Table, limit, millis};
use super::schema::{plex_parts as parts, plex_sections as sections};

use crate::domain::ids::{MachineId, RatingKey, SectionKey};
use crate::domain::item::{IndexedPart, Library};

/// A part with the hashes by which it is found. What is hashed, and how, is up to the caller; equal input has to
/// give equal hashes in every release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedPart {
    pub part: IndexedPart,
    pub path_hash: i64,
    pub name_hash: i64,
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
    /// Unix seconds by Plex's clock: the known ground of a look for new items.
    pub newest_added_at: Option<i64>,
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

/// Stores parts as seen by the walk, in place of what was known of them.
pub fn upsert_parts(tx: &mut WriteTx<'_>, found: &[HashedPart], walk: i64) -> Result<(), StoreError> {
    for part in found {
        // Not an upsert, which diesel would prepare anew for every row.
        diesel::replace_into(parts::table).values(PartRow::new(part, walk)).execute(tx.connection())?;
    }
    Ok(())
}

/// Ends a walk that saw the whole library: what it did not see is gone. Returns how many parts were dropped.
pub fn finish_walk(
    tx: &mut WriteTx<'_>,
    section: &SectionKey,
    walk: i64,
    newest_added_at: Option<i64>,
    content_changed_at: Option<i64>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let unseen = parts::table.filter(parts::section_key.eq(section.as_str()).and(parts::walk.lt(walk)));
    let dropped = diesel::delete(unseen).execute(tx.connection())?;
    diesel::update(sections::table.find(section.as_str()))
        .set((
            sections::walked_at.eq(Some(millis(now))),
            sections::newest_added_at.eq(newest_added_at),
            sections::content_changed_at.eq(content_changed_at),
        ))
        .execute(tx.connection())?;
    Ok(dropped)
}

/// Notes how far a look for new items came.
pub fn note_progress(
    tx: &mut WriteTx<'_>,
    section: &SectionKey,
    newest_added_at: Option<i64>,
    content_changed_at: Option<i64>,
) -> Result<(), StoreError> {
    diesel::update(sections::table.find(section.as_str()))
        .set((
            sections::newest_added_at.eq(newest_added_at),
            sections::content_changed_at.eq(content_changed_at),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// Up to `most` parts whose path has the hash. The caller compares the paths.
pub fn by_path_hash(
    conn: &mut impl ReadConn,
    hash: i64,
    most: usize,
) -> Result<Vec<IndexedPart>, StoreError> {
    let rows = parts::table
        .filter(parts::path_hash.eq(hash))
        .limit(limit(most))
        .select(PartRow::as_select())
        .load(conn.connection())?;
    rows.into_iter().map(IndexedPart::try_from).collect()
}

/// Up to `most` parts whose file name has the hash, of any size or of the one given. The caller compares the names.
pub fn by_name_hash(
    conn: &mut impl ReadConn,
    hash: i64,
    size: Option<i64>,
    most: usize,
) -> Result<Vec<IndexedPart>, StoreError> {
    let named =
        parts::table.filter(parts::name_hash.eq(hash)).limit(limit(most)).select(PartRow::as_select());
    let rows = match size {
        Some(size) => named.filter(parts::size.eq(size)).load(conn.connection()),
        None => named.load(conn.connection()),
    };
    rows?.into_iter().map(IndexedPart::try_from).collect()
}

/// Removes an item that Plex does not have any more, or before its parts are stored anew.
pub fn forget(tx: &mut WriteTx<'_>, item: &RatingKey) -> Result<usize, StoreError> {
    let mut removed = 0;
    // Library by library, because that is how the rows are ordered; there are few of them.
    for section in sections::table.select(sections::section_key).load::<String>(tx.connection())? {
        let rows =
            parts::table.filter(parts::section_key.eq(section).and(parts::rating_key.eq(item.as_str())));
        removed += diesel::delete(rows).execute(tx.connection())?;
    }
    Ok(removed)
}

/// Removes a library that Plex does not have any more, or that is not configured.
pub fn drop_section(tx: &mut WriteTx<'_>, section: &SectionKey) -> Result<usize, StoreError> {
    let rows = parts::table.filter(parts::section_key.eq(section.as_str()));
    let removed = diesel::delete(rows).execute(tx.connection())?;
    diesel::delete(sections::table.find(section.as_str())).execute(tx.connection())?;
    Ok(removed)
}

/// Removes everything, because the server is another one.
pub fn drop_all(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    diesel::delete(parts::table).execute(tx.connection())?;
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

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = parts, treat_none_as_default_value = false)]
struct PartRow {
    section_key: String,
    rating_key: String,
    part_id: i64,
    path: String,
    path_hash: i64,
    name_hash: i64,
    size: Option<i64>,
    duration_ms: Option<i64>,
    title: String,
    added_at: i64,
    updated_at: i64,
    walk: i64,
}

impl PartRow {
    fn new(HashedPart { part, path_hash, name_hash }: &HashedPart, walk: i64) -> Self {
        Self {
            section_key: part.section.as_str().to_owned(),
            rating_key: part.rating_key.as_str().to_owned(),
            part_id: part.part_id,
            path: part.path.clone(),
            path_hash: *path_hash,
            name_hash: *name_hash,
            size: part.size,
            duration_ms: part.duration_ms,
            title: part.title.clone(),
            added_at: part.added_at,
            updated_at: part.updated_at,
            walk,
        }
    }
}

impl TryFrom<PartRow> for IndexedPart {
    type Error = StoreError;

    fn try_from(row: PartRow) -> Result<Self, StoreError> {
        let table = Table("plex_parts");
        Ok(Self {
            section: table.section(row.section_key)?,
            rating_key: table.rating_key(row.rating_key)?,
            part_id: row.part_id,
            path: row.path,
            size: row.size,
            duration_ms: row.duration_ms,
            title: row.title,
            added_at: row.added_at,
            updated_at: row.updated_at,
        })
    }
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
            newest_added_at: row.newest_added_at,
            content_changed_at: row.content_changed_at,
        })
    }
}

#[cfg(test)]
mod tests;
