//! Is what Plex tells heard, and does nothing depend on it?

mod channel;

use std::time::Duration;

use plexsync::domain::job::JobState;
use plexsync::sim::world::World;
use plexsync::sim::{NewFile, NewItem, NewScene, PlexOp, PlexOptions, StashOptions};
use rstest::rstest;
use serde_json::Value;

use crate::support::{Setup, TestApp, wait_for};

/// Nothing more is told of an item for so long until it is read.
const QUIET: Duration = Duration::from_secs(10);

fn scene(title: &str, path: &str) -> NewScene {
    NewScene { files: vec![NewFile { size: 4711, ..NewFile::at(path) }], ..NewScene::titled(title, path) }
}

fn channel(app: &TestApp) -> Value {
    app.get("/api/v1/status").1["service"]["notifications"].clone()
}

/// Waits until Plex is listened to, and what happened before has been read.
fn listening(app: &TestApp) {
    wait_for("Plex is listened to", || channel(app)["connected_since"].as_str().map(drop));
    all_is_read(app);
}

fn all_is_read(app: &TestApp) {
    wait_for("what was told is read", || (channel(app)["unread"] == 0).then_some(()));
}

/// Waits until everything is heard that Plex has told so far. What is told last cannot be read, and is counted.
fn heard(app: &TestApp) {
    let unreadable = || channel(app)["unreadable"].as_u64().unwrap();
    let before = unreadable();
    app.world.plex.tell("so far");
    wait_for("all is heard", || (unreadable() > before).then_some(()));
}

/// Lets the time pass until what was told is read, and then that until woken scenes are looked for.
fn read(app: &TestApp) {
    heard(app);
    app.advance(QUIET);
    all_is_read(app);
    app.advance(Duration::from_secs(1));
    app.settle_all();
}

fn waiting(app: &TestApp, scene: NewScene) -> i64 {
    let scene = app.world.stash.add_scene(scene);
    app.report(scene);
    app.advance(Duration::from_secs(3));
    app.wait_for_state(scene, JobState::Waiting);
    scene
}

fn state(app: &TestApp, scene: i64) -> JobState {
    app.job(scene).unwrap().state
}

fn with(options: PlexOptions, scenes: usize) -> Setup {
    Setup::around(World::start_with(scenes, StashOptions::default(), options).unwrap()).manual_clock()
}

#[rstest]
#[case::of_today(PlexOptions::default())]
#[case::of_old(PlexOptions { notifies_with_numbers: true, ..PlexOptions::default() })]
#[case::that_tells_all(PlexOptions { ignores_notification_filters: true, ..PlexOptions::default() })]
#[case::that_never_says_it_is_done(
    PlexOptions { tells_when_personal_items_are_settled: false, ..PlexOptions::default() }
)]
fn a_scene_that_waits_is_written_seconds_after_its_file_came(#[case] options: PlexOptions) {
    let app = with(options, 0).start();
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.wait_until_calm();
    app.world.plex.clear_requests();
    let key = app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    heard(&app);
    app.advance(QUIET.saturating_sub(Duration::from_millis(1)));
    app.wait_until_calm();
    assert_eq!(app.world.plex.requests().len(), 0, "it is let be while more may be told");
    app.advance(Duration::from_millis(1));
    wait_for("it is woken", || (state(&app, scene) != JobState::Waiting).then_some(()));
    app.advance(Duration::from_secs(1));
    app.settle_all();
    assert_eq!(
        (state(&app, scene), app.world.plex.item(&key).unwrap().title),
        (JobState::Done, "Mine".to_owned())
    );
    let asked = |op| app.world.plex.count(op);
    let first = app.world.plex.requests()[0].path_and_query.clone();
    assert!(first.starts_with(&format!("/library/metadata/{key}?skipRefresh=1&")), "{first}");
    let looks = [PlexOp::Identity, PlexOp::Sections, PlexOp::Listing, PlexOp::Scan].map(asked);
    assert_eq!((looks, asked(PlexOp::Item)), ([0; 4], 3), "read once when told, and twice when written");
}

#[test]
fn several_that_came_together_are_read_together() {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    app.world.plex.clear_requests();
    for number in 0..40 {
        app.world.plex.add_item("1", NewItem::file(&format!("/media/many/{number}.mp4"), 1000 + number));
    }
    read(&app);
    assert_eq!(app.world.plex.requests().len(), 1);
    assert_eq!(app.get("/api/v1/status").1["indexed_files"], 40);
}

#[test]
fn a_file_that_moved_is_where_it_is_and_not_where_it_was() {
    let setup = Setup::new(0).manual_clock();
    let key = setup.world().plex.add_item("1", NewItem::file("/media/old/Harbour.mp4", 99));
    let app = setup.start();
    listening(&app);
    let there = waiting(&app, scene("There", "/data/a/One.mp4"));
    assert!(app.world.plex.move_file(&key, "/media/a/One.mp4"));
    read(&app);
    assert_eq!(
        (state(&app, there), app.world.plex.item(&key).unwrap().title),
        (JobState::Done, "There".to_owned())
    );
    assert_eq!(app.get("/api/v1/status").1["indexed_files"], 1);
    let here = waiting(&app, NewScene::titled("Here", "/data/old/Harbour.mp4"));
    assert_eq!(app.job(here).unwrap().code.as_deref(), Some("no_candidate"));
}

#[rstest]
#[case::of_today(PlexOptions::default())]
#[case::of_old(PlexOptions { notifies_with_numbers: true, ..PlexOptions::default() })]
fn an_item_that_went_is_forgotten(#[case] options: PlexOptions) {
    let setup = with(options, 0);
    let add =
        |folder| setup.world().plex.add_item("1", NewItem::file(&format!("/media/{folder}/One.mp4"), 4711));
    let keys = ["x", "y"].map(add);
    let app = setup.start();
    listening(&app);
    let torn = app.world.stash.add_scene(scene("Mine", "/data/a/One.mp4"));
    app.report(torn);
    app.advance(Duration::from_secs(3));
    app.wait_for_state(torn, JobState::Parked);
    assert!(app.world.plex.remove_item(&keys[0]));
    read(&app);
    assert_eq!(
        (state(&app, torn), app.world.plex.item(&keys[1]).unwrap().title),
        (JobState::Done, "Mine".to_owned())
    );
}

#[rstest]
#[case::in_place_of_the_first("1")]
#[case::in_another_library("2")]
fn an_item_that_comes_later_with_the_same_file_is_written_without_an_event(#[case] library: &str) {
    let setup = Setup::new(1).manual_clock();
    setup.world().plex.add_library("2", "Also films", &["/media"]);
    let app = setup.start();
    listening(&app);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.advance(Duration::from_secs(3));
    app.settle_all();
    assert!(app.world.is_synced(&pair));
    let path = app.world.plex.item(&pair.rating_key).unwrap().files[0].clone();
    if library == "1" {
        assert!(app.world.plex.remove_item(&pair.rating_key));
    }
    let new = app.world.plex.add_item(library, NewItem::file(&path, 1_000_000));
    read(&app);
    assert_eq!(app.world.plex.item(&new).unwrap().title, "Film 1");
    app.world.stash.clear_requests();
    app.advance(Duration::from_mins(10));
    app.settle_all();
    assert_eq!(app.world.stash.requests().len(), 0, "and nobody looks again");
}

#[test]
fn another_who_tells_of_the_same_number_changes_nothing() {
    let app = TestApp::on_manual_clock(1);
    listening(&app);
    app.world.plex.clear_requests();
    let key = app.pair(0).rating_key;
    app.world.plex.tell(&format!(
        r#"{{"NotificationContainer":{{"TimelineEntry":[{{"identifier":"tv.plex.providers.epg.onconnect:4","sectionID":1,"itemID":{key},"type":1,"state":9}}]}}}}"#
    ));
    read(&app);
    assert_eq!((app.world.plex.requests().len(), channel(&app)["heard"].as_u64()), (0, Some(0)));
}

#[test]
fn a_library_that_is_not_followed_is_not_even_asked_about() {
    let setup = Setup::new(0).settings("plex.libraries = [\"Films\"]").manual_clock();
    setup.world().plex.add_library("2", "Other", &["/other"]);
    let app = setup.start();
    listening(&app);
    app.world.plex.clear_requests();
    let key = app.world.plex.add_item("2", NewItem::file("/media/a/One.mp4", 4711));
    read(&app);
    app.world.plex.remove_item(&key);
    read(&app);
    assert_eq!(app.world.plex.requests().len(), 0);
    assert_eq!(app.get("/api/v1/status").1["indexed_files"], 0);
}

#[test]
fn a_library_that_is_new_is_read_when_all_are_followed() {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.add_library("2", "New", &["/media"]);
    let key = app.world.plex.add_item("2", NewItem::file("/media/a/One.mp4", 4711));
    heard(&app);
    app.advance(QUIET);
    wait_for("the library is seen to be new", || (channel(&app)["unread"] == 1).then_some(()));
    // After the usual pause.
    read(&app);
    assert_eq!(
        (state(&app, scene), app.world.plex.item(&key).unwrap().title),
        (JobState::Done, "Mine".to_owned())
    );
}

#[test]
fn more_than_can_be_kept_becomes_one_look() {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.clear_requests();
    for number in 0..1000 {
        app.world.plex.add_item("1", NewItem::file(&format!("/media/many/{number}.mp4"), 100_000 + number));
    }
    let key = app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    heard(&app);
    app.advance(QUIET);
    // The last one, whose frames went on after the others were forgotten, is left.
    wait_for("the libraries are looked through", || (channel(&app)["unread"] == 1).then_some(()));
    app.advance(QUIET);
    app.wait_for_state(scene, JobState::Done);
    assert_eq!(app.world.plex.item(&key).unwrap().title, "Mine");
    assert_eq!(app.get("/api/v1/status").1["indexed_files"], 1001);
    let pages = app.world.plex.count(PlexOp::Listing);
    assert_eq!(pages, 6, "a thousand and one in pages of five hundred, as new ones and as changed ones");
    wait_for("it is read once when told, and twice when written", || {
        (app.world.plex.count(PlexOp::Item) == 3).then_some(())
    });
}
