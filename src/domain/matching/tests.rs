//! Which evidence decides, and which does not.

use super::*;
use crate::domain::ids::SceneId;
use crate::domain::scene::SceneFile;

const POLICY: MatchPolicy = MatchPolicy { auto: 0.90, review: 0.50 };

fn scene(files: &[(&str, i64)]) -> Scene {
    let file = |(path, size): &(&str, i64)| SceneFile {
        path: (*path).to_owned(),
        size: Some(*size),
        duration: None,
        oshash: None,
    };
    Scene {
        id: SceneId::try_from(1).unwrap(),
        created_at: String::new(),
        title: String::new(),
        details: String::new(),
        date: String::new(),
        rating: None,
        director: String::new(),
        studio: None,
        tags: Vec::new(),
        performers: Vec::new(),
        organized: false,
        files: files.iter().map(file).collect(),
    }
}

fn part(key: &str, path: &str, size: Option<i64>) -> IndexedPart {
    IndexedPart { size, ..IndexedPart::at(key, path) }
}

fn map() -> PathMap {
    PathMap::new(vec![PathRule { stash: "/data".to_owned(), plex: "/media".to_owned() }])
}

fn offer(parts: Vec<IndexedPart>) -> Candidates {
    Candidates { parts, complete: true, ..Candidates::default() }
}

fn verdict(scene: &Scene, parts: Vec<IndexedPart>) -> Decision {
    decide(scene, &offer(parts), &map(), &POLICY)
}

fn review(decision: Decision) -> (&'static str, Vec<Scored>) {
    match decision {
        Decision::Review { code, candidates } => (code, candidates),
        other @ (Decision::Auto(_) | Decision::None) => panic!("not put up for review: {other:?}"),
    }
}

fn keys(decision: &Decision) -> Vec<&str> {
    match decision {
        Decision::Auto(scored) => scored.iter().map(|scored| scored.rating_key.as_str()).collect(),
        Decision::Review { .. } | Decision::None => Vec::new(),
    }
}

#[test]
fn six_folders_with_the_same_file_name_are_told_apart_by_their_paths() {
    let all: Vec<_> =
        (1..=6).map(|n| part(&n.to_string(), &format!("/media/S{n}/01.mp4"), Some(1))).collect();
    for n in 1..=6 {
        let scene = scene(&[(&format!("/data/S{n}/01.mp4"), 1)]);
        assert_eq!(keys(&verdict(&scene, all.clone())), [n.to_string()]);
    }
}

#[test]
fn any_file_of_a_scene_and_any_part_of_an_item_counts() {
    let scene = scene(&[("/data/a.mp4", 1), ("/data/b.mp4", 2)]);
    assert_eq!(keys(&verdict(&scene, vec![part("7", "/media/b.mp4", Some(9))])), ["7"]);
}

#[test]
fn a_file_that_stands_in_two_libraries_is_both_items() {
    let scene = scene(&[("/data/a.mp4", 1)]);
    let both = vec![part("7", "/media/a.mp4", Some(1)), part("9", "/media/a.mp4", Some(1))];
    assert_eq!(keys(&verdict(&scene, both)), ["7", "9"]);
}

#[test]
fn an_equal_name_elsewhere_with_another_size_is_not_the_scene() {
    let scene = scene(&[("/data/Studio A/01.mp4", 1)]);
    let elsewhere = vec![part("7", "/media/Studio B/01.mp4", Some(2))];
    assert_eq!(verdict(&scene, elsewhere), Decision::None);
}

#[test]
fn an_equal_name_and_size_elsewhere_is_the_scene_unless_two_items_have_them() {
    let scene = scene(&[("/data/a.mp4", 5)]);
    assert_eq!(keys(&verdict(&scene, vec![part("7", "/x/a.mp4", Some(5))])), ["7"]);
    let two = vec![part("7", "/x/a.mp4", Some(5)), part("8", "/y/a.mp4", Some(5))];
    let (code, candidates) = review(verdict(&scene, two));
    assert_eq!((code, candidates.len()), ("ambiguous", 2));
}

#[test]
fn of_two_equal_names_and_sizes_the_one_in_the_same_folder_is_the_scene() {
    let scene = scene(&[("/data/Studio A/01.mp4", 5)]);
    let two = vec![part("7", "/x/Studio A/01.mp4", Some(5)), part("8", "/x/Studio B/01.mp4", Some(5))];
    assert_eq!(keys(&verdict(&scene, two)), ["7"]);
}

#[test]
fn a_name_alone_is_shown_to_a_person_and_never_written() {
    let scene = scene(&[("/data/a.mp4", 5)]);
    let (code, candidates) = review(verdict(&scene, vec![part("7", "/x/a.mp4", None)]));
    assert_eq!((code, candidates.len()), ("low_confidence", 1));
}

#[test]
fn the_end_of_a_path_counts_when_its_folder_tells_something_and_no_other_item_has_it() {
    let tail = |folder: &str| format!("{folder}/01.mp4");
    let scene = scene(&[("/data/Long Way Home/Season 1/01.mp4", 5)]);
    let season = part("7", &tail("/x/Season 1"), None);
    assert_eq!(review(verdict(&scene, vec![season.clone()])).0, "low_confidence");
    let show = part("8", &tail("/x/Long Way Home/Season 1"), None);
    assert_eq!(keys(&verdict(&scene, vec![season.clone(), show.clone()])), ["8"]);
    let again = part("9", &tail("/y/Long Way Home/Season 1"), None);
    assert_eq!(review(verdict(&scene, vec![show.clone(), again])).0, "ambiguous");
    let other_size = part("8", &show.path, Some(6));
    assert_eq!(verdict(&scene, vec![other_size]), Decision::None);
    let crowded = Candidates { crowded_tails: true, ..offer(vec![show]) };
    assert_eq!(review(decide(&scene, &crowded, &map(), &POLICY)).0, "low_confidence");
}

#[test]
fn a_renamed_file_is_known_by_its_size_and_duration() {
    let scene = Scene { title: "Another Day".to_owned(), ..timed("/data/a.mp4", 5, 60.0) };
    let renamed = |ms, path: &str| IndexedPart { duration_ms: Some(ms), ..part("7", path, Some(5)) };
    assert_eq!(keys(&verdict(&scene, vec![renamed(60_900, "/x/b.mp4")])), ["7"]);
    assert_eq!(verdict(&scene, vec![renamed(61_100, "/x/b.mp4")]), Decision::None);
    let crowded = Candidates { crowded_sizes: true, ..offer(vec![renamed(60_000, "/x/b.mp4")]) };
    assert_eq!(decide(&scene, &crowded, &map(), &POLICY), Decision::None);
}

#[test]
fn another_number_in_the_name_is_another_part_even_at_the_same_size_and_length() {
    let scene = timed("/data/Long Way Home Part 1.mp4", 5, 60.0);
    let second = IndexedPart { duration_ms: Some(60_000), ..part("7", "/x/Long Way Home CD2.mp4", Some(5)) };
    let (code, candidates) = review(verdict(&scene, vec![second.clone()]));
    assert_eq!(code, "low_confidence");
    assert_eq!(candidates[0].evidence, [Evidence::SizeAndDurationEqual, Evidence::NumbersDiffer]);
    let first = IndexedPart { path: "/x/Long Way Home CD1.mp4".to_owned(), ..second.clone() };
    let first = IndexedPart { rating_key: "8".parse().unwrap(), ..first };
    assert_eq!(keys(&verdict(&scene, vec![second, first])), ["8"]);
}

#[test]
fn an_equal_hash_of_the_content_decides_and_a_different_one_forbids() {
    let hashed = |hash: &str, path: &str| IndexedPart {
        content_hash: ContentHash::shown(hash),
        ..part("7", path, Some(5))
    };
    let mut scene = scene(&[("/data/a.mp4", 5)]);
    scene.files[0].oshash = Some("00ff".to_owned());
    assert_eq!(keys(&verdict(&scene, vec![hashed("00ff", "/x/b.mp4")])), ["7"]);
    let (code, candidates) = review(verdict(&scene, vec![hashed("11ff", "/x/a.mp4")]));
    assert_eq!(code, "low_confidence");
    assert_eq!(candidates[0].evidence, [Evidence::NameAndSizeEqual, Evidence::ContentDiffers]);
}

#[test]
fn names_that_are_alike_are_for_a_person_and_without_a_witness_for_nobody_else() {
    let bold = MatchPolicy { auto: 0.50, review: 0.40 };
    let film = Scene { title: "The Long Way Home".to_owned(), ..timed("/data/a.mp4", 5, 600.0) };
    let like = part("7", "/x/The Lonk Way Home.mp4", Some(6));
    let alone = decide(&film, &offer(vec![like.clone()]), &map(), &bold);
    assert!(matches!(alone, Decision::Review { code: "low_confidence", .. }), "{alone:?}");
    let witnesses = [
        IndexedPart { duration_ms: Some(601_500), ..like.clone() },
        IndexedPart { date: "2024-05-31".to_owned(), ..like.clone() },
        IndexedPart { studio: "ACME".to_owned(), ..like.clone() },
        IndexedPart { size: Some(5), ..like.clone() },
    ];
    for witnessed in witnesses {
        let film = Scene { date: "2024-05-31".to_owned(), studio: Some("Acme".to_owned()), ..film.clone() };
        assert_eq!(keys(&decide(&film, &offer(vec![witnessed.clone()]), &map(), &bold)), ["7"]);
        assert_eq!(review(verdict(&film, vec![witnessed])).0, "low_confidence");
    }
    let sequel = IndexedPart { duration_ms: Some(600_000), ..part("7", "/x/The Long Way Home 2.mp4", None) };
    let (_, candidates) = review(verdict(&film, vec![sequel]));
    assert!(candidates[0].evidence.contains(&Evidence::NumberMissing), "{candidates:?}");
}

#[test]
fn candidates_that_are_close_are_ambiguous_however_good_they_are() {
    let scene = timed("/data/a.mp4", 5, 60.0);
    let same_name = part("7", "/x/a.mp4", Some(5));
    let renamed = IndexedPart { duration_ms: Some(60_000), ..part("8", "/x/b.mp4", Some(5)) };
    let (code, candidates) = review(verdict(&scene, vec![renamed.clone(), same_name.clone()]));
    assert_eq!(code, "ambiguous");
    let keys: Vec<_> = candidates.iter().map(|one| one.rating_key.as_str()).collect();
    assert_eq!(keys, ["7", "8"]);
    // A rival that is itself too weak for review still makes the best one doubtful.
    let strict = MatchPolicy { auto: 0.96, review: 0.96 };
    let (code, candidates) = review(decide(&scene, &offer(vec![renamed, same_name]), &map(), &strict));
    assert_eq!((code, candidates.len()), ("ambiguous", 2));
}

#[test]
fn what_rests_on_being_unique_waits_for_the_whole_index() {
    let scene = scene(&[("/data/a.mp4", 5)]);
    let incomplete = |parts| Candidates { parts, complete: false, ..Candidates::default() };
    let by_name = incomplete(vec![part("7", "/x/a.mp4", Some(5))]);
    assert_eq!(decide(&scene, &by_name, &map(), &POLICY), Decision::None);
    let by_path = incomplete(vec![part("7", "/media/a.mp4", None)]);
    assert_eq!(keys(&decide(&scene, &by_path, &map(), &POLICY)), ["7"]);
}

#[test]
fn a_path_equal_but_for_case_counts_only_when_one_item_has_it() {
    let scene = scene(&[("/data/A.mp4", 5)]);
    assert_eq!(keys(&verdict(&scene, vec![part("7", "/media/a.mp4", None)])), ["7"]);
    let two = vec![part("7", "/media/a.mp4", None), part("8", "/Media/A.MP4", None)];
    assert_eq!(review(verdict(&scene, two)).0, "ambiguous");
}

#[test]
fn each_file_of_a_scene_is_written_where_its_own_path_is_equal() {
    let scene = scene(&[("/data/a.mp4", 1), ("/data/Zażółć.mp4", 2)]);
    let parts = vec![
        part("7", "/media/a.mp4", None),
        part("8", "/media/Zaz\u{307}o\u{301}łc\u{301}.mp4", None),
        part("9", "/x/a.mp4", Some(1)),
    ];
    assert_eq!(keys(&verdict(&scene, parts)), ["7", "8"]);
}

fn timed(path: &str, size: i64, seconds: f64) -> Scene {
    let mut scene = scene(&[(path, size)]);
    scene.files[0].duration = Some(seconds);
    scene
}

#[test]
fn the_content_is_asked_for_where_it_could_tell_and_the_path_does_not() {
    let mut scene = scene(&[("/data/a.mp4", 5)]);
    let asked = |scene: &Scene, parts: Vec<IndexedPart>| {
        let offer = Candidates { parts, complete: true, ..Candidates::default() };
        content_matters(scene, &offer, &map()).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let others =
        || vec![part("7", "/x/b.mp4", Some(5)), part("8", "/x/c.mp4", None), part("9", "/x/a.mp4", Some(6))];
    assert!(asked(&scene, others()).is_empty(), "Stash has no hash to compare with");
    scene.files[0].oshash = Some("00ff".to_owned());
    assert_eq!(asked(&scene, others()), ["7", "8"], "the hash covers the size");
    let known = IndexedPart { content_hash: ContentHash::NotShown, ..part("7", "/x/b.mp4", Some(5)) };
    assert!(asked(&scene, vec![known]).is_empty());
    let mut with_path = others();
    with_path.push(part("1", "/media/a.mp4", Some(5)));
    assert!(asked(&scene, with_path).is_empty());
}

#[test]
fn a_folder_holds_what_is_below_it_and_not_what_begins_alike() {
    assert!(
        is_inside("/media/a/b.mp4", "/media")
            && is_inside("/media/a/b.mp4", "/media/")
            && is_inside("/m", "/")
    );
    assert!(!is_inside("/media-old/a.mp4", "/media") && !is_inside("/media", "/media/a"));
    assert!(is_inside(r"o:\Clips\a.mp4", r"O:\Clips") && !is_inside("/Media/a.mp4", "/media"));
    assert_eq!(folder_of("/media/a/b.mp4"), Some("/media/a"));
    assert_eq!(folder_of(r"O:\Clips\b.mp4"), Some(r"O:\Clips"));
    assert_eq!((folder_of("b.mp4"), folder_of("/b.mp4")), (None, None));
}

fn reviewed(parts: Vec<IndexedPart>, accepted: &[(&str, &str)], rejected: &[&str]) -> Candidates {
    let accepted = accepted.iter().map(|(key, path)| (key.parse().unwrap(), (*path).to_owned()));
    let rejected = rejected.iter().map(|key| key.parse().unwrap()).collect();
    Candidates { reviewed: Reviewed { accepted: accepted.collect(), rejected }, ..offer(parts) }
}

#[test]
fn what_a_person_accepted_beats_an_equal_path_and_an_index_that_is_not_full() {
    let scene = scene(&[("/data/a/Film.mp4", 5)]);
    let parts =
        vec![part("1", "/media/a/Film.mp4", Some(5)), part("2", "/b.mp4", None), part("2", "/c.mp4", None)];
    let mut offered = reviewed(parts, &[("2", "/c.mp4")], &[]);
    offered.complete = false;
    let Decision::Auto(items) = decide(&scene, &offered, &map(), &POLICY) else { panic!("{offered:?}") };
    let [item] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((item.rating_key.as_str(), item.path.as_str(), item.confidence), ("2", "/c.mp4", 1.0));
    assert!(item.is_accepted());
    assert!(!likeness_matters(&scene, &offered, &map()));
    offered.parts.retain(|part| part.rating_key.as_str() == "1");
    let Decision::Auto(items) = decide(&scene, &offered, &map(), &POLICY) else { panic!("{offered:?}") };
    assert!(!items[0].is_accepted(), "Plex does not have the accepted item any more");
}

#[test]
fn what_a_person_rejected_never_comes_back_and_makes_nothing_else_look_better() {
    let film = scene(&[("/data/Acme/One/Film.mp4", 5)]);
    let equal = part("1", "/media/Acme/One/Film.mp4", Some(5));
    let offered = reviewed(vec![equal], &[], &["1"]);
    assert_eq!(decide(&film, &offered, &map(), &POLICY), Decision::None, "not even by its path");
    // Of two that share an end of the path, the one that shares less stays outdone by the one that was rejected.
    let parts = vec![part("1", "/x/Acme/One/Film.mp4", None), part("2", "/y/One/Film.mp4", None)];
    let Decision::Auto(items) = decide(&film, &offer(parts.clone()), &map(), &POLICY) else { panic!() };
    assert_eq!(items[0].rating_key.as_str(), "1");
    let left = decide(&film, &reviewed(parts, &[], &["1"]), &map(), &POLICY);
    let Decision::Review { code, candidates } = left else { panic!("{left:?}") };
    assert_eq!((code, candidates.len(), candidates[0].rating_key.as_str()), ("low_confidence", 1, "2"));
}
