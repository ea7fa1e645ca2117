//! Which file is in which item? The path index of the Plex libraries.

use diesel::prelude::*;
use jiff::Timestamp;

use super::rows::time;
use super::schema::{plex_parts, plex_sections};
use super::{ReadConnection, StoreError, WriteTx, settings};
use crate::domain::ids::{MachineId, RatingKey, SectionKey};
use crate::domain::item::{IndexedPart, Library};

/// More parts than this under one hash decide nothing; a name such as `01.mp4` can stand in thousands of folders.
const MOST_HITS: i64 = 200;

/// A part with the hashes of its folded path and folded name.
#[derive(Debug, Clone, PartialEq)]
pub struct HashedPart {
    pub part: IndexedPart,
    pub path_hash: i64,
    pub name_hash: i64,
}

/// A change of the index.
#[derive(Debug, Clone)]
pub enum IndexChange {
    /// The index belongs to this server; what was known of another is dropped.
    Server(MachineId),
    /// These libraries are followed; what was known of others is dropped.
    Libraries(Vec<Library>),
    /// These parts were seen by the walk with that number; 0 outside of a walk.
    Parts { parts: Vec<HashedPart>, walk: i64 },
    /// A walk has seen the whole library; what it did not see is dropped.
    Walked { section: SectionKey, walk: i64 },
}

/// What is known of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedSection {
    pub key: SectionKey,
    pub title: String,
    /// When it was last walked as a whole.
    pub walked_at: Option<Timestamp>,
    /// Unix seconds.
    pub newest_added_at: i64,
}

pub fn change(tx: &mut WriteTx<'_>, change: &IndexChange, now: Timestamp) -> Result<(), StoreError> {
    match change {
        IndexChange::Server(machine) => {
            diesel::delete(plex_parts::table).execute(tx.connection())?;
            diesel::delete(plex_sections::table).execute(tx.connection())?;
            settings::put(tx, settings::MACHINE, &machine.0)
        }
        IndexChange::Libraries(libraries) => follow(tx, libraries),
        IndexChange::Parts { parts, walk } => parts.iter().try_for_each(|part| put(tx, part, *walk)),
        IndexChange::Walked { section, walk } => walked(tx, section, *walk, now),
    }
}

fn follow(tx: &mut WriteTx<'_>, libraries: &[Library]) -> Result<(), StoreError> {
    let keys: Vec<_> = libraries.iter().map(|library| library.key.as_str()).collect();
    let others = plex_sections::table.filter(plex_sections::section_key.ne_all(&keys));
    let others: Vec<String> = others.select(plex_sections::section_key).load(tx.connection())?;
    for key in others {
        diesel::delete(plex_parts::table.filter(plex_parts::section_key.eq(&key)))
            .execute(tx.connection())?;
        diesel::delete(plex_sections::table.find(key)).execute(tx.connection())?;
    }
    for library in libraries {
        let row = (
            plex_sections::section_key.eq(library.key.as_str()),
            plex_sections::title.eq(&library.title),
            plex_sections::newest_added_at.eq(0),
        );
        let insert =
            diesel::insert_into(plex_sections::table).values(row).on_conflict(plex_sections::section_key);
        insert.do_update().set(plex_sections::title.eq(&library.title)).execute(tx.connection())?;
    }
    Ok(())
}

fn put(tx: &mut WriteTx<'_>, hashed: &HashedPart, walk: i64) -> Result<(), StoreError> {
    let HashedPart { part, path_hash, name_hash } = hashed;
    let row = (
        plex_parts::section_key.eq(part.section.as_str()),
        plex_parts::rating_key.eq(part.rating_key.as_str()),
        plex_parts::part_id.eq(part.part_id),
        plex_parts::path.eq(&part.path),
        plex_parts::path_hash.eq(path_hash),
        plex_parts::name_hash.eq(name_hash),
        plex_parts::size.eq(part.size),
        plex_parts::duration_ms.eq(part.duration_ms),
        plex_parts::title.eq(&part.title),
        plex_parts::added_at.eq(part.added_at),
        plex_parts::updated_at.eq(part.updated_at),
        plex_parts::walk.eq(walk),
    );
    diesel::replace_into(plex_parts::table).values(row).execute(tx.connection())?;
    let section = plex_sections::table
        .find(part.section.as_str())
        .filter(plex_sections::newest_added_at.lt(part.added_at));
    diesel::update(section).set(plex_sections::newest_added_at.eq(part.added_at)).execute(tx.connection())?;
    Ok(())
}

fn walked(tx: &mut WriteTx<'_>, section: &SectionKey, walk: i64, now: Timestamp) -> Result<(), StoreError> {
    let unseen = plex_parts::table
        .filter(plex_parts::section_key.eq(section.as_str()))
        .filter(plex_parts::walk.ne(walk));
    diesel::delete(unseen).execute(tx.connection())?;
    let walked = plex_sections::walked_at.eq(now.as_millisecond());
    diesel::update(plex_sections::table.find(section.as_str())).set(walked).execute(tx.connection())?;
    Ok(())
}

/// The server that the index belongs to.
pub fn machine(connection: &mut impl ReadConnection) -> Result<Option<MachineId>, StoreError> {
    Ok(settings::get(connection, settings::MACHINE)?.map(MachineId))
}

/// The libraries that are followed.
pub fn sections(connection: &mut impl ReadConnection) -> Result<Vec<IndexedSection>, StoreError> {
    let columns = (
        plex_sections::section_key,
        plex_sections::title,
        plex_sections::walked_at,
        plex_sections::newest_added_at,
    );
    let rows: Vec<(String, String, Option<i64>, i64)> =
        plex_sections::table.select(columns).load(connection.connection())?;
    let section = |(key, title, walked_at, newest_added_at): (String, String, Option<i64>, i64)| {
        let key = SectionKey::try_from(key).map_err(|error| StoreError::unreadable(error.to_string()))?;
        Ok(IndexedSection { key, title, walked_at: walked_at.map(time).transpose()?, newest_added_at })
    };
    rows.into_iter().map(section).collect()
}

/// Whether every followed library has been walked once.
pub fn is_complete(connection: &mut impl ReadConnection) -> Result<bool, StoreError> {
    let sections = sections(connection)?;
    Ok(!sections.is_empty() && sections.iter().all(|section| section.walked_at.is_some()))
}

/// How many parts are indexed.
pub fn size(connection: &mut impl ReadConnection) -> Result<i64, StoreError> {
    Ok(plex_parts::table.count().get_result(connection.connection())?)
}

/// The parts with this hash of the folded path.
pub fn by_path_hash(connection: &mut impl ReadConnection, hash: i64) -> Result<Vec<IndexedPart>, StoreError> {
    let parts = plex_parts::table.filter(plex_parts::path_hash.eq(hash)).limit(MOST_HITS);
    read(parts.select(PartRow::as_select()).load(connection.connection())?)
}

/// The parts with this hash of the folded file name.
pub fn by_name_hash(connection: &mut impl ReadConnection, hash: i64) -> Result<Vec<IndexedPart>, StoreError> {
    let parts = plex_parts::table.filter(plex_parts::name_hash.eq(hash)).limit(MOST_HITS);
    read(parts.select(PartRow::as_select()).load(connection.connection())?)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = plex_parts)]
struct PartRow {
    section_key: String,
    rating_key: String,
    part_id: i64,
    path: String,
    size: Option<i64>,
    duration_ms: Option<i64>,
    title: String,
    added_at: i64,
    updated_at: i64,
}

fn read(rows: Vec<PartRow>) -> Result<Vec<IndexedPart>, StoreError> {
    let part = |row: PartRow| {
        let unreadable = |error: crate::domain::ids::IdError| StoreError::unreadable(error.to_string());
        Ok(IndexedPart {
            section: SectionKey::try_from(row.section_key).map_err(unreadable)?,
            rating_key: RatingKey::try_from(row.rating_key).map_err(unreadable)?,
            part_id: row.part_id,
            path: row.path,
            size: row.size,
            duration_ms: row.duration_ms,
            title: row.title,
            added_at: row.added_at,
            updated_at: row.updated_at,
        })
    };
    rows.into_iter().map(part).collect()
}
