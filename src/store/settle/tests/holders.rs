//! Tests of who holds an item, when several scenes come to it.

use super::*;

#[test]
fn an_item_has_one_writer_and_a_holder_is_not_overwritten_unawares() {
    let mut db = Database::new();
    carry(&mut db, &stash_scene(7, "t"), "Seven");
    let rival = db.in_hand(8);
    let title = || vec![edit(Field::Title, Some("Eight"))];
    assert_eq!(intend_knowing(&mut db, &rival, title(), None), Opening::Contested);
    let holder = db.in_hand(7);
    opened(&intend(&mut db, &holder, vec![edit(Field::Title, Some("Seven again"))]));
    let another = db.in_hand(9);
    assert_eq!(intend_knowing(&mut db, &another, title(), None), Opening::Contested);
    assert!(matches!(intend_knowing(&mut db, &rival, title(), Some(scene(7))), Opening::Opened(_)));
}

#[test]
fn a_scene_that_is_gone_leaves_its_history_and_nothing_else() {
    let mut db = Database::new();
    let gone = stash_scene(7, "t");
    carry(&mut db, &gone, "New");
    let claimed = db.in_hand(7);
    intend(&mut db, &claimed, vec![edit(Field::Title, Some("Newer"))]);
    let after = recorded(db.settle(&report(&claimed, Err(failure(FailureClass::Gone)))));
    assert_eq!(after.state, JobState::Done);
    let mut reader = db.reader();
    assert_eq!(intents_of(&mut reader, scene(7)).unwrap(), []);
    assert_eq!(links_of(&mut reader, scene(7)).unwrap(), []);
    assert_eq!(base(&mut reader, &item("55"), &gone).unwrap(), Base::new());
    let outcomes: Vec<_> =
        writes_of(&mut reader, scene(7), None, 9).unwrap().iter().map(|line| line.write.outcome).collect();
    assert_eq!(outcomes, [WriteOutcome::Unverified, WriteOutcome::Applied]);
}

#[test]
fn a_stale_match_is_forgotten_with_what_was_written_there() {
    let mut db = Database::new();
    let same = stash_scene(7, "t");
    carry(&mut db, &same, "New");
    let claimed = db.in_hand(7);
    let mut report = report(&claimed, Err(failure(FailureClass::StaleMatch)));
    report.unlinked = vec![item("55")];
    db.settle(&report);
    assert_eq!(holder(&mut db.reader(), &item("55")).unwrap(), None);
    assert_eq!(base(&mut db.reader(), &item("55"), &same).unwrap(), Base::new());
}

#[test]
fn only_old_history_and_closed_letters_are_pruned_and_in_bounded_steps() {
    let mut db = Database::new();
    let day = std::time::Duration::from_hours(24);
    for id in 1..=4 {
        let claimed = db.in_hand(id);
        db.settle(&report(&claimed, Err(failure(FailureClass::Rejected))));
    }
    carry(&mut db, &stash_scene(9, "t"), "New");
    db.accept(&[updated(1)]);
    let now = db.now + day * 2;
    let pruned = db.writer.write(|tx| prune(tx, now, day, day, 3)).unwrap();
    assert_eq!((pruned.attempts, pruned.writes, pruned.letters), (3, 1, 1));
    assert!(pruned.is_full(3));
    let pruned = db.writer.write(|tx| prune(tx, now, day, day, 3)).unwrap();
    assert_eq!((pruned.attempts, pruned.letters), (2, 0), "the letters of dead jobs stay");
    let pruned = db.writer.write(|tx| prune(tx, now, day * 3, day * 3, 3)).unwrap();
    assert!(!pruned.is_full(3));
}

#[rstest]
#[case::in_hand(false)]
#[case::done(true)]
fn a_run_that_had_nothing_to_write_takes_no_item_from_a_scene_that_came_to_it_meanwhile(#[case] done: bool) {
    let mut db = Database::new();
    let (first, second) = (stash_scene(7, "t"), stash_scene(8, "u"));
    carry(&mut db, &first, "Seven");
    let claimed = db.in_hand(7);
    // A person gave the item to the other one.
    if done {
        carry(&mut db, &second, "Eight");
    } else {
        let rival = db.in_hand(8);
        let title = vec![edit(Field::Title, Some("Eight"))];
        opened(&intend_knowing(&mut db, &rival, title, Some(scene(7))));
    }
    let mut report = report(&claimed, Ok(()));
    report.links = vec![link("55", &first, db.now)];
    let again = recorded(db.settle(&report));
    assert_eq!(again.state, JobState::Ready, "{}", again.next);
    let now_held_by = holder(&mut db.reader(), &item("55")).unwrap().unwrap().scene;
    assert_eq!(now_held_by, scene(if done { 8 } else { 7 }));
}

#[rstest]
#[case::it_went_elsewhere(true)]
#[case::another_took_its_item(false)]
fn a_write_without_an_end_blocks_nobody_once_its_scene_is_not_the_item(#[case] elsewhere: bool) {
    let mut db = Database::new();
    let crashed = db.in_hand(7);
    opened(&intend(&mut db, &crashed, vec![edit(Field::Title, Some("Seven"))]));
    if elsewhere {
        db.writer.write(|tx| take_back(tx, db.now)).unwrap();
        let again = db.in_hand(7);
        let mut report = report(&again, Ok(()));
        report.links = vec![link("56", &stash_scene(7, "t"), db.now)];
        db.settle(&report);
        carry(&mut db, &stash_scene(8, "u"), "Eight");
    } else {
        let rival = db.in_hand(8);
        let title = || vec![edit(Field::Title, Some("Eight"))];
        assert_eq!(intend_knowing(&mut db, &rival, title(), None), Opening::Contested);
        let id = opened(&intend_knowing(&mut db, &rival, title(), Some(scene(7))));
        let mut report = report(&rival, Ok(()));
        report.links = vec![link("55", &stash_scene(8, "u"), db.now)];
        report.passed_on = BTreeMap::from([(item("55"), scene(7))]);
        report.intents = vec![applied(id, Field::Title, "Eight")];
        db.settle(&report);
    }
    assert_eq!(intents_of(&mut db.reader(), scene(7)).unwrap(), []);
    assert_eq!(holder(&mut db.reader(), &item("55")).unwrap().unwrap().scene, scene(8));
    let writes = writes_of(&mut db.reader(), scene(7), None, 9).unwrap();
    assert_eq!(writes[0].write.outcome, WriteOutcome::Unverified, "the history keeps it");
}
