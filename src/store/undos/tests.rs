//! Tests of what is remembered of undoing.

use super::super::counts::{ConservationError, counts};
use super::super::intents::{NewIntent, Opening, SettledField, SettledIntent, open_intent};
use super::super::ledger::{Link, base};
use super::super::queue::ClaimedJob;
use super::super::rows::ItemKey;
use super::super::settle::RunReport;
use super::super::tests::{Database, correlation, report, scene};
use super::super::writes::{WriteOutcome, writes_of};
use super::*;
use crate::domain::edits::{Base, Change, Edit, Field, ListChange, Tag, Value};
use crate::domain::ids::MachineId;
use crate::domain::scene::{Scene, SceneIdentity};

fn item() -> ItemKey {
    ItemKey { machine: MachineId("m".to_owned()), rating_key: "55".parse().unwrap() }
}

fn identity() -> SceneIdentity {
    SceneIdentity { created_at: "then".to_owned(), oshash: String::new() }
}

fn link() -> Link {
    Link {
        item: item(),
        scene: scene(7),
        identity: identity(),
        section: "1".parse().unwrap(),
        part_path: "/media/a.mp4".to_owned(),
        evidence: "path".to_owned(),
        confidence: 1.0,
        linked_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn known(db: &Database) -> Base {
    base(&mut db.reader(), &item(), &Scene::departed(scene(7), &identity())).unwrap()
}

/// One write from intent to history.
fn written(
    db: &mut Database,
    claimed: &ClaimedJob,
    edit: Edit,
    before: Value,
    undoes: Option<i64>,
) -> SettledIntent {
    let after = edit.aim().unwrap();
    let field = SettledField {
        field: edit.field,
        outcome: WriteOutcome::Applied,
        base: Some(after.clone()),
        after,
        note: None,
    };
    let new = NewIntent {
        scene: scene(7),
        item: item(),
        before: [(edit.field, before)].into(),
        edits: vec![edit],
        correlation_id: correlation(),
        undoes,
        passed_on_by: None,
    };
    let (now, token) = (db.now, claimed.token());
    let opening = db.writer.write(|tx| open_intent(tx, &new, token, now)).unwrap();
    let Opening::Opened(id) = opening else { panic!("{opening:?}") };
    SettledIntent { id, fields: vec![field] }
}

fn run(db: &mut Database, edit: Edit, before: Value, undoes: Option<i64>) {
    let claimed = db.in_hand(7);
    let intent = written(db, &claimed, edit, before, undoes);
    db.settle(&RunReport { intents: vec![intent], links: vec![link()], ..report(&claimed, Ok(())) });
}

fn text(field: Field, text: &str) -> Edit {
    Edit { field, value: Some(Change::Text(text.to_owned())), locked: None }
}

fn ask_now(db: &mut Database, id: i64) -> Option<RecordedWrite> {
    db.writer.write(|tx| ask(tx, id, &correlation(), db.now)).unwrap()
}

fn state_now(db: &Database, id: i64) -> Option<UndoState> {
    state(&mut db.reader(), id).unwrap()
}

#[test]
fn what_is_taken_back_is_declined_until_the_field_is_written_again() {
    let mut db = Database::new();
    run(&mut db, text(Field::Summary, "ours"), "".into(), None);
    let id = writes_of(&mut db.reader(), scene(7), None, 1).unwrap()[0].id;
    assert_eq!((ask_now(&mut db, 99), state_now(&db, id)), (None, None));
    assert_eq!(ask_now(&mut db, id).unwrap().write.scene, scene(7));
    assert_eq!(state_now(&db, id), Some(UndoState::Asked));
    assert_eq!(open_of(&mut db.reader(), scene(7)).unwrap().len(), 1);
    run(&mut db, text(Field::Summary, ""), "ours".into(), Some(id));
    assert_eq!(state_now(&db, id), Some(UndoState::Undone));
    assert_eq!(open_of(&mut db.reader(), scene(7)).unwrap(), []);
    let last = writes_of(&mut db.reader(), scene(7), None, 1).unwrap().remove(0).write;
    assert_eq!(last.note, Some(format!("takes write {id} back")));
    let base = known(&db);
    assert_eq!(base.get(Field::Summary), Some(&"ours".into()), "what was put back is not ours");
    assert_eq!(base.declined(Field::Summary), Some(&"ours".into()));
    run(&mut db, text(Field::Summary, "new"), "".into(), None);
    let base = known(&db);
    assert_eq!((base.get(Field::Summary), base.declined(Field::Summary)), (Some(&"new".into()), None));
    assert_eq!(counts(&mut db.reader()).unwrap().conservation_error(), ConservationError::default());
}

#[test]
fn of_a_list_each_element_is_declined_until_it_is_put_back() {
    let mut db = Database::new();
    let list = |add: &[&str], remove: &[&str]| {
        let tags = |names: &[&str]| names.iter().copied().map(Tag::named).collect();
        let list = ListChange { add: tags(add), remove: tags(remove), ..ListChange::default() };
        Edit { field: Field::Genres, value: Some(Change::List(list)), locked: None }
    };
    let declined = |db: &Database| known(db).declined(Field::Genres).cloned();
    run(&mut db, list(&["a", "b"], &[]), Value::names([]), None);
    run(&mut db, list(&[], &["a"]), Value::names(["a", "b"]), Some(1));
    run(&mut db, list(&[], &["b"]), Value::names(["b"]), Some(2));
    assert_eq!(declined(&db), Some(Value::names(["a", "b"])));
    run(&mut db, list(&["c"], &[]), Value::names([]), None);
    assert_eq!(declined(&db), Some(Value::names(["a", "b"])), "another element changes nothing");
    run(&mut db, list(&["a"], &[]), Value::names(["c"]), Some(3));
    assert_eq!(declined(&db), Some(Value::names(["b"])));
}

#[test]
fn a_wish_ends_with_the_work_it_belongs_to() {
    let mut db = Database::new();
    run(&mut db, text(Field::Summary, "ours"), "".into(), None);
    ask_now(&mut db, 1);
    db.writer.write(|tx| steer::drop_job(tx, scene(7), db.now)).unwrap();
    assert!(matches!(state_now(&db, 1), Some(UndoState::Refused(why)) if why.contains("dropped")));
    ask_now(&mut db, 1);
    assert_eq!(state_now(&db, 1), Some(UndoState::Asked), "it can be asked for again");
    let claimed = db.in_hand(7);
    let failure = crate::domain::failure::Failure::new(
        crate::domain::failure::FailureClass::Gone,
        crate::domain::failure::Peer::Stash,
        "scene_gone",
        "gone",
    );
    db.settle(&report(&claimed, Err(failure)));
    assert!(matches!(state_now(&db, 1), Some(UndoState::Refused(why)) if why.contains("gone")));
    assert_eq!(known(&db), Base::new());
}
