//! The table of which value wins, row by row.

mod lists;
mod sequences;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;

use super::*;

pub(super) fn policy() -> EditPolicy {
    EditPolicy {
        fields: Field::ALL.to_vec(),
        hand_edits: HandEdits::Keep,
        clear_empty: ClearEmpty::Own,
        ownership: Ownership::Own,
        lock: true,
        content_rating: "XXX".to_owned(),
        limits: Limits { title: 255, summary: 10_000, tags: 100, performers: 50 },
    }
}

fn item(summary: &str, locked: bool) -> PlexItem {
    PlexItem {
        rating_key: "1".parse().unwrap(),
        section: "1".parse().unwrap(),
        values: BTreeMap::from([(Field::Title, "T".into()), (Field::Summary, summary.into())]),
        shown: BTreeMap::new(),
        locked: if locked { BTreeSet::from([Field::Summary]) } else { BTreeSet::new() },
        paths: Vec::new(),
    }
}

fn edits(wanted: &str, present: &str, locked: bool, base: Option<&str>, policy: &EditPolicy) -> Vec<Edit> {
    let wanted = Wanted { values: BTreeMap::from([(Field::Summary, wanted.into())]), notes: Vec::new() };
    let base = base.map(|base| (Field::Summary, base.into())).into_iter().collect();
    plan(&wanted, &item(present, locked), &base, policy).edits
}

#[rstest]
#[case::equal_and_locked("A", "A", true, None, None)]
#[case::first_contact("A", "X", false, None, Some("A"))]
#[case::first_contact_with_a_locked_field("A", "X", true, None, Some("A"))]
#[case::changed_in_stash("B", "A", true, Some("A"), Some("B"))]
#[case::changed_on_both_sides("B", "X", true, Some("A"), Some("B"))]
#[case::hand_edit("A", "X", true, Some("A"), None)]
#[case::wiped("A", "", true, Some("A"), Some("A"))]
#[case::refreshed_by_plex("A", "X", false, Some("A"), Some("A"))]
#[case::empty_and_ours("", "A", true, Some("A"), Some(""))]
#[case::empty_and_edited_by_hand("", "X", true, Some("A"), None)]
#[case::empty_and_never_ours("", "X", false, None, None)]
#[case::both_empty("", "", false, Some("A"), None)]
fn the_first_row_that_fits_decides(
    #[case] wanted: &str,
    #[case] present: &str,
    #[case] locked: bool,
    #[case] base: Option<&str>,
    #[case] written: Option<&str>,
) {
    let edits = edits(wanted, present, locked, base, &policy());
    let text = edits.first().and_then(Edit::aim);
    assert_eq!(text.as_ref().map(Value::text), written, "{edits:?}");
    assert_eq!(edits.is_empty(), written.is_none());
}

#[test]
fn a_right_value_without_its_lock_gets_the_lock_alone() {
    let only_the_lock = Edit { field: Field::Summary, value: None, locked: Some(true) };
    assert_eq!(edits("A", "A", false, None, &policy()), [only_the_lock]);
    assert_eq!(edits("A", "A", false, None, &EditPolicy { lock: false, ..policy() }), []);
}

#[test]
fn without_locking_no_lock_is_touched() {
    let policy = EditPolicy { lock: false, ..policy() };
    let write = Edit { field: Field::Summary, value: Some(Change::Text("B".to_owned())), locked: None };
    assert_eq!(edits("B", "A", false, Some("A"), &policy), [write]);
}

#[rstest]
#[case::first_contact("8.5", "3", None, Some("8.5"))]
#[case::equal("8.5", "8.5", None, None)]
#[case::changed_in_stash("8.5", "3", Some("3"), Some("8.5"))]
#[case::rated_by_hand("8.5", "3", Some("8.5"), None)]
#[case::taken_back("", "3", Some("3"), Some(""))]
#[case::never_ours("", "3", None, None)]
fn a_rating_follows_the_same_rules_without_a_lock(
    #[case] wanted: &str,
    #[case] present: &str,
    #[case] base: Option<&str>,
    #[case] written: Option<&str>,
) {
    let field = Field::Rating;
    let wanted = Wanted { values: BTreeMap::from([(field, wanted.into())]), notes: Vec::new() };
    let item = PlexItem { values: BTreeMap::from([(field, present.into())]), ..item("", false) };
    let base = base.map(|base| (field, base.into())).into_iter().collect();
    let edits = plan(&wanted, &item, &base, &policy()).edits;
    let expected =
        written.map(|text| Edit { field, value: Some(Change::Text(text.to_owned())), locked: None });
    assert_eq!(edits, Vec::from_iter(expected));
}

#[test]
fn a_hand_edit_is_kept_and_noted_or_overwritten_as_the_user_chose() {
    let wanted = Wanted { values: BTreeMap::from([(Field::Summary, "A".into())]), notes: Vec::new() };
    let base = Base::from([(Field::Summary, "A".into())]);
    let kept = plan(&wanted, &item("X", true), &base, &policy());
    assert_eq!((kept.edits.len(), kept.notes.len()), (0, 1));
    let overwrite = EditPolicy { hand_edits: HandEdits::Overwrite, ..policy() };
    assert_eq!(plan(&wanted, &item("X", true), &base, &overwrite).edits.len(), 1);
}

#[rstest]
#[case(ClearEmpty::Own, false)]
#[case(ClearEmpty::Always, true)]
#[case(ClearEmpty::Never, false)]
fn what_plexsync_did_not_write_is_cleared_only_on_request(
    #[case] clear_empty: ClearEmpty,
    #[case] clears: bool,
) {
    let policy = EditPolicy { clear_empty, ..policy() };
    assert_eq!(!edits("", "X", false, None, &policy).is_empty(), clears);
}

#[rstest]
#[case::first_contact("upload://posters/a", "media://x", true, None, true)]
#[case::shown_already("upload://posters/a", "upload://posters/a", true, None, false)]
#[case::picked_by_hand("upload://posters/a", "media://x", true, Some("upload://posters/a"), false)]
#[case::another_cover("upload://posters/b", "media://x", true, Some("upload://posters/a"), true)]
#[case::refreshed("upload://posters/a", "media://x", false, Some("upload://posters/a"), true)]
#[case::no_cover_any_more("", "upload://posters/a", true, Some("upload://posters/a"), false)]
fn an_image_follows_the_same_rules_but_is_never_cleared(
    #[case] wanted: &str,
    #[case] present: &str,
    #[case] locked: bool,
    #[case] base: Option<&str>,
    #[case] written: bool,
) {
    let field = Field::Poster;
    let wanted = Wanted { values: BTreeMap::from([(field, wanted.into())]), notes: Vec::new() };
    let locked = if locked { BTreeSet::from([field]) } else { BTreeSet::new() };
    let item = PlexItem { values: BTreeMap::from([(field, present.into())]), locked, ..item("", false) };
    let base = base.map(|base| (field, base.into())).into_iter().collect();
    assert_eq!(plan(&wanted, &item, &base, &policy()).edits.len(), usize::from(written));
}

#[test]
fn what_was_written_is_taken_back_and_nothing_else_whatever_the_user_chose() {
    let values = BTreeMap::from([
        (Field::Title, "T".into()),
        (Field::Summary, "ours".into()),
        (Field::Studio, "by hand".into()),
        (Field::Date, "2024-05-31".into()),
        (Field::Genres, Value::names(["ours", "theirs"])),
    ]);
    let item = PlexItem { values, ..item("", true) };
    let base = Base::from([
        (Field::Title, "T".into()),
        (Field::Summary, "ours".into()),
        (Field::Studio, "ours".into()),
        (Field::Genres, Value::names(["ours"])),
    ]);
    let (clear_empty, ownership) = (ClearEmpty::Always, Ownership::Mirror);
    let policy = EditPolicy { clear_empty, ownership, fields: vec![Field::Title], ..policy() };
    let edits = plan_to_take_back(&item, &base, &policy).edits;
    let aims: Vec<_> = edits.iter().map(|edit| (edit.field, edit.aim().unwrap())).collect();
    assert_eq!(aims, [(Field::Summary, "".into()), (Field::Genres, Value::names(["theirs"]))]);
}

#[test]
fn an_empty_title_is_never_written() {
    let wanted = Wanted { values: BTreeMap::from([(Field::Title, "".into())]), notes: Vec::new() };
    let base = Base::from([(Field::Title, "T".into())]);
    let policy = EditPolicy { clear_empty: ClearEmpty::Always, ..policy() };
    assert_eq!(plan(&wanted, &item("", false), &base, &policy).edits, []);
}

#[test]
fn a_text_is_ours_once_it_was_read_back() {
    let edit = |value: Option<&str>| Edit {
        field: Field::Summary,
        value: value.map(|text| Change::Text(text.to_owned())),
        locked: Some(true),
    };
    assert_eq!(
        edit(Some("A")).base_after(&item(" A", false)),
        Some("A".into()),
        "its lock is another matter"
    );
    assert!(!edit(Some("A")).is_applied(&item("A", false)));
    assert!(edit(Some("A")).is_applied(&item("A", true)));
    assert_eq!(edit(Some("A")).base_after(&item("X", true)), None);
    assert_eq!(edit(None).base_after(&item("X", true)), None, "what was only locked was not written");
}
