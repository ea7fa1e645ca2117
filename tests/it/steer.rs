//! Can a person see and steer the work from the command line, with the service running and without it?

use std::path::Path;

use plexsync::clock::{Clock as _, SystemClock};
use plexsync::domain::failure::{Failure, FailureClass, Peer};
use plexsync::domain::job::Debounce;
use plexsync::domain::retry::{FailureRates, RetryPolicy};
use plexsync::sim::world::World;
use plexsync::sim::{Fault, PlexOp, StashOp};
use plexsync::store::own_paths::OwnPaths;
use plexsync::store::settle::RunReport;
use plexsync::store::{self, queue, settle, steer};
use rand::SeedableRng as _;
use serde_json::Value;

use crate::process::{Service, errors, free_port, run, write_settings};
use crate::support::{agent, wait_for};

/// Runs a command that is to end with this code, and returns what it prints.
pub(crate) fn told(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}{}", errors(&output));
    text
}

pub(crate) fn json(folder: &Path, code: i32, arguments: &[&str]) -> Value {
    serde_json::from_str(&told(folder, code, arguments)).unwrap()
}

pub(crate) fn state_of(folder: &Path, scene: i64) -> Value {
    json(folder, 0, &["queue", "show", "--json", &scene.to_string()])["state"].clone()
}

/// A house with its settings, and a service that ended after it gave up on all of its scenes.
fn given_up(scenes: usize) -> (tempfile::TempDir, World, u16) {
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(scenes).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    world.plex.faults().inject(PlexOp::Edit, Fault::status(409), None);
    let service = Service::start(folder.path(), port);
    for pair in &world.pairs {
        assert!(service.report(pair.scene));
    }
    wait_for("all are dead", || {
        let letters = json(folder.path(), 0, &["dead", "list", "--json"]);
        (letters.as_array().unwrap().len() == scenes).then_some(())
    });
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    world.plex.faults().clear();
    (folder, world, port)
}

#[test]
fn without_a_service_letters_are_retried_and_the_next_run_takes_them_up() {
    let (house, world, _) = given_up(3);
    let folder = house.path();
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.contains("`plexsync dead retry 1` tries it again"), "the notice names the way out: {log}");
    let listed = told(folder, 0, &["dead", "list"]);
    let first: Vec<_> = listed.lines().next().unwrap().split('\t').collect();
    assert_eq!((first.len(), first[0], first[2], first[3]), (7, "1", "open", "edit_rejected"), "{listed}");
    let shown = told(folder, 0, &["dead", "show", "1"]);
    assert!(shown.contains("`plexsync dead retry 1`") && shown.contains("rejected"), "{shown}");

    let some = run(folder, &["dead", "retry", "1", "99", "1"]);
    assert_eq!(some.status.code(), Some(1));
    let rows = String::from_utf8_lossy(&some.stdout).into_owned();
    let words: Vec<_> =
        rows.lines().map(|row| row.split('\t').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(words, ["1 ready", "99 unknown"], "what is known is done, once");
    assert!(errors(&some).contains("no dead letter 99"), "{}", errors(&some));
    assert!(errors(&some).contains("no service answers"), "{}", errors(&some));

    told(folder, 1, &["dead", "retry", "--all", "--code", "attempts_exhausted"]);
    told(folder, 0, &["dead", "retry", "--all", "--code", "edit_rejected"]);
    assert_eq!(told(folder, 0, &["dead", "list"]), "");
    let again = json(folder, 1, &["dead", "retry", "1", "--json"]);
    assert_eq!(again["results"][0]["outcome"], "retried", "{again}");
    told(folder, 0, &["run", "--until-idle"]);
    assert_eq!(world.synced(), 3);
}

#[test]
fn a_running_service_takes_up_a_retry_by_itself() {
    let (house, world, port) = given_up(2);
    let folder = house.path();
    let service = Service::start(folder, port);
    told(folder, 0, &["dead", "retry", "1"]);
    let letter = json(folder, 0, &["dead", "show", "1", "--json"]);
    assert_eq!(letter["state"], "retried");
    let scene = letter["scene_id"].to_string();
    let pair = world.pairs.iter().find(|pair| pair.scene.to_string() == scene).unwrap();
    wait_for("it shows in Plex", || world.is_synced(pair).then_some(()));
    let other = world.pairs.iter().find(|other| *other != pair).unwrap();
    let answer = json(folder, 0, &["queue", "retry", &other.scene.to_string(), "--json"]);
    assert_eq!(answer["results"][0]["outcome"], "ready");
    assert_eq!(answer["holds"], serde_json::json!([]), "a service hears of it");
    wait_for("it shows in Plex", || world.is_synced(other).then_some(()));
    wait_for("it is done", || (state_of(folder, other.scene) == "done").then_some(()));
    told(folder, 1, &["queue", "retry", &other.scene.to_string()]);
    told(folder, 1, &["queue", "drop", &other.scene.to_string(), "77"]);
    drop(service);
}

#[test]
fn the_letters_are_exported_and_served_with_their_history_and_the_last_answer() {
    let (house, _world, port) = given_up(3);
    let folder = house.path();
    told(folder, 0, &["dead", "discard", "2"]);
    let exported = told(folder, 0, &["dead", "export"]);
    let exported: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let states: Vec<_> = exported.iter().map(|letter| letter["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["open", "dropped", "open"]);
    for letter in &exported {
        assert!(letter["answer"].is_string() && letter["attempts"] == 1, "{letter}");
        assert_eq!(letter["history"][0]["outcome"], "rejected", "{letter}");
    }
    let service = Service::start(folder, port);
    let get = |path: &str| {
        let mut answer = agent().get(format!("{}/api/v1/dead-letters{path}", service.url)).call().unwrap();
        let code = answer.status().as_u16();
        (code, serde_json::from_str::<Value>(&answer.body_mut().read_to_string().unwrap()).unwrap())
    };
    let (_, page) = get("?limit=1");
    assert_eq!((&page["dead_letters"][0]["id"], &page["next"]), (&1.into(), &1.into()), "{page}");
    let (_, page) = get("?limit=5&after=1");
    assert_eq!((&page["dead_letters"][0]["id"], page.get("next")), (&3.into(), None), "{page}");
    assert_eq!(get("?code=other").1["dead_letters"], serde_json::json!([]));
    assert_eq!(get("/2"), (200, exported[1].clone()));
    assert_eq!((get("/99").0, get("/x").0), (404, 422));
}

#[test]
fn a_pause_is_told_everywhere_and_nothing_starts_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(1).unwrap(), free_port());
    write_settings(folder, &world, port);
    let scene = world.pairs[0].scene;
    let service = Service::start(folder, port);
    let paused = told(folder, 0, &["queue", "pause", "--reason", "moving house"]);
    assert!(paused.contains("(moving house)") && paused.contains("`plexsync queue resume`"), "{paused}");
    assert!(service.report(scene), "events are stored");
    let status = json(folder, 0, &["status", "--json"]);
    assert_eq!(status["paused"]["reason"], "moving house");
    assert!(told(folder, 0, &["status"]).contains("PAUSED"));
    let explained = told(folder, 0, &["queue", "explain", &scene.to_string()]);
    assert!(explained.contains("but          the queue is paused since"), "{explained}");
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);

    let left = run(folder, &["run", "--until-idle"]);
    assert_eq!(left.status.code(), Some(1), "it neither hangs nor says that all is done");
    assert!(errors(&left).contains("moving house"), "{}", errors(&left));
    assert_eq!(world.stash.count(StashOp::FindScene), 0, "and nothing was started");
    assert_eq!(state_of(folder, scene), "ready");

    assert!(told(folder, 0, &["queue", "resume"]).contains("goes on"));
    assert!(told(folder, 0, &["queue", "resume"]).contains("was not paused"));
    told(folder, 0, &["run", "--until-idle"]);
    assert_eq!(world.synced(), 1);
}

#[test]
fn what_is_in_hand_is_dropped_only_when_nobody_works_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(1).unwrap(), free_port());
    write_settings(folder, &world, port);
    let scene = world.pairs[0].scene.to_string();
    world.plex.faults().inject(PlexOp::Item, Fault::Hang, None);
    let service = Service::start(folder, port);
    assert!(service.report(world.pairs[0].scene));
    wait_for("it is in hand", || (state_of(folder, world.pairs[0].scene) == "running").then_some(()));
    let refused = json(folder, 1, &["queue", "drop", &scene, "--json"]);
    assert_eq!(refused["results"][0]["outcome"], "in_hand");
    let retried = json(folder, 0, &["queue", "retry", &scene, "--json"]);
    assert_eq!(retried["results"][0]["outcome"], "once_more");
    service.signal("-KILL");
    service.ended();
    let dropped = json(folder, 0, &["queue", "drop", &scene, "--json"]);
    assert_eq!(dropped["results"][0]["outcome"], "dropped");
    told(folder, 1, &["queue", "show", &scene]);
    let counts = &json(folder, 0, &["status", "--json"])["counts"];
    assert_eq!((&counts["dropped"], &counts["conservation_error"]), (&1.into(), &0.into()), "{counts}");
}

/// A database with two dead letters from three hours ago, of which the first was closed an hour later.
fn old_letters(database: &Path) {
    let mut writer = store::open(database).unwrap();
    let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
    let buried = SystemClock::new().now() - std::time::Duration::from_hours(3);
    let quiet = std::time::Duration::ZERO;
    let policy = RetryPolicy {
        adaptive: true,
        first_delay: quiet,
        max_delay: quiet,
        give_up_after: quiet,
        min_attempts: 1,
        not_found_for: quiet,
    };
    let debounce = Debounce { quiet, created: quiet };
    let events: Vec<_> = [1, 2]
        .map(|id| plexsync::domain::event::StashEvent {
            kind: "Scene.Update.Post".parse().unwrap(),
            id: id.try_into().unwrap(),
            correlation_id: "c-1".to_owned().try_into().unwrap(),
        })
        .into();
    writer.write(|tx| queue::accept(tx, &events, &debounce, buried)).unwrap();
    let claims = writer.write(|tx| queue::claim_due(tx, 2, 0, buried, &mut rng)).unwrap();
    for claimed in claims.jobs {
        let report = RunReport {
            token: claimed.token(),
            scene: claimed.scene(),
            started_at: buried,
            correlation_id: claimed.job().correlation_id.clone(),
            outcome: Err(Failure::new(FailureClass::Rejected, Peer::Plex, "edit_rejected", "no")),
            remark: None,
            intents: Vec::new(),
            links: Vec::new(),
            passed_on: std::collections::BTreeMap::new(),
            covers: Vec::new(),
            unlinked: Vec::new(),
            awaits: std::collections::BTreeSet::new(),
            own_paths: OwnPaths::default(),
            review: None,
        };
        writer
            .write(|tx| settle::settle(tx, &report, &policy, &FailureRates::default(), buried, &mut rng))
            .unwrap();
    }
    let closed = buried + std::time::Duration::from_hours(1);
    writer.write(|tx| steer::discard_letter(tx, 1, closed)).unwrap();
}

#[test]
fn keep_dead_lets_closed_letters_go_and_never_an_open_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(0).unwrap(), free_port());
    old_letters(&folder.join("p.db"));
    let letters = |settings: &str, expected: &[&str]| {
        write_settings(folder, &world, port);
        let file = folder.join("config.toml");
        let all = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{settings}\n{all}")).unwrap();
        let service = Service::start(folder, port);
        wait_for(&format!("{expected:?} are left"), || {
            let listed = told(folder, 0, &["dead", "list", "--all"]);
            let states: Vec<_> =
                listed.lines().map(|line| line.split('\t').nth(2).unwrap().to_owned()).collect();
            (states == expected).then_some(())
        });
        service.signal("-TERM");
        assert_eq!(service.ended(), 0);
    };
    letters("storage.keep_dead = \"3h\"", &["dropped", "open"]);
    letters("storage.keep_dead = \"1h\"", &["open"]);
    told(folder, 1, &["dead", "show", "1"]);
}
