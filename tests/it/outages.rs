//! What happens when a peer is away, slow or in bad order for longer? Nothing is lost, nothing is hammered, all comes back.

use std::time::Duration;

use plexsync::sim::{Failing, Fault, PlexOp, StashOp};
use rstest::rstest;

use crate::support::{Setup, TestApp, wait_for};

/// The pace that users have, which the other tests do without.
const USUAL_PACE: &str = "rate_limit.writes_per_second = 5\nstash.max_requests_per_second = 10";

/// Lets time pass second by second, in steps after each of which the requests it led to have ended. Returns the edits of
/// each second.
fn edits_by_second(app: &TestApp, seconds: usize, mut done: impl FnMut() -> bool) -> Vec<usize> {
    const STEPS: u32 = 5;
    let mut edits = Vec::new();
    for _ in 0..seconds {
        let before = app.world.plex.count(PlexOp::Edit);
        for _ in 0..STEPS {
            app.advance(Duration::from_secs(1) / STEPS);
            app.wait_until_calm();
        }
        edits.push(app.world.plex.count(PlexOp::Edit) - before);
        if done() {
            break;
        }
    }
    edits
}

/// Lets time pass in larger steps.
fn pass(app: &TestApp, seconds: u64, mut done: impl FnMut() -> bool) {
    const STEP: u64 = 5;
    for _ in 0..seconds / STEP {
        app.advance(Duration::from_secs(STEP));
        app.wait_until_calm();
        if done() {
            break;
        }
    }
}

/// The jobs' attempts that were charged, from the history.
fn charged(app: &TestApp, scene: i64) -> usize {
    let (_, job) = app.get(&format!("/api/v1/jobs/{scene}"));
    let counts = |run: &&serde_json::Value| {
        run["outcome"] == "unavailable" && !run["next"].as_str().unwrap().contains("not counted")
    };
    job["history"].as_array().unwrap().iter().filter(counts).count()
}

#[test]
fn after_ten_minutes_without_plex_three_hundred_scenes_arrive_within_five_without_a_flood() {
    let app = Setup::new(301).manual_clock().settings(USUAL_PACE).start();
    app.report(app.pair(300).scene);
    app.advance(Duration::from_secs(4));
    wait_for("all is well at first", || app.world.is_synced(&app.pair(300)).then_some(()));
    app.world.plex.go_down().unwrap();
    let waiting: Vec<_> = app.world.pairs[..300].iter().map(|pair| pair.scene).collect();
    for scenes in waiting.chunks(100) {
        let event = |scene| format!(r#"{{"type":"Scene.Update.Post","id":{scene}}}"#);
        let events: Vec<_> = scenes.iter().map(event).collect();
        assert_eq!(app.post(&format!("[{}]", events.join(","))).0, 202);
    }
    pass(&app, 600, || false);
    let outage = app.outage("plex_read", false).expect("the outage is on record");
    assert!(outage["held_jobs"].as_i64().unwrap() >= 290, "{outage}");
    app.world.plex.come_back().unwrap();
    let edits = edits_by_second(&app, 300, || app.world.synced() == 301);
    assert_eq!(app.world.synced(), 301, "{} seconds, edits by second: {edits:?}", edits.len());
    assert!(edits.iter().all(|edits| *edits <= 5), "no flood: {edits:?}");
    assert_eq!(app.counts().dead, 0);
    assert!(waiting.iter().all(|scene| charged(&app, *scene) <= 1));
    let ended = app.outage("plex_read", true).expect("the end is on record");
    assert_eq!(ended["cause"], "outage", "{ended}");
}

#[rstest]
#[case::answers_500(Fault::status(500))]
#[case::resets(Fault::Reset)]
fn one_broken_item_does_not_count_as_an_outage(
    #[case] fault: Fault,
    #[values(PlexOp::Item, PlexOp::Edit)] op: PlexOp,
) {
    let app = TestApp::start(40);
    let broken = app.pair(0);
    app.world.plex.faults().inject_for(&broken.rating_key, op, fault, None);
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("the others are done", || (app.world.synced() == 39).then_some(()));
    wait_for("the broken one has failed often", || {
        app.job(broken.scene).filter(|job| job.attempts > 6).map(drop)
    });
    assert_eq!(app.outage("plex_read", false).or(app.outage("plex_write", false)), None);
    app.world.plex.faults().clear();
    app.wait_until_synced();
}

#[test]
fn writes_that_fail_for_everybody_are_an_outage_of_writing_alone_and_end_with_the_first_that_succeeds() {
    let app = TestApp::start(20);
    app.world.plex.faults().inject(PlexOp::Edit, Fault::Failing(Failing::DatabaseBusy), None);
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("writing is out of order", || app.outage("plex_write", false));
    assert_eq!(app.outage("plex_read", false), None);
    assert_eq!(app.counts().dead, 0);
    app.world.plex.faults().clear();
    app.wait_until_synced();
    wait_for("the end is on record", || app.outage("plex_write", true));
    assert_eq!(app.outage("plex_write", false), None);
}

#[test]
fn a_peer_that_asks_for_an_absurd_pause_is_left_alone_for_an_hour_and_then_served() {
    let app = Setup::new(5).manual_clock().start();
    app.world.plex.faults().inject(PlexOp::Item, Fault::retry_after(429, 10_000_000), 1);
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.advance(Duration::from_secs(4));
    let held = wait_for("it is held", || app.outage("plex_read", false));
    assert_eq!(held["cause"], "throttled", "{held}");
    app.wait_until_calm();
    app.world.plex.clear_requests();
    pass(&app, 59 * 60, || false);
    assert_eq!(app.world.plex.requests().len(), 0, "it is left alone for as long as an hour");
    wait_for("everything is synced", || {
        app.advance(Duration::from_secs(30));
        (app.world.synced() == 5).then_some(())
    });
    assert!(app.world.pairs.iter().all(|pair| app.job(pair.scene).unwrap().attempts == 0));
}

#[test]
fn a_stash_whose_answers_are_not_understood_is_held_with_the_second_scene_and_buries_nothing() {
    let app = Setup::new(5).manual_clock().start();
    let odd = Fault::Status {
        code: 200,
        content_type: "application/json".to_owned(),
        headers: Vec::new(),
        body: r#"{"data":{"findScene":{"id":7}}}"#.to_owned(),
    };
    app.world.stash.faults().inject(StashOp::FindScene, odd, None);
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.advance(Duration::from_secs(4));
    let held = wait_for("it is held", || app.outage("stash", false));
    assert_eq!((held["cause"].as_str(), held["code"].as_str()), (Some("incompatible"), Some("undecodable")));
    app.world.stash.clear_requests();
    pass(&app, 60 * 60, || false);
    let asked = app.world.stash.requests().len();
    assert!(asked <= 30, "{asked} requests in an hour");
    app.world.stash.faults().clear();
    wait_for("everything is synced", || {
        app.advance(Duration::from_mins(1));
        (app.world.synced() == 5).then_some(())
    });
    app.wait_until_synced();
    assert_eq!(app.counts().tallies.done, 5);
}

#[test]
fn a_peer_that_is_away_when_the_service_starts_is_waited_for_and_costs_nothing() {
    let setup = Setup::new(10);
    setup.world().stash.go_down().unwrap();
    setup.world().plex.go_down().unwrap();
    let app = setup.start();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("both are known to be away", || app.outage("stash", false).and(app.outage("plex_read", false)));
    app.world.stash.come_back().unwrap();
    app.world.plex.come_back().unwrap();
    app.wait_until_synced();
    for pair in &app.world.pairs {
        let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
        assert_eq!(job["history"].as_array().unwrap().len(), 1, "one run, which was good: {job}");
    }
}
