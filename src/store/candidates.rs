//! Which files of Plex could be a scene? Looked up by the keys of each kind of evidence, never by reading the library.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::StoreError;
use super::connection::ReadConn;
use super::plex_index::sections;
use super::plex_parts::PartRow;
use super::rows::limit;
use super::schema::{plex_bands as bands, plex_parts as parts};
use super::{ledger, reviews};
use crate::domain::edits::Field;
use crate::domain::ids::{RatingKey, SectionKey};
use crate::domain::item::IndexedPart;
use crate::domain::matching::{Candidates, FileKeys, PathMap, bands_of_scene, likeness_matters};
use crate::domain::scene::{Scene, SceneFile};

/// More parts than this under one key decide nothing: a name such as `01.mp4` can stand in thousands of folders.
const MOST_HITS: usize = 100;
/// A key that more names share tells nothing about likeness.
const MOST_IN_BAND: usize = 64;
/// So many of those that share the most keys with the scene are compared.
const MOST_SIMILAR: usize = 50;

/// What the index offers for a scene.
pub fn candidates(conn: &mut impl ReadConn, scene: &Scene, map: &PathMap) -> Result<Candidates, StoreError> {
    let mut found = exact(conn, scene, map)?;
    if likeness_matters(scene, &found, map) {
        let similar = similar(conn, scene)?;
        let new = similar.into_iter().filter(|part| !found.parts.contains(part)).collect::<Vec<_>>();
        found.parts.extend(new);
        forget_own_words(conn, &mut found.parts)?;
    }
    Ok(found)
}

/// The items that are at these paths, by their keys; of a path that more have than decide anything, some of them.
pub fn items_at(conn: &mut impl ReadConn, paths: &BTreeSet<i64>) -> Result<BTreeSet<RatingKey>, StoreError> {
    let mut found = BTreeSet::new();
    for path in paths {
        let rows: Rows = by_path(conn, *path)?;
        for (_, row) in rows {
            found.insert(IndexedPart::try_from(row)?.rating_key);
        }
    }
    Ok(found)
}

/// Takes out of the parts what PlexSync itself wrote into their items: it tells which scene an item was taken for, and
/// not which one it is. A scene whose file has moved away would be held to its item by it.
fn forget_own_words(conn: &mut impl ReadConn, parts: &mut [IndexedPart]) -> Result<(), StoreError> {
    let items: Vec<_> = parts.iter().map(|part| part.rating_key.as_str()).collect();
    let own = ledger::words_in(conn, &items)?;
    for part in parts {
        let Some(words) = own.get(part.rating_key.as_str()) else { continue };
        let shown = [
            (Field::Title, &mut part.title),
            (Field::Date, &mut part.date),
            (Field::Studio, &mut part.studio),
        ];
        for (field, text) in shown {
            if words.get(&field) == Some(text) {
                text.clear();
            }
        }
    }
    Ok(())
}

/// The parts that have something exactly in common with a file of the scene.
fn exact(conn: &mut impl ReadConn, scene: &Scene, map: &PathMap) -> Result<Candidates, StoreError> {
    let sections = sections(conn)?;
    let complete = !sections.is_empty() && sections.iter().all(|section| section.walked_at.is_some());
    let mut rows = BTreeMap::new();
    let mut found = Candidates { complete, ..Candidates::default() };
    let answers = reviews::answers(conn, scene)?;
    for accepted in &answers.accepted {
        rows.extend(of_item(conn, &accepted.section, &accepted.rating_key)?);
    }
    found.reviewed = answers.into();
    for file in &scene.files {
        let keys = FileKeys::of_scene_file(file, map);
        rows.extend(by_path(conn, keys.path)?);
        let tails = keys.tail.map(|tail| by_tail(conn, tail)).transpose()?.unwrap_or_default();
        found.crowded_tails |= tails.len() > MOST_HITS;
        let sizes = size_of(file).map(|size| by_size(conn, size)).transpose()?.unwrap_or_default();
        found.crowded_sizes |= sizes.len() > MOST_HITS;
        if let Some(size) = size_of(file) {
            rows.extend(by_name_and_size(conn, keys.name, size)?);
        }
        rows.extend(tails);
        rows.extend(sizes);
        // A name that stands everywhere tells nothing by itself.
        rows.extend(
            Some(by_name(conn, keys.name)?).filter(|rows| rows.len() <= MOST_HITS).into_iter().flatten(),
        );
    }
    found.parts = rows.into_values().map(IndexedPart::try_from).collect::<Result<_, _>>()?;
    Ok(found)
}

/// An empty file is as large as any other empty file.
fn size_of(file: &SceneFile) -> Option<i64> {
    file.size.filter(|size| *size > 0)
}

/// The parts that share the most keys of their names with the scene.
fn similar(conn: &mut impl ReadConn, scene: &Scene) -> Result<Vec<IndexedPart>, StoreError> {
    let mut shared: BTreeMap<i64, usize> = BTreeMap::new();
    for band in bands_of_scene(scene) {
        let in_band = bands::table.filter(bands::band.eq(band)).limit(limit(MOST_IN_BAND + 1));
        let in_band: Vec<i64> = in_band.select(bands::part).load(conn.connection())?;
        if in_band.len() <= MOST_IN_BAND {
            for part in in_band {
                *shared.entry(part).or_default() += 1;
            }
        }
    }
    let mut best: Vec<(i64, usize)> = shared.into_iter().collect();
    best.sort_by_key(|(part, shared)| (std::cmp::Reverse(*shared), *part));
    let mut found = Vec::with_capacity(MOST_SIMILAR.min(best.len()));
    for (part, _) in best.into_iter().take(MOST_SIMILAR) {
        let row = parts::table.find(part).select(PartRow::as_select()).first(conn.connection()).optional()?;
        found.extend(row.map(IndexedPart::try_from).transpose()?);
    }
    Ok(found)
}

type Rows = Vec<(i64, PartRow)>;

/// Loads one more than decides anything, so that the caller sees that there are more.
macro_rules! rows {
    ($conn:expr, $filter:expr) => {{
        let rows = parts::table.filter($filter).limit(limit(MOST_HITS + 1));
        Ok(rows.select((parts::part, PartRow::as_select())).load($conn.connection())?)
    }};
}

fn of_item(conn: &mut impl ReadConn, section: &SectionKey, key: &RatingKey) -> Result<Rows, StoreError> {
    rows!(conn, parts::section_key.eq(section.as_str()).and(parts::rating_key.eq(key.as_str())))
}

fn by_path(conn: &mut impl ReadConn, hash: i64) -> Result<Rows, StoreError> {
    rows!(conn, parts::path_hash.eq(hash))
}

fn by_name(conn: &mut impl ReadConn, hash: i64) -> Result<Rows, StoreError> {
    rows!(conn, parts::name_hash.eq(hash))
}

fn by_name_and_size(conn: &mut impl ReadConn, hash: i64, size: i64) -> Result<Rows, StoreError> {
    rows!(conn, parts::name_hash.eq(hash).and(parts::size.eq(size)))
}

fn by_tail(conn: &mut impl ReadConn, hash: i64) -> Result<Rows, StoreError> {
    rows!(conn, parts::tail_hash.eq(hash))
}

fn by_size(conn: &mut impl ReadConn, size: i64) -> Result<Rows, StoreError> {
    rows!(conn, parts::size.eq(size))
}

#[cfg(test)]
pub(in crate::store) mod tests;
