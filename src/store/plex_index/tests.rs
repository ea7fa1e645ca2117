//! Tests of the path index.

use std::collections::BTreeSet;

use super::super::tests::{Database, library};
use super::*;
use crate::domain::item::{ContentHash, IndexedPart};
use crate::domain::matching::heralds;
use crate::store::plex_parts::upsert_parts;

const GROUND: Ground = Ground { added_at: Some(5), updated_at: Some(7) };

fn machine() -> MachineId {
    MachineId("m".to_owned())
}

/// Paths and titles of usual lengths. The title is the file's name, as for most personal videos.
fn part(id: i64) -> IndexedPart {
    let title = format!("A Title {id:x} of Usual {:x} Length", id * 7919);
    IndexedPart {
        section: "1".parse().unwrap(),
        rating_key: id.to_string().parse().unwrap(),
        part_id: id,
        path: format!("/media/library/studio {}/{}/{title}.mp4", id % 100, "x".repeat(56)),
        size: Some(1_000_000_000 + id),
        duration_ms: Some(1_800_000),
        title,
        date: "2024-05-31".to_owned(),
        studio: "Some Studio".to_owned(),
        content_hash: ContentHash::NotAsked,
        added_at: 1_800_000_000,
        updated_at: 1_800_000_000,
    }
}

/// Walks through library 1 and finds these parts.
fn walk(db: &mut Database, ids: std::ops::Range<i64>) -> usize {
    let found: Vec<_> = ids.map(part).collect();
    let (now, key) = (db.now, "1".parse().unwrap());
    let number = db.writer.write(|tx| begin_walk(tx, &machine(), &library("1"))).unwrap();
    db.writer.write(|tx| upsert_parts(tx, &found, number)).unwrap();
    db.writer.write(|tx| finish_walk(tx, &key, number, GROUND, Some(6), now)).unwrap().parts
}

#[test]
fn a_finished_walk_drops_what_it_did_not_see_and_only_that() {
    let mut db = Database::new();
    assert_eq!(walk(&mut db, 1..10), 0);
    let mut elsewhere = part(100);
    elsewhere.section = "2".parse().unwrap();
    db.writer.write(|tx| begin_walk(tx, &machine(), &library("2"))).unwrap();
    db.writer.write(|tx| upsert_parts(tx, &[elsewhere], 0)).unwrap();
    assert_eq!(walk(&mut db, 3..12), 2);
    assert_eq!(count(&mut db.reader()).unwrap(), 10);
}

#[test]
fn a_walk_that_did_not_finish_drops_nothing_and_does_not_count_as_walked() {
    let mut db = Database::new();
    let key: SectionKey = "1".parse().unwrap();
    let number = db.writer.write(|tx| begin_walk(tx, &machine(), &library("1"))).unwrap();
    db.writer.write(|tx| upsert_parts(tx, &[part(1)], number)).unwrap();
    assert!(!all_walked(&mut db.reader(), std::slice::from_ref(&key)).unwrap());
    walk(&mut db, 1..2);
    assert!(all_walked(&mut db.reader(), std::slice::from_ref(&key)).unwrap());
    assert!(!all_walked(&mut db.reader(), &[key, "9".parse().unwrap()]).unwrap());
    let section = sections(&mut db.reader()).unwrap().pop().unwrap();
    assert_eq!((section.walk, section.ground), (2, GROUND));
}

#[test]
fn items_that_are_read_again_take_the_place_of_what_was_known_of_them() {
    let mut db = Database::new();
    walk(&mut db, 1..6);
    let second = IndexedPart { part_id: 71, path: "/media/second.mp4".to_owned(), ..part(1) };
    let moved = IndexedPart { path: "/media/moved.mp4".to_owned(), ..part(2) };
    let elsewhere = IndexedPart { section: "9".parse().unwrap(), ..part(8) };
    let unasked = part(7);
    let items: Vec<RatingKey> = ["1", "2", "3", "4", "6", "8"].map(|key| key.parse().unwrap()).into();
    let found = [second.clone(), part(1), moved.clone(), part(4), part(6), elsewhere, unasked];
    let changes = db.writer.write(|tx| replace_items(tx, &items, &found)).unwrap();
    let of = |part: &IndexedPart| heralds(&part.path, part.size);
    let told: BTreeSet<i64> =
        [&second, &moved, &part(2), &part(3), &part(6)].into_iter().flat_map(of).collect();
    assert_eq!((changes.parts, changes.heralds), (4, told), "one more, one moved, one gone, one new");
    let kept: Vec<(String, i64, i64)> = parts::table
        .order((parts::rating_key, parts::part_id))
        .select((parts::rating_key, parts::part_id, parts::walk))
        .load(db.reader().connection())
        .unwrap();
    let kept: Vec<_> = kept.iter().map(|(key, id, walk)| (key.as_str(), *id, *walk)).collect();
    assert_eq!(kept, [("1", 1, 1), ("1", 71, 1), ("2", 2, 1), ("4", 4, 1), ("5", 5, 1), ("6", 6, 1)]);
    let again = db.writer.write(|tx| replace_items(tx, &items, &found)).unwrap();
    assert_eq!(again, Changes::default(), "what is as it was wakes nobody");
}

#[test]
fn items_libraries_and_servers_can_be_forgotten() {
    let mut db = Database::new();
    walk(&mut db, 1..10);
    let removed = db.writer.write(|tx| forget(tx, &"5".parse().unwrap())).unwrap().parts;
    assert_eq!((removed, count(&mut db.reader()).unwrap()), (1, 8));
    assert_eq!(db.writer.write(|tx| drop_section(tx, &"1".parse().unwrap())).unwrap().parts, 8);
    assert_eq!(sections(&mut db.reader()).unwrap(), []);
    walk(&mut db, 1..10);
    db.writer.write(drop_all).unwrap();
    assert_eq!(count(&mut db.reader()).unwrap(), 0);
}

#[test]
fn an_indexed_item_takes_less_than_800_bytes_on_disk() {
    const ITEMS: i64 = 5_000;
    let mut db = Database::new();
    let empty = std::fs::metadata(&db.path).unwrap().len();
    walk(&mut db, 1..ITEMS + 1);
    let path = db.path.clone();
    drop(db.writer);
    let size = std::fs::metadata(path).unwrap().len() - empty;
    assert!(size > 0, "the log was not carried over");
    let each = size / ITEMS.unsigned_abs();
    assert!(each <= 800, "{each} bytes");
}

#[test]
fn files_that_come_change_or_go_are_heralded_and_new_titles_are_not() {
    let mut db = Database::new();
    walk(&mut db, 1..3);
    let mut seen = |part: IndexedPart| db.writer.write(|tx| upsert_parts(tx, &[part], 1)).unwrap();
    assert_eq!(seen(part(1)), Changes::default());
    let titled = seen(IndexedPart { title: "Written".to_owned(), updated_at: 9, ..part(1) });
    assert_eq!((titled.parts, titled.heralds.len()), (1, 0));
    let moved = seen(IndexedPart { path: "/x/y.mp4".to_owned(), ..part(1) });
    assert!(moved.heralds.is_superset(&heralds("/x/y.mp4", part(1).size)), "where it is now");
    assert!(moved.heralds.is_superset(&heralds(&part(1).path, part(1).size)), "where it was");
    assert_eq!(seen(part(7)).heralds, heralds(&part(7).path, part(7).size));
    let gone = db.writer.write(|tx| forget(tx, &"2".parse().unwrap())).unwrap();
    assert_eq!(gone.heralds, heralds(&part(2).path, part(2).size));
}
