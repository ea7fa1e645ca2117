//! When it opens, what ends it, and that it always ends.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::failure::Peer;

const POLICY: BreakerPolicy =
    BreakerPolicy { failures: 5, open_for: Duration::from_secs(30), max_open_for: Duration::from_mins(5) };

fn at(seconds: u64) -> Duration {
    Duration::from_secs(1_000_000 + seconds)
}

fn scene(id: i64) -> SceneId {
    SceneId::try_from(id).unwrap()
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, Peer::Plex, "some_code", "something happened")
}

/// A breaker that has been found to work.
fn closed(circuit: Circuit) -> Breaker {
    let mut breaker = Breaker::new(circuit, POLICY, None);
    if breaker.starts_probe(at(0)) {
        assert_eq!(breaker.probed(Ok(()), at(0)), None);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker
}

/// A breaker that failures of two scenes have opened.
fn open(circuit: Circuit) -> Breaker {
    let mut breaker = closed(circuit);
    let down = failure(FailureClass::Unavailable);
    for id in [1, 2, 1, 2] {
        assert_eq!(breaker.failed(&down, Some(scene(id)), at(0)), None);
    }
    assert_eq!(breaker.failed(&down, Some(scene(1)), at(0)), Some(Change::Opened(HoldCause::Outage)));
    breaker
}

#[test]
fn failures_in_a_row_of_two_scenes_open_it_and_a_success_between_them_does_not() {
    assert_eq!(open(Circuit::PlexRead).admits(at(1)), Admission::None);
    let mut breaker = closed(Circuit::PlexRead);
    for id in 1..100 {
        breaker.failed(&failure(FailureClass::Unavailable), Some(scene(id)), at(0));
        breaker.succeeded();
    }
    assert_eq!(breaker.admits(at(0)), Admission::All);
}

#[test]
fn one_scene_alone_opens_it_only_if_the_peer_does_not_answer_either() {
    for (answer, admitted) in [(Ok(()), Admission::All), (Err(()), Admission::None)] {
        let mut breaker = closed(Circuit::PlexWrite);
        for _ in 0..5 {
            assert_eq!(breaker.failed(&failure(FailureClass::Unavailable), Some(scene(7)), at(0)), None);
        }
        assert_eq!(breaker.admits(at(0)), Admission::All, "the others go on meanwhile");
        assert!(breaker.starts_probe(at(0)));
        assert!(!breaker.starts_probe(at(0)), "one probe at a time");
        let down = failure(FailureClass::Unavailable);
        let opened = breaker.probed(answer.map_err(|()| &down), at(1));
        assert_eq!(opened.is_some(), answer.is_err());
        assert_eq!(breaker.admits(at(1)), admitted);
    }
}

#[rstest]
#[case(FailureClass::NotInPlex)]
#[case(FailureClass::Gone)]
#[case(FailureClass::Rejected)]
#[case(FailureClass::NotApplied)]
#[case(FailureClass::StaleMatch)]
#[case(FailureClass::Bug)]
#[case(FailureClass::Interrupted)]
fn what_is_a_scene_s_own_never_opens_it(#[case] class: FailureClass) {
    let mut breaker = closed(Circuit::PlexRead);
    for id in 1..50 {
        assert_eq!(breaker.failed(&failure(class), Some(scene(id)), at(0)), None);
    }
    assert_eq!(breaker.admits(at(0)), Admission::All);
}

#[test]
fn an_outage_is_probed_ever_more_rarely_and_ends_with_the_first_answer() {
    let mut breaker = open(Circuit::Stash);
    let (mut now, mut waits) = (at(0), Vec::new());
    for _ in 0..6 {
        let look = breaker.next_look().unwrap();
        assert!(!breaker.starts_probe(look.checked_sub(Duration::from_secs(1)).unwrap()));
        waits.push(look.saturating_sub(now).as_secs());
        now = look;
        assert!(breaker.starts_probe(now));
        assert_eq!(breaker.probed(Err(&failure(FailureClass::Unavailable)), now), None, "the same outage");
    }
    assert_eq!(waits, [30, 45, 67, 101, 151, 227]);
    now = breaker.next_look().unwrap();
    assert!(breaker.starts_probe(now));
    assert_eq!(breaker.probed(Ok(()), now), Some(Change::Closed(HoldCause::Outage)));
    assert_eq!(breaker.admits(now), Admission::All);
}

#[test]
fn writes_that_failed_are_tried_again_with_one_scene_and_one_bad_scene_does_not_spoil_it() {
    let mut breaker = open(Circuit::PlexWrite);
    assert!(breaker.starts_probe(at(30)));
    assert_eq!(breaker.probed(Ok(()), at(30)), None, "an answer to a read shows nothing about writes");
    assert_eq!((breaker.admits(at(30)), breaker.state()), (Admission::One, BreakerState::HalfOpen));
    let down = failure(FailureClass::Unavailable);
    assert_eq!(breaker.failed(&down, Some(scene(1)), at(31)), None);
    assert_eq!(breaker.admits(at(31)), Admission::One);
    assert_eq!(breaker.succeeded(), Some(Change::Closed(HoldCause::Outage)));
    assert_eq!(breaker.admits(at(32)), Admission::All);
}

#[test]
fn writes_that_fail_again_hold_it_for_longer() {
    let mut breaker = open(Circuit::PlexWrite);
    assert!(breaker.starts_probe(at(30)));
    breaker.probed(Ok(()), at(30));
    let down = failure(FailureClass::Unavailable);
    breaker.failed(&down, Some(scene(1)), at(31));
    assert_eq!(breaker.failed(&down, Some(scene(2)), at(32)), None, "the same outage goes on");
    assert_eq!(breaker.next_look(), Some(at(32 + 45)));
}

#[test]
fn a_refused_key_holds_at_once_and_is_tried_after_half_a_minute_then_up_to_every_quarter_of_an_hour() {
    let mut breaker = closed(Circuit::PlexRead);
    let refused = failure(FailureClass::Unauthorized);
    assert_eq!(
        breaker.failed(&refused, Some(scene(1)), at(0)),
        Some(Change::Opened(HoldCause::Unauthorized))
    );
    assert_eq!(breaker.failed(&refused, Some(scene(2)), at(1)), None, "one alert");
    let (mut now, mut waits) = (at(0), Vec::new());
    for _ in 0..8 {
        let look = breaker.next_look().unwrap();
        waits.push(look.saturating_sub(now).as_secs());
        now = look;
        assert!(breaker.starts_probe(now));
        breaker.probed(Err(&refused), now);
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
    breaker.look_now(now);
    assert!(breaker.starts_probe(now), "a key that has changed is tried at once");
    assert_eq!(breaker.probed(Ok(()), now), Some(Change::Closed(HoldCause::Unauthorized)));
}

#[test]
fn a_peer_may_ask_for_a_pause_but_not_for_ever_and_is_not_asked_meanwhile() {
    for (asked, given) in [(0, 1), (120, 120), (u64::MAX, 3600)] {
        let mut breaker = closed(Circuit::PlexRead);
        let pause = failure(FailureClass::Throttled).retry_after(Some(Duration::from_secs(asked)));
        assert_eq!(breaker.failed(&pause, Some(scene(1)), at(0)), Some(Change::Opened(HoldCause::Throttled)));
        assert_eq!(breaker.next_look(), Some(at(given)));
        assert!(!breaker.starts_probe(at(given)), "it said itself when it may be asked");
        assert_eq!(breaker.admits(at(given - 1)), Admission::None);
        assert_eq!(breaker.admits(at(given)), Admission::One);
        assert_eq!(breaker.succeeded(), Some(Change::Closed(HoldCause::Throttled)));
    }
}

#[test]
fn a_peer_that_asks_for_a_second_again_and_again_is_asked_ever_more_rarely() {
    let mut breaker = closed(Circuit::PlexRead);
    let pause = failure(FailureClass::Throttled).retry_after(Some(Duration::from_secs(1)));
    let (mut now, mut tries) = (at(0), 0);
    breaker.failed(&pause, Some(scene(1)), now);
    while now < at(60) {
        now = breaker.next_look().unwrap();
        assert_eq!(breaker.admits(now), Admission::One);
        breaker.failed(&pause, Some(scene(1)), now);
        tries += 1;
    }
    assert!(tries <= 6, "{tries} tries in the first minute");
    assert!(breaker.next_look().unwrap().saturating_sub(now) >= Duration::from_secs(30));
}

#[test]
fn an_answer_that_is_not_understood_holds_the_peer_with_the_second_scene() {
    let mut breaker = closed(Circuit::Stash);
    let odd = failure(FailureClass::Incompatible);
    assert_eq!(breaker.failed(&odd, Some(scene(1)), at(0)), None);
    assert_eq!(breaker.failed(&odd, Some(scene(1)), at(1)), None, "that scene alone");
    assert_eq!(breaker.failed(&odd, Some(scene(2)), at(2)), Some(Change::Opened(HoldCause::Incompatible)));
    assert!(breaker.starts_probe(at(32)));
    assert_eq!(breaker.probed(Ok(()), at(32)), None);
    assert_eq!(breaker.admits(at(32)), Admission::One, "only a scene shows whether it is over");
    assert_eq!(breaker.failed(&odd, Some(scene(1)), at(33)), None);
    assert_eq!(breaker.next_look(), Some(at(33 + 60)));
}

#[test]
fn at_a_start_the_peer_is_probed_first_and_an_outage_on_record_ends_with_its_answer() {
    for held in [None, Some(HoldCause::Outage)] {
        let mut breaker = Breaker::new(Circuit::PlexRead, POLICY, held);
        assert_eq!(breaker.admits(at(0)), Admission::None);
        assert!(breaker.starts_probe(at(0)));
        assert_eq!(breaker.probed(Ok(()), at(0)), held.map(Change::Closed));
        assert_eq!(breaker.admits(at(0)), Admission::All);
    }
    let mut away = Breaker::new(Circuit::PlexRead, POLICY, None);
    assert!(away.starts_probe(at(0)));
    let opened = away.probed(Err(&failure(FailureClass::Unavailable)), at(0));
    assert_eq!(opened, Some(Change::Opened(HoldCause::Outage)));
}

#[test]
fn a_probe_whose_sender_is_gone_is_sent_again() {
    let mut breaker = Breaker::new(Circuit::PlexRead, POLICY, None);
    assert!(breaker.starts_probe(at(0)));
    assert!(!breaker.starts_probe(at(1)));
    breaker.forget_probe();
    assert!(breaker.starts_probe(at(2)));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Fails(FailureClass, i64),
    Succeeds,
    Passes(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let class = prop::sample::select(FailureClass::ALL.to_vec());
    let step = prop_oneof![
        3 => (class, 1_i64..4).prop_map(|(class, id)| Step::Fails(class, id)),
        1 => Just(Step::Succeeds),
        2 => (0_u64..2000).prop_map(Step::Passes),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    /// Recovery by itself: whatever came before, a peer that works is used again within the longest wait.
    #[test]
    fn a_peer_that_works_is_always_used_again(steps in steps(), circuit in prop::sample::select(Circuit::ALL.to_vec())) {
        let (mut breaker, mut now, mut open) = (Breaker::new(circuit, POLICY, None), at(0), 0_i32);
        let mut note = |change: Option<Change>| match change {
            Some(Change::Opened(_)) => open += 1,
            Some(Change::Closed(_)) => open -= 1,
            Some(Change::Turned(_)) | None => {}
        };
        for step in steps {
            match step {
                Step::Fails(class, id) => note(breaker.failed(&failure(class), Some(scene(id)), now)),
                Step::Succeeds => note(breaker.succeeded()),
                Step::Passes(seconds) => now += Duration::from_secs(seconds),
            }
            if breaker.starts_probe(now) {
                note(breaker.probed(Err(&failure(FailureClass::Unavailable)), now));
            }
        }
        let end = now + LONGEST_PAUSE;
        while now <= end && breaker.state() != BreakerState::Closed {
            if breaker.starts_probe(now) {
                note(breaker.probed(Ok(()), now));
            }
            if breaker.admits(now) != Admission::None {
                note(breaker.succeeded());
            }
            now += Duration::from_secs(1);
        }
        prop_assert_eq!(breaker.state(), BreakerState::Closed);
        prop_assert_eq!(open, 0, "every begin of a hold has its end");
    }
}
