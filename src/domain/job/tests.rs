//! The state machine: what events, outcomes and crashes do to a job.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rstest::rstest;

use super::*;
use crate::domain::failure::Peer;
use crate::domain::retry::RetryPolicy;

pub(super) const DEBOUNCE: Debounce =
    Debounce { quiet: Duration::from_secs(3), created: Duration::from_secs(45) };
pub(super) const POLICY: RetryPolicy = RetryPolicy::USUAL;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(super) fn event(generation: i64, trigger: Trigger) -> SceneEvent {
    let correlation_id = CorrelationId::try_from(format!("c{generation}")).unwrap();
    SceneEvent {
        scene: SceneId::try_from(42).unwrap(),
        trigger,
        generation: Generation(generation),
        correlation_id,
    }
}

pub(super) fn ready() -> Job {
    accept(None, event(1, Trigger::Updated), &DEBOUNCE, at(0)).0
}

pub(super) fn running() -> Job {
    let mut job = ready();
    job.claim(RunToken(9), at(3));
    job
}

pub(super) fn failure(class: FailureClass) -> Failure {
    Failure::new(class, Peer::Plex, "some_code", "something happened")
}

/// Runs the job once more with that outcome and returns the verdict.
pub(super) fn run(job: &mut Job, outcome: Result<(), &Failure>, now: Timestamp) -> Verdict {
    job.claim(RunToken(1), now);
    let verdict =
        settle(job, outcome, &POLICY, Circumstances::default(), now, &mut SmallRng::seed_from_u64(7));
    job.finish(outcome, &verdict, now);
    verdict
}

#[test]
fn a_first_event_opens_a_job_that_is_due_after_the_quiet_time() {
    let (job, accepted) = accept(None, event(1, Trigger::Updated), &DEBOUNCE, at(0));
    assert_eq!((accepted, job.state, job.due_at), (Accepted::Opened, JobState::Ready, Some(at(3))));
}

#[test]
fn each_event_starts_the_quiet_time_again_but_the_first_waits_no_longer_than_half_a_minute() {
    let mut job = ready();
    for second in 1..60 {
        let (next, accepted) = accept(Some(job), event(1 + second, Trigger::Updated), &DEBOUNCE, at(second));
        assert_eq!(accepted, Accepted::Coalesced);
        assert_eq!(next.due_at, Some(at((second + 3).min(30))), "second {second}");
        job = next;
    }
}

#[test]
fn a_new_scene_keeps_its_time_when_an_update_follows_and_loses_it_when_it_is_deleted() {
    let (job, _) = accept(None, event(1, Trigger::Created), &DEBOUNCE, at(0));
    let (updated, _) = accept(Some(job.clone()), event(2, Trigger::Updated), &DEBOUNCE, at(5));
    assert_eq!(updated.due_at, Some(at(45)));
    let (destroyed, _) = accept(Some(job), event(2, Trigger::Destroyed), &DEBOUNCE, at(5));
    assert_eq!((destroyed.due_at, destroyed.created), (Some(at(8)), false));
}

#[test]
fn an_event_during_a_run_leads_to_a_second_run() {
    let (mut job, _) = accept(Some(running()), event(2, Trigger::Updated), &DEBOUNCE, at(4));
    assert_eq!(job.state, JobState::Running);
    let verdict =
        settle(&job, Ok(()), &POLICY, Circumstances::default(), at(5), &mut SmallRng::seed_from_u64(1));
    job.finish(Ok(()), &verdict, at(5));
    assert_eq!((job.state, job.due_at, job.synced), (JobState::Ready, Some(at(7)), Generation(1)));
}

#[rstest]
#[case(JobState::Waiting, Accepted::Coalesced)]
#[case(JobState::Parked, Accepted::Coalesced)]
#[case(JobState::Dead, Accepted::Coalesced)]
#[case(JobState::Done, Accepted::Opened)]
fn any_event_makes_a_resting_job_ready_with_its_counters_reset(
    #[case] state: JobState,
    #[case] expected: Accepted,
) {
    let resting = Job {
        state,
        due_at: None,
        attempts: 7,
        streak: 3,
        class: Some(FailureClass::Unavailable),
        ..ready()
    };
    let (job, accepted) = accept(Some(resting), event(2, Trigger::Updated), &DEBOUNCE, at(100));
    assert_eq!(accepted, expected);
    assert_eq!((job.state, job.due_at), (JobState::Ready, Some(at(103))));
    assert_eq!((job.attempts, job.streak, job.class, job.failing_since), (0, 0, None, None));
}

#[test]
fn an_event_ends_a_backoff() {
    let mut job = ready();
    run(&mut job, Err(&failure(FailureClass::Incompatible)), at(3));
    assert_eq!(job.due_at, Some(at(33)));
    let (job, _) = accept(Some(job), event(2, Trigger::Updated), &DEBOUNCE, at(4));
    assert_eq!(job.due_at, Some(at(7)));
}

#[rstest]
#[case(FailureClass::Unavailable, JobState::Ready, 1)]
#[case(FailureClass::Throttled, JobState::Ready, 0)]
#[case(FailureClass::Unauthorized, JobState::Ready, 0)]
#[case(FailureClass::Forbidden, JobState::Parked, 0)]
#[case(FailureClass::NotInPlex, JobState::Waiting, 0)]
#[case(FailureClass::Ambiguous, JobState::Parked, 0)]
#[case(FailureClass::StaleMatch, JobState::Ready, 0)]
#[case(FailureClass::NotApplied, JobState::Ready, 1)]
#[case(FailureClass::Rejected, JobState::Dead, 1)]
#[case(FailureClass::Gone, JobState::Done, 0)]
#[case(FailureClass::Interrupted, JobState::Ready, 0)]
#[case(FailureClass::Incompatible, JobState::Ready, 0)]
#[case(FailureClass::Bug, JobState::Ready, 1)]
fn a_first_failure_leads_where_its_class_says_and_costs_what_it_says(
    #[case] class: FailureClass,
    #[case] state: JobState,
    #[case] attempts: u32,
) {
    let mut job = ready();
    run(&mut job, Err(&failure(class)), at(3));
    assert_eq!((job.state, job.attempts), (state, attempts));
    assert_eq!(job.due_at.is_some(), matches!(state, JobState::Ready | JobState::Waiting));
}

#[rstest]
#[case(FailureClass::Bug, "bug")]
#[case(FailureClass::NotApplied, "not_applied")]
fn the_third_of_the_same_in_a_row_parks(#[case] class: FailureClass, #[case] code: &str) {
    let mut job = ready();
    for _ in 0..2 {
        assert!(matches!(run(&mut job, Err(&failure(class)), at(3)), Verdict::Again { charged: true, .. }));
    }
    run(&mut job, Err(&failure(class)), at(3));
    assert_eq!((job.state, job.code.as_deref(), job.due_at), (JobState::Parked, Some(code), None));
}

#[test]
fn an_unreachable_peer_buries_only_after_both_enough_time_and_enough_attempts() {
    let down = failure(FailureClass::Unavailable);
    let mut job = ready();
    for _ in 0..30 {
        run(&mut job, Err(&down), at(60));
    }
    assert_eq!(job.state, JobState::Ready, "many attempts in a short time");
    let mut job = ready();
    run(&mut job, Err(&down), at(0));
    run(&mut job, Err(&down), at(100 * 3600));
    assert_eq!(job.state, JobState::Ready, "a long time with few attempts");
    for _ in 0..10 {
        run(&mut job, Err(&down), at(100 * 3600));
    }
    assert_eq!((job.state, job.code.as_deref()), (JobState::Dead, Some("attempts_exhausted")));
}

#[test]
fn time_in_which_a_peer_was_away_is_not_held_against_the_scene() {
    let down = failure(FailureClass::Unavailable);
    let mut job = ready();
    run(&mut job, Err(&down), at(0));
    job.attempts = 20;
    let now = at(100 * 3600);
    let verdict = |away| {
        let circumstances = Circumstances { away: Duration::from_hours(away), ..Circumstances::default() };
        settle(&job, Err(&down), &POLICY, circumstances, now, &mut SmallRng::seed_from_u64(7))
    };
    assert!(matches!(verdict(29), Verdict::Again { .. }));
    assert_eq!(verdict(28), Verdict::Bury { code: "attempts_exhausted" });
}

#[rstest]
#[case(FailureClass::Unavailable)]
#[case(FailureClass::Incompatible)]
fn a_failure_while_the_circuit_is_held_is_free_and_the_scene_is_among_the_first_afterwards(
    #[case] class: FailureClass,
) {
    let held = Failure { while_held: true, ..failure(class) };
    let mut job = ready();
    for _ in 0..40 {
        run(&mut job, Err(&held), at(3));
    }
    assert_eq!((job.state, job.attempts, job.streak), (JobState::Ready, 0, 0));
    assert!(job.wait <= POLICY.first_delay);
}

#[test]
fn a_scene_that_is_gone_right_after_its_creation_is_asked_for_again() {
    let (mut job, _) = accept(None, event(1, Trigger::Created), &DEBOUNCE, at(0));
    assert!(matches!(
        run(&mut job, Err(&failure(FailureClass::Gone)), at(45)),
        Verdict::Again { charged: false, .. }
    ));
    assert_eq!(run(&mut job, Err(&failure(FailureClass::Gone)), at(900)), Verdict::Done);
}

#[test]
fn a_scene_that_never_comes_to_plex_is_parked_in_the_end() {
    let missing = failure(FailureClass::NotInPlex);
    let mut job = ready();
    run(&mut job, Err(&missing), at(0));
    assert_eq!((job.state, job.due_at), (JobState::Waiting, Some(at(30))));
    run(&mut job, Err(&missing), at(15 * 24 * 3600));
    assert_eq!((job.state, job.code.as_deref()), (JobState::Parked, Some("not_in_plex")));
}

#[test]
fn an_interruption_is_free_and_forgets_nothing() {
    let mut job = ready();
    run(&mut job, Err(&failure(FailureClass::Bug)), at(3));
    run(&mut job, Err(&Failure::interrupted("shutdown", "the service is stopping")), at(9));
    run(&mut job, Err(&failure(FailureClass::Bug)), at(12));
    run(&mut job, Err(&failure(FailureClass::Bug)), at(20));
    assert_eq!((job.state, job.attempts), (JobState::Parked, 2));
}

#[test]
fn a_crash_is_counted_apart_and_the_third_alone_parks_for_an_hour() {
    let mut job = running();
    job.take_back(at(10));
    assert_eq!((job.state, job.crashes, job.attempts, job.runs_alone()), (JobState::Ready, 1, 0, false));
    job.claim(RunToken(2), at(10));
    job.take_back(at(20));
    assert!(job.runs_alone());
    job.claim(RunToken(3), at(20));
    job.take_back(at(30));
    assert_eq!((job.state, job.due_at), (JobState::Parked, Some(at(30 + 3600))));
    run(&mut job, Ok(()), at(4000));
    assert_eq!((job.state, job.crashes), (JobState::Done, 0));
}

#[test]
fn a_clock_that_steps_back_makes_no_wait_longer_than_it_was() {
    let mut job = ready();
    run(&mut job, Err(&failure(FailureClass::Incompatible)), at(0));
    let unseen = ClockStep::default();
    job.rebase(&unseen, at(-86_400));
    assert_eq!(job.due_at, Some(at(-86_400 + 30)));
    assert_eq!(job.failing_since, Some(at(-86_400)), "it began to fail now at the latest");
    job.rebase(&unseen, at(-86_400 - 5));
    assert_eq!(job.due_at, Some(at(-86_400 + 25)));
}

#[rstest]
#[case::on_ten_years(315_360_000, 0, 100)]
#[case::on_with_a_peer_that_was_away_half_of_the_time(315_360_000, 50, 50)]
#[case::back_ten_years(-315_360_000, 0, 100)]
#[case::back_less_than_it_failed(-40, 0, 60)]
fn a_failure_grows_no_older_by_a_step_of_the_clock(#[case] step: i64, #[case] away: u64, #[case] age: i64) {
    let mut job = ready();
    run(&mut job, Err(&failure(FailureClass::NotInPlex)), at(0));
    let step = ClockStep { by: SignedDuration::from_secs(step), away: Duration::from_secs(away) };
    let now = at(100 + step.by.as_secs());
    job.rebase(&step, now);
    assert_eq!(job.failing_since, Some(at(100 + step.by.as_secs() - age)));
    assert!(job.first_event_at <= now && job.last_event_at <= now);
    // What is of the new clock stays as it is.
    job.failing_since = Some(now);
    job.rebase(&step, now);
    assert_eq!(job.failing_since, Some(now));
}
