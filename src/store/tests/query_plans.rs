//! Every statement finds its rows by an index, however large the tables are. The statements are overheard while they
//! run, so that no copy of them can fall behind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::super::covers::{SeenCover, SeenCovers};
use super::super::dead_letters::Letters;
use super::super::intents::{NewIntent, intents_of, open_intent};
use super::super::queue::{claim_due, is_idle, next_due, rebase, release, take_back};
use super::super::settle::{RunReport, settle};
use super::super::writes::{NewWrite, WriteOutcome};
use super::super::*;
use super::{DEBOUNCE, Database, POLICY, library, report, scene, updated};
use crate::domain::edits::{Field, ImageSlot};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::MachineId;
use crate::domain::job::JobState;
use crate::domain::retry::FailureRates;

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The plans of all statements that `work` runs, each with its statement.
fn plans(db: &mut Database, work: impl FnOnce(&mut WriteTx<'_>)) -> Vec<(String, String)> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    db.writer.raw().set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            ears.lock().unwrap().push(query.to_string());
        }
    });
    db.writer
        .write(|tx| {
            work(tx);
            Ok(())
        })
        .unwrap();
    db.writer.raw().set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let statements = heard.lock().unwrap().clone();
    let is_control = |sql: &String| ["BEGIN", "COMMIT"].iter().any(|word| sql.starts_with(word));
    let mut found = Vec::new();
    for heard in statements.into_iter().filter(|sql| !is_control(sql)) {
        let sql = heard.split(" -- binds").next().unwrap().to_owned();
        let plan = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
            .load::<PlanLine>(db.writer.raw())
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let plan: Vec<_> = plan.into_iter().map(|line| line.detail).collect();
        found.push((sql, plan.join("; ")));
    }
    found
}

fn assert_no_scan(plans: &[(String, String)]) {
    assert!(!plans.is_empty());
    for (sql, plan) in plans {
        // A statement that reads no table of its own has one row, which is called a scan too.
        let plan = plan.replace("SCAN CONSTANT ROW", "");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}\n{sql}");
    }
}

#[test]
fn claiming_settling_and_counting_touch_only_the_rows_they_are_about() {
    let mut db = Database::new();
    let claimed = db.in_hand(1);
    let (now, mut rng) = (db.now, db.rng.clone());
    let dead = Err(Failure::new(FailureClass::Rejected, Peer::Plex, "code", "detail"));
    let gone = Err(Failure::new(FailureClass::Gone, Peer::Stash, "code", "detail"));
    let item = ItemKey { machine: MachineId("m".to_owned()), rating_key: "5".parse().unwrap() };
    let seen = SeenCovers::from([(ImageSlot::Poster, SeenCover::default())]);
    let covers = vec![(item.clone(), seen)];
    let report = RunReport { unlinked: vec![item.clone()], covers, ..report(&claimed, dead) };
    let plans = plans(&mut db, |tx| {
        settle(tx, &report, &POLICY, &FailureRates::default(), now, &mut rng).unwrap();
        queue::accept(tx, &[updated(1), updated(2)], &DEBOUNCE, now).unwrap();
        let later = now + Duration::from_mins(1);
        let claims = claim_due(tx, 1, 1, later, &mut rng).unwrap();
        let [claimed] = claims.jobs.as_slice() else { panic!("{claims:?}") };
        let (edits, before) = (Vec::new(), std::collections::BTreeMap::new());
        let intent = NewIntent {
            scene: claimed.scene(),
            item: item.clone(),
            edits,
            before,
            correlation_id: super::correlation(),
            undoes: Some(1),
            passed_on_by: None,
        };
        open_intent(tx, &intent, claimed.token(), now).unwrap();
        settle(tx, &super::report(claimed, gone), &POLICY, &FailureRates::default(), now, &mut rng).unwrap();
        release(tx, &[], now).unwrap();
        take_back(tx, now).unwrap();
        steer::retry(tx, scene(2), now).unwrap();
        steer::drop_job(tx, scene(2), now).unwrap();
        steer::retry_letter(tx, 1, now).unwrap();
        steer::pause(tx, None, now).unwrap();
        steer::resume(tx).unwrap();
        next_due(tx).unwrap();
        is_idle(tx, now).unwrap();
        counts::counts(tx).unwrap();
        counts::oldest_ready(tx).unwrap();
        intents_of(tx, scene(1)).unwrap();
        for state in JobState::ALL {
            jobs::jobs(tx, Some(state), Some(scene(1)), 10).unwrap();
        }
        jobs::jobs(tx, None, None, 10).unwrap();
        attempts::attempts_of(tx, scene(1), 10).unwrap();
        writes::writes_of(tx, scene(1), Some(7), 10).unwrap();
        dead_letters::open_letter(tx, scene(1)).unwrap();
        for which in [Letters::Open, Letters::OpenWithCode("code"), Letters::All] {
            dead_letters::letters(tx, which, Some(1), 10).unwrap();
        }
        ledger::links_of(tx, scene(1)).unwrap();
        ledger::holder(tx, &item).unwrap();
    });
    assert_no_scan(&plans);
    let uses = |index: &str, words: &str| {
        plans.iter().any(|(sql, plan)| sql.contains(words) && plan.contains(index) && plan.contains("SEARCH"))
    };
    assert!(uses("dead_letters_open_by_code (code=? AND letter_id>?)", "LIMIT"), "{plans:?}");
    assert!(uses("jobs_due (due_at", "LIMIT"), "{plans:?}");
    assert!(uses("COVERING INDEX jobs_due", "IS NOT NULL"), "{plans:?}");
    assert!(uses("COVERING INDEX jobs_unfinished (state=?)", "count(*)"), "{plans:?}");
}

#[test]
fn undoing_touches_only_the_rows_it_is_about() {
    let mut db = Database::new();
    let (now, mut rng) = (db.now, db.rng.clone());
    let write = NewWrite {
        scene: scene(1),
        item: ItemKey { machine: MachineId("m".to_owned()), rating_key: "5".parse().unwrap() },
        field: Field::Title,
        before: "a".into(),
        after: "b".into(),
        outcome: WriteOutcome::Applied,
        note: None,
        correlation_id: super::correlation(),
    };
    let plans = plans(&mut db, |tx| {
        writes::record(tx, &write, now).unwrap();
        undos::ask(tx, 1, &super::correlation(), now).unwrap();
        undos::state(tx, 1).unwrap();
        undos::open_of(tx, scene(1)).unwrap();
        undos::refuse(tx, 1, "why", now).unwrap();
        queue::claim_only(tx, scene(1), now, &mut rng).unwrap();
    });
    assert_no_scan(&plans);
}

#[test]
fn a_scene_is_looked_for_without_reading_the_library() {
    let mut db = Database::new();
    let library = library("3");
    let now = db.now;
    let found = crate::store::candidates::tests::scene("/data/Acme/Some Film.mp4", 5, "Some Film");
    let known = crate::store::candidates::tests::part(1, "/media/Other/Some Filn.mp4");
    let plans = plans(&mut db, |tx| {
        let walk = plex_index::begin_walk(tx, &MachineId("m".to_owned()), &library).unwrap();
        plex_parts::upsert_parts(tx, std::slice::from_ref(&known), walk).unwrap();
        plex_parts::upsert_parts(tx, std::slice::from_ref(&known), walk).unwrap();
        plex_parts::note_content(tx, &[known]).unwrap();
        plex_index::finish_walk(tx, &library.key, walk, plex_index::Ground::default(), None, now).unwrap();
        candidates::candidates(tx, &found, &crate::domain::matching::PathMap::default()).unwrap();
        plex_index::forget(tx, &"1".parse().unwrap()).unwrap();
        awaited::replace(tx, scene(1), &[5].into()).unwrap();
        awaited::wake(tx, &[5].into(), now).unwrap();
        own_paths::replace(tx, scene(1), &[5].into()).unwrap();
        own_paths::wake(tx, &[(5, "1".parse().unwrap())].into(), Duration::ZERO, now).unwrap();
        own_paths::forget(tx, scene(1)).unwrap();
    });
    // There are few libraries, and whether anybody waits is known at the first row.
    let small = |sql: &str| sql.contains("`plex_sections`") || sql.starts_with("SELECT EXISTS");
    let of_parts: Vec<_> = plans.into_iter().filter(|(sql, _)| !small(sql)).collect();
    assert_no_scan(
        &of_parts.iter().filter(|(sql, _)| !sql.starts_with("INSERT")).cloned().collect::<Vec<_>>(),
    );
    for index in [
        "plex_parts_path (path_hash=?)",
        "plex_parts_tail (tail_hash=?)",
        "plex_parts_size (size=?)",
        "plex_parts_name (name_hash=? AND size=?)",
        "plex_parts_name (name_hash=?)",
        "plex_parts_item (section_key=? AND rating_key=? AND part_id=?)",
        "awaited_of_scene (scene_id=?)",
        "own_paths_of_scene (scene_id=?)",
        "PRIMARY KEY (path_hash=?)",
        "PRIMARY KEY (key=?)",
        "PRIMARY KEY (band=?)",
        "PRIMARY KEY (band=? AND part=?)",
    ] {
        assert!(of_parts.iter().any(|(_, plan)| plan.contains(index)), "{index}: {of_parts:?}");
    }
}

#[test]
fn reviews_and_what_was_said_are_found_without_reading_all_jobs() {
    let mut db = Database::new();
    let claimed = db.in_hand(1);
    let failure = Failure::new(FailureClass::Ambiguous, Peer::Plex, "ambiguous", "detail");
    let review = Some(reviews::tests::question(&[5]));
    let parked = RunReport { review, ..report(&claimed, Err(failure)) };
    let (now, mut rng) = (db.now, db.rng.clone());
    let plans = plans(&mut db, |tx| {
        settle(tx, &parked, &POLICY, &FailureRates::default(), now, &mut rng).unwrap();
        assert_eq!(reviews::open_reviews(tx, None, 10).unwrap().len(), 1);
        reviews::accept(tx, scene(1), &"5".parse().unwrap(), now).unwrap();
        reviews::reject(tx, scene(1), now).unwrap();
        reviews::answers(tx, &candidates::tests::scene("/a.mp4", 5, "")).unwrap();
        reviews::forget_answers(tx, scene(1)).unwrap();
    });
    assert_no_scan(&plans);
    let listed =
        plans.iter().find(|(sql, _)| sql.contains("FROM `reviews`") && sql.contains("LIMIT")).unwrap();
    assert!(listed.1.starts_with("SEARCH reviews USING INTEGER PRIMARY KEY (rowid>?)"), "{listed:?}");
}

#[test]
fn waiting_jobs_are_rebased_without_reading_the_finished_ones() {
    let mut db = Database::new();
    let now = db.now;
    let plans = plans(&mut db, |tx| {
        rebase(tx, jiff::SignedDuration::ZERO, now).unwrap();
    });
    assert_eq!(plans.len(), 5, "one page of each state: {plans:?}");
    assert!(plans.iter().all(|(_, plan)| plan.contains("jobs_unfinished")), "{plans:?}");
}

#[test]
fn old_rows_are_pruned_from_the_oldest_on() {
    let mut db = Database::new();
    let now = db.now;
    let day = Duration::from_hours(24);
    let plans = plans(&mut db, |tx| {
        prune::prune(tx, now, day, day, 10).unwrap();
    });
    for (sql, plan) in &plans {
        // The inner query walks the table in the order of its ids, and stops after one batch.
        assert!(plan.starts_with("SEARCH"), "{plan}\n{sql}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}\n{sql}");
    }
}

#[test]
fn statements_that_run_once_per_event_are_prepared_once() {
    let mut db = Database::new();
    let cached = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&cached);
    db.writer.raw().set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::CacheQuery { sql, .. } = event {
            ears.lock().unwrap().push(sql.to_owned());
        }
    });
    db.accept(&[updated(1)]);
    let first = std::mem::take(&mut *cached.lock().unwrap());
    let keeps =
        |start: &str, table: &str| first.iter().any(|sql| sql.starts_with(start) && sql.contains(table));
    assert!(keeps("SELECT", "FROM `jobs`") && keeps("REPLACE", "INTO `jobs`"), "{first:?}");
    // SQLite plans by the value of a bound LIMIT, and prepares a kept statement with one anew for each run.
    assert!(first.iter().all(|sql| !sql.contains("LIMIT")), "{first:?}");
    db.accept(&(1..50).map(updated).collect::<Vec<_>>());
    assert_eq!(*cached.lock().unwrap(), Vec::<String>::new());
}
