//! Is time kept rightly, whatever the clocks do? Waits of hours and steps of the clock, on a clock moved by hand.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use plexsync::actors;
use plexsync::clock::Clock as _;
use plexsync::domain::job::JobState;
use plexsync::sim::clock::SimClock;
use plexsync::sim::world::World;
use plexsync::sim::{Fault, NewItem, NewScene, PlexOp, PlexOptions, StashOp, StashOptions};
use rstest::rstest;

use crate::support::{Setup, TestApp, wait_for};

/// The shipped `queue.debounce`, and a little.
const DEBOUNCED: Duration = Duration::from_millis(3001);

#[test]
fn a_scene_is_read_after_its_debounce_and_not_before() {
    let app = TestApp::on_manual_clock(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.advance(Duration::from_secs(2));
    app.settle_all();
    assert_eq!(app.world.stash.count(StashOp::FindScene), 0);
    app.report(pair.scene);
    app.advance(Duration::from_secs(2));
    app.settle_all();
    assert_eq!(app.world.stash.count(StashOp::FindScene), 0, "the second event began the quiet time anew");
    app.advance(DEBOUNCED);
    app.settle_all();
    assert_eq!(app.world.stash.count(StashOp::FindScene), 1);
    assert!(app.world.is_synced(&pair));
}

#[test]
fn a_scene_that_plex_does_not_have_is_looked_for_less_and_less_often_and_parked_after_two_weeks() {
    let app = TestApp::on_manual_clock(0);
    let scene = app.world.stash.add_scene(NewScene::titled("Nowhere", "/data/nowhere.mp4"));
    app.report(scene);
    let mut job = app.advance_to(scene);
    let mut waits = Vec::new();
    while job.state == JobState::Waiting {
        waits.push(job.wait.as_secs());
        job = app.advance_to(scene);
    }
    assert_eq!(waits[..9], [30, 60, 120, 300, 900, 3600, 3 * 3600, 6 * 3600, 24 * 3600]);
    assert_eq!((job.state, job.code.as_deref()), (JobState::Parked, Some("not_in_plex")), "{job:?}");
    let fortnight = Duration::from_hours(14 * 24).as_secs();
    let waited: u64 = waits.iter().sum();
    assert!((fortnight..fortnight + 24 * 3600).contains(&waited), "{waited} s");
    // An event opens it again.
    let key = app.world.plex.add_item("1", NewItem::file("/media/nowhere.mp4", 9));
    app.report(scene);
    assert_eq!(app.advance_to(scene).state, JobState::Done);
    assert_eq!(app.world.plex.item(&key).unwrap().title, "Nowhere");
}

#[rstest]
#[case::back_an_hour(SignedDuration::from_hours(-1))]
#[case::back_ten_years(SignedDuration::from_hours(-87_600))]
#[case::on_an_hour(SignedDuration::from_hours(1))]
#[case::on_ten_years(SignedDuration::from_hours(87_600))]
fn a_step_of_the_wall_clock_makes_no_wait_longer_and_loses_nothing(#[case] step: SignedDuration) {
    let app = TestApp::on_manual_clock(2);
    let (failing, debouncing) = (app.pair(0), app.pair(1));
    app.world.stash.faults().inject_for(
        &failing.scene.to_string(),
        StashOp::FindScene,
        Fault::status(500),
        1,
    );
    app.report(failing.scene);
    let failed = app.advance_to(failing.scene);
    assert_eq!((failed.state, failed.attempts), (JobState::Ready, 1));
    app.report(debouncing.scene);
    app.clock().step_wall(step);
    // The step is seen at the next look, and from then on the waits are what they were.
    app.advance(Duration::from_secs(1));
    wait_for("the due times are brought in line", || {
        let latest = app.clock().now() + Duration::from_secs(4);
        [&failing, &debouncing]
            .iter()
            .all(|pair| app.job(pair.scene).is_some_and(|job| job.due_at.is_none_or(|due| due <= latest)))
            .then_some(())
    });
    app.advance(Duration::from_secs(4));
    app.settle_all();
    assert_eq!(app.world.synced(), 2);
    // And life goes on in the new time.
    app.world.stash.update_scene(failing.scene, |scene| "Afterwards".clone_into(&mut scene.title));
    app.report(failing.scene);
    app.advance(DEBOUNCED);
    app.settle_all();
    assert_eq!(app.world.synced(), 2);
}

#[rstest]
#[case::back_ten_years(SignedDuration::from_hours(-87_600))]
#[case::on_ten_years(SignedDuration::from_hours(87_600))]
fn a_step_of_the_wall_clock_ages_no_failure(#[case] step: SignedDuration) {
    let settings = "retry.give_up_after = \"1h\"\nretry.min_attempts = 2\nqueue.not_found_for = \"1h\"";
    let app = Setup::new(1).manual_clock().settings(settings).start();
    let failing = app.pair(0).scene;
    let missing = app.world.stash.add_scene(NewScene::titled("Nowhere", "/data/nowhere.mp4"));
    let fault = Fault::status(500);
    app.world.stash.faults().inject_for(&failing.to_string(), StashOp::FindScene, fault, None);
    app.report(failing);
    app.report(missing);
    for _ in 0..3 {
        app.advance_to(failing);
    }
    app.clock().step_wall(step);
    app.advance(Duration::from_secs(1));
    let since = || [failing, missing].map(|scene| app.job(scene).unwrap().failing_since.unwrap());
    wait_for("both began to fail lately", || {
        let lately = app.clock().now() - Duration::from_mins(1)..=app.clock().now();
        since().iter().all(|since| lately.contains(since)).then_some(())
    });
    // After a step forward both are due at once.
    app.settle_all();
    for _ in 0..2 {
        assert_eq!(app.advance_to(failing).state, JobState::Ready);
        assert_eq!(app.advance_to(missing).state, JobState::Waiting);
    }
    // And it ages from there: an hour later it is over with both.
    app.expect_death(failing);
    app.advance(Duration::from_hours(1));
    app.settle_all();
    assert_eq!(app.job(failing).unwrap().state, JobState::Dead);
    assert_eq!(app.job(missing).unwrap().state, JobState::Parked);
}

#[test]
fn a_clock_that_was_set_back_while_nobody_looked_makes_no_wait_longer() {
    let app = TestApp::on_manual_clock(1);
    app.report(app.pair(0).scene);
    app.clock().step_wall(SignedDuration::from_hours(-1));
    // The next one knows no other time.
    app.kill(actors::SCHEDULER);
    wait_for("the due time is brought in line", || {
        let due = app.job(app.pair(0).scene)?.due_at?;
        (due <= app.clock().now() + DEBOUNCED).then_some(())
    });
    app.advance(DEBOUNCED);
    app.settle_all();
    assert_eq!(app.world.synced(), 1);
}

#[rstest]
#[case::ten_minutes_behind(-600)]
#[case::ten_minutes_ahead(600)]
fn a_stash_whose_clock_is_off_loses_no_update_and_makes_no_loop(#[case] seconds: i64) {
    let theirs = Timestamp::from_second(Setup::START + seconds).unwrap();
    let stash = StashOptions { clock: SimClock::starting_at(theirs), ..StashOptions::default() };
    let app =
        Setup::around(World::start_with(1, stash, PlexOptions::default()).unwrap()).manual_clock().start();
    let pair = app.pair(0);
    let edit = |title: &str| {
        app.world.stash.update_scene(pair.scene, |scene| title.clone_into(&mut scene.title));
        app.report(pair.scene);
    };
    for title in ["First", "Second"] {
        edit(title);
        app.advance(DEBOUNCED);
        app.settle_all();
        assert!(app.world.is_synced(&pair), "{title}");
    }
    // An edit between the reading of the scene and the end of its run.
    app.world.plex.clear_requests();
    app.world.plex.faults().inject(PlexOp::Item, Fault::Latency(Duration::from_millis(300)), 1);
    edit("Third");
    app.advance(DEBOUNCED);
    wait_for("the item is being read", || (app.world.plex.count(PlexOp::Item) > 0).then_some(()));
    edit("Fourth");
    app.settle_all();
    app.advance(DEBOUNCED);
    app.settle_all();
    assert!(app.world.is_synced(&pair), "the later edit is not taken for synced");
    app.world.stash.clear_requests();
    for _ in 0..60 {
        app.advance(Duration::from_mins(1));
        app.settle_all();
    }
    assert_eq!(app.world.stash.requests().len(), 0, "nothing is read again without an event");
}

#[test]
fn whichever_actor_is_killed_between_two_moves_of_the_clock_the_work_is_done() {
    let app = TestApp::on_manual_clock(actors::ALL.len());
    for (pair, name) in app.world.pairs.iter().zip(actors::ALL) {
        app.report(pair.scene);
        app.kill(name);
        app.advance(DEBOUNCED);
        app.settle_all();
        assert!(app.world.is_synced(pair), "{name}");
    }
}

#[test]
fn the_same_seed_makes_the_same_waits() {
    let waits = |seed| {
        let app = Setup::new(1).manual_clock().seed(seed).start();
        let scene = app.pair(0).scene;
        app.world.stash.faults().inject(StashOp::FindScene, Fault::status(500), 4);
        app.report(scene);
        let waits: Vec<_> = (0..4).map(|_| app.advance_to(scene).wait).collect();
        app.advance_to(scene);
        assert!(app.world.is_synced(&app.pair(0)));
        waits
    };
    let first = waits(1);
    assert!(first.is_sorted(), "{first:?}");
    assert_eq!(first, waits(1));
    assert_ne!(first, waits(2));
}
