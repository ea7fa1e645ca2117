//! Tests of the end of a run.

mod holders;

use std::collections::BTreeMap;

use rstest::rstest;

use super::super::attempts::attempts_of;
use super::super::counts::counts;
use super::super::covers::SeenCover;
use super::super::intents::{NewIntent, Opening, SettledField, intent_of, intents_of, open_intent};
use super::super::ledger::{base, holder, links_of};
use super::super::prune::prune;
use super::super::queue::{ClaimedJob, take_back};
use super::super::tests::{Database, correlation, report, scene, updated};
use super::super::writes::{WriteOutcome, writes_of};
use super::*;
use crate::domain::edits::{Base, Change, Edit, Field, ImageSlot, ListChange, Shape, Tag, Value};
use crate::domain::failure::Peer;
use crate::domain::ids::{Generation, MachineId};
use crate::domain::scene::{Scene, SceneFile};

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, Peer::Plex, "code", "detail").with_answer("<html>")
}

fn item(key: &str) -> ItemKey {
    ItemKey { machine: MachineId("m".to_owned()), rating_key: key.parse().unwrap() }
}

pub(in crate::store) fn stash_scene(id: i64, created_at: &str) -> Scene {
    let file =
        SceneFile { path: "/v/a.mp4".to_owned(), size: None, duration: None, oshash: Some("f".repeat(16)) };
    Scene {
        id: scene(id),
        created_at: created_at.to_owned(),
        title: String::new(),
        details: String::new(),
        date: String::new(),
        rating: None,
        director: String::new(),
        studio: None,
        tags: Vec::new(),
        performers: Vec::new(),
        organized: false,
        files: vec![file],
    }
}

pub(in crate::store) fn link(key: &str, scene: &Scene, now: Timestamp) -> Link {
    Link {
        item: item(key),
        scene: scene.id,
        identity: scene.identity(),
        section: "1".parse().unwrap(),
        part_path: "/plex/a.mp4".to_owned(),
        evidence: "path".to_owned(),
        confidence: 1.0,
        linked_at: now,
    }
}

fn edit(field: Field, value: Option<&str>) -> Edit {
    let value = value.map(|text| Change::Text(text.to_owned()));
    Edit { field, value, locked: Some(true) }
}

/// Opens an intent for a run that knows who holds the item.
fn intend(db: &mut Database, claimed: &ClaimedJob, edits: Vec<Edit>) -> Opening {
    let known = holder(&mut db.reader(), &item("55")).unwrap().map(|link| link.scene);
    intend_knowing(db, claimed, edits, known)
}

fn intend_knowing(
    db: &mut Database,
    claimed: &ClaimedJob,
    edits: Vec<Edit>,
    passed_on_by: Option<SceneId>,
) -> Opening {
    let old = |field: Field| match field.shape() {
        Shape::Text | Shape::Rating | Shape::Image(_) => "old".into(),
        Shape::List => Value::names(["old"]),
    };
    let before = edits.iter().map(|edit| (edit.field, old(edit.field))).collect();
    let (scene, correlation_id) = (claimed.scene(), correlation());
    let undoes = None;
    let new = NewIntent { scene, item: item("55"), edits, before, correlation_id, undoes, passed_on_by };
    let (now, token) = (db.now, claimed.token());
    db.writer.write(|tx| open_intent(tx, &new, token, now)).unwrap()
}

fn opened(opening: &Opening) -> i64 {
    let Opening::Opened(id) = opening else { panic!("{opening:?}") };
    *id
}

fn applied(id: i64, field: Field, after: &str) -> SettledIntent {
    let field = SettledField { after: after.into(), base: Some(after.into()), ..applied_field(field) };
    SettledIntent { id, fields: vec![field] }
}

fn applied_field(field: Field) -> SettledField {
    SettledField { field, outcome: WriteOutcome::Applied, after: field.nothing(), base: None, note: None }
}

/// Carries one title to item 55 on behalf of the scene.
fn carry(db: &mut Database, scene: &Scene, title: &str) {
    let known = holder(&mut db.reader(), &item("55")).unwrap().map(|link| link.scene);
    let claimed = db.in_hand(scene.id.get());
    let id = opened(&intend(db, &claimed, vec![edit(Field::Title, Some(title))]));
    let mut report = report(&claimed, Ok(()));
    report.passed_on = known.into_iter().map(|known| (item("55"), known)).collect();
    report.links = vec![link("55", scene, db.now)];
    report.intents = vec![applied(id, Field::Title, title)];
    assert!(matches!(db.settle(&report), Settled::Recorded(_)));
}

fn recorded(settled: Settled) -> Recorded {
    let Settled::Recorded(recorded) = settled else { panic!("{settled:?}") };
    *recorded
}

#[test]
fn a_good_run_leaves_job_attempt_ledger_and_history_in_agreement() {
    let mut db = Database::new();
    carry(&mut db, &stash_scene(7, "t"), "New");
    let mut reader = db.reader();
    assert_eq!((db.job(7).state, db.job(7).synced), (JobState::Done, Generation(1)));
    assert_eq!(counts(&mut reader).unwrap().tallies.done, 1);
    let attempts = attempts_of(&mut reader, scene(7), 9).unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].next.as_str(), &attempts[0].failure), ("done", &None));
    assert_eq!(intents_of(&mut reader, scene(7)).unwrap(), []);
    let writes = writes_of(&mut reader, scene(7), None, 9).unwrap();
    assert_eq!((&writes[0].write.before, &writes[0].write.after), (&"old".into(), &"New".into()));
    let known = base(&mut reader, &item("55"), &stash_scene(7, "t")).unwrap();
    assert_eq!(known, Base::from([(Field::Title, "New".into())]));
}

#[test]
fn what_was_seen_of_images_is_kept_for_the_scene_that_holds_the_item_alone() {
    let mut db = Database::new();
    let cover = SeenCover {
        tag: "\"t\"".to_owned(),
        wanted: "upload://posters/a".to_owned(),
        address: "/library/metadata/55/thumb/1".to_owned(),
        shown: "upload://posters/a".to_owned(),
    };
    let seen = SeenCovers::from([(ImageSlot::Poster, cover)]);
    let (first, again) = (stash_scene(7, "t"), stash_scene(7, "later"));
    let claimed = db.in_hand(7);
    let mut report = report(&claimed, Ok(()));
    report.links = vec![link("55", &first, db.now)];
    report.covers = vec![(item("55"), seen.clone())];
    db.settle(&report);
    let known =
        |db: &mut Database, scene: &Scene| covers::covers(&mut db.reader(), &item("55"), scene).unwrap();
    assert_eq!(known(&mut db, &first), seen);
    assert_eq!(known(&mut db, &again), SeenCovers::new(), "another scene that was given the same id");
    carry(&mut db, &stash_scene(8, "t"), "New");
    assert_eq!(known(&mut db, &first), SeenCovers::new());
    db.writer.write(|tx| ledger::link(tx, &link("55", &first, Timestamp::MIN))).unwrap();
    assert_eq!(known(&mut db, &first), SeenCovers::new(), "and is not found again later");
}

#[test]
fn a_late_answer_of_an_old_run_changes_nothing() {
    let mut db = Database::new();
    let old = db.in_hand(7);
    db.writer.write(|tx| take_back(tx, db.now)).unwrap();
    assert_eq!(db.settle(&report(&old, Ok(()))), Settled::Fenced);
    assert_eq!(intend(&mut db, &old, Vec::new()), Opening::Fenced);
    let new = db.claim(1, 0).pop().unwrap();
    assert_eq!(db.settle(&report(&old, Ok(()))), Settled::Fenced);
    assert_eq!(db.job(7).token, Some(new.token()));
    assert_eq!(attempts_of(&mut db.reader(), scene(7), 9).unwrap(), []);
}

#[test]
fn a_job_that_is_given_up_has_one_letter_with_the_answer() {
    let mut db = Database::new();
    let claimed = db.in_hand(7);
    let buried = recorded(db.settle(&report(&claimed, Err(failure(FailureClass::Rejected))))).buried.unwrap();
    assert_eq!(buried.answer.as_deref(), Some("<html>"));
    assert_eq!((buried.scene, buried.attempts), (scene(7), 1));
    assert_eq!(dead_letters::open_letter(&mut db.reader(), scene(7)).unwrap(), Some(buried));
    assert_eq!(counts(&mut db.reader()).unwrap().dead, 1);
}

#[test]
fn an_event_that_came_meanwhile_saves_the_job_from_its_grave() {
    let mut db = Database::new();
    let claimed = db.in_hand(7);
    db.accept(&[updated(7)]);
    let after = recorded(db.settle(&report(&claimed, Err(failure(FailureClass::Rejected)))));
    assert_eq!((after.state, after.buried), (JobState::Ready, None));
    assert!(after.next.contains("an event came"), "{}", after.next);
    let attempts = attempts_of(&mut db.reader(), scene(7), 1).unwrap();
    assert_eq!(attempts[0].generation, Generation(1), "the run covered the first event only");
}

#[test]
fn an_intent_that_is_still_open_is_given_back_instead_of_a_second_one() {
    let mut db = Database::new();
    let crashed = db.in_hand(7);
    let id = opened(&intend(&mut db, &crashed, vec![edit(Field::Title, Some("New"))]));
    db.writer.write(|tx| take_back(tx, db.now)).unwrap();
    let claimed = db.claim(1, 0).pop().unwrap();
    let Opening::Unsettled(open) = intend(&mut db, &claimed, vec![edit(Field::Title, Some("Newer"))]) else {
        panic!("a second intent was opened")
    };
    assert_eq!((open.id, open.intent.before), (id, BTreeMap::from([(Field::Title, "old".into())])));
    let mut report = report(&claimed, Ok(()));
    report.intents = vec![applied(id, Field::Title, "New")];
    db.settle(&report);
    assert_eq!(intent_of(&mut db.reader(), &item("55"), scene(7)).unwrap(), None);
}

#[test]
fn a_field_that_was_only_locked_is_not_taken_for_written() {
    let mut db = Database::new();
    let same = stash_scene(7, "t");
    let claimed = db.in_hand(7);
    let edits = vec![edit(Field::Title, None), edit(Field::Studio, Some("S"))];
    let id = opened(&intend(&mut db, &claimed, edits));
    let mut report = report(&claimed, Ok(()));
    report.links = vec![link("55", &same, db.now)];
    let mut intent = applied(id, Field::Title, "old");
    intent.fields[0].base = None;
    report.intents = vec![intent];
    db.settle(&report);
    assert_eq!(base(&mut db.reader(), &item("55"), &same).unwrap(), Base::new());
    let writes = writes_of(&mut db.reader(), scene(7), None, 9).unwrap();
    let unverified = writes.iter().find(|line| line.write.field == Field::Studio).unwrap();
    assert_eq!(unverified.write.outcome, WriteOutcome::Unverified, "nothing was said about it");
    assert_eq!(unverified.write.after, "S".into());
}

#[test]
fn lists_come_back_from_intent_ledger_and_history_as_they_went() {
    let mut db = Database::new();
    let same = stash_scene(7, "t");
    let claimed = db.in_hand(7);
    let (stay, add) = (vec![Tag::named("By hand")], vec![Tag::named("Ours, with a comma")]);
    let list = ListChange { stay, add: add.clone(), remove: vec![Tag::named("Old")], ours: add.clone() };
    let genres = Edit { field: Field::Genres, value: Some(Change::List(list.clone())), locked: Some(true) };
    let id = opened(&intend(&mut db, &claimed, vec![genres.clone()]));
    let open = intent_of(&mut db.reader(), &item("55"), scene(7)).unwrap().unwrap();
    assert_eq!(open.intent.edits, [genres]);
    let after = Value::List(list.all().cloned().collect());
    let settled =
        SettledField { after: after.clone(), base: Some(Value::List(add)), ..applied_field(Field::Genres) };
    let mut report = report(&claimed, Ok(()));
    report.links = vec![link("55", &same, db.now)];
    report.intents = vec![SettledIntent { id, fields: vec![settled] }];
    db.settle(&report);
    let known = base(&mut db.reader(), &item("55"), &same).unwrap();
    assert_eq!(known, Base::from([(Field::Genres, Value::names(["Ours, with a comma"]))]));
    let writes = writes_of(&mut db.reader(), scene(7), None, 9).unwrap();
    assert_eq!((&writes[0].write.before, &writes[0].write.after), (&Value::names(["old"]), &after));
}

#[test]
fn an_id_that_stash_gave_out_again_inherits_nothing() {
    let mut db = Database::new();
    carry(&mut db, &stash_scene(7, "t"), "New");
    let other = stash_scene(7, "later");
    assert_eq!(base(&mut db.reader(), &item("55"), &other).unwrap(), Base::new());
    let claimed = db.in_hand(7);
    let mut report = report(&claimed, Ok(()));
    report.links = vec![link("55", &other, db.now)];
    db.settle(&report);
    assert_eq!(base(&mut db.reader(), &item("55"), &other).unwrap(), Base::new());
}

#[test]
fn an_item_that_passes_on_takes_no_ledger_with_it() {
    let mut db = Database::new();
    let (first, second) = (stash_scene(7, "t"), stash_scene(8, "u"));
    carry(&mut db, &first, "Seven");
    carry(&mut db, &second, "Eight");
    assert_eq!(holder(&mut db.reader(), &item("55")).unwrap().unwrap().scene, scene(8));
    assert_eq!(links_of(&mut db.reader(), scene(7)).unwrap(), []);
    assert_eq!(base(&mut db.reader(), &item("55"), &first).unwrap(), Base::new());
    assert_eq!(
        base(&mut db.reader(), &item("55"), &second).unwrap().get(Field::Title),
        Some(&"Eight".into())
    );
    carry(&mut db, &first, "Seven");
    assert_eq!(base(&mut db.reader(), &item("55"), &first).unwrap().fields().count(), 1);
}
