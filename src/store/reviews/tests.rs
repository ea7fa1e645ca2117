//! Tests of reviews: a word is kept, and holds as long as scene and server are the same.

use super::super::candidates::tests::{part, scene as sighted};
use super::super::settings;
use super::super::settle::{Recorded, RunReport, Settled};
use super::super::tests::{Database, library, report, scene, updated};
use super::*;
use crate::domain::failure::{FailureClass, Peer};

fn key(id: i64) -> RatingKey {
    id.to_string().parse().unwrap()
}

fn candidate(id: i64) -> Candidate {
    Candidate {
        rating_key: key(id),
        section: "3".parse().unwrap(),
        path: format!("/media/{id}.mp4"),
        confidence: 0.1 + 0.2,
        reasons: vec![Reason { weight: 0.7, text: "the file name is equal".to_owned() }],
        held_by: None,
    }
}

pub(in crate::store) fn question(items: &[i64]) -> NewReview {
    NewReview {
        machine: MachineId("m".to_owned()),
        identity: sighted("/a.mp4", 5, "").identity(),
        title: "A".to_owned(),
        path: "/a.mp4".to_owned(),
        candidates: items.iter().copied().map(candidate).collect(),
    }
}

/// Ends a run of the scene with a question, or with another failure.
fn park(db: &mut Database, id: i64, items: Option<&[i64]>) -> Box<Recorded> {
    let claimed = db.in_hand(id);
    let failure = Failure::new(FailureClass::Ambiguous, Peer::Plex, "ambiguous", "several items could be it");
    let report = RunReport { review: items.map(question), ..report(&claimed, Err(failure)) };
    match db.settle(&report) {
        Settled::Recorded(recorded) => recorded,
        Settled::Fenced => panic!("the run is in hand"),
    }
}

fn open(db: &Database) -> Vec<SceneId> {
    open_reviews(&mut db.reader(), None, 10).unwrap().into_iter().map(|review| review.scene).collect()
}

#[test]
fn a_question_is_news_once_and_goes_when_the_job_goes_on() {
    let mut db = Database::new();
    assert!(park(&mut db, 1, Some(&[5, 6])).to_review);
    let first = review(&mut db.reader(), scene(1)).unwrap().unwrap();
    assert_eq!(first.asked, question(&[5, 6]), "it is kept as it was asked");
    assert!(!park(&mut db, 1, Some(&[5, 6])).to_review, "the same again");
    assert_eq!(review(&mut db.reader(), scene(1)).unwrap().unwrap(), first, "since when stays");
    assert!(park(&mut db, 1, Some(&[5])).to_review);
    db.accept(&[updated(1)]);
    assert_eq!(open(&db), [], "an event has it judged again");
    park(&mut db, 1, None);
    assert_eq!(open(&db), [], "and another verdict has no candidates");
    assert!(park(&mut db, 1, Some(&[5])).to_review);
    db.writer.write(|tx| steer::drop_job(tx, scene(1), db.now)).unwrap();
    park(&mut db, 1, None);
    assert_eq!(open(&db), []);
}

#[test]
fn reviews_are_listed_page_by_page() {
    let mut db = Database::new();
    for id in [3, 1, 2] {
        park(&mut db, id, Some(&[5]));
    }
    assert_eq!(open(&db), [scene(1), scene(2), scene(3)]);
    let page = open_reviews(&mut db.reader(), Some(scene(1)), 1).unwrap();
    assert_eq!(page.into_iter().map(|review| review.scene).collect::<Vec<_>>(), [scene(2)]);
}

#[test]
fn an_answer_starts_the_job_and_holds_while_scene_and_server_are_the_same() {
    let mut db = Database::new();
    db.writer.write(|tx| settings::put(tx, settings::MACHINE, "m")).unwrap();
    let now = db.now;
    let nothing = db.writer.write(|tx| accept(tx, scene(1), &key(5), now)).unwrap();
    assert_eq!(nothing, Accepted::NothingToReview);
    assert_eq!(db.writer.write(|tx| reject(tx, scene(1), now)).unwrap(), None);
    park(&mut db, 1, Some(&[5, 6]));
    let wrong = db.writer.write(|tx| accept(tx, scene(1), &key(7), now)).unwrap();
    assert_eq!(wrong, Accepted::NotACandidate(vec![key(5), key(6)]));
    assert_eq!(open(&db), [scene(1)]);
    let now = db.now;
    let came = db.writer.write(|tx| accept(tx, scene(1), &key(5), now)).unwrap();
    assert_eq!((came, db.job(1).state), (Accepted::Ready { held_by: None }, JobState::Ready));
    assert_eq!((db.job(1).due_at, open(&db)), (Some(now), Vec::new()));

    let said = |scene: &Scene| Reviewed::from(answers(&mut db.reader(), scene).unwrap());
    let same = sighted("/elsewhere.mp4", 9, "renamed");
    assert_eq!(said(&same).accepted, [(key(5), "/media/5.mp4".to_owned())]);
    assert_eq!(said(&Scene { created_at: "later".to_owned(), ..same.clone() }), Reviewed::default());
    db.writer.write(|tx| settings::put(tx, settings::MACHINE, "another")).unwrap();
    let said = Reviewed::from(answers(&mut db.reader(), &same).unwrap());
    assert_eq!(said, Reviewed::default(), "keys of another server mean other items");
}

#[test]
fn the_last_word_counts_for_the_scene_and_for_the_item() {
    let mut db = Database::new();
    db.writer.write(|tx| settings::put(tx, settings::MACHINE, "m")).unwrap();
    let said = |db: &Database, id: i64| {
        let scene = Scene { id: scene(id), ..sighted("/a.mp4", 5, "") };
        Reviewed::from(answers(&mut db.reader(), &scene).unwrap())
    };
    for (id, item) in [(1, 5), (1, 6), (2, 6)] {
        park(&mut db, id, Some(&[5, 6]));
        let now = db.now;
        db.writer.write(|tx| accept(tx, scene(id), &key(item), now)).unwrap();
        let accepted: Vec<_> = said(&db, id).accepted.into_iter().map(|(key, _)| key).collect();
        assert_eq!(accepted, [key(item)]);
        let claimed = db.claim(1, 0).pop().unwrap();
        db.settle(&report(&claimed, Ok(())));
    }
    assert_eq!(said(&db, 1), Reviewed::default(), "an item is one scene");
    park(&mut db, 2, Some(&[6]));
    let now = db.now;
    assert_eq!(db.writer.write(|tx| reject(tx, scene(2), now)).unwrap(), Some(vec![key(6)]));
    assert_eq!(said(&db, 2), Reviewed { accepted: Vec::new(), rejected: vec![key(6)] });
    db.writer.write(|tx| forget_answers(tx, scene(2))).unwrap();
    assert_eq!(said(&db, 2), Reviewed::default());
}

#[test]
fn an_accepted_item_is_offered_though_nothing_speaks_for_it() {
    let mut db = Database::new();
    let library = library("3");
    db.writer.write(|tx| settings::put(tx, settings::MACHINE, "m")).unwrap();
    let walk =
        db.writer.write(|tx| super::super::plex_index::begin_walk(tx, &MachineId("m".to_owned()), &library));
    let walk = walk.unwrap();
    let known = part(5, "/nothing/alike.mkv");
    db.writer
        .write(|tx| super::super::plex_parts::upsert_parts(tx, std::slice::from_ref(&known), walk))
        .unwrap();
    park(&mut db, 1, Some(&[5]));
    let now = db.now;
    db.writer.write(|tx| accept(tx, scene(1), &key(5), now)).unwrap();
    let map = crate::domain::matching::PathMap::default();
    let offered = super::super::candidates::candidates(&mut db.reader(), &sighted("/a.mp4", 5, ""), &map);
    assert_eq!(offered.unwrap().parts, [known]);
}
