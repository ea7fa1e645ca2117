//! Tests of accepting, claiming and taking back.

use super::super::dead_letters::{self, Closed};
use super::super::tests::{DEBOUNCE, Database, event, report, scene, updated};
use super::*;
use crate::domain::failure::{Failure, FailureClass, Peer};

#[test]
fn a_batch_is_answered_in_its_order_and_each_event_has_its_generation() {
    let mut db = Database::new();
    let answers =
        db.accept(&[updated(2), event("Tag.Update.Post", 2), updated(1), event("Scene.Destroy.Post", 2)]);
    let outcomes: Vec<_> = answers.iter().map(|answer| answer.outcome).collect();
    assert!(
        matches!(
            outcomes[..],
            [EventOutcome::Opened, EventOutcome::Ignored(_), EventOutcome::Opened, EventOutcome::Coalesced]
        ),
        "{outcomes:?}"
    );
    let generations: Vec<_> = answers.iter().map(|answer| answer.generation.0).collect();
    assert_eq!(generations, [1, 2, 3, 4]);
    assert_eq!(answers[0].due_at, Some(db.now + DEBOUNCE.quiet));
    assert_eq!(answers[1].due_at, None);
    assert_eq!(db.job(2).generation, Generation(4));
    assert_eq!(db.accept(&[updated(9)])[0].generation, Generation(5));
}

#[test]
fn a_job_is_read_back_as_it_was_saved() {
    let mut db = Database::new();
    let claimed = db.in_hand(7);
    assert_eq!(&db.job(7), claimed.job());
    let failure = Failure::new(FailureClass::NotInPlex, Peer::Plex, "no_candidate", "nothing fits");
    db.settle(&report(&claimed, Err(failure)));
    let job = db.job(7);
    assert_eq!((job.state, job.class), (JobState::Waiting, Some(FailureClass::NotInPlex)));
    assert_eq!(job.failing_since, Some(db.now));
    assert_eq!(job.due_at, Some(db.now + job.wait));
}

#[test]
fn an_event_for_a_dead_job_closes_its_letter_as_superseded() {
    let mut db = Database::new();
    let claimed = db.in_hand(7);
    db.settle(&report(&claimed, Err(Failure::new(FailureClass::Rejected, Peer::Plex, "bad_request", "no"))));
    let letter = dead_letters::open_letter(&mut db.reader(), scene(7)).unwrap().unwrap();
    assert_eq!((letter.code.as_str(), letter.closed), ("bad_request", None));
    assert_eq!(db.accept(&[updated(7)])[0].outcome, EventOutcome::Coalesced);
    assert_eq!(dead_letters::open_letter(&mut db.reader(), scene(7)).unwrap(), None);
    let closed = dead_letters::letter(&mut db.reader(), letter.id).unwrap().unwrap();
    assert_eq!(closed.closed, Some((db.now, Closed::Superseded)));
    assert_eq!(db.job(7).state, JobState::Ready);
}

#[test]
fn the_queue_is_idle_when_nothing_is_due_and_nothing_in_hand() {
    let mut db = Database::new();
    let idle = |db: &Database| is_idle(&mut db.reader(), db.now).unwrap();
    assert!(idle(&db));
    db.accept(&[updated(7)]);
    assert!(idle(&db), "a job for later is not due");
    db.pass(60);
    assert!(!idle(&db), "due");
    let claimed = db.claim(1, 0).pop().unwrap();
    assert!(!idle(&db), "in hand");
    db.accept(&[updated(7)]);
    db.settle(&report(&claimed, Ok(())));
    db.pass(60);
    assert!(!idle(&db), "an event came meanwhile");
    let claimed = db.claim(1, 0).pop().unwrap();
    db.settle(&report(&claimed, Ok(())));
    assert!(idle(&db), "done");
}

#[test]
fn nothing_is_claimed_before_it_is_due_and_the_longest_due_comes_first() {
    let mut db = Database::new();
    db.accept(&[updated(5)]);
    db.pass(1);
    db.accept(&[updated(3)]);
    let (now, mut rng) = (db.now, db.rng.clone());
    let claims = db.writer.write(|tx| claim_due(tx, 10, 0, now, &mut rng)).unwrap();
    assert_eq!((claims.jobs.len(), claims.next_due), (0, Some(now + std::time::Duration::from_secs(1))));
    db.pass(10);
    let claimed = db.claim(10, 0);
    assert_eq!(claimed.iter().map(ClaimedJob::scene).collect::<Vec<_>>(), [scene(5), scene(3)]);
    assert_ne!(claimed[0].token(), claimed[1].token());
    assert!(db.claim(10, 0).is_empty());
    assert_eq!(next_due(&mut db.reader()).unwrap(), None);
}

#[test]
fn a_job_in_hand_is_not_claimed_again_for_an_event_that_came_meanwhile() {
    let mut db = Database::new();
    db.in_hand(1);
    db.accept(&[updated(1)]);
    db.pass(600);
    assert!(db.claim(10, 1).is_empty());
    assert_eq!(next_due(&mut db.reader()).unwrap(), None);
}

/// Puts the job in hand and ends the process, as often as said.
fn crash(db: &mut Database, times: usize) {
    for _ in 0..times {
        db.pass(7200);
        assert_eq!(db.claim(1, 0).len(), 1);
        assert_eq!(db.writer.write(|tx| take_back(tx, db.now)).unwrap(), 1);
    }
}

#[test]
fn crashes_are_counted_and_the_third_parks_the_job() {
    let mut db = Database::new();
    db.accept(&[updated(1)]);
    crash(&mut db, 2);
    let job = db.job(1);
    assert_eq!((job.state, job.crashes, job.attempts), (JobState::Ready, 2, 0));
    crash(&mut db, 1);
    let job = db.job(1);
    assert_eq!((job.state, job.code.as_deref()), (JobState::Parked, Some("crash_loop")));
    db.pass(7200);
    assert_eq!(db.claim(1, 0).len(), 1, "tried again alone");
}

#[test]
fn a_job_that_has_to_run_alone_waits_for_the_others_and_holds_up_what_comes_after_it() {
    let mut db = Database::new();
    db.accept(&[updated(2)]);
    crash(&mut db, 2);
    db.accept(&[updated(1), updated(3)]);
    // The crashed one has been due since its crash, the others become due later.
    db.pass(60);
    assert!(db.claim(10, 1).is_empty(), "something is in hand");
    let alone = db.claim(10, 0);
    assert_eq!(alone.iter().map(ClaimedJob::scene).collect::<Vec<_>>(), [scene(2)]);
    assert!(db.claim(10, 1).is_empty(), "it is still in hand");
    db.settle(&report(&alone[0], Ok(())));
    assert_eq!(db.claim(10, 0).len(), 2);
}

#[test]
fn others_due_before_a_job_that_runs_alone_go_first() {
    let mut db = Database::new();
    db.accept(&[updated(2)]);
    crash(&mut db, 1);
    db.accept(&[updated(1)]);
    db.pass(10);
    // The second crash makes it due after the other one.
    let claimed = db.claim(1, 0).pop().unwrap();
    assert_eq!(claimed.scene(), scene(2));
    db.writer.write(|tx| take_back(tx, db.now)).unwrap();
    db.accept(&[updated(3)]);
    db.pass(10);
    let first: Vec<_> = db.claim(10, 0).iter().map(ClaimedJob::scene).collect();
    assert_eq!(first, [scene(1)]);
}

#[test]
fn an_orderly_end_counts_nothing_and_spares_the_runs_of_others() {
    let mut db = Database::new();
    let first = db.in_hand(1);
    let second = db.in_hand(2);
    assert_eq!(db.writer.write(|tx| release(tx, &[first.token()], db.now)).unwrap(), 1);
    assert_eq!((db.job(1).state, db.job(1).crashes), (JobState::Ready, 0));
    assert_eq!(db.job(2).token, Some(second.token()));
}

#[test]
fn a_clock_that_steps_back_makes_no_wait_longer() {
    let mut db = Database::new();
    db.accept(&(1..=1100).map(updated).collect::<Vec<_>>());
    db.now -= std::time::Duration::from_hours(5);
    assert_eq!(db.writer.write(|tx| rebase(tx, jiff::SignedDuration::ZERO, db.now)).unwrap(), 1100);
    assert_eq!(db.job(1).due_at, Some(db.now + DEBOUNCE.quiet));
    assert_eq!(db.writer.write(|tx| rebase(tx, jiff::SignedDuration::ZERO, db.now)).unwrap(), 0);
}
