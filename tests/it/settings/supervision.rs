//! What do the keys of `[supervision]` do?

use std::time::{Duration, Instant};

use plexsync::actors::DEAD_LETTER;
use plexsync::supervision::Fault;

use crate::support::{TestApp, wait_for};

#[test]
fn restarts_are_counted_over_the_time_that_the_user_wants() {
    // The limit is one restart within this time.
    const WITHIN: Duration = Duration::from_secs(1);
    let app = TestApp::start_with(0, "supervision.max_restarts = 1\nsupervision.within = \"1s\"");
    for _ in 0..3 {
        app.kill(DEAD_LETTER);
        let began = Instant::now();
        wait_for("the restart is forgotten", || (began.elapsed() > WITHIN).then_some(()));
    }
    let app = TestApp::start_with(0, "supervision.max_restarts = 1\nsupervision.within = \"60s\"");
    app.kill(DEAD_LETTER);
    app.strike(DEAD_LETTER, Fault::Panic);
    let why = app.gave_up.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(why.contains("dead_letter"), "{why}");
}

/// How long it takes each time until an actor is back that was killed so many times.
fn pauses(settings: &str, times: usize) -> Vec<Duration> {
    let app = TestApp::start_with(0, settings);
    let kill = |_| {
        let began = Instant::now();
        app.kill(DEAD_LETTER);
        began.elapsed()
    };
    (0..times).map(kill).collect()
}

#[test]
fn a_restart_comes_after_the_pause_that_the_user_wants_and_the_next_ones_later() {
    let took = pauses("supervision.first_pause = \"200ms\"\nsupervision.max_pause = \"10s\"", 3);
    let least = [200, 400, 800].map(Duration::from_millis);
    assert!(took.iter().zip(least).all(|(took, least)| *took >= least), "{took:?}");
}

#[test]
fn no_pause_is_longer_than_the_user_wants() {
    let took = pauses("supervision.first_pause = \"300ms\"\nsupervision.max_pause = \"300ms\"", 5);
    let least = Duration::from_millis(300);
    assert!(took.iter().all(|took| *took >= least), "{took:?}");
    // Without the limit the fifth would come after 4.8 s.
    assert!(took[4] < 10 * least, "{took:?}");
}

#[test]
fn an_actor_that_hangs_is_replaced_after_the_time_that_the_user_wants() {
    let app = TestApp::start_with(0, "supervision.heartbeat = \"2s\"");
    let began = Instant::now();
    app.strike(DEAD_LETTER, Fault::Hang);
    wait_for("it is replaced", || (app.board.restarts(DEAD_LETTER) == 1 && app.board.all_up()).then_some(()));
    // The default is thirty seconds, and the other tests have twenty.
    let took = began.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(15)).contains(&took), "{took:?}");
}
