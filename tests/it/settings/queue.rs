//! What do the keys of `[queue]` do?

use std::time::Duration;

use plexsync::domain::job::JobState;
use plexsync::sim::{Fault, NewScene, StashOp};
use rstest::rstest;

use crate::support::{Setup, wait_for};

/// How long after an event the scene is read, in seconds; a minute at most.
fn read_after(settings: &str, event: &str) -> usize {
    let app = Setup::new(1).manual_clock().settings(settings).start();
    let scene = app.pair(0).scene;
    let (status, answer) = app.post(&format!(r#"{{"type":{event:?},"id":{scene}}}"#));
    assert_eq!(status, 202, "{answer}");
    for second in 0..60 {
        app.settle_all();
        if app.world.stash.count(StashOp::FindScene) > 0 {
            return second;
        }
        app.advance(Duration::from_secs(1));
    }
    panic!("the scene was not read within a minute");
}

#[rstest]
#[case::default("", 3)]
#[case::longer("queue.debounce = \"7s\"", 7)]
#[case::off("queue.debounce = 0", 0)]
fn a_changed_scene_is_read_when_it_has_been_quiet(#[case] settings: &str, #[case] seconds: usize) {
    assert_eq!(read_after(settings, "Scene.Update.Post"), seconds);
}

#[rstest]
#[case::default("", 45)]
#[case::shorter("queue.create_delay = \"5s\"", 5)]
#[case::off("queue.create_delay = 0", 0)]
fn a_new_scene_is_given_time(#[case] settings: &str, #[case] seconds: usize) {
    assert_eq!(read_after(settings, "Scene.Create.Post"), seconds);
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(5)]
fn so_many_scenes_are_in_hand_at_once(#[case] concurrency: i64) {
    // A clock that stands still makes none of them one that hangs.
    let settings = format!("queue.debounce = 0\nqueue.concurrency = {concurrency}");
    let app = Setup::new(8).settings(&settings).manual_clock().start();
    // The first of them stay in hand until it has been seen how many there are.
    let slow = Fault::Latency(Duration::from_secs(3));
    app.world.stash.faults().inject(StashOp::FindScene, slow, u32::try_from(concurrency).unwrap());
    let event =
        |pair: &plexsync::sim::world::Pair| format!(r#"{{"type":"Scene.Update.Post","id":{}}}"#, pair.scene);
    let events: Vec<_> = app.world.pairs.iter().map(event).collect();
    assert_eq!(app.post(&format!("[{}]", events.join(","))).0, 202);
    let mut most = 0;
    wait_for("everything is synced", || {
        most = most.max(app.counts().running);
        (app.world.synced() == 8).then_some(())
    });
    assert_eq!(most, concurrency);
}

#[test]
fn a_scene_that_plex_does_not_have_is_looked_for_as_long_as_the_user_wants() {
    let app = Setup::new(0).manual_clock().settings("queue.not_found_for = \"10m\"").start();
    let scene = app.world.stash.add_scene(NewScene::titled("Nowhere", "/data/nowhere.mp4"));
    app.report(scene);
    let mut waited = Duration::ZERO;
    let mut job = app.advance_to(scene);
    while job.state == JobState::Waiting {
        waited += job.wait;
        job = app.advance_to(scene);
    }
    assert_eq!((job.state, job.code.as_deref()), (JobState::Parked, Some("not_in_plex")));
    // The waits are 30 s, 1, 2, 5 and 15 minutes.
    assert!((Duration::from_mins(10)..Duration::from_mins(25)).contains(&waited), "{waited:?}");
}
