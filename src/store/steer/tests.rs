//! Tests of retrying, dropping and pausing.

use super::super::dead_letters::{Letters, letter, letters};
use super::super::queue::take_back;
use super::super::settle::Settled;
use super::super::tests::{Database, report, scene, updated};
use super::*;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::job::JobState;

fn dead(db: &mut Database, id: i64, code: &'static str) -> i64 {
    let claimed = db.in_hand(id);
    db.settle(&report(&claimed, Err(Failure::new(FailureClass::Rejected, Peer::Plex, code, "no"))));
    dead_letters::open_letter(&mut db.reader(), scene(id)).unwrap().unwrap().id
}

fn retry_now(db: &mut Database, id: i64) -> Option<Retried> {
    db.writer.write(|tx| retry(tx, scene(id), db.now)).unwrap()
}

fn drop_now(db: &mut Database, id: i64) -> Option<Droppable> {
    db.writer.write(|tx| drop_job(tx, scene(id), db.now)).unwrap()
}

#[test]
fn a_retried_dead_job_is_claimed_at_once_and_its_letter_says_how_it_ended() {
    let mut db = Database::new();
    let id = dead(&mut db, 7, "bad_request");
    assert_eq!(retry_now(&mut db, 7), Some(Retried::Ready { was: JobState::Dead }));
    let closed = letter(&mut db.reader(), id).unwrap().unwrap().closed;
    assert_eq!(closed, Some((db.now, Closed::Retried)));
    assert_eq!(db.claim(1, 0).len(), 1);
}

#[test]
fn a_letter_is_answered_once() {
    let mut db = Database::new();
    let (first, second) = (dead(&mut db, 7, "a"), dead(&mut db, 8, "b"));
    let retried = db.writer.write(|tx| retry_letter(tx, first, db.now)).unwrap();
    assert_eq!(retried, Answered::Done(scene(7), Some(Retried::Ready { was: JobState::Dead })));
    let discarded = db.writer.write(|tx| discard_letter(tx, second, db.now)).unwrap();
    assert_eq!(discarded, Answered::Done(scene(8), Some(Droppable::Yes)));
    for id in [first, second] {
        let again = db.writer.write(|tx| retry_letter(tx, id, db.now)).unwrap();
        assert!(matches!(again, Answered::Closed(_)), "{again:?}");
    }
    assert_eq!(db.writer.write(|tx| retry_letter(tx, 99, db.now)).unwrap(), Answered::Unknown);
    assert_eq!(job(&mut db.reader(), scene(8)).unwrap(), None);
}

#[test]
fn letters_are_found_page_by_page_by_code_and_with_the_closed_ones() {
    let mut db = Database::new();
    let ids: Vec<_> = (1..=4).map(|id| dead(&mut db, id, if id % 2 == 0 { "even" } else { "odd" })).collect();
    retry_now(&mut db, 4);
    let listed = |which, after| {
        let found = letters(&mut db.reader(), which, after, 2).unwrap();
        found.into_iter().map(|letter| letter.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(Letters::Open, None), ids[..2]);
    assert_eq!(listed(Letters::Open, Some(ids[1])), ids[2..3]);
    assert_eq!(listed(Letters::OpenWithCode("even"), None), ids[1..2]);
    assert_eq!(listed(Letters::All, Some(ids[1])), ids[2..]);
}

#[test]
fn what_is_unknown_or_done_is_left_as_it_is() {
    let mut db = Database::new();
    assert_eq!((retry_now(&mut db, 1), drop_now(&mut db, 1)), (None, None));
    let claimed = db.in_hand(1);
    db.settle(&report(&claimed, Ok(())));
    assert_eq!(retry_now(&mut db, 1), Some(Retried::AlreadyDone));
    assert_eq!(drop_now(&mut db, 1), Some(Droppable::AlreadyDone));
    assert_eq!(db.job(1).state, JobState::Done);
}

#[test]
fn a_run_that_was_asked_for_again_is_recorded_and_not_the_last() {
    let mut db = Database::new();
    let claimed = db.in_hand(1);
    assert_eq!(retry_now(&mut db, 1), Some(Retried::OnceMore));
    let Settled::Recorded(recorded) = db.settle(&report(&claimed, Ok(()))) else { panic!("fenced") };
    assert_eq!(
        (recorded.state, recorded.next.as_str()),
        (JobState::Ready, "runs again: asked for meanwhile, or what it looks for may have come")
    );
    assert_eq!(db.claim(1, 0).len(), 1);
}

#[test]
fn a_job_in_hand_is_dropped_only_after_its_run() {
    let mut db = Database::new();
    let claimed = db.in_hand(1);
    assert_eq!(drop_now(&mut db, 1), Some(Droppable::InHand));
    db.writer.write(|tx| take_back(tx, db.now)).unwrap();
    assert_eq!(drop_now(&mut db, 1), Some(Droppable::Yes));
    assert_eq!(db.settle(&report(&claimed, Ok(()))), Settled::Fenced);
    assert_eq!(job(&mut db.reader(), scene(1)).unwrap(), None);
}

#[test]
fn while_paused_nothing_is_claimed_and_what_is_in_hand_ends_as_usual() {
    let mut db = Database::new();
    let claimed = db.in_hand(1);
    db.accept(&[updated(2)]);
    let began = db.now;
    let pause = |db: &mut Database, reason: Option<&str>| {
        db.writer.write(|tx| super::pause(tx, reason.map(str::to_owned), db.now)).unwrap()
    };
    pause(&mut db, Some("moving house"));
    db.pass(60);
    let still = pause(&mut db, None);
    assert_eq!((still.since, still.reason.as_deref()), (began, Some("moving house")));
    let (now, mut rng) = (db.now, db.rng.clone());
    let claims = db.writer.write(|tx| super::super::queue::claim_due(tx, 10, 1, now, &mut rng)).unwrap();
    assert_eq!((claims.jobs.len(), claims.next_due), (0, None), "and nobody is to look again at once");
    assert!(matches!(db.settle(&report(&claimed, Ok(()))), Settled::Recorded(_)));
    assert_eq!(db.writer.write(resume).unwrap(), Some(still));
    assert_eq!(db.writer.write(resume).unwrap(), None);
    assert_eq!(db.claim(10, 0).len(), 1);
}

#[test]
fn whatever_stands_open_is_due_at_once_when_a_person_asks_for_the_scene() {
    let mut db = Database::new();
    let by_hand = CorrelationId::by_hand(&mut db.rng);
    let ask_now = |db: &mut Database, id| db.writer.write(|tx| ask(tx, scene(id), &by_hand, db.now)).unwrap();
    let letter_id = dead(&mut db, 7, "no");
    db.accept(&[super::super::tests::event("Scene.Create.Post", 8)]);
    let running = db.in_hand(9);
    assert_eq!(ask_now(&mut db, 6), None);
    assert_eq!(ask_now(&mut db, 7), Some(JobState::Dead));
    let closed = letter(&mut db.reader(), letter_id).unwrap().unwrap().closed;
    assert_eq!(closed, Some((db.now, Closed::Superseded)));
    assert_eq!(ask_now(&mut db, 8), Some(JobState::Ready), "a new scene does not keep its longer quiet time");
    assert_eq!(ask_now(&mut db, 9), Some(JobState::Running));
    db.settle(&report(&running, Ok(())));
    let mut claimed: Vec<_> = db.claim(9, 0).into_iter().map(|claimed| claimed.scene()).collect();
    claimed.sort_unstable();
    assert_eq!(claimed, [6, 7, 8, 9].map(scene));
    let job = job(&mut db.reader(), scene(6)).unwrap().unwrap();
    assert!(job.correlation_id.as_str().starts_with("by-hand-"));
    let counts = super::super::counts::counts(&mut db.reader()).unwrap();
    assert_eq!(counts.conservation_error(), super::super::counts::ConservationError::default());
}
