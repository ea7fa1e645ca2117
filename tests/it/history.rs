//! Can a person have scenes carried by hand and see what was written, with the service running and without it?

use plexsync::sim::world::World;
use serde_json::Value;

use crate::process::{Service, errors, free_port, run, write_settings};
use crate::steer::{json, state_of, told};
use crate::support::{TestApp, wait_for};

/// The columns of each row that a command prints.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn scenes_are_carried_on_request_with_a_service_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(2).unwrap(), free_port());
    write_settings(folder, &world, port);
    let [first, second] = [0, 1].map(|place| world.pairs[place].clone());
    let service = Service::start(folder, port);
    let asked = json(folder, 0, &["sync", &first.scene.to_string(), "--json"]);
    assert_eq!(asked["results"][0]["outcome"], "queued", "{asked}");
    wait_for("it shows in Plex", || world.is_synced(&first).then_some(()));
    wait_for("it is done", || (state_of(folder, first.scene) == "done").then_some(()));
    let shown = json(folder, 0, &["queue", "show", &first.scene.to_string(), "--json"]);
    let origin = shown["history"][0]["correlation_id"].as_str().unwrap();
    assert!(origin.starts_with("by-hand-"), "the history tells whose wish it was: {shown}");
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);

    let both = run(folder, &["sync", &second.scene.to_string(), &first.scene.to_string()]);
    assert_eq!(both.status.code(), Some(0));
    assert_eq!(rows(&String::from_utf8_lossy(&both.stdout)).len(), 2);
    assert!(errors(&both).contains("no service answers"), "{}", errors(&both));
    told(folder, 0, &["run", "--until-idle"]);
    assert_eq!(world.synced(), 2);
    let counts = &json(folder, 0, &["status", "--json"])["counts"];
    assert_eq!((&counts["received"], &counts["conservation_error"]), (&3.into(), &0.into()), "{counts}");
    told(folder, 64, &["sync"]);
}

#[test]
fn the_history_shows_every_write_with_the_value_before() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(1).unwrap(), free_port());
    write_settings(folder, &world, port);
    drop(Service::start(folder, port));
    let scene = world.pairs[0].scene.to_string();
    let nothing = run(folder, &["history", &scene]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(errors(&nothing).contains("nothing is on record"), "{}", errors(&nothing));
    for title in ["Film 1", "Another"] {
        world.stash.update_scene(world.pairs[0].scene, |scene| scene.title = title.to_owned());
        told(folder, 0, &["sync", &scene]);
        told(folder, 0, &["run", "--until-idle"]);
    }
    let listed = told(folder, 0, &["history", &scene]);
    let listed = rows(&listed);
    let last = &listed[0];
    assert_eq!(last.len(), 8, "{last:?}");
    assert_eq!(
        last[2..7],
        [world.pairs[0].rating_key.as_str(), "title", "\"Film 1\"", "\"Another\"", "applied"]
    );
    let writes = json(folder, 0, &["history", &scene, "--json"]);
    let writes = writes.as_array().unwrap();
    assert_eq!(writes.len(), listed.len());
    assert_eq!(
        (&writes[0]["write_id"].to_string(), &writes[0]["before"]),
        (&last[0].to_owned(), &"Film 1".into())
    );
    let ids: Vec<_> = writes.iter().map(|write| write["write_id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|later, earlier| later > earlier), "newest first: {ids:?}");
}

#[test]
fn the_history_is_served_page_by_page() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.settle_all();
    let path = format!("/api/v1/history/{}", pair.scene);
    let (code, whole) = app.get(&path);
    let whole_list = whole["writes"].as_array().unwrap();
    assert_eq!((code, &whole["scene_id"], whole.get("next")), (200, &pair.scene.into(), None));
    assert!(whole_list.len() > 3, "{whole}");
    let mut paged: Vec<Value> = Vec::new();
    let mut after = String::new();
    loop {
        let (_, page) = app.get(&format!("{path}?limit=3{after}"));
        paged.extend(page["writes"].as_array().unwrap().iter().cloned());
        match page.get("next") {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(&paged, whole_list);
    assert_eq!(
        (app.get("/api/v1/history/99").1["writes"].clone(), app.get("/api/v1/history/x").0),
        (Value::Array(Vec::new()), 422)
    );
}

#[test]
fn a_dry_run_shows_each_field_that_would_be_written_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(1).unwrap(), free_port());
    write_settings(folder, &world, port);
    let pair = world.pairs[0].clone();
    let scene = pair.scene.to_string();
    let service = Service::start(folder, port);
    assert!(service.report(pair.scene));
    wait_for("it shows in Plex", || world.is_synced(&pair).then_some(()));
    wait_for("it is done", || (state_of(folder, pair.scene) == "done").then_some(()));
    let nothing = told(folder, 0, &["sync", &scene, "--dry-run"]);
    assert_eq!(rows(&nothing), [[&scene, pair.rating_key.as_str(), "", "write nothing", "", ""]]);
    world.plex.set_field(&pair.rating_key, "summary", "By hand");
    world.stash.update_scene(pair.scene, |scene| {
        scene.title = "Another".to_owned();
        scene.tags.push("New".to_owned());
        let bytes = b"GIF89a\x10\0\x09\0\0\0\0".to_vec();
        scene.cover = Some(plexsync::sim::Cover { content_type: "image/gif".to_owned(), bytes });
    });
    let before = (world.plex.item(&pair.rating_key), json(folder, 0, &["history", &scene, "--json"]));
    let with_service = told(folder, 0, &["sync", &scene, "--dry-run"]);
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    let without = told(folder, 0, &["sync", &scene, "--dry-run"]);
    assert_eq!(with_service, without);
    let shown = rows(&without);
    let fields: Vec<_> = shown.iter().map(|row| (row[2], row[3])).collect();
    let kept = ("summary", "remark: was edited in Plex by hand and is kept");
    assert_eq!(fields, [("title", "write"), ("genres", "write"), ("poster", "write"), kept]);
    assert_eq!(shown[0][4..], ["\"Film 1\"", "\"Another\""]);
    let document = json(folder, 0, &["sync", &scene, "--dry-run", "--json"]);
    let difference = &document[0]["items"][0]["differences"][0];
    assert_eq!((&difference["present"], &difference["becomes"]), (&"Film 1".into(), &"Another".into()));
    let after = (world.plex.item(&pair.rating_key), json(folder, 0, &["history", &scene, "--json"]));
    assert_eq!(after, before);
    assert_eq!(state_of(folder, pair.scene), "done", "it is not even queued");
    world.plex.go_down().unwrap();
    let away = run(folder, &["sync", &scene, "--dry-run"]);
    assert_eq!(away.status.code(), Some(69), "{}", errors(&away));
    let unknown = run(folder, &["sync", "999", "--dry-run"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", errors(&unknown));
}
