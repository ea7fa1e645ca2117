//! What do the keys of `[rate_limit]` and `[circuit_breaker]` do?

use std::time::Duration;

use jiff::Timestamp;
use plexsync::clock::Clock as _;
use plexsync::sim::{Fault, PlexOp};
use rstest::rstest;

use super::come_one_by_one;
use crate::support::{Setup, TestApp, wait_for};

/// The shipped `queue.debounce`, and a little.
const DEBOUNCED: Duration = Duration::from_millis(3001);

#[rstest]
#[case::at_the_rate("rate_limit.writes_per_second = 10\nrate_limit.burst = 1", 1, Duration::from_millis(100))]
#[case::some_at_once("rate_limit.writes_per_second = 1\nrate_limit.burst = 5", 5, Duration::from_secs(1))]
fn edits_go_out_at_the_rate_that_the_user_wants(
    #[case] settings: &str,
    #[case] at_once: usize,
    #[case] apart: Duration,
) {
    let app = Setup::new(8).settings(settings).settings("queue.debounce = 0").manual_clock().start();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    come_one_by_one(&app, at_once..=8, apart, || app.world.plex.count(PlexOp::Edit));
    app.wait_until_synced();
}

/// Edits in a second as the status tells them.
fn rate(app: &TestApp) -> f64 {
    app.get("/api/v1/status").1["service"]["writes_per_second"].as_f64().unwrap()
}

#[rstest]
#[case(true)]
#[case(false)]
fn edits_become_rarer_when_plex_fails_if_the_user_wants_it(#[case] adaptive: bool) {
    let settings = format!("rate_limit.writes_per_second = 100\nrate_limit.adaptive = {adaptive}");
    let app = TestApp::start_with(1, &settings);
    app.world.plex.faults().inject(PlexOp::Edit, Fault::status(500), 2);
    app.report(app.pair(0).scene);
    app.wait_until_synced();
    assert_eq!(rate(&app) < 99.0, adaptive, "{}", rate(&app));
}

#[rstest]
#[case("5m", true)]
#[case("0", false)]
fn after_an_outage_the_rate_climbs_as_long_as_the_user_wants(#[case] ramp_up: &str, #[case] climbs: bool) {
    let settings = format!(
        "rate_limit.writes_per_second = 100\nrate_limit.adaptive = false\nrate_limit.ramp_up = {ramp_up:?}"
    );
    let app = TestApp::start_with(7, &settings);
    app.report(app.pair(6).scene);
    wait_for("all is well at first", || app.world.is_synced(&app.pair(6)).then_some(()));
    app.world.plex.go_down().unwrap();
    for pair in &app.world.pairs[..6] {
        app.report(pair.scene);
    }
    wait_for("the outage is on record", || app.outage("plex_read", false));
    app.world.plex.come_back().unwrap();
    wait_for("and its end", || app.outage("plex_read", true));
    assert_eq!(rate(&app) < 60.0, climbs, "{}", rate(&app));
    app.wait_until_synced();
}

fn is_closed(app: &TestApp) -> bool {
    let (_, status) = app.get("/api/v1/status");
    let circuits = status["service"]["circuits"].as_array().unwrap();
    circuits.iter().any(|circuit| circuit["circuit"] == "stash" && circuit["state"] == "closed")
}

/// How many requests reach a Stash that answers none of them, with that many scenes due.
fn asked_before_it_is_left_alone(scenes: usize, settings: &str) -> (TestApp, usize) {
    let app =
        Setup::new(scenes).manual_clock().settings(&format!("queue.concurrency = 1\n{settings}")).start();
    wait_for("it was found to work at the start", || is_closed(&app).then_some(()));
    app.wait_until_calm();
    app.world.stash.faults().inject(None, Fault::status(502), None);
    app.world.stash.clear_requests();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    app.advance(DEBOUNCED);
    wait_for("it is known to be away", || app.outage("stash", false));
    app.wait_until_calm();
    let asked = app.world.stash.requests().len();
    (app, asked)
}

#[rstest]
#[case(2)]
#[case(5)]
#[case(9)]
fn a_peer_counts_as_away_after_as_many_failures_as_the_user_wants(#[case] failures: usize) {
    let (app, asked) = asked_before_it_is_left_alone(12, &format!("circuit_breaker.failures = {failures}"));
    assert_eq!(asked, failures);
    app.world.stash.faults().clear();
}

/// When Stash, which is away, is asked again.
fn next_look(app: &TestApp) -> Option<Timestamp> {
    let (_, status) = app.get("/api/v1/status");
    let circuits = status["service"]["circuits"].as_array().unwrap();
    let stash = circuits.iter().find(|circuit| circuit["circuit"] == "stash").unwrap();
    stash["next_look"].as_str().map(|time| time.parse().unwrap())
}

/// The seconds from look to look at a peer that is away. Time stands still until each of them is over.
fn looks(settings: &str, count: usize) -> Vec<u64> {
    const SHORTLY: Duration = Duration::from_secs(1);
    let (app, _) = asked_before_it_is_left_alone(6, settings);
    let mut waits = Vec::new();
    for _ in 0..count {
        let now = app.clock().now();
        let due = wait_for("the next look is known", || next_look(&app).filter(|due| *due > now));
        let wait = Duration::try_from(due.duration_since(now)).unwrap();
        app.world.stash.clear_requests();
        app.advance(wait.checked_sub(SHORTLY).unwrap());
        app.wait_until_calm();
        assert_eq!(app.world.stash.requests().len(), 0, "it is left alone until then");
        app.advance(SHORTLY);
        wait_for("it is asked", || (app.world.stash.requests().len() == 1).then_some(()));
        waits.push((wait + Duration::from_millis(500)).as_secs());
    }
    app.world.stash.faults().clear();
    waits
}

#[test]
fn a_peer_that_is_away_is_left_alone_as_long_as_the_user_wants() {
    // Each time half as long again, up to the longest.
    assert_eq!(looks("circuit_breaker.open_for = \"10s\"", 3), [10, 15, 23]);
    let longest = "circuit_breaker.open_for = \"10s\"\ncircuit_breaker.max_open_for = \"12s\"";
    assert_eq!(looks(longest, 4), [10, 12, 12, 12]);
}
