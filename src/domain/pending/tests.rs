//! Is everything that is told read, soon, once, and with bounded memory?

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rstest::rstest;

use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn item(key: usize) -> Item {
    (key.to_string().parse().unwrap(), Some("1".parse().unwrap()))
}

#[test]
fn an_item_is_due_when_nothing_was_told_of_it_for_a_while() {
    let mut pending = Pending::default();
    assert_eq!((pending.next_due(), pending.take_due(at(100))), (None, None));
    for second in 0..5 {
        pending.note(item(7), at(second));
    }
    pending.note(item(8), at(9));
    assert_eq!(pending.next_due(), Some(at(14)));
    assert_eq!(pending.take_due(at(13)), None);
    assert_eq!(pending.take_due(at(14)), Some(Due::Items(vec![item(7)])));
    assert_eq!(pending.take_due(at(18)), None, "each once");
    assert_eq!(pending.take_due(at(19)), Some(Due::Items(vec![item(8)])));
}

#[test]
fn telling_without_end_keeps_nothing_from_being_read() {
    let mut pending = Pending::default();
    for second in 0..60 {
        assert_eq!(pending.take_due(at(second)), None, "after {second} s");
        pending.note(item(7), at(second));
    }
    assert_eq!(pending.take_due(at(60)), Some(Due::Items(vec![item(7)])));
}

#[test]
fn a_library_that_was_told_once_is_not_forgotten() {
    let mut pending = Pending::default();
    pending.note(item(7), at(0));
    pending.note((item(7).0, None), at(1));
    assert_eq!(pending.take_due(at(11)), Some(Due::Items(vec![item(7)])));
}

#[test]
fn many_are_read_in_several_requests_the_oldest_first() {
    let mut pending = Pending::default();
    for key in 0..TOGETHER + 3 {
        pending.note(item(1000 - key), Duration::from_millis(u64::try_from(key).unwrap()));
    }
    let Some(Due::Items(first)) = pending.take_due(at(60)) else { panic!("nothing is due") };
    assert_eq!((first.len(), &first[0], &first[1]), (TOGETHER, &item(1000), &item(999)));
    let Some(Due::Items(rest)) = pending.take_due(at(60)) else { panic!("nothing is left") };
    assert_eq!(rest.len(), 3);
}

#[test]
fn more_than_are_kept_are_looked_for_in_another_way() {
    let mut pending = Pending::default();
    for key in 0..=MOST {
        pending.note(item(key), at(5));
    }
    assert_eq!(pending.take_due(at(14)), None);
    for key in 0..3 {
        pending.note(item(key), at(14));
    }
    assert_eq!(
        pending.take_due(at(15)),
        Some(Due::Everything),
        "at a moment that no further telling puts off"
    );
    assert_eq!(pending.take_due(at(15)), None);
    assert!(matches!(pending.take_due(at(24)), Some(Due::Items(items)) if items.len() == 3));
}

#[test]
fn everything_goes_first_and_once() {
    let mut pending = Pending::default();
    pending.note(item(7), at(0));
    pending.note_all(at(30));
    pending.note_all(at(20));
    pending.note_all(at(40));
    assert_eq!(pending.next_due(), Some(at(10)));
    assert_eq!(pending.take_due(at(50)), Some(Due::Everything));
    assert_eq!(pending.take_due(at(50)), Some(Due::Items(vec![item(7)])));
    assert_eq!(pending.take_due(at(50)), None);
}

#[rstest]
#[case::lost_at_once(1, false, 500, 1_000)]
#[case::lost_again(3, false, 2_000, 4_000)]
#[case::lost_all_day(4000, false, 30_000, 60_000)]
#[case::refused_at_once(1, true, 30_000, 37_500)]
#[case::refused_again(2, true, 60_000, 75_000)]
#[case::refused_all_day(4000, true, 900_000, 1_125_000)]
fn pauses_grow_and_end(#[case] failures: u32, #[case] person: bool, #[case] least: u64, #[case] most: u64) {
    let mut rng = SmallRng::seed_from_u64(1);
    let pauses: Vec<_> = (0..200).map(|_| pause(failures, person, &mut rng)).collect();
    let range = Duration::from_millis(least)..=Duration::from_millis(most);
    assert!(pauses.iter().all(|pause| range.contains(pause)), "{pauses:?}");
    assert!(pauses.iter().any(|pause| pause != &pauses[0]), "not all alike");
}

proptest! {
    /// Whatever is told in whatever rhythm: an item is due within the longest wait after it was told first, nothing is
    /// due that was not told, and memory is bounded.
    #[test]
    fn nothing_waits_for_ever(told in proptest::collection::vec((0..40_usize, 0..15_u64), 1..200)) {
        let mut pending = Pending::default();
        let (mut now, mut open) = (at(0), BTreeMap::new());
        for (key, wait) in told {
            now += at(wait);
            while let Some(Due::Items(items)) = pending.take_due(now) {
                for item in items {
                    prop_assert!(open.remove(&item.0).is_some(), "told, and once: {item:?}");
                }
            }
            prop_assert!(open.values().all(|first| *first + AT_MOST > now));
            pending.note(item(key), now);
            open.entry(item(key).0).or_insert(now);
            prop_assert!(pending.items.len() <= MOST);
        }
        while let Some(due) = pending.next_due() {
            let Some(Due::Items(items)) = pending.take_due(due) else { panic!("due and not taken") };
            open.retain(|key, _| items.iter().all(|(taken, _)| taken != key));
        }
        prop_assert!(open.is_empty());
    }
}
