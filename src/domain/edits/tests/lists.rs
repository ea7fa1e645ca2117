//! Which elements of a list are added, which go, and which stay?

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::edits::value::Names;

const FIELD: Field = Field::Genres;

/// A list as people write it down: names between blanks.
fn list(names: &str) -> Value {
    Value::names(names.split_whitespace())
}

fn shown(tags: &[Tag]) -> String {
    tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn holding(names: &str, locked: bool) -> PlexItem {
    let locked = if locked { BTreeSet::from([FIELD]) } else { BTreeSet::new() };
    PlexItem { values: BTreeMap::from([(FIELD, list(names))]), locked, ..item("", false) }
}

fn planned(wanted: &str, present: &PlexItem, base: &str, policy: &EditPolicy) -> Plan {
    let wanted = Wanted { values: BTreeMap::from([(FIELD, list(wanted))]), notes: Vec::new() };
    plan(&wanted, present, &Base::from([(FIELD, list(base))]), policy)
}

/// What stays, is added and goes, and the new state of the lock.
fn change(plan: &Plan) -> (String, String, String, Option<bool>) {
    let [edit] = plan.edits.as_slice() else { panic!("{plan:?}") };
    match &edit.value {
        Some(Change::List(list)) => (shown(&list.stay), shown(&list.add), shown(&list.remove), edit.locked),
        Some(Change::Text(_)) | None => panic!("{edit:?}"),
    }
}

#[rstest]
#[case::first_contact("a b", "x", "", ("x", "a b", ""))]
#[case::spelling_of_the_server("A b", "a", "", ("a", "b", ""))]
#[case::one_more("a b", "a x", "a", ("a x", "b", ""))]
#[case::one_less("a", "a b x", "a b", ("a x", "", "b"))]
#[case::one_for_another("b", "x a", "a", ("x", "b", "a"))]
#[case::the_last_of_ours("", "a", "a", ("", "", "a"))]
#[case::all_of_ours_among_others("", "a x", "a", ("x", "", "a"))]
#[case::wiped("a b", "", "a b", ("", "a b", ""))]
fn each_element_is_decided_by_itself(
    #[case] wanted: &str,
    #[case] present: &str,
    #[case] base: &str,
    #[case] expected: (&str, &str, &str),
) {
    let (stay, add, remove, _) = change(&planned(wanted, &holding(present, true), base, &policy()));
    assert_eq!((stay.as_str(), add.as_str(), remove.as_str()), expected);
}

#[rstest]
#[case::equal("a b", "B a", "")]
#[case::with_others("a", "a x", "a")]
#[case::never_ours("", "x", "")]
#[case::both_empty("", "", "a")]
fn what_stands_as_it_should_is_left_alone(#[case] wanted: &str, #[case] present: &str, #[case] base: &str) {
    assert_eq!(planned(wanted, &holding(present, true), base, &policy()), Plan::default());
}

#[rstest]
#[case(Ownership::Own, "a x", "", "b")]
#[case(Ownership::Mirror, "a", "", "b x")]
#[case(Ownership::Add, "a b x", "", "")]
fn ownership_says_what_may_go(
    #[case] ownership: Ownership,
    #[case] stay: &str,
    #[case] add: &str,
    #[case] remove: &str,
) {
    let policy = EditPolicy { ownership, ..policy() };
    let plan = planned("a", &holding("a b x", true), "a b", &policy);
    if remove.is_empty() {
        assert_eq!(plan, Plan::default());
    } else {
        assert_eq!(change(&plan), (stay.to_owned(), add.to_owned(), remove.to_owned(), Some(true)));
    }
}

#[rstest]
#[case(ClearEmpty::Own, Ownership::Own, "a")]
#[case(ClearEmpty::Own, Ownership::Mirror, "a")]
#[case(ClearEmpty::Always, Ownership::Own, "a x")]
#[case(ClearEmpty::Always, Ownership::Mirror, "a x")]
#[case(ClearEmpty::Always, Ownership::Add, "")]
#[case(ClearEmpty::Never, Ownership::Own, "")]
#[case(ClearEmpty::Never, Ownership::Mirror, "")]
fn when_stash_has_none_clearing_is_asked_first(
    #[case] clear_empty: ClearEmpty,
    #[case] ownership: Ownership,
    #[case] goes: &str,
) {
    let policy = EditPolicy { clear_empty, ownership, ..policy() };
    let plan = planned("", &holding("a x", true), "a", &policy);
    let removed = plan.edits.first().map(|_| change(&plan).2);
    assert_eq!(removed.unwrap_or_default(), goes);
}

#[test]
fn an_element_taken_out_by_hand_stays_out_and_is_remembered() {
    let plan = planned("a b c", &holding("a x", true), "a b", &policy());
    let (_, add, _, _) = change(&plan);
    assert_eq!(add, "c", "Stash has named it since");
    assert_eq!(plan.notes.len(), 1);
    assert!(plan.notes[0].text.contains("\"b\""), "{:?}", plan.notes);
    let base = plan.edits[0].base_after(&holding("a x c", true)).unwrap();
    assert_eq!(base, list("a b c"), "so that it still stays out in the next run");
}

#[rstest]
#[case::overwrite(true, HandEdits::Overwrite, Ownership::Own)]
#[case::mirror(true, HandEdits::Keep, Ownership::Mirror)]
#[case::refreshed_by_plex(false, HandEdits::Keep, Ownership::Own)]
fn or_it_comes_back(#[case] locked: bool, #[case] hand_edits: HandEdits, #[case] ownership: Ownership) {
    let policy = EditPolicy { hand_edits, ownership, ..policy() };
    assert_eq!(change(&planned("a b", &holding("a", locked), "a b", &policy)).1, "b");
}

#[test]
fn an_element_taken_out_by_hand_comes_back_when_nothing_else_would_be_left() {
    let plan = planned("c", &holding("b", true), "b c", &policy());
    let (_, add, remove, _) = change(&plan);
    assert_eq!(
        (add.as_str(), remove.as_str()),
        ("c", "b"),
        "the emptied list would be taken for wiped next time"
    );
}

#[test]
fn the_lock_belongs_to_what_is_wanted() {
    let lock = |wanted, present, base| change(&planned(wanted, &holding(present, false), base, &policy())).3;
    assert_eq!(lock("a", "", ""), Some(true));
    assert_eq!(lock("", "a", "a"), Some(false), "nothing is left to be locked");
    assert_eq!(lock("", "a x", "a"), None, "what is left is not ours");
    let alone = planned("a", &holding("a", false), "", &policy()).edits;
    assert_eq!(alone, [Edit { field: FIELD, value: None, locked: Some(true) }]);
    let unlocked = EditPolicy { lock: false, ..policy() };
    assert_eq!(planned("a", &holding("a", false), "", &unlocked).edits, []);
    assert_eq!(change(&planned("a", &holding("", false), "", &unlocked)).3, None);
}

#[test]
fn what_arrived_of_a_list_is_ours_whatever_became_of_the_rest() {
    let plan = planned("a b", &holding("x old", true), "old", &policy());
    let edit = &plan.edits[0];
    assert_eq!(change(&plan), ("x".to_owned(), "a b".to_owned(), "old".to_owned(), Some(true)));
    let base = |present: &str| edit.base_after(&holding(present, true)).unwrap();
    assert_eq!((edit.is_applied(&holding("x a b", true)), base("x a b")), (true, list("a b")));
    assert_eq!((edit.is_applied(&holding("x old a", true)), base("x old a")), (false, list("old a")));
    assert_eq!((edit.is_applied(&holding("x old", true)), base("x old")), (false, list("old")));
    assert!(!edit.is_applied(&holding("a b", true)), "an element of somebody else got lost");
    assert!(edit.is_applied(&holding("x A B new", true)), "somebody may add another meanwhile");
}

#[test]
fn a_part_that_is_played_is_kept_and_none_is_made_up() {
    let present = vec![Tag { role: Some("Captain".to_owned()), ..Tag::named("Ada") }];
    let values = BTreeMap::from([(Field::Performers, Value::List(present.clone()))]);
    let wanted = Wanted {
        values: BTreeMap::from([(Field::Performers, Value::names(["ada", "Ben"]))]),
        notes: Vec::new(),
    };
    let plan = plan(&wanted, &PlexItem { values, ..item("", false) }, &Base::new(), &policy());
    let Some(Change::List(list)) = &plan.edits[0].value else { panic!("{plan:?}") };
    assert_eq!((&list.stay, &list.add), (&present, &vec![Tag::named("Ben")]));
}

/// What a server makes of an edit, which takes the elements that are sent as more, or as all there are.
fn written(edit: &Edit, item: &PlexItem, replaces: bool) -> PlexItem {
    let mut item = item.clone();
    if let Some(Change::List(list)) = &edit.value {
        let mut tags =
            if replaces && list.all().next().is_some() { Vec::new() } else { item.tags(FIELD).to_vec() };
        let removed = Names::of(FIELD, &list.remove);
        tags.retain(|tag| !removed.has(tag));
        let held = Names::of(FIELD, &tags);
        tags.extend(list.all().filter(|tag| !held.has(tag)).cloned());
        item.values.insert(FIELD, Value::List(tags));
    }
    match edit.locked {
        Some(true) => item.locked.insert(FIELD),
        Some(false) => item.locked.remove(&FIELD),
        None => false,
    };
    item
}

fn any_list() -> impl Strategy<Value = String> {
    prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4).prop_map(|names| names.join(" "))
}

fn any_policy() -> impl Strategy<Value = EditPolicy> {
    let ownership = prop::sample::select(vec![Ownership::Own, Ownership::Mirror, Ownership::Add]);
    let clear_empty = prop::sample::select(vec![ClearEmpty::Own, ClearEmpty::Always, ClearEmpty::Never]);
    let hand_edits = prop::sample::select(vec![HandEdits::Keep, HandEdits::Overwrite]);
    (ownership, clear_empty, hand_edits, any::<bool>()).prop_map(
        |(ownership, clear_empty, hand_edits, lock)| EditPolicy {
            hand_edits,
            clear_empty,
            ownership,
            lock,
            ..policy()
        },
    )
}

proptest! {
    #[test]
    fn a_list_ends_alike_on_every_server_and_is_then_left_alone(
        (wanted, present, base) in (any_list(), any_list(), any_list()),
        locked: bool,
        policy in any_policy(),
    ) {
        let before = holding(&present, locked);
        let first = planned(&wanted, &before, &base, &policy);
        let Some(edit) = first.edits.first() else { return Ok(()) };
        let [joined, replaced] = [false, true].map(|replaces| written(edit, &before, replaces));
        prop_assert!(edit.is_applied(&joined) && edit.is_applied(&replaced));
        let names = |item: &PlexItem| item.tags(FIELD).iter().map(|tag| tag.name.clone()).collect::<BTreeSet<_>>();
        prop_assert_eq!(names(&joined), names(&replaced));
        let owned = edit.base_after(&joined).unwrap_or_else(|| list(&base));
        let again = planned(&wanted, &joined, &shown(owned.tags()), &policy);
        prop_assert_eq!(again.edits, []);
    }
}
