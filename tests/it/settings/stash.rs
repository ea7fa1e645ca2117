//! What do the keys of `[stash]` do?

use std::time::{Duration, Instant};

use plexsync::domain::failure::FailureClass;
use plexsync::domain::job::JobState;
use plexsync::sim::world::World;
use plexsync::sim::{Fault, PlexOptions, SimStash, StashOp, StashOptions};
use rstest::rstest;

use super::{come_one_by_one, failed_with};
use crate::support::listeners::Closed;
use crate::support::{Setup, TestApp, wait_for};

#[test]
fn scenes_are_read_from_the_stash_that_is_named() {
    let (setup, other) = (Setup::new(1), SimStash::start(StashOptions::default()).unwrap());
    let own = setup.world().stash.url();
    let app = setup.settings(&format!("stash.url = {own:?}")).start();
    app.report(app.pair(0).scene);
    app.wait_until_synced();
    assert_eq!(other.requests().len(), 0);
    let app = TestApp::start_with(1, &format!("stash.url = {:?}", other.url()));
    app.report(app.pair(0).scene);
    // The other one does not have the scene.
    app.wait_for_state(app.pair(0).scene, JobState::Done);
    assert_eq!((other.count(StashOp::FindScene), app.world.stash.requests().len()), (1, 0));
}

#[rstest]
#[case::right("sesame", None)]
#[case::wrong("simsalabim", Some(FailureClass::Unauthorized))]
#[case::none("", Some(FailureClass::Unauthorized))]
fn the_key_is_shown_to_stash(#[case] key: &str, #[case] class: Option<FailureClass>) {
    let stash = StashOptions { api_key: Some("sesame".to_owned()), ..StashOptions::default() };
    let world = World::start_with(1, stash, PlexOptions::default()).unwrap();
    let app = Setup::around(world).settings(&format!("stash.api_key = {key:?}")).start();
    app.report(app.pair(0).scene);
    match class {
        None => app.wait_until_synced(),
        Some(class) => wait_for("it is refused", || {
            (app.outage("stash", false)?["cause"] == class.as_str()).then_some(())
        }),
    }
    let sent = |request: &plexsync::sim::Recorded<StashOp>| request.headers.get("apikey").cloned();
    let expected = Some(key.to_owned()).filter(|key| !key.is_empty());
    assert!(app.world.stash.requests().iter().all(|request| sent(request) == expected));
}

#[test]
fn a_connection_is_waited_for_as_long_as_the_user_wants() {
    let closed = Closed::start();
    let settings = format!("stash.url = {:?}\nstash.connect_timeout = \"100ms\"", closed.url);
    let app = TestApp::start_with(1, &settings);
    let began = Instant::now();
    app.report(app.pair(0).scene);
    let said = wait_for("it is known to be away", || app.outage("stash", false));
    assert_eq!(said["code"], "connect_timeout", "{said}");
    // The default is five seconds.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_silence_is_waited_for_as_long_as_the_user_wants() {
    let app = TestApp::start_with(1, "stash.read_timeout = \"300ms\"");
    app.world.stash.faults().inject(StashOp::FindScene, Fault::Latency(Duration::from_millis(30)), None);
    app.world.stash.faults().inject(StashOp::FindScene, Fault::Hang, 1);
    // The default is thirty seconds, which is longer than the test waits.
    assert_eq!(failed_with(&app, "timeout"), "unavailable");
    app.wait_until_synced();
}

#[test]
fn questions_go_out_at_the_rate_that_the_user_wants() {
    // Without covers, which are questions too.
    let settings = "stash.max_requests_per_second = 10\nqueue.debounce = 0\nqueue.concurrency = 9\n\
        sync.fields = [\"title\"]";
    let app = Setup::new(9).settings(settings).manual_clock().start();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    come_one_by_one(&app, 1..=9, Duration::from_millis(100), || app.world.stash.count(StashOp::FindScene));
    wait_for("all are done", || (app.counts().tallies.done == 9).then_some(()));
}
