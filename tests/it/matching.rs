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

#[test]
fn while_a_scene_waits_plex_is_looked_at_every_minute_and_else_left_alone() {
    // What is told is not looked for.
    let options = PlexOptions { notifies: false, ..PlexOptions::default() };
    let app =
        Setup::around(World::start_with(1, StashOptions::default(), options).unwrap()).manual_clock().start();
    let asked =
        || app.world.plex.requests().iter().filter(|request| request.op != PlexOp::Notifications).count();
    let looks = |least: usize| {
        app.wait_until_calm();
        app.world.plex.clear_requests();
        app.advance(Duration::from_secs(61));
        wait_for("Plex is looked at", || (asked() >= least).then_some(()));
        app.wait_until_calm();
        asked()
    };
    assert_eq!(run(&app, app.pair(0).scene), JobState::Done);
    assert_eq!(looks(0), 0);
    let scene = app.world.stash.add_scene(scene_with("/data/a/One.mp4", 4711, ""));
    assert_eq!(run(&app, scene), JobState::Waiting);
    // Beyond the first searches, which follow one another closely.
    for _ in 0..4 {
        app.advance_to(scene);
    }
    assert_eq!(app.job(scene).unwrap().wait, Duration::from_mins(15));
    looks(2);
    assert_eq!(looks(2), 2, "who it is, and that no library has changed: {:?}", app.world.plex.requests());
    app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    app.advance(Duration::from_secs(61));
    wait_for("the look wakes it", || (app.job(scene)?.state == JobState::Ready).then_some(()));
    app.advance(Duration::from_secs(1));
    app.settle_all();
    assert_eq!(app.job(scene).unwrap().state, JobState::Done);
}

#[test]
fn an_order_that_plex_ignores_hides_no_new_file() {
    let options = PlexOptions { ignores_sort: true, sends_total_size: false, ..PlexOptions::default() };
    let app =
        Setup::around(World::start_with(0, StashOptions::default(), options).unwrap()).manual_clock().start();
    // By title the first page holds known ground alone, from the beginning to its end.
    for number in 0..600 {
        app.world.plex.add_item("1", NewItem::file(&format!("/media/many/{number:03}.mp4"), 1000 + number));
    }
    let [first, second] = ["One", "Two"]
        .map(|name| app.world.stash.add_scene(scene_with(&format!("/data/z/{name}.mp4"), 4711, "")));
    assert_eq!(run(&app, first), JobState::Waiting);
    let key = app.world.plex.add_item("1", NewItem::file("/media/z/Two.mp4", 4711));
    assert_eq!(run(&app, second), JobState::Done);
    assert_eq!(app.world.plex.item(&key).unwrap().title, "Mine");
}

#[test]
fn a_server_that_shows_the_same_page_for_ever_is_not_read_for_ever() {
    let options = PlexOptions { ignores_start: true, sends_total_size: false, ..PlexOptions::default() };
    let app = Setup::around(World::start_with(1, StashOptions::default(), options).unwrap()).start();
    // One that the first page shows would be found.
    let scene = app.world.stash.add_scene(scene_with("/data/a/One.mp4", 4711, ""));
    app.report(scene);
    let job = wait_for("the paging is seen through", || {
        app.job(scene).filter(|job| job.code.as_deref() == Some("paging_ignored"))
    });
    assert!(job.detail.unwrap().contains("with the same items"));
}

#[test]
fn a_listing_that_is_never_cut_into_pages_is_known_whole() {
    let options = PlexOptions { ignores_paging: true, ..PlexOptions::default() };
    let setup = Setup::around(World::start_with(600, StashOptions::default(), options).unwrap());
    // While the clock stands still what was read stays fresh.
    let app = setup.settings("queue.debounce = 0").manual_clock().start();
    let last = app.pair(599);
    wait_for("all is indexed", || (app.get("/api/v1/status").1["indexed_files"] == 600).then_some(()));
    app.report(last.scene);
    wait_for("the last is found", || app.world.is_synced(&last).then_some(()));
    // One question is about what was changed last.
    assert_eq!(app.world.plex.count(PlexOp::Listing), 2);
}

#[test]
fn a_library_is_read_whole_as_often_as_the_settings_say() {
    for (every, state) in [("1h", JobState::Done), ("5h", JobState::Parked)] {
        let settings = format!("reconcile.plex_index_every = \"{every}\"");
        // Or what went would be told.
        let options = PlexOptions { notifies: false, ..PlexOptions::default() };
        let world = World::start_with(0, StashOptions::default(), options).unwrap();
        let app = Setup::around(world).settings(&settings).manual_clock().start();
        let torn = app.world.stash.add_scene(scene_with("/data/a/One.mp4", 4711, ""));
        let keys = ["x", "y"].map(|folder| {
            app.world.plex.add_item("1", NewItem::file(&format!("/media/{folder}/One.mp4"), 4711))
        });
        assert_eq!(run(&app, torn), JobState::Parked);
        assert!(app.world.plex.remove_item(&keys[0]));
        // Nothing about it is like the first one, which may be written before this one is looked for.
        let file = NewFile { size: 4712, duration: 600.0, ..NewFile::at("/data/b/Two.mp4") };
        let other = NewScene { files: vec![file], ..NewScene::titled("Quite another", "") };
        let other = app.world.stash.add_scene(other);
        app.advance(Duration::from_mins(61));
        assert_eq!(run(&app, other), JobState::Waiting);
        wait_for("the walk has had its effect", || (app.job(torn)?.state == state).then_some(()));
    }
}

#[test]
fn plex_is_had_look_into_the_folder_of_a_scene_that_it_does_not_have_once_an_hour() {
    let app = TestApp::on_manual_clock(0);
    let scene = |path: &str, size| {
        // Titles that differ, since the item of one gets that of its scene.
        app.world.stash.add_scene(NewScene { title: path.to_owned(), ..scene_with(path, size, "") })
    };
    let scenes = [
        scene("/data/new/Harbour Lights.mp4", 4711),
        scene("/data/new/A Wholly Other Thing.mp4", 4712),
        scene("/data/gone/Mountain.mp4", 4713),
    ];
    app.world.plex.place_file("1", NewItem::file("/media/new/Harbour Lights.mp4", 4711));
    let scans = || -> Vec<String> {
        let requests = app.world.plex.requests().into_iter();
        requests.filter(|request| request.op == PlexOp::Scan).map(|request| request.path_and_query).collect()
    };
    for scene in scenes {
        assert_eq!(run(&app, scene), JobState::Waiting);
    }
    let asked =
        ["%2Fmedia%2Fnew", "%2Fmedia%2Fgone"].map(|path| format!("/library/sections/1/refresh?path={path}"));
    assert_eq!(scans(), asked);
    assert_eq!(app.job(scenes[0]).unwrap().state, JobState::Done, "what the scan found has woken it");
    app.advance(Duration::from_mins(50));
    app.settle_all();
    assert_eq!(scans().len(), 2);
    app.advance(Duration::from_hours(3));
    app.settle_all();
    assert_eq!(scans().len(), 4, "the others are still missed: {:?}", scans());
}

#[test]
fn a_folder_outside_of_the_libraries_is_not_scanned_nor_any_when_that_is_not_wanted() {
    for (path, settings) in
        [("/elsewhere/One.mp4", ""), ("/data/new/One.mp4", "matching.scan_missing = false")]
    {
        let app = TestApp::start_with(0, settings);
        let scene = app.world.stash.add_scene(scene_with(path, 4711, ""));
        app.report(scene);
        app.wait_for_state(scene, JobState::Waiting);
        assert_eq!(app.world.plex.count(PlexOp::Scan), 0);
    }
}
