//! What do the keys of `[retry]` do?

use std::time::Duration;

use plexsync::domain::job::JobState;
use plexsync::sim::{Fault, StashOp};
use rstest::rstest;

use crate::support::{Setup, TestApp};

/// A service whose Stash cannot read the first scene.
fn start(settings: &str) -> TestApp {
    let app = Setup::new(1).manual_clock().settings(settings).start();
    let scene = app.pair(0).scene;
    app.world.stash.faults().inject_for(&scene.to_string(), StashOp::FindScene, Fault::status(500), None);
    app.report(scene);
    app
}

/// The waits in whole seconds after the first failures.
fn waits(settings: &str, count: usize) -> Vec<u64> {
    let app = start(settings);
    (0..count).map(|_| app.advance_to(app.pair(0).scene).wait.as_secs()).collect()
}

#[test]
fn the_first_wait_is_what_the_user_wants_and_the_next_ones_double() {
    // Half of a wait is left to chance, and a second for what is cut off.
    let fits = |waits: Vec<u64>, first: u64| {
        let windows = (0..).map(|times| first << times);
        let fits = waits.iter().zip(windows).all(|(wait, window)| (window / 2..=window).contains(wait));
        assert!(fits, "{waits:?}");
    };
    fits(waits("retry.adaptive = false", 4), 2);
    fits(waits("retry.adaptive = false\nretry.first_delay = \"30s\"", 4), 30);
}

#[test]
fn no_wait_is_longer_than_the_user_wants() {
    let longest = waits("retry.max_delay = \"20s\"\nretry.first_delay = \"16s\"", 6);
    assert!(longest.iter().all(|wait| (8..=20).contains(wait)), "{longest:?}");
    assert!(waits("retry.first_delay = \"16s\"", 6).iter().any(|wait| *wait > 20));
}

/// How many attempts a scene has and how long they take until it is dead.
fn until_dead(settings: &str) -> (u32, Duration) {
    let app = start(settings);
    let scene = app.pair(0).scene;
    app.expect_death(scene);
    let mut waited = Duration::ZERO;
    loop {
        let job = app.advance_to(scene);
        if job.state == JobState::Dead {
            assert_eq!(job.code.as_deref(), Some("attempts_exhausted"));
            return (job.attempts, waited);
        }
        waited += job.wait;
    }
}

#[test]
fn a_scene_is_dead_when_time_and_attempts_are_used_up() {
    let (attempts, waited) = until_dead("retry.give_up_after = \"1s\"\nretry.min_attempts = 7");
    assert_eq!(attempts, 7, "after {waited:?}");
    let (attempts, waited) = until_dead("retry.give_up_after = \"30m\"\nretry.min_attempts = 1");
    assert!((Duration::from_mins(30)..Duration::from_mins(45)).contains(&waited), "{waited:?}");
    assert!(attempts > 7, "{attempts}");
}

#[rstest]
#[case(true)]
#[case(false)]
fn waits_grow_when_many_scenes_fail_alike(#[case] adaptive: bool) {
    let settings = format!(
        "retry.first_delay = \"10s\"\nretry.adaptive = {adaptive}\ncircuit_breaker.failures = 100\nqueue.debounce = 0"
    );
    let app = Setup::new(40).manual_clock().settings(&settings).start();
    let fault = app.world.stash.faults().inject(StashOp::FindScene, Fault::status(500), None);
    let mut waits = Vec::new();
    for pair in &app.world.pairs {
        app.report(pair.scene);
        app.settle_all();
        waits.push(app.job(pair.scene).unwrap().wait);
    }
    app.world.stash.faults().remove(fault);
    let first_delay = Duration::from_secs(10);
    assert!(waits[0] <= first_delay, "{waits:?}");
    // Up to four times as long, of which half is left to chance.
    assert_eq!(waits[39] > first_delay, adaptive, "{waits:?}");
}
