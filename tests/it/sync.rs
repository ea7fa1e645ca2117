//! Does a change reach Plex, once, whole and nowhere else?

use std::time::Duration;

use plexsync::domain::job::JobState;
use plexsync::sim::{Fault, NewFile, NewItem, NewScene, PlexOp};

use crate::support::{Setup, TestApp, wait_for};

#[test]
fn an_event_brings_title_studio_summary_and_date_to_plex_and_locks_them() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.wait_until_synced();
    let item = app.world.plex.item(&pair.rating_key).unwrap();
    assert_eq!(item.title, "Film 1");
    assert_eq!(item.summary, "What happens in Film 1.\n\nAnd how it ends.", "paragraphs stay apart");
    assert_eq!(item.originally_available_at.as_deref(), Some("2024-05-31"));
    for field in ["title", "studio", "summary", "originallyAvailableAt"] {
        assert!(item.locked.contains(field), "{field} in {:?}", item.locked);
    }
}

#[test]
fn a_first_sync_takes_a_read_a_write_and_a_read_back_and_a_second_one_only_a_read() {
    // On a clock that stands still nothing else is read meanwhile.
    let app = Setup::new(3).settings("queue.debounce = 0").manual_clock().start();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.wait_until_synced();
    app.wait_until_calm();
    assert_eq!(app.world.plex.count(PlexOp::Item), 6);
    assert_eq!(app.world.plex.count(PlexOp::Edit), 3);
    app.world.plex.clear_requests();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("three jobs are done again", || (app.counts().tallies.done >= 6).then_some(()));
    assert_eq!(app.world.plex.count(PlexOp::Edit), 0, "nothing has changed, so nothing is written");
    assert_eq!(app.world.plex.requests().len(), 3);
}

#[test]
fn edit_sync_edit_sync_brings_both_edits() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    for title in ["First", "Second", "Third"] {
        app.world.stash.update_scene(pair.scene, |scene| title.clone_into(&mut scene.title));
        app.report(pair.scene);
        wait_for(title, || app.world.is_synced(&pair).then_some(()));
    }
}

#[test]
fn an_edit_while_the_scene_is_in_hand_leads_to_a_second_run() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.world.plex.faults().inject(PlexOp::Item, Fault::Latency(Duration::from_millis(300)), 1);
    app.report(pair.scene);
    wait_for("the item is being read", || (app.world.plex.count(PlexOp::Item) > 0).then_some(()));
    app.world.stash.update_scene(pair.scene, |scene| "Later".clone_into(&mut scene.title));
    app.report(pair.scene);
    wait_for("the later title", || app.world.is_synced(&pair).then_some(()));
    app.wait_for_state(pair.scene, JobState::Done);
}

#[test]
fn a_thousand_events_for_one_scene_are_two_syncs_at_most() {
    let app = TestApp::start_with(1, "queue.debounce = \"300ms\"");
    let pair = app.pair(0);
    let burst: Vec<_> =
        (0..1000).map(|_| format!(r#"{{"type":"Scene.Update.Post","id":{}}}"#, pair.scene)).collect();
    for part in burst.chunks(100) {
        assert_eq!(app.post(&format!("[{}]", part.join(","))).0, 202);
    }
    app.wait_until_synced();
    let counts = app.counts().tallies;
    assert_eq!(counts.received, 1000);
    assert!(counts.done <= 2, "{counts:?}");
}

#[test]
fn six_folders_with_the_same_file_name_are_matched_by_path() {
    let mut app = TestApp::start(0);
    for number in 1..=6 {
        app.world.add(&format!("Season {number}"), &format!("S{number}/01.mp4"));
    }
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.wait_until_synced();
}

#[test]
fn the_same_name_elsewhere_is_not_the_scene() {
    let app = TestApp::start(0);
    let scene = app.world.stash.add_scene(NewScene::titled("Mine", "/data/Studio A/Season 1/01.mp4"));
    let stranger = app.world.plex.add_item("1", NewItem::file("/media/Studio B/Other/01.mp4", 77));
    app.report(scene);
    app.wait_for_state(scene, JobState::Waiting);
    assert_eq!(app.world.plex.item(&stranger).unwrap().title, "01");
}

#[test]
fn a_scene_with_two_files_is_matched_by_either() {
    let app = TestApp::start(0);
    let files = vec![NewFile::at("/data/a.mp4"), NewFile::at("/data/b.mp4")];
    let scene = app.world.stash.add_scene(NewScene { files, ..NewScene::titled("Two", "") });
    let key = app.world.plex.add_item("1", NewItem::file("/media/b.mp4", 5));
    app.report(scene);
    wait_for("the second file is found", || (app.world.plex.item(&key)?.title == "Two").then_some(()));
}

#[test]
fn two_scenes_that_claim_one_item_are_a_conflict_and_a_claim_passes_on_when_its_holder_is_gone() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.wait_until_synced();
    let path = app.world.stash.scene(pair.scene).unwrap().files[0].file.path.clone();
    let second = app.world.stash.add_scene(NewScene::titled("Rival", &path));
    app.report(second);
    let parked = app.wait_for_state(second, JobState::Parked);
    assert_eq!(parked.code.as_deref(), Some("conflict"));
    assert_eq!(app.world.plex.item(&pair.rating_key).unwrap().title, "Film 1");
    app.world.stash.destroy_scene(pair.scene);
    app.report(second);
    wait_for("the claim passes on", || {
        (app.world.plex.item(&pair.rating_key)?.title == "Rival").then_some(())
    });
}

#[test]
fn two_scenes_that_claim_an_item_at_the_same_moment_are_never_both_written() {
    let app = TestApp::start_with(1, "queue.concurrency = 2");
    let pair = app.pair(0);
    let path = app.world.stash.scene(pair.scene).unwrap().files[0].file.path.clone();
    let rival = app.world.stash.add_scene(NewScene::titled("Rival", &path));
    app.world.plex.faults().inject(PlexOp::Edit, Fault::Latency(Duration::from_millis(200)), None);
    let both =
        [pair.scene, rival].map(|scene| format!(r#"{{"type":"Scene.Update.Post","id":{scene}}}"#)).join(",");
    assert_eq!(app.post(&format!("[{both}]")).0, 202);
    let parked = wait_for("one of them is parked", || {
        [pair.scene, rival]
            .into_iter()
            .find_map(|scene| app.job(scene).filter(|job| job.state == JobState::Parked))
    });
    assert_eq!(parked.code.as_deref(), Some("conflict"));
    wait_for("the other is done", || (app.counts().tallies.done == 1).then_some(()));
    assert_eq!(app.world.plex.count(PlexOp::Edit), 1, "one scene alone was written");
}

#[test]
fn a_hand_edit_in_plex_stays_until_stash_changes_the_field() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.wait_until_synced();
    app.world.plex.set_field(&pair.rating_key, "title", "By hand");
    app.report(pair.scene);
    wait_for("the second run", || (app.counts().tallies.done >= 2).then_some(()));
    assert_eq!(app.world.plex.item(&pair.rating_key).unwrap().title, "By hand");
    app.world.stash.update_scene(pair.scene, |scene| "New".clone_into(&mut scene.title));
    app.report(pair.scene);
    wait_for("the change in Stash wins", || app.world.is_synced(&pair).then_some(()));
}

#[test]
fn what_stash_clears_is_cleared_in_plex_only_when_we_wrote_it() {
    let app = TestApp::start(2);
    let (ours, theirs) = (app.pair(0), app.pair(1));
    app.report(ours.scene);
    wait_for("ours is written", || app.world.is_synced(&ours).then_some(()));
    app.world.plex.set_field(&theirs.rating_key, "summary", "Somebody's own words");
    for pair in [&ours, &theirs] {
        app.world.stash.update_scene(pair.scene, |scene| scene.details.clear());
        app.report(pair.scene);
    }
    wait_for("ours is cleared", || app.world.plex.item(&ours.rating_key)?.summary.is_empty().then_some(()));
    wait_for("theirs is synced", || {
        (app.world.plex.item(&theirs.rating_key)?.title == "Film 2").then_some(())
    });
    assert_eq!(app.world.plex.item(&theirs.rating_key).unwrap().summary, "Somebody's own words");
}

#[test]
fn the_status_says_what_happened_and_what_happens_next() {
    let app = TestApp::start(1);
    let missing = app.world.stash.add_scene(NewScene::titled("Nowhere", "/data/nowhere.mp4"));
    app.report(app.pair(0).scene);
    app.report(missing);
    app.wait_for_state(missing, JobState::Waiting);
    wait_for("the other is done", || (app.counts().tallies.done == 1).then_some(()));
    let (_, status) = app.get("/api/v1/status");
    assert_eq!(status["counts"]["received"], 2);
    assert_eq!(status["counts"]["unfinished"]["waiting"], 1);
    assert_eq!(status["counts"]["conservation_error"], 0);
    assert_eq!(status["service"]["actors"].as_array().unwrap().len(), 8);
    assert!(status["next_due"].is_string());
    let (_, job) = app.get(&format!("/api/v1/jobs/{missing}"));
    assert_eq!((job["state"].as_str(), job["code"].as_str()), (Some("waiting"), Some("no_candidate")));
    assert!(job["detail"].as_str().unwrap().contains("/media/nowhere.mp4"), "{job}");
    assert_eq!(job["history"][0]["outcome"], "not_in_plex");
    assert_eq!(app.get("/api/v1/jobs/999").0, 404);
    assert_eq!(app.get("/api/v1/jobs?state=nonsense").0, 422);
}
