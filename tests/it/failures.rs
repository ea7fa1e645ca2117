//! What becomes of a scene when a peer misbehaves? It converges, or it is visibly put aside with the right reason.

use std::time::Duration;

use plexsync::domain::failure::FailureClass;
use plexsync::domain::job::JobState;
use plexsync::sim::world::Pair;
use plexsync::sim::{Failing, Fault, NewItem, NewScene, PlexOp, StashOp, SystemStatus};
use rstest::rstest;

use crate::support::{Setup, TestApp, wait_for};

#[rstest]
#[case::server_error(Fault::status(500))]
#[case::unavailable(Fault::status(503))]
#[case::starting_up(Fault::Failing(Failing::StartingUp))]
#[case::maintenance(Fault::Failing(Failing::Maintenance))]
#[case::database_busy(Fault::Failing(Failing::DatabaseBusy))]
#[case::reset(Fault::Reset)]
#[case::applied_but_lost(Fault::AppliedButLost)]
#[case::silently_dropped(Fault::SilentDrop)]
#[case::page(Fault::Html)]
fn a_write_that_goes_wrong_twice_is_made_in_the_end(#[case] fault: Fault) {
    let app = TestApp::start(3);
    app.world.plex.faults().inject(PlexOp::Edit, fault, 2);
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.wait_until_synced();
}

#[rstest]
#[case::server_error(Fault::status(502))]
#[case::reset(Fault::Reset)]
#[case::cut(Fault::CutBody)]
#[case::garbage(Fault::NotHttp)]
#[case::html(Fault::Html)]
#[case::throttled(Fault::retry_after(429, 1))]
fn a_read_that_goes_wrong_twice_is_made_in_the_end(#[case] fault: Fault) {
    let setup = Setup::new(3);
    // Before the service starts, which lists the libraries at once.
    setup.world().plex.faults().inject(PlexOp::Item, fault.clone(), 1);
    setup.world().plex.faults().inject(PlexOp::Listing, fault.clone(), 1);
    setup.world().stash.faults().inject(StashOp::FindScene, fault, 1);
    let app = setup.start();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.wait_until_synced();
}

#[rstest]
#[case::lost(Fault::AppliedButLost)]
#[case::page(Fault::AppliedButHtml)]
fn a_write_whose_answer_was_lost_is_read_back_and_not_sent_again(#[case] fault: Fault) {
    let app = TestApp::start(1);
    app.world.plex.faults().inject(PlexOp::Edit, fault, 1);
    app.report(app.pair(0).scene);
    app.wait_until_synced();
    assert_eq!(app.world.plex.count(PlexOp::Edit), 1, "it had arrived");
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", app.pair(0).scene));
    let writes = job["writes"].as_array().unwrap();
    assert_eq!(writes.len(), 8, "the history has each field once: {writes:?}");
    assert!(writes.iter().all(|write| write["outcome"] == "applied"), "{writes:?}");
}

#[test]
fn an_edit_that_plex_ignores_is_tried_three_times_and_parked_with_its_fields_named() {
    let app = TestApp::start(1);
    app.world.plex.faults().inject(PlexOp::Edit, Fault::SilentDrop, None);
    let scene = app.pair(0).scene;
    app.report(scene);
    let parked = app.wait_for_state(scene, JobState::Parked);
    assert_eq!((parked.code.as_deref(), parked.class), (Some("not_applied"), Some(FailureClass::NotApplied)));
    for field in ["title", "studio", "summary", "date", "performers", "genres"] {
        assert!(parked.detail.as_deref().unwrap().contains(field), "{:?}", parked.detail);
    }
    assert_eq!(app.world.plex.count(PlexOp::Edit), 3);
}

#[test]
fn edits_that_a_proxy_answers_with_its_login_page_are_an_outage_and_park_nobody() {
    let app = TestApp::start(3);
    app.world.plex.faults().inject(PlexOp::Edit, Fault::Html, None);
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    let outage = wait_for("the outage is on record", || app.outage("plex_write", false));
    assert_eq!((&outage["cause"], &outage["code"]), (&"outage".into(), &"page_answered".into()), "{outage}");
    assert_eq!(app.counts().parked, 0);
    app.world.plex.faults().clear();
    app.wait_until_synced();
}

#[test]
fn an_edit_that_plex_refuses_is_a_dead_letter_with_the_answer_and_an_event_opens_it_again() {
    let app = TestApp::start(1);
    app.world.plex.faults().inject(PlexOp::Edit, Fault::status(409), 1);
    let scene = app.pair(0).scene;
    app.report(scene);
    app.wait_for_state(scene, JobState::Dead);
    let (_, job) = app.get(&format!("/api/v1/jobs/{scene}"));
    assert_eq!(job["dead_letter"]["code"], "edit_rejected", "{job}");
    app.report(scene);
    app.wait_until_synced();
    assert_eq!(app.get(&format!("/api/v1/jobs/{scene}")).1["dead_letter"], serde_json::Value::Null);
}

#[test]
fn while_plex_is_down_everything_waits_and_costs_at_most_one_attempt() {
    let app = TestApp::start_with(10, "retry.first_delay = \"2s\"\nretry.max_delay = \"2s\"");
    app.world.plex.go_down().unwrap();
    // All at once, so that they fail together.
    let event = |pair: &Pair| format!(r#"{{"type":"Scene.Update.Post","id":{}}}"#, pair.scene);
    let events: Vec<_> = app.world.pairs.iter().map(event).collect();
    assert_eq!(app.post(&format!("[{}]", events.join(","))).0, 202);
    wait_for("the outage is on record", || app.outage("plex_read", false));
    assert_eq!(app.counts().dead, 0);
    app.world.plex.come_back().unwrap();
    app.wait_until_synced();
    let outage = wait_for("the end of the outage is on record", || app.outage("plex_read", true));
    assert_eq!(outage["cause"], "outage", "{outage}");
    assert!(outage["code"].as_str().unwrap().starts_with("connection_"), "{outage}");
    assert!(outage["held_jobs"].as_i64().unwrap() > 0, "{outage}");
    for pair in &app.world.pairs {
        let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
        let charged = job["history"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|run| {
                run["outcome"] == "unavailable" && !run["next"].as_str().unwrap().contains("not counted")
            })
            .count();
        assert!(charged <= 1, "{job}");
    }
}

#[test]
fn while_stash_is_down_everything_waits_and_nothing_dies() {
    let app = TestApp::start(5);
    app.world.stash.go_down().unwrap();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("the outage is on record", || app.outage("stash", false));
    assert_eq!(app.counts().dead, 0);
    app.world.stash.come_back().unwrap();
    app.wait_until_synced();
}

#[rstest]
#[case(SystemStatus::NeedsMigration)]
#[case(SystemStatus::Setup)]
fn a_stash_that_is_not_ready_has_lost_no_scene(#[case] status: SystemStatus) {
    let app = TestApp::start(1);
    let scene = app.pair(0).scene;
    app.report(scene);
    app.wait_until_synced();
    app.world.stash.set_status(status);
    app.report(scene);
    let job = wait_for("it was tried", || app.job(scene).filter(|job| job.attempts > 0));
    assert_eq!(job.class, Some(FailureClass::Unavailable));
    app.world.stash.set_status(SystemStatus::Ok);
    app.wait_for_state(scene, JobState::Done);
}

#[test]
fn a_scene_that_stash_does_not_have_any_more_is_done() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.wait_until_synced();
    app.world.stash.destroy_scene(pair.scene);
    let (status, _) = app.post(&format!(r#"{{"type":"Scene.Destroy.Post","id":{}}}"#, pair.scene));
    assert_eq!(status, 202);
    wait_for("it is done again", || (app.counts().tallies.done == 2).then_some(()));
    assert_eq!(app.world.plex.item(&pair.rating_key).unwrap().title, "Film 1", "the item is left as it is");
}

#[test]
fn a_refused_token_holds_everything_with_one_alert_and_work_goes_on_by_itself_when_it_is_taken_again() {
    let app = Setup::new(20).manual_clock().start();
    app.world.plex.change_token("another");
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.advance(Duration::from_secs(4));
    let held = wait_for("it is held", || app.outage("plex_read", false));
    assert_eq!(
        (held["cause"].as_str(), held["code"].as_str()),
        (Some("unauthorized"), Some("token_refused"))
    );
    app.wait_until_calm();
    app.world.plex.clear_requests();
    for _ in 0..60 {
        app.advance(Duration::from_secs(10));
        app.wait_until_calm();
    }
    let asked = app.world.plex.requests().len();
    assert!((1..=20).contains(&asked), "{asked} requests in ten minutes");
    assert!(app.world.pairs.iter().all(|pair| app.job(pair.scene).unwrap().attempts == 0));
    app.world.plex.change_token(app.world.plex.token());
    wait_for("everything is synced without an event", || {
        app.advance(Duration::from_mins(1));
        (app.world.synced() == 20).then_some(())
    });
}

#[test]
fn an_item_that_comes_later_is_found_by_a_new_look() {
    let app = TestApp::start(0);
    let scene = app.world.stash.add_scene(NewScene::titled("Late", "/data/late.mp4"));
    app.report(scene);
    app.wait_for_state(scene, JobState::Waiting);
    let key = app.world.plex.add_item("1", NewItem::file("/media/late.mp4", 9));
    let before = app.world.plex.count(PlexOp::Listing);
    // More than the two seconds for which a look is fresh enough may have to pass.
    wait_for("the item is found", || {
        app.report(scene);
        (app.world.plex.item(&key)?.title == "Late").then_some(())
    });
    assert!(app.world.plex.count(PlexOp::Listing) > before, "a miss is never remembered");
}

#[test]
fn an_item_that_was_replaced_is_matched_again_in_the_same_attempt() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.wait_until_synced();
    let path = app.world.plex.item(&pair.rating_key).unwrap().files[0].clone();
    app.world.plex.remove_item(&pair.rating_key);
    let key = app.world.plex.add_item("1", NewItem::file(&path, 1_000_000));
    app.report(pair.scene);
    wait_for("the new item is written", || (app.world.plex.item(&key)?.title == "Film 1").then_some(()));
    let job = app.wait_for_state(pair.scene, JobState::Done);
    assert_eq!(job.attempts, 0);
}

#[test]
fn one_item_that_hangs_does_not_hold_the_others_up() {
    let app = TestApp::start_with(6, "plex.read_timeout = \"3s\"");
    let stuck = app.pair(0);
    app.world.plex.faults().inject_for(&stuck.rating_key, PlexOp::Item, Fault::Hang, None);
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("the others are done", || (app.world.synced() == 5).then_some(()));
    assert!(app.job(stuck.scene).is_some_and(|job| job.state != JobState::Done));
    app.world.plex.faults().clear();
    app.wait_until_synced();
}
