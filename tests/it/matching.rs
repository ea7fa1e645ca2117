//! Is a scene found whose path tells nothing, and noticed when Plex gets what it waits for?

use std::time::Duration;

use plexsync::domain::job::JobState;
use plexsync::sim::world::World;
use plexsync::sim::{NewFile, NewItem, NewScene, PlexOp, PlexOptions, StashOptions};

use crate::support::{Setup, TestApp, wait_for};

const HASH: &str = "65f52aa3bd4025d4";

fn scene_with(path: &str, size: u64, oshash: &str) -> NewScene {
    let file = NewFile { size, duration: 60.0, oshash: oshash.to_owned(), ..NewFile::at(path) };
    NewScene { files: vec![file], ..NewScene::titled("Mine", path) }
}

#[test]
fn a_file_that_was_renamed_and_moved_is_known_by_its_content_and_asked_for_once() {
    let app = TestApp::start(1);
    let scene = app.world.stash.add_scene(scene_with("/data/a/One.mp4", 4711, HASH));
    let hashes = vec![HASH.to_uppercase()];
    let key = app.world.plex.add_item("1", NewItem { hashes, ..NewItem::file("/media/b/Zwei.mp4", 4711) });
    app.report(app.pair(0).scene);
    app.wait_until_synced();
    assert_eq!(app.world.plex.count(PlexOp::Tree), 0, "a path that is equal needs no other evidence");
    for round in 1..=2 {
        app.report(scene);
        wait_for("the scene is synced", || (app.counts().tallies.done > round).then_some(()));
        assert_eq!(app.world.plex.item(&key).unwrap().title, "Mine");
        assert_eq!(app.world.plex.count(PlexOp::Tree), 1);
    }
}

#[test]
fn an_equal_name_and_size_with_another_content_is_not_written() {
    let app = TestApp::start(0);
    let scene = app.world.stash.add_scene(scene_with("/data/a/One.mp4", 4711, HASH));
    let hashes = vec!["0123456789abcdef".to_owned()];
    let key = app.world.plex.add_item("1", NewItem { hashes, ..NewItem::file("/media/b/One.mp4", 4711) });
    app.report(scene);
    let job = app.wait_for_state(scene, JobState::Parked);
    assert_eq!(job.code.as_deref(), Some("low_confidence"));
    assert!(job.detail.unwrap().contains("the hash of the content differs"));
    assert_eq!(app.world.plex.item(&key).unwrap().title, "One");
}

#[test]
fn a_server_that_shows_no_hashes_is_noticed_and_not_asked_any_more() {
    let options = PlexOptions { shows_content_hash: false, ..PlexOptions::default() };
    let world = World::start_with(0, StashOptions::default(), options).unwrap();
    let app = Setup::around(world).settings("queue.concurrency = 1").start();
    let add = |number: u64| {
        let (size, name) = (5000 + number, format!("Film {number}/{number}.mp4"));
        app.world.plex.add_item("1", NewItem::file(&format!("/media/elsewhere/{name}"), size));
        app.world.stash.add_scene(scene_with(&format!("/data/{name}"), size, &format!("{number:016x}")))
    };
    for scene in (1..=30).map(add).collect::<Vec<_>>() {
        app.report(scene);
    }
    wait_for("all are synced", || (app.counts().tallies.done == 30).then_some(()));
    assert_eq!(app.world.plex.count(PlexOp::Tree), 20);
}

/// The shipped `queue.debounce`, and a little.
const DEBOUNCED: Duration = Duration::from_millis(3001);

fn run(app: &TestApp, scene: i64) -> JobState {
    app.report(scene);
    app.advance(DEBOUNCED);
    app.settle_all();
    app.job(scene).unwrap().state
}

#[test]
fn a_scene_that_waits_is_woken_by_the_look_of_another_that_finds_its_file() {
    let app = TestApp::on_manual_clock(0);
    let waiting = app.world.stash.add_scene(scene_with("/data/a/One.mp4", 4711, HASH));
    let other = app.world.stash.add_scene(scene_with("/data/b/Two.mp4", 4712, HASH));
    assert_eq!(run(&app, waiting), JobState::Waiting);
    let key = app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    assert_eq!(run(&app, other), JobState::Waiting);
    assert_eq!(app.job(waiting).unwrap().state, JobState::Done);
    assert_eq!(app.world.plex.item(&key).unwrap().title, "Mine");
}

#[test]
fn a_scene_that_could_be_two_items_is_decided_when_one_of_them_goes() {
    let app = TestApp::on_manual_clock(0);
    let torn = app.world.stash.add_scene(scene_with("/data/a/One.mp4", 4711, ""));
    let other = app.world.stash.add_scene(scene_with("/data/b/Two.mp4", 4712, ""));
    let keys = ["x", "y"]
        .map(|folder| app.world.plex.add_item("1", NewItem::file(&format!("/media/{folder}/One.mp4"), 4711)));
    assert_eq!(run(&app, torn), JobState::Parked);
    assert_eq!(app.job(torn).unwrap().code.as_deref(), Some("ambiguous"));
    assert_eq!(run(&app, other), JobState::Waiting);
    assert!(app.world.plex.remove_item(&keys[0]));
    // The next walk through the whole library sees that it is gone; the scene that waits has one made.
    app.advance(Duration::from_hours(7));
    app.settle_all();
    assert_eq!(app.job(torn).unwrap().state, JobState::Done);
    assert_eq!(app.world.plex.item(&keys[1]).unwrap().title, "Mine");
}
