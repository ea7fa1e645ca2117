//! What has to be written to take a write back, and what is refused?

use rstest::rstest;

use super::*;

fn past(before: &str, after: &str, present: &str, policy: &EditPolicy) -> Result<Edit, String> {
    let (before, after) = (Value::from(before), Value::from(after));
    let past = PastWrite { field: Field::Summary, before: &before, after: &after };
    plan_undo(past, &item(present, true), policy)
}

#[rstest]
#[case::another_text("old", "new", "new", Ok("old"))]
#[case::to_empty("", "new", "new", Ok(""))]
#[case::a_cleared_text("old", "", "", Ok("old"))]
#[case::back_already("old", "new", "old", Err("already holds \"old\""))]
#[case::changed_since("old", "new", "other", Err("it holds \"other\" and not \"new\""))]
#[case::the_lock_alone("same", "same", "same", Err("left summary as it was"))]
fn a_text_is_put_back_if_it_still_is_what_the_write_left(
    #[case] before: &str,
    #[case] after: &str,
    #[case] present: &str,
    #[case] expected: Result<&str, &str>,
) {
    match (past(before, after, present, &policy()), expected) {
        (Ok(edit), Ok(text)) => assert_eq!((edit.aim(), edit.locked), (Some(text.into()), Some(true))),
        (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
        (planned, _) => panic!("{planned:?}"),
    }
}

#[rstest]
#[case::added("a", "a b", "a b x", Ok(("a x", "", "b")))]
#[case::removed("a b", "a", "x A", Ok(("x A", "b", "")))]
#[case::both("a b", "b c", "b c", Ok(("b", "a", "c")))]
#[case::spelling_alone("A", "a", "a", Err("left genres as they were"))]
#[case::gone_since("a", "a b", "a", Err("\"b\" is gone already"))]
#[case::back_since("a b", "a", "a b", Err("\"b\" is back already"))]
fn of_a_list_the_elements_that_the_write_changed_are_put_back(
    #[case] before: &str,
    #[case] after: &str,
    #[case] present: &str,
    #[case] expected: Result<(&str, &str, &str), &str>,
) {
    let list = |names: &str| Value::names(names.split(' '));
    let (before, after) = (list(before), list(after));
    let values = BTreeMap::from([(Field::Genres, list(present))]);
    let item = PlexItem { values, ..item("", true) };
    let past = PastWrite { field: Field::Genres, before: &before, after: &after };
    match (plan_undo(past, &item, &policy()), expected) {
        (Ok(Edit { value: Some(Change::List(change)), .. }), Ok(expected)) => {
            let shown = |tags: &[Tag]| tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" ");
            let found = [&change.stay, &change.add, &change.remove].map(|tags| shown(tags));
            assert_eq!(found, [expected.0, expected.1, expected.2]);
        }
        (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
        (planned, _) => panic!("{planned:?}"),
    }
}

#[test]
fn what_the_next_run_would_write_again_is_not_taken_back() {
    let overwrite = EditPolicy { hand_edits: HandEdits::Overwrite, ..policy() };
    assert!(past("old", "new", "new", &overwrite).unwrap_err().contains("sync.hand_edits"));
    let mirror = EditPolicy { ownership: Ownership::Mirror, ..policy() };
    assert!(past("old", "new", "new", &mirror).is_ok(), "ownership is about lists");
    let (before, after) = (Value::names([]), Value::names(["a"]));
    let values = BTreeMap::from([(Field::Genres, after.clone())]);
    let item = PlexItem { values, ..item("", true) };
    let past = PastWrite { field: Field::Genres, before: &before, after: &after };
    assert!(plan_undo(past, &item, &mirror).unwrap_err().contains("sync.ownership"));
}

#[rstest]
#[case::taken_back("A", "X", Some("A"), HandEdits::Keep, None)]
#[case::taken_back_to_empty("A", "", Some("A"), HandEdits::Keep, None)]
#[case::a_clearing_taken_back("", "X", Some(""), HandEdits::Keep, None)]
#[case::changed_in_stash("B", "X", Some("A"), HandEdits::Keep, Some("B"))]
#[case::overwritten("A", "X", Some("A"), HandEdits::Overwrite, Some("A"))]
fn a_text_that_was_taken_back_is_not_written_again(
    #[case] wanted: &str,
    #[case] present: &str,
    #[case] declined: Option<&str>,
    #[case] hand_edits: HandEdits,
    #[case] written: Option<&str>,
) {
    for lock in [true, false] {
        let clear_empty = ClearEmpty::Always;
        let policy = EditPolicy { hand_edits, clear_empty, lock, ..policy() };
        let wanted = Wanted { values: BTreeMap::from([(Field::Summary, wanted.into())]), notes: Vec::new() };
        let mut base = Base::from([(Field::Summary, "A".into())]);
        base.decline(Field::Summary, declined.unwrap().into());
        let edits = plan(&wanted, &item(present, lock), &base, &policy).edits;
        let aims: Vec<_> = edits.iter().filter_map(Edit::aim).collect();
        assert_eq!(aims, Vec::from_iter(written.map(Value::from)));
    }
}

#[test]
fn elements_that_were_taken_back_stay_out_of_an_empty_list_as_well() {
    let names = |names: &[&str]| Value::names(names.iter().copied());
    let planned = |wanted: &[&str], present: &[&str], clear_empty| {
        let wanted = Wanted { values: BTreeMap::from([(Field::Genres, names(wanted))]), notes: Vec::new() };
        let values = BTreeMap::from([(Field::Genres, names(present))]);
        let mut base = Base::from([(Field::Genres, names(&["a"]))]);
        base.decline(Field::Genres, names(&["a"]));
        let policy = EditPolicy { clear_empty, lock: false, ..policy() };
        plan(&wanted, &PlexItem { values, ..item("", false) }, &base, &policy).edits
    };
    assert_eq!(planned(&["a"], &[], ClearEmpty::Own), []);
    let added = planned(&["a", "b"], &[], ClearEmpty::Own);
    assert_eq!(added[0].aim(), Some(names(&["b"])));
    assert_eq!(planned(&[], &["back by hand"], ClearEmpty::Always), [], "what a person put back stays");
}
