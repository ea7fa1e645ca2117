//! Is the work completed whatever actor fails, and is that visible?

use std::time::Duration;

use plexsync::actors::{self, DEAD_LETTER, PLEX_SYNC};
use plexsync::domain::job::JobState;
use plexsync::sim::{self, PlexOp};
use plexsync::supervision::Fault;
use plexsync::supervision::supervisor::ActorName;
use rstest::rstest;

use crate::support::{TestApp, wait_for};

fn survives(name: ActorName, fault: Fault, cause: &str) {
    // An actor that hangs is found out by its heart alone; for the others the limit plays no part.
    let heartbeat = if fault == Fault::Hang { "3s" } else { "20s" };
    let app = TestApp::start_with(6, &format!("supervision.heartbeat = \"{heartbeat}\""));
    for (place, pair) in app.world.pairs.iter().enumerate() {
        if place == 3 {
            app.strike(name, fault);
        }
        app.report_until_taken(pair.scene);
    }
    wait_for("the restart is seen", || (app.board.restarts(name) > 0 && app.board.all_up()).then_some(()));
    app.wait_until_synced();
    let (_, status) = app.get("/api/v1/status");
    let actors = status["service"]["actors"].as_array().unwrap();
    let actor = actors.iter().find(|actor| actor["name"] == name.as_str()).unwrap();
    assert_eq!((actor["restarts"].as_u64(), actor["last_cause"].as_str()), (Some(1), Some(cause)), "{actor}");
}

#[rstest]
#[case::panic(Fault::Panic, "panic")]
#[case::hang(Fault::Hang, "hang")]
#[case::stop(Fault::Stop, "stop")]
fn the_work_is_completed_and_the_restart_is_counted(#[case] fault: Fault, #[case] cause: &str) {
    for name in actors::ALL {
        survives(name, fault, cause);
    }
}

#[test]
fn an_actor_that_hangs_in_the_middle_of_a_write_takes_no_turn_with_it() {
    let app = TestApp::start_with(2, "supervision.heartbeat = \"3s\"");
    app.world.plex.faults().inject(PlexOp::Edit, sim::Fault::LateAnswer(Duration::from_millis(500)), 1);
    app.report(app.pair(0).scene);
    wait_for("the write is on its way", || (app.world.plex.count(PlexOp::Edit) > 0).then_some(()));
    app.strike(PLEX_SYNC, Fault::Hang);
    app.report(app.pair(1).scene);
    app.wait_until_synced();
    assert_eq!(app.world.plex.count(PlexOp::Edit), 2, "the first write had arrived, and is not sent again");
}

#[test]
fn one_failing_actor_leaves_its_neighbours_alone() {
    let app = TestApp::start(1);
    app.strike(DEAD_LETTER, Fault::Panic);
    wait_for("it is restarted", || {
        (app.board.restarts(DEAD_LETTER) == 1 && app.board.all_up()).then_some(())
    });
    for name in actors::ALL.into_iter().filter(|name| *name != DEAD_LETTER) {
        assert_eq!(app.board.restarts(name), 0, "{name}");
    }
    app.report(app.pair(0).scene);
    app.wait_for_state(app.pair(0).scene, JobState::Done);
}

#[test]
fn more_restarts_than_allowed_end_the_service_with_a_reason() {
    let app = TestApp::start_with(0, "supervision.max_restarts = 2");
    for round in 1..=2 {
        app.strike(DEAD_LETTER, Fault::Panic);
        wait_for("it is restarted", || {
            (app.board.restarts(DEAD_LETTER) == round && app.board.all_up()).then_some(())
        });
    }
    app.strike(DEAD_LETTER, Fault::Panic);
    let why = app.gave_up.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(why.contains("dead_letter") && why.contains("panic"), "{why}");
}

#[test]
fn an_end_while_a_claim_is_on_its_way_leaves_nothing_in_hand() {
    // Stash has none of them, so that runs are short and claims are many.
    let events: Vec<_> = (1..=200).map(|id| format!(r#"{{"type":"Scene.Update.Post","id":{id}}}"#)).collect();
    for _ in 0..20 {
        let app = TestApp::start_with(0, "queue.concurrency = 1");
        assert_eq!(app.post(&format!("[{}]", events.join(","))).0, 202);
        wait_for("the work is going on", || (app.counts().tallies.done > 0).then_some(()));
        // Dropping it stops the service, and fails when a job is still in hand afterwards.
        drop(app);
    }
}
