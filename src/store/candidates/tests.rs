//! Tests of the look-up: what is found, and what is not even looked at.

use super::super::tests::{Database, library};
use super::*;
use crate::domain::ids::{MachineId, SceneId};
use crate::domain::item::ContentHash;
use crate::domain::scene::SceneIdentity;
use crate::store::plex_index::Ground;
use crate::store::{ItemKey, plex_index, plex_parts, settings};

pub(in crate::store) fn scene(path: &str, size: i64, title: &str) -> Scene {
    let identity = SceneIdentity { created_at: String::new(), oshash: String::new() };
    Scene {
        title: title.to_owned(),
        files: vec![SceneFile { path: path.to_owned(), size: Some(size), duration: None, oshash: None }],
        ..Scene::departed(SceneId::try_from(1).unwrap(), &identity)
    }
}

pub(in crate::store) fn part(id: i64, path: &str) -> IndexedPart {
    let blank = IndexedPart::at(&id.to_string(), path);
    IndexedPart { section: "3".parse().unwrap(), part_id: id, size: Some(1000 + id), ..blank }
}

pub(in crate::store) fn walked(db: &mut Database, parts: &[IndexedPart]) {
    let (library, now) = (library("3"), db.now);
    let walk =
        db.writer.write(|tx| plex_index::begin_walk(tx, &MachineId("m".to_owned()), &library)).unwrap();
    db.writer.write(|tx| plex_parts::upsert_parts(tx, parts, walk)).unwrap();
    db.writer
        .write(|tx| plex_index::finish_walk(tx, &library.key, walk, Ground::default(), None, now))
        .unwrap();
}

/// The ids of the parts that are offered for a scene.
fn offered(db: &Database, scene: &Scene) -> Vec<i64> {
    let found = candidates(&mut db.reader(), scene, &PathMap::default()).unwrap();
    let mut ids: Vec<_> = found.parts.iter().map(|part| part.part_id).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn whatever_has_something_in_common_with_the_scene_is_offered() {
    let mut db = Database::new();
    let parts = [
        part(1, "/data/Acme/Some Film.mp4"),
        part(2, "/x/some film.MP4"),
        part(3, "/x/Acme/Some Film.mp4"),
        IndexedPart { size: Some(5), ..part(4, "/x/Renamed.mp4") },
        part(5, "/x/Quite Another.mp4"),
    ];
    walked(&mut db, &parts);
    assert_eq!(offered(&db, &scene("/data/Acme/Some Film.mp4", 5, "")), [1, 2, 3, 4]);
    assert_eq!(offered(&db, &scene("/data/Nothing Like It.mp4", 7, "")), Vec::<i64>::new());
}

#[test]
fn names_that_are_alike_are_offered_when_nothing_exact_decides() {
    let mut db = Database::new();
    let titled = IndexedPart { title: "The Long Way Home".to_owned(), ..part(1, "/x/VID_0001.mp4") };
    walked(&mut db, &[titled, part(2, "/x/The.Lonk.Way.Home.1080p.mp4"), part(3, "/x/Wholly Different.mp4")]);
    assert_eq!(offered(&db, &scene("/data/a.mp4", 7, "The Long Way Home")), [1, 2]);
    let decided = scene("/data/Wholly Different.mp4", 1003, "The Long Way Home");
    assert_eq!(offered(&db, &decided), [3]);
}

#[test]
fn what_was_written_by_ourselves_says_nothing_about_which_scene_an_item_is() {
    let mut db = Database::new();
    let shown = IndexedPart { title: "The Long Way Home".to_owned(), ..part(1, "/x/VID_0001.mp4") };
    let shown = IndexedPart { date: "2020-01-02".to_owned(), studio: "Acme".to_owned(), ..shown };
    walked(&mut db, std::slice::from_ref(&shown));
    db.writer.write(|tx| settings::put(tx, settings::MACHINE, "m")).unwrap();
    let wanted = scene("/data/a.mp4", 7, "The Long Way Home");
    let item = ItemKey { machine: MachineId("m".to_owned()), rating_key: shown.rating_key.clone() };
    let found = |db: &Database| candidates(&mut db.reader(), &wanted, &PathMap::default()).unwrap().parts;
    assert_eq!(found(&db), std::slice::from_ref(&shown));
    let words = [(Field::Title, "The Long Way Home"), (Field::Date, "2020-01-02"), (Field::Studio, "Other")];
    for (field, word) in words {
        let (now, word) = (db.now, word.into());
        db.writer.write(|tx| ledger::record(tx, &item, wanted.id, field, &word, now)).unwrap();
    }
    assert_eq!(found(&db), [IndexedPart { title: String::new(), date: String::new(), ..shown }]);
}

#[test]
fn a_name_that_stands_everywhere_is_left_out_and_its_folder_still_tells() {
    let mut db = Database::new();
    let most = i64::try_from(MOST_HITS).unwrap();
    let parts: Vec<_> = (1..=most + 5).map(|id| part(id, &format!("/x/Show {id}/01.mp4"))).collect();
    walked(&mut db, &parts);
    assert_eq!(offered(&db, &scene("/data/Show 7/01.mp4", 5, "")), [7]);
    assert_eq!(offered(&db, &scene("/data/Show 7/01.mp4", 1009, "")), [7, 9]);
}

#[test]
fn too_many_equal_folders_or_sizes_are_told_as_such() {
    let mut db = Database::new();
    let most = i64::try_from(MOST_HITS).unwrap();
    let equal = |id: i64| IndexedPart { size: Some(5), ..part(id, &format!("/{id}/Acme/Season 1/01.mp4")) };
    walked(&mut db, &(1..=most + 5).map(equal).collect::<Vec<_>>());
    let found = |path: &str, size| {
        let found = candidates(&mut db.reader(), &scene(path, size, ""), &PathMap::default()).unwrap();
        (found.crowded_tails, found.crowded_sizes)
    };
    assert_eq!(found("/data/Acme/Season 1/01.mp4", 6), (true, false));
    assert_eq!(found("/data/Acme/Season 2/02.mp4", 5), (false, true));
}

#[test]
fn a_part_that_changed_is_found_as_it_is_and_not_as_it_was() {
    let mut db = Database::new();
    let before =
        IndexedPart { content_hash: ContentHash::shown("00ff"), ..part(1, "/x/The Long Way Home.mp4") };
    walked(&mut db, std::slice::from_ref(&before));
    let again = IndexedPart { content_hash: ContentHash::NotAsked, title: "New".to_owned(), ..before };
    walked(&mut db, &[again]);
    let found = candidates(&mut db.reader(), &scene("/a/The Long Way Home.mp4", 5, ""), &PathMap::default());
    assert_eq!(found.unwrap().parts[0].content_hash.known(), Some("00ff"), "the file is the same");
    walked(&mut db, &[part(1, "/x/Wholly Different.mp4")]);
    assert_eq!(offered(&db, &scene("/a/The Long Way Home.mp4", 5, "")), Vec::<i64>::new());
    let bands: i64 = bands::table.count().get_result(db.reader().raw()).unwrap();
    assert_eq!(
        bands,
        i64::try_from(crate::domain::matching::bands_of_part("/x/Wholly Different.mp4", "").len()).unwrap()
    );
}

#[test]
fn a_library_that_was_not_walked_makes_the_offer_incomplete() {
    let mut db = Database::new();
    let complete = |db: &Database| {
        candidates(&mut db.reader(), &scene("/a.mp4", 5, ""), &PathMap::default()).unwrap().complete
    };
    assert!(!complete(&db));
    walked(&mut db, &[]);
    assert!(complete(&db));
    let other = library("4");
    db.writer.write(|tx| plex_index::begin_walk(tx, &MachineId("m".to_owned()), &other)).unwrap();
    assert!(!complete(&db));
}

#[test]
fn a_hash_that_was_not_shown_is_asked_for_again_once_the_item_has_changed() {
    let mut db = Database::new();
    let asked = IndexedPart { content_hash: ContentHash::NotShown, ..part(1, "/x/Some Film.mp4") };
    walked(&mut db, &[part(1, "/x/Some Film.mp4")]);
    db.writer.write(|tx| plex_parts::note_content(tx, std::slice::from_ref(&asked))).unwrap();
    let hash = |db: &Database| {
        let found = candidates(&mut db.reader(), &scene("/a/Some Film.mp4", 5, ""), &PathMap::default());
        found.unwrap().parts.pop().unwrap().content_hash
    };
    walked(&mut db, &[part(1, "/x/Some Film.mp4")]);
    assert_eq!(hash(&db), ContentHash::NotShown);
    walked(&mut db, &[IndexedPart { updated_at: 9, ..part(1, "/x/Some Film.mp4") }]);
    assert_eq!(hash(&db), ContentHash::NotAsked);
    let elsewhere = IndexedPart { path: "/x/Another.mp4".to_owned(), ..asked };
    db.writer.write(|tx| plex_parts::note_content(tx, &[elsewhere])).unwrap();
    assert_eq!(hash(&db), ContentHash::NotAsked, "the answer is about another file");
}
