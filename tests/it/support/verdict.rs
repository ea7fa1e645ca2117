//! Did anything happen behind the back of a test? What it asked for, against what there was.

use std::collections::{BTreeMap, BTreeSet};

use plexsync::actors;
use plexsync::store::Readers;
use plexsync::store::counts::counts;
use plexsync::store::dead_letters::letter;
use plexsync::supervision::Board;
use plexsync::supervision::supervisor::ActorName;

/// What a test has asked for.
#[derive(Default)]
pub(super) struct Expected {
    buried: BTreeSet<i64>,
    restarts: BTreeMap<ActorName, u64>,
}

impl Expected {
    pub(super) fn bury(&mut self, scene: i64) {
        self.buried.insert(scene);
    }

    pub(super) fn restart(&mut self, name: ActorName) {
        *self.restarts.entry(name).or_default() += 1;
    }

    /// Fails when a service that has ended leaves something behind that nobody asked for.
    pub(super) fn compare(&self, readers: &Readers, board: &Board) {
        let counts = readers.with(counts).unwrap();
        let error = counts.conservation_error();
        assert_eq!(
            (error.events, error.jobs),
            (0, 0),
            "every event and every job is accounted for: {counts:?}"
        );
        assert_eq!(counts.running, 0, "nothing is in hand after the end: {counts:?}");
        let letters = (1..).map_while(|id| readers.with(|reader| letter(reader, id)).unwrap());
        for letter in letters {
            assert!(self.buried.contains(&letter.scene.get()), "nobody asked for this death: {letter:?}");
        }
        for name in actors::ALL {
            let asked = self.restarts.get(&name).copied().unwrap_or_default();
            let happened = board.restarts(name);
            assert!(happened <= asked, "{name} was restarted {happened} times: {:?}", board.actors());
        }
    }
}

mod tests {
    use plexsync::actors::DEAD_LETTER;
    use plexsync::sim::{Fault, PlexOp};
    use plexsync::supervision;

    use super::super::setup::Order;
    use super::super::{TestApp, wait_for};

    #[test]
    #[should_panic(expected = "nobody asked for this death")]
    fn a_death_that_the_test_did_not_ask_for_fails_it() {
        let app = TestApp::start(1);
        app.world.plex.faults().inject(PlexOp::Edit, Fault::status(409), 1);
        app.report(app.pair(0).scene);
        wait_for("the scene is dead", || (app.counts().dead == 1).then_some(()));
    }

    #[test]
    #[should_panic(expected = "dead_letter was restarted 1 times")]
    fn a_restart_that_the_test_did_not_ask_for_fails_it() {
        let app = TestApp::start(0);
        app.orders.send(Order::Strike(DEAD_LETTER, supervision::Fault::Panic)).unwrap();
        wait_for("the actor is back", || {
            (app.board.restarts(DEAD_LETTER) == 1 && app.board.all_up()).then_some(())
        });
    }
}
