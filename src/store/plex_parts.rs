//! Which files does Plex have, and in which items? One row a media part, with the keys by which it is found.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::StoreError;
use super::connection::{Connected, WriteTx};
use super::rows::Table;
use super::schema::{plex_bands as bands, plex_parts as parts};
use crate::domain::ids::RatingKey;
use crate::domain::item::{ContentHash, IndexedPart};
use crate::domain::matching::{FileKeys, bands_of_part, heralds};

/// What a change of the index was about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// How many parts were new, other than before, or removed.
    pub parts: usize,
    /// By which scenes hear of the files among them; not of files of which only title, date or studio changed, as they
    /// do with everything that is written.
    pub heralds: BTreeSet<i64>,
    /// The items that were not at this path before, by the key of the path.
    pub arrived: BTreeSet<(i64, RatingKey)>,
}

impl Changes {
    pub(super) fn add(&mut self, other: Self) {
        self.parts += other.parts;
        self.heralds.extend(other.heralds);
        self.arrived.extend(other.arrived);
    }
}

/// Stores parts as seen by the walk, in place of what was known of them.
pub fn upsert_parts(tx: &mut WriteTx<'_>, found: &[IndexedPart], walk: i64) -> Result<Changes, StoreError> {
    let mut changes = Changes::default();
    for part in found {
        let key = parts::section_key
            .eq(part.section.as_str())
            .and(parts::rating_key.eq(part.rating_key.as_str()))
            .and(parts::part_id.eq(part.part_id));
        let known = parts::table.filter(key).select((parts::part, PartRow::as_select()));
        let known: Option<(i64, PartRow)> = known.first(tx.connection()).optional()?;
        let mut row = PartRow::new(part, walk);
        if let Some((id, known)) = known {
            // Plex analyses a file some time after it was added, so where it showed nothing, a change is worth a question.
            let may_be_new = known.content_hash.as_deref() == Some("") && row.updated_at != known.updated_at;
            if row.content_hash.is_none() && row.is_file_of(&known) && !may_be_new {
                row.content_hash.clone_from(&known.content_hash);
            }
            // Most walks find most parts as they were: then only the number of the walk is written.
            if row.is_as(&known) {
                diesel::update(parts::table.find(id)).set(parts::walk.eq(walk)).execute(tx.connection())?;
                continue;
            }
            let before = remove(tx, &[id])?;
            if !row.is_file_of(&known) {
                changes.heralds.extend(before.heralds);
                changes.heralds.extend(heralds(&row.path, row.size));
            }
            if row.path_hash != known.path_hash {
                changes.arrived.insert((row.path_hash, part.rating_key.clone()));
            }
        } else {
            changes.heralds.extend(heralds(&row.path, row.size));
            changes.arrived.insert((row.path_hash, part.rating_key.clone()));
        }
        insert(tx, &row)?;
        changes.parts += 1;
    }
    Ok(changes)
}

/// Notes what the server showed of the content of these parts, as far as they are still the files that were asked for.
pub fn note_content(tx: &mut WriteTx<'_>, asked: &[IndexedPart]) -> Result<(), StoreError> {
    for part in asked {
        let row = PartRow::new(part, 0);
        let key = parts::section_key
            .eq(row.section_key)
            .and(parts::rating_key.eq(row.rating_key))
            .and(parts::part_id.eq(row.part_id))
            .and(parts::path.eq(row.path));
        diesel::update(parts::table.filter(key))
            .set(parts::content_hash.eq(row.content_hash))
            .execute(tx.connection())?;
    }
    Ok(())
}

/// Removes parts with their keys.
pub(super) fn remove(tx: &mut WriteTx<'_>, ids: &[i64]) -> Result<Changes, StoreError> {
    let mut removed = Changes::default();
    for id in ids {
        let names = parts::table.find(id).select((parts::path, parts::title, parts::size));
        let names: Option<(String, String, Option<i64>)> = names.first(tx.connection()).optional()?;
        let Some((path, title, size)) = names else { continue };
        removed.heralds.extend(heralds(&path, size));
        for band in bands_of_part(&path, &title) {
            diesel::delete(bands::table.find((band, id))).execute(tx.connection())?;
        }
        removed.parts += diesel::delete(parts::table.find(id)).execute(tx.connection())?;
    }
    Ok(removed)
}

pub(super) fn remove_all(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    diesel::delete(bands::table).execute(tx.connection())?;
    diesel::delete(parts::table).execute(tx.connection())?;
    Ok(())
}

fn insert(tx: &mut WriteTx<'_>, row: &PartRow) -> Result<(), StoreError> {
    let id: i64 =
        diesel::insert_into(parts::table).values(row).returning(parts::part).get_result(tx.connection())?;
    for band in bands_of_part(&row.path, &row.title) {
        // One by one: a statement for several rows would be prepared anew each time.
        let row = (bands::band.eq(band), bands::part.eq(id));
        diesel::insert_into(bands::table).values(row).execute(tx.connection())?;
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = parts, treat_none_as_default_value = false)]
pub(super) struct PartRow {
    section_key: String,
    rating_key: String,
    part_id: i64,
    path: String,
    path_hash: i64,
    name_hash: i64,
    tail_hash: Option<i64>,
    size: Option<i64>,
    duration_ms: Option<i64>,
    title: String,
    date: String,
    studio: String,
    content_hash: Option<String>,
    added_at: i64,
    updated_at: i64,
    walk: i64,
}

impl PartRow {
    fn new(part: &IndexedPart, walk: i64) -> Self {
        let keys = FileKeys::of(&part.path);
        Self {
            section_key: part.section.as_str().to_owned(),
            rating_key: part.rating_key.as_str().to_owned(),
            part_id: part.part_id,
            path: part.path.clone(),
            path_hash: keys.path,
            name_hash: keys.name,
            tail_hash: keys.tail,
            size: part.size,
            duration_ms: part.duration_ms,
            title: part.title.clone(),
            date: part.date.clone(),
            studio: part.studio.clone(),
            content_hash: match &part.content_hash {
                ContentHash::NotAsked => None,
                ContentHash::NotShown => Some(String::new()),
                ContentHash::Known(hash) => Some(hash.clone()),
            },
            added_at: part.added_at,
            updated_at: part.updated_at,
            walk,
        }
    }

    /// Whether nothing but the walk is new.
    fn is_as(&self, known: &Self) -> bool {
        *self == Self { walk: self.walk, ..known.clone() }
    }

    /// Whether it is the same file, so that what is known of its content still holds.
    fn is_file_of(&self, known: &Self) -> bool {
        self.path == known.path && self.size == known.size && self.duration_ms == known.duration_ms
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
            date: row.date,
            studio: row.studio,
            content_hash: row.content_hash.as_deref().map(ContentHash::shown).unwrap_or_default(),
            added_at: row.added_at,
            updated_at: row.updated_at,
        })
    }
}
