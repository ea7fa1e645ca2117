//! After any sequence of operations the sums agree and every row is one that can be read.

use proptest::prelude::*;

use super::super::counts::{ConservationError, counts};
use super::super::dead_letters::{Letters, letters, open_letter};
use super::super::jobs::jobs;
use super::super::queue::{ClaimedJob, rebase, release, take_back};
use super::super::settle::Settled;
use super::super::steer::{ask, discard_letter, drop_job, pause, paused, resume, retry, retry_letter};
use super::{Database, correlation, event, report, scene};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::job::JobState;

#[derive(Debug, Clone)]
enum Step {
    Events(Vec<(usize, i64)>),
    Claim(usize),
    Settle(usize, Option<FailureClass>),
    SettleTwice(usize),
    Crash,
    Release,
    Drop(i64),
    Retry(i64),
    Ask(i64),
    RetryLetter(usize),
    DiscardLetter(usize),
    Pause,
    Resume,
    Pass(u64),
    ClockBack(u64),
}

const KINDS: [&str; 4] = ["Scene.Create.Post", "Scene.Update.Post", "Scene.Destroy.Post", "Tag.Update.Post"];

fn step() -> impl Strategy<Value = Step> {
    let class = prop::option::of(prop::sample::select(FailureClass::ALL.to_vec()));
    prop_oneof![
        4 => prop::collection::vec((0..KINDS.len(), 1..6_i64), 1..6).prop_map(Step::Events),
        4 => (1..4_usize).prop_map(Step::Claim),
        5 => (any::<usize>(), class).prop_map(|(which, class)| Step::Settle(which, class)),
        1 => any::<usize>().prop_map(Step::SettleTwice),
        1 => Just(Step::Crash),
        1 => Just(Step::Release),
        1 => (1..6_i64).prop_map(Step::Drop),
        2 => (1..6_i64).prop_map(Step::Retry),
        2 => (1..6_i64).prop_map(Step::Ask),
        1 => any::<usize>().prop_map(Step::RetryLetter),
        1 => any::<usize>().prop_map(Step::DiscardLetter),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        3 => (0..100_000_u64).prop_map(Step::Pass),
        1 => (0..5_000_u64).prop_map(Step::ClockBack),
    ]
}

#[derive(Default)]
struct Service {
    in_hand: Vec<ClaimedJob>,
}

impl Service {
    fn take(&mut self, db: &mut Database, step: Step) {
        match step {
            Step::Events(events) => {
                let events: Vec<_> = events.iter().map(|(kind, id)| event(KINDS[*kind], *id)).collect();
                assert_eq!(db.accept(&events).len(), events.len());
            }
            Step::Claim(most) => {
                let claimed = db.claim(most, self.in_hand.len());
                assert!(claimed.is_empty() || paused(&mut db.reader()).unwrap().is_none());
                self.in_hand.extend(claimed);
            }
            Step::Settle(which, class) => {
                if let Some(claimed) = self.pick(which) {
                    db.settle(&report(&claimed, outcome(class)));
                }
            }
            Step::SettleTwice(which) => {
                if let Some(claimed) = self.pick(which) {
                    db.settle(&report(&claimed, Ok(())));
                    assert_eq!(db.settle(&report(&claimed, Ok(()))), Settled::Fenced);
                }
            }
            Step::Crash => {
                self.in_hand.clear();
                db.writer.write(|tx| take_back(tx, db.now)).unwrap();
            }
            Step::Release => {
                let tokens: Vec<_> = self.in_hand.drain(..).map(|claimed| claimed.token()).collect();
                db.writer.write(|tx| release(tx, &tokens, db.now)).unwrap();
            }
            Step::Drop(id) => {
                db.writer.write(|tx| drop_job(tx, scene(id), db.now)).unwrap();
            }
            Step::Retry(id) => {
                db.writer.write(|tx| retry(tx, scene(id), db.now)).unwrap();
            }
            Step::Ask(id) => {
                db.writer.write(|tx| ask(tx, scene(id), &correlation(), db.now)).unwrap();
            }
            Step::RetryLetter(which) => {
                if let Some(id) = pick_letter(db, which) {
                    db.writer.write(|tx| retry_letter(tx, id, db.now)).unwrap();
                }
            }
            Step::DiscardLetter(which) => {
                if let Some(id) = pick_letter(db, which) {
                    db.writer.write(|tx| discard_letter(tx, id, db.now)).unwrap();
                }
            }
            Step::Pause => drop(db.writer.write(|tx| pause(tx, None, db.now)).unwrap()),
            Step::Resume => drop(db.writer.write(resume).unwrap()),
            Step::Pass(secs) => db.pass(secs),
            Step::ClockBack(secs) => {
                db.now -= std::time::Duration::from_secs(secs);
                db.writer.write(|tx| rebase(tx, jiff::SignedDuration::ZERO, db.now)).unwrap();
            }
        }
    }

    fn pick(&mut self, which: usize) -> Option<ClaimedJob> {
        let count = self.in_hand.len();
        (count > 0).then(|| self.in_hand.swap_remove(which % count))
    }
}

/// Any letter, open or closed.
fn pick_letter(db: &Database, which: usize) -> Option<i64> {
    let all = letters(&mut db.reader(), Letters::All, None, 100).unwrap();
    (!all.is_empty()).then(|| all[which % all.len()].id)
}

fn outcome(class: Option<FailureClass>) -> Result<(), Failure> {
    class.map_or(Ok(()), |class| Err(Failure::new(class, Peer::Plex, "code", "detail")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_every_event_and_every_job_is_accounted_for(steps in prop::collection::vec(step(), 1..40)) {
        let mut db = Database::new();
        let mut service = Service::default();
        for step in steps {
            service.take(&mut db, step);
            let counts = counts(&mut db.reader()).unwrap();
            prop_assert_eq!(counts.conservation_error(), ConservationError::default());
        }
        let all = jobs(&mut db.reader(), None, None, 100).unwrap();
        for job in all.iter().filter(|job| job.state == JobState::Dead) {
            let letter = open_letter(&mut db.reader(), job.scene).unwrap();
            prop_assert!(letter.is_some(), "scene {} is dead without a letter", job.scene);
        }
        let dead = all.iter().filter(|job| job.state == JobState::Dead).count();
        let open = letters(&mut db.reader(), Letters::Open, None, 100).unwrap();
        prop_assert_eq!(open.len(), dead, "an open letter without a dead job");
    }
}
