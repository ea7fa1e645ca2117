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
    IndexedPart {
        section: "1".parse().unwrap(),
        rating_key: key.parse().unwrap(),
        part_id: 1,
        path: path.to_owned(),
        size,
        duration_ms: None,
        title: String::new(),
        added_at: 0,
        updated_at: 0,
    }
}

fn map() -> PathMap {
    PathMap::new(vec![PathRule { stash: "/data".to_owned(), plex: "/media".to_owned() }])
}

fn verdict(scene: &Scene, by_path: Vec<IndexedPart>, by_name: Vec<IndexedPart>) -> Decision {
    decide(scene, &Candidates { by_path, by_name, complete: true }, &map(), &POLICY)
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
        assert_eq!(keys(&verdict(&scene, all.clone(), all.clone())), [n.to_string()]);
    }
}

#[test]
fn any_file_of_a_scene_and_any_part_of_an_item_counts() {
    let scene = scene(&[("/data/a.mp4", 1), ("/data/b.mp4", 2)]);
    assert_eq!(keys(&verdict(&scene, vec![part("7", "/media/b.mp4", Some(9))], vec![])), ["7"]);
}

#[test]
fn a_file_that_stands_in_two_libraries_is_both_items() {
    let scene = scene(&[("/data/a.mp4", 1)]);
    let both = vec![part("7", "/media/a.mp4", Some(1)), part("9", "/media/a.mp4", Some(1))];
    assert_eq!(keys(&verdict(&scene, both, vec![])), ["7", "9"]);
}

#[test]
fn an_equal_name_elsewhere_with_another_size_is_not_the_scene() {
    let scene = scene(&[("/data/Studio A/01.mp4", 1)]);
    let elsewhere = vec![part("7", "/media/Studio B/01.mp4", Some(2))];
    assert_eq!(verdict(&scene, vec![], elsewhere), Decision::None);
}

#[test]
fn an_equal_name_and_size_elsewhere_is_the_scene_unless_two_items_have_them() {
    let scene = scene(&[("/data/a.mp4", 5)]);
    assert_eq!(keys(&verdict(&scene, vec![], vec![part("7", "/x/a.mp4", Some(5))])), ["7"]);
    let two = vec![part("7", "/x/a.mp4", Some(5)), part("8", "/y/a.mp4", Some(5))];
    assert!(
        matches!(verdict(&scene, vec![], two), Decision::Review { code: "ambiguous", candidates } if candidates.len() == 2)
    );
}

#[test]
fn a_name_alone_is_shown_to_a_person_and_never_written() {
    let scene = scene(&[("/data/a.mp4", 5)]);
    let decision = verdict(&scene, vec![], vec![part("7", "/x/a.mp4", None)]);
    assert!(
        matches!(decision, Decision::Review { code: "low_confidence", candidates } if candidates.len() == 1)
    );
}

#[test]
fn what_rests_on_being_unique_waits_for_the_whole_index() {
    let scene = scene(&[("/data/a.mp4", 5)]);
    let by_name = vec![part("7", "/x/a.mp4", Some(5))];
    let incomplete = Candidates { by_path: vec![], by_name, complete: false };
    assert_eq!(decide(&scene, &incomplete, &map(), &POLICY), Decision::None);
    let by_path = Candidates { by_path: vec![part("7", "/media/a.mp4", None)], ..incomplete };
    assert_eq!(keys(&decide(&scene, &by_path, &map(), &POLICY)), ["7"]);
}

#[test]
fn a_path_equal_but_for_case_counts_only_when_one_item_has_it() {
    let scene = scene(&[("/data/A.mp4", 5)]);
    assert_eq!(keys(&verdict(&scene, vec![part("7", "/media/a.mp4", None)], vec![])), ["7"]);
    let two = vec![part("7", "/media/a.mp4", None), part("8", "/Media/A.MP4", None)];
    assert_eq!(verdict(&scene, two, vec![]), Decision::None);
}
