//! Tests of the sentences: each state says what happened, why, and what comes next and when.

use rstest::rstest;

use super::super::failure::{Failure, Peer};
use super::super::ids::RunToken;
use super::super::job::{Circumstances, Debounce, SceneEvent, accept, settle};
use super::super::retry::RetryPolicy;
use super::*;
use crate::domain::event::Trigger;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

const POLICY: RetryPolicy = RetryPolicy::USUAL;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn ready() -> Job {
    let event = SceneEvent {
        scene: 42.try_into().unwrap(),
        trigger: Trigger::Updated,
        generation: super::super::ids::Generation(1),
        correlation_id: "c-1".to_owned().try_into().unwrap(),
    };
    let debounce = Debounce { quiet: Duration::from_secs(3), created: Duration::from_secs(45) };
    accept(None, event, &debounce, at(0)).0
}

/// Runs the job ten seconds after its event, with this outcome.
fn run(class: Option<FailureClass>, code: &'static str) -> (Job, Vec<PastRun>) {
    let mut job = ready();
    job.claim(RunToken(1), at(9));
    let failure = class.map(|class| Failure::new(class, Peer::Plex, code, "Plex said something"));
    let outcome = failure.as_ref().map_or(Ok(()), Err);
    let verdict =
        settle(&job, outcome, &POLICY, Circumstances::default(), at(10), &mut SmallRng::seed_from_u64(7));
    job.finish(outcome, &verdict, at(10));
    (job, vec![PastRun { ended_at: at(10), class }])
}

fn told(job: &Job, runs: &[PastRun], letter: Option<i64>, holds: &[Hold]) -> Explanation {
    explain(&Facts { job, runs, letter, holds, now: at(70) })
}

#[test]
fn a_scene_that_was_just_reported_says_when_it_is_read() {
    let explained = explain(&Facts { job: &ready(), runs: &[], letter: None, holds: &[], now: at(1) });
    assert_eq!(
        explained.happened,
        "Stash last reported a change 1s ago (at 2027-01-15T08:00:00Z); nothing was tried since"
    );
    assert_eq!(explained.why, None);
    assert_eq!(
        explained.next,
        "it runs in 2s (at 2027-01-15T08:00:03Z), when Stash has been quiet about it long enough"
    );
}

#[test]
fn a_wait_says_how_long_it_is_and_why() {
    let (mut job, mut runs) = run(Some(FailureClass::Unavailable), "connection");
    job.wait = Duration::from_secs(95);
    job.due_at = Some(at(105));
    job.streak = 6;
    runs.push(PastRun { ended_at: at(5), class: Some(FailureClass::Throttled) });
    runs.push(PastRun { ended_at: at(4), class: Some(FailureClass::Unavailable) });
    runs.push(PastRun { ended_at: at(-9), class: None });
    let explained = told(&job, &runs, None, &[]);
    assert!(
        explained
            .happened
            .ends_with("; tried 3 times, last 1m ago (at 2027-01-15T08:00:10Z): 2 unavailable, 1 throttled"),
        "what was before the job was opened is not its story: {}",
        explained.happened
    );
    assert_eq!(explained.why.as_deref(), Some("Plex said something (unavailable, connection)"));
    assert_eq!(
        explained.next,
        "it runs again in 35s (at 2027-01-15T08:01:45Z); the wait is 1m 35s, and grows with each failure in a row, of \
         which this was number 6"
    );
}

#[rstest]
#[case(Some(FailureClass::NotInPlex), "no_candidate", "waits for its file to show up in Plex")]
#[case(Some(FailureClass::Ambiguous), "ambiguous", "several items in Plex could be it")]
#[case(Some(FailureClass::Ambiguous), "low_confidence", "its best match is too weak")]
#[case(Some(FailureClass::Ambiguous), "conflict", "another scene is that item already")]
#[case(Some(FailureClass::Forbidden), "forbidden", "give the token access")]
#[case(Some(FailureClass::Rejected), "edit_rejected", "`plexsync dead retry 3`")]
#[case(None, "", "nothing until Stash reports a change")]
fn what_comes_next_says_what_would_help(
    #[case] class: Option<FailureClass>,
    #[case] code: &'static str,
    #[case] says: &str,
) {
    let (job, runs) = run(class, code);
    let letter = (job.state == JobState::Dead).then_some(3);
    let explained = told(&job, &runs, letter, &[]);
    assert!(explained.next.contains(says), "{}", explained.next);
    let open = !matches!(job.state, JobState::Done | JobState::Dead);
    assert_eq!(explained.next.contains("`plexsync queue retry 42`"), open, "{}", explained.next);
}

#[test]
fn a_run_in_hand_says_whether_it_is_the_last() {
    let mut job = ready();
    job.claim(RunToken(1), at(60));
    assert!(told(&job, &[], None, &[]).next.ends_with("its end decides"));
    job.retry(at(61));
    assert!(told(&job, &[], None, &[]).next.contains("that was asked for"));
}

#[test]
fn a_crash_loop_is_told_with_its_crashes_and_when_it_is_tried_again() {
    let mut job = ready();
    for _ in 0..3 {
        job.claim(RunToken(1), at(9));
        job.take_back(at(10));
    }
    let explained = told(&job, &[], None, &[]);
    assert!(explained.happened.ends_with("the service ended 3 times while it was in hand"));
    assert!(explained.next.starts_with("it is tried again in 59m (at 2027-01-15T09:00:10Z), alone"));
}

#[test]
fn what_holds_everything_is_told_only_where_something_would_start() {
    let holds = [Hold("the queue is paused".to_owned())];
    assert_eq!(told(&ready(), &[], None, &holds).holds, holds);
    let (dead, runs) = run(Some(FailureClass::Rejected), "edit_rejected");
    assert_eq!(told(&dead, &runs, Some(3), &holds).holds, []);
}
