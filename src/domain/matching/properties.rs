//! What holds for every scene and every library.

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;

use super::*;
use crate::domain::ids::SceneId;
use crate::domain::scene::{SceneFile, SceneIdentity};

const POLICY: MatchPolicy = MatchPolicy { auto: 0.90, review: 0.50 };

/// Few roots, folders, names, sizes and durations, so that parts often have something in common.
fn path() -> impl Strategy<Value = String> {
    let root = prop::sample::select(vec!["/data", "/media", "/x", "D:\\Videos"]);
    let folder = prop::sample::select(vec![
        "",
        "/Acme",
        "/acme",
        "/Season 1",
        "/Long Way/Season 1",
        "/Café",
        "/Cafe\u{301}",
    ]);
    let name = prop::sample::select(vec![
        "01.mp4",
        "02.mp4",
        "A.mp4",
        "a.mp4",
        "The Long Way Home.mp4",
        "the.long.way.home.1080p.mkv",
        "The Long Way Home Part 2.mp4",
        "The Lonk Way Home.mp4",
    ]);
    (root, folder, name).prop_map(|(root, folder, name)| format!("{root}{folder}/{name}"))
}

fn part() -> impl Strategy<Value = IndexedPart> {
    let measures = (
        prop::option::of(1..4_i64),
        prop::option::of(prop::sample::select(vec![60_000, 60_800, 62_000, 90_000])),
        prop::option::of(prop::sample::select(vec!["00", "11"])),
    );
    let words = (
        prop::sample::select(vec!["", "The Long Way Home", "Something Else"]),
        prop::sample::select(vec!["", "2024-05-31", "2023-01-01"]),
        prop::sample::select(vec!["", "Acme"]),
    );
    (1..6_i64, path(), measures, words).prop_map(
        |(item, path, (size, duration_ms, hash), (title, date, studio))| IndexedPart {
            rating_key: item.to_string().parse().unwrap(),
            path,
            duration_ms,
            title: title.to_owned(),
            date: date.to_owned(),
            studio: studio.to_owned(),
            content_hash: hash.map(ContentHash::shown).unwrap_or_default(),
            ..blank(size)
        },
    )
}

/// Parts of which no two have the same path in the same item.
fn parts() -> impl Strategy<Value = Vec<IndexedPart>> {
    prop::collection::vec(part(), 0..8).prop_map(|mut parts| {
        parts.sort_by_key(|part| (part.rating_key.clone(), part.path.clone()));
        parts.dedup_by_key(|part| (part.rating_key.clone(), part.path.clone()));
        for (part, id) in parts.iter_mut().zip(1..) {
            part.part_id = id;
        }
        parts
    })
}

fn scene() -> impl Strategy<Value = Scene> {
    let file = (path(), part()).prop_map(|(path, like)| SceneFile {
        path,
        size: like.size,
        duration: like
            .duration_ms
            .map(|ms| std::time::Duration::from_millis(ms.unsigned_abs()).as_secs_f64()),
        oshash: like.content_hash.known().map(str::to_owned),
    });
    (prop::collection::vec(file, 1..3), part()).prop_map(|(files, like)| Scene {
        title: like.title,
        date: like.date,
        studio: Some(like.studio).filter(|studio| !studio.is_empty()),
        files,
        ..nameless()
    })
}

/// One of the ways to spell a path that a file system may tell apart.
fn spelling(capitals: u32, decomposed: bool) -> String {
    let letters = "/acme/zażółć film.mp4".chars().enumerate();
    let cased = letters.flat_map(|(place, letter)| {
        let capital = capitals >> (place % 32) & 1 == 1;
        if capital { letter.to_uppercase().collect::<Vec<_>>() } else { vec![letter] }
    });
    let cased: String = cased.collect();
    if decomposed { cased.nfd().collect() } else { cased }
}

fn blank(size: Option<i64>) -> IndexedPart {
    IndexedPart { size, ..IndexedPart::at("1", "") }
}

fn nameless() -> Scene {
    let identity = SceneIdentity { created_at: String::new(), oshash: String::new() };
    Scene::departed(SceneId::try_from(1).unwrap(), &identity)
}

fn map() -> PathMap {
    PathMap::new(vec![PathRule { stash: "/data".to_owned(), plex: "/media".to_owned() }])
}

fn offer(parts: Vec<IndexedPart>) -> Candidates {
    Candidates { parts, complete: true, ..Candidates::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_candidates_never_matters(scene in scene(), parts in parts(), turn in 0..8_usize) {
        let straight = decide(&scene, &offer(parts.clone()), &map(), &POLICY);
        let mut turned = parts;
        turned.reverse();
        let turn = turn.min(turned.len());
        turned.rotate_left(turn);
        prop_assert_eq!(straight, decide(&scene, &offer(turned), &map(), &POLICY));
    }

    #[test]
    fn an_unrelated_item_never_changes_a_decision(scene in scene(), mut parts in parts(), place in 0..8_usize) {
        let before = decide(&scene, &offer(parts.clone()), &map(), &POLICY);
        let unrelated = IndexedPart {
            rating_key: "99".parse().unwrap(),
            part_id: 99,
            path: "/elsewhere/Quite Another/Nothing of the Sort.mkv".to_owned(),
            duration_ms: Some(7_200_000),
            title: "Wholly Different".to_owned(),
            date: "1999-09-09".to_owned(),
            studio: "Somebody".to_owned(),
            ..blank(Some(999))
        };
        parts.insert(place.min(parts.len()), unrelated);
        prop_assert_eq!(before, decide(&scene, &offer(parts), &map(), &POLICY));
    }

    #[test]
    fn names_that_are_alike_change_nothing_where_they_are_not_looked_for(
        scene in scene(),
        parts in parts(),
        like in part(),
        name in prop::sample::select(vec!["The Long Way Home X", "Home The Long Way", "Lonk Way Home", "Something Els"]),
    ) {
        // It has nothing exact in common with any scene, so it would be found by its name alone.
        let like = IndexedPart {
            rating_key: "98".parse().unwrap(),
            path: format!("/y/{name}.avi"),
            size: None,
            content_hash: ContentHash::NotAsked,
            ..like
        };
        let exact = offer(parts.clone());
        prop_assume!(!likeness_matters(&scene, &exact, &map()));
        let written = |decision: Decision| match decision {
            Decision::Auto(items) => items,
            Decision::Review { .. } | Decision::None => Vec::new(),
        };
        let without = written(decide(&scene, &exact, &map(), &POLICY));
        let mut all = parts;
        all.push(like);
        prop_assert_eq!(without, written(decide(&scene, &offer(all), &map(), &POLICY)));
    }

    #[test]
    fn folding_never_merges_two_paths_into_a_match(
        spellings in prop::collection::vec((any::<u32>(), any::<bool>()), 3),
        size in prop::option::of(Just(5)),
    ) {
        let spelled: Vec<_> = spellings.iter().map(|(capitals, decomposed)| spelling(*capitals, *decomposed)).collect();
        prop_assume!(spelled[0] != spelled[1]);
        let twin = |key: &str, path: &str| IndexedPart {
            rating_key: key.parse().unwrap(),
            path: format!("/media{path}"),
            ..blank(size)
        };
        let parts = vec![twin("1", &spelled[0]), twin("2", &spelled[1])];
        let file = SceneFile { path: format!("/data{}", spelled[2]), size, duration: None, oshash: None };
        let scene = Scene { files: vec![file], ..nameless() };
        if let Decision::Auto(items) = decide(&scene, &offer(parts), &map(), &POLICY) {
            let mapped = format!("/media{}", spelled[2]);
            let composed = |path: &str| path.nfc().collect::<String>();
            prop_assert!(items.len() == 1 && composed(&items[0].path) == composed(&mapped), "{items:?}");
        }
    }

    #[test]
    fn a_mapping_and_its_reverse_lead_back(
        root in "/[a-z]{1,5}(/[a-z]{1,5}){0,2}",
        other in "/[a-z]{1,5}(/[a-z]{1,5}){0,2}",
        rest in "(/[A-Za-z ]{1,6}){1,3}",
    ) {
        let rule = |stash: &str, plex: &str| PathMap::new(vec![PathRule { stash: stash.to_owned(), plex: plex.to_owned() }]);
        let path = format!("{root}{rest}");
        let there = rule(&root, &other).to_plex(&path);
        prop_assert_eq!(&there, &format!("{other}{rest}"));
        prop_assert_eq!(rule(&other, &root).to_plex(&there), path);
    }
}
