//! What if the channel breaks, is refused, is misused, or is not there at all?

use std::time::Duration;

use jiff::Timestamp;
use plexsync::clock::Clock as _;
use plexsync::domain::job::JobState;
use plexsync::sim::{Fault, NewItem, PlexOp, PlexOptions};
use rstest::rstest;

use super::{channel, heard, listening, read, scene, state, waiting, with};
use crate::support::listeners::TlsProxy;
use crate::support::{Setup, TestApp, wait_for};

/// Longer than any pause after a failure that passes by itself.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

fn problem(app: &TestApp) -> String {
    wait_for("there is no channel", || channel(app)["problem"].as_str().map(str::to_owned))
}

fn channels(app: &TestApp) -> usize {
    app.world.plex.count(PlexOp::Notifications)
}

/// Waits until there is a channel, and until what was missed is read.
fn reconnected(app: &TestApp) {
    wait_for("Plex is listened to", || channel(app)["connected_since"].as_str().map(drop));
    // It is asked no more often than this.
    app.advance(Duration::from_secs(5));
    listening(app);
    app.advance(Duration::from_secs(1));
    app.settle_all();
}

#[test]
fn what_happened_while_the_channel_was_broken_is_looked_for() {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.drop_listeners();
    problem(&app);
    let key = app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    app.world.plex.clear_requests();
    app.advance(Duration::from_secs(1));
    reconnected(&app);
    assert_eq!(
        (state(&app, scene), app.world.plex.item(&key).unwrap().title),
        (JobState::Done, "Mine".to_owned())
    );
    assert_eq!(channels(&app), 1);
    assert_eq!(app.world.plex.count(PlexOp::Listing), 2, "what is new, and what has changed");
}

#[test]
fn a_server_that_restarts_is_listened_to_again() {
    let app = TestApp::on_manual_clock(1);
    listening(&app);
    app.world.plex.go_down().unwrap();
    problem(&app);
    app.advance(pause(&app));
    wait_for("it was tried again", || problem(&app).contains("refused the connection").then_some(()));
    let circuits = app.get("/api/v1/status").1["service"]["circuits"].clone();
    assert!(circuits.as_array().unwrap().iter().all(|circuit| circuit["state"] == "closed"), "{circuits}");
    app.world.plex.come_back().unwrap();
    app.advance(LONGEST_PAUSE);
    reconnected(&app);
    app.report(app.pair(0).scene);
    app.advance(Duration::from_secs(3));
    app.wait_until_synced();
}

#[test]
fn a_server_that_gives_no_sign_of_life_is_left_and_found_again() {
    let app = Setup::new(0).settings("plex.read_timeout = \"1s\"").manual_clock().start();
    listening(&app);
    app.world.plex.fall_silent(true);
    assert!(problem(&app).contains("no sign of life"), "{}", problem(&app));
    app.world.plex.fall_silent(false);
    app.advance(LONGEST_PAUSE);
    reconnected(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    read(&app);
    assert_eq!(state(&app, scene), JobState::Done);
}

#[test]
fn noise_is_passed_over() {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    let frames = [
        "",
        "null",
        "{\"NotificationContainer\":[]}",
        "<html>",
        "{\"NotificationContainer\":{\"type\":\"x\"}}",
    ];
    for frame in frames {
        app.world.plex.tell(frame);
    }
    app.world.plex.tell(&"[".repeat(900_000));
    // A frame of bytes.
    app.world.plex.tell_raw(&[0x82, 3, 1, 2, 3]);
    app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    read(&app);
    assert_eq!((state(&app, scene), channels(&app)), (JobState::Done, 1), "over the same channel");
}

#[rstest]
#[case::a_giant(&[0x81, 127, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff])]
#[case::no_frame(b"\xff\xff HTTP/1.1 502 Bad Gateway\r\n\r\n")]
fn what_is_no_frame_costs_the_channel_and_no_more(#[case] bytes: &[u8]) {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.tell_raw(bytes);
    app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    assert!(problem(&app).contains("sent no notification"), "{}", problem(&app));
    app.advance(Duration::from_secs(1));
    reconnected(&app);
    assert_eq!((state(&app, scene), channels(&app)), (JobState::Done, 2));
}

/// How long it is until the channel is tried again.
fn pause(app: &TestApp) -> Duration {
    wait_for("it is said when it is tried again", || {
        let next: Timestamp = channel(app)["next_look"].as_str()?.parse().unwrap();
        Duration::try_from(next.duration_since(app.clock().now())).ok().filter(|pause| !pause.is_zero())
    })
}

/// Lets so many attempts be made and returns the pauses before each, in milliseconds.
fn pauses(app: &TestApp, attempts: usize) -> Vec<u128> {
    let attempt = |_| {
        let (before, wait) = (channels(app), pause(app));
        app.advance(wait.saturating_sub(Duration::from_millis(1)));
        app.wait_until_calm();
        assert_eq!(channels(app), before, "not before its time");
        app.advance(Duration::from_millis(1));
        wait_for("it is tried again", || (channels(app) > before).then_some(()));
        wait.as_millis()
    };
    (0..attempts).map(attempt).collect()
}

#[test]
fn a_server_that_takes_and_drops_us_is_not_hammered() {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    let refused = app.world.plex.faults().inject(PlexOp::Notifications, Fault::Reset, None);
    app.world.plex.drop_listeners();
    let longest = [1, 2, 4, 8, 16, 32, 60, 60];
    for (pause, longest) in pauses(&app, longest.len()).into_iter().zip(longest) {
        assert!((longest * 500..=longest * 1000).contains(&pause), "{pause} ms and not up to {longest} s");
    }
    let last = pause(&app);
    app.world.plex.faults().remove(refused);
    app.advance(last);
    reconnected(&app);
}

#[test]
fn a_refused_token_is_not_tried_again_and_again_and_holds_nothing() {
    let app = TestApp::on_manual_clock(1);
    listening(&app);
    // As a proxy does that knows nothing of WebSockets.
    app.world.plex.faults().inject(PlexOp::Notifications, Fault::status(401), None);
    app.world.plex.drop_listeners();
    let pauses = pauses(&app, 8);
    let shortest = [0, 30, 60, 120, 240, 480, 900, 900].map(|seconds| seconds * 1000);
    assert!(pauses.iter().zip(shortest).all(|(pause, shortest)| *pause >= shortest), "{pauses:?}");
    assert!(problem(&app).contains("refuses the token"), "{}", problem(&app));
    let circuits = app.get("/api/v1/status").1["service"]["circuits"].clone();
    assert!(circuits.as_array().unwrap().iter().all(|circuit| circuit["state"] == "closed"), "{circuits}");
    app.report(app.pair(0).scene);
    app.advance(Duration::from_secs(3));
    app.wait_until_synced();
}

#[test]
fn while_plex_is_held_it_is_left_alone_and_heard_as_soon_as_it_works() {
    let app = TestApp::on_manual_clock(1);
    listening(&app);
    app.world.plex.change_token("another");
    app.report(app.pair(0).scene);
    app.advance(Duration::from_secs(3));
    wait_for("the token is refused", || app.outage("plex_read", false));
    app.world.plex.drop_listeners();
    problem(&app);
    let before = channels(&app);
    for _ in 0..20 {
        app.advance(Duration::from_secs(1));
    }
    app.wait_until_calm();
    assert_eq!(channels(&app), before, "whoever refuses the token is asked by the probes alone");
    let token = app.world.plex.token().to_owned();
    app.world.plex.change_token(&token);
    app.advance(Duration::from_mins(15));
    wait_for("Plex is listened to", || channel(&app)["connected_since"].as_str().map(drop));
    app.advance(Duration::from_secs(1));
    app.wait_until_synced();
}

#[test]
fn without_a_channel_everything_works_as_well() {
    let options = PlexOptions { notifies: false, ..PlexOptions::default() };
    let app = with(options, 1).start();
    assert!(problem(&app).contains("does not know the question"), "{}", problem(&app));
    app.report(app.pair(0).scene);
    app.advance(Duration::from_secs(3));
    app.settle_all();
    app.wait_until_synced();
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    app.advance(Duration::from_secs(61));
    wait_for("the look wakes it", || (state(&app, scene) != JobState::Waiting).then_some(()));
    app.advance(Duration::from_secs(1));
    app.settle_all();
    assert_eq!(state(&app, scene), JobState::Done);
}

#[test]
fn reads_that_fail_are_made_again() {
    let app = TestApp::on_manual_clock(0);
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    let failed = app.world.plex.faults().inject(PlexOp::Item, Fault::status(500), 1);
    heard(&app);
    app.advance(Duration::from_secs(10));
    wait_for("it fails", || {
        app.get("/api/v1/status").1["service"]["peers"]["plex"]["last_failure"].as_object().map(drop)
    });
    assert_eq!(app.world.plex.faults().hits(failed), 1);
    assert_eq!(state(&app, scene), JobState::Waiting);
    read(&app);
    assert_eq!(state(&app, scene), JobState::Done);
}

#[test]
fn plex_is_heard_over_tls_as_well() {
    let setup = Setup::new(0).manual_clock();
    let proxy = TlsProxy::before(&setup.world().plex.url());
    let app = setup.settings(&format!("plex.url = {:?}\nplex.verify_tls = false", proxy.url())).start();
    listening(&app);
    let scene = waiting(&app, scene("Mine", "/data/a/One.mp4"));
    app.world.plex.add_item("1", NewItem::file("/media/a/One.mp4", 4711));
    read(&app);
    assert_eq!(state(&app, scene), JobState::Done);
}
