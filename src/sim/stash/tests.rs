//! Does the simulated Stash have the habits and traps of the real one?

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::sim::client::{Reply, request, sent};
use crate::sim::faults::{Failing, Fault};

const FULL: &str = "query($id:ID!){findScene(id:$id){id title code details director date rating100 organized urls \
    created_at updated_at files{id path basename size duration fingerprints{type value} updated_at} \
    paths{screenshot} studio{id name parent_studio{id name}} performers{id name disambiguation} \
    tags{id name sort_name} groups{group{id name} scene_index} stash_ids{endpoint stash_id}}}";

fn stash() -> SimStash {
    SimStash::start(StashOptions::default()).unwrap()
}

fn harbor() -> NewScene {
    NewScene {
        details: "Line one\nLine two <b>bold</b>\u{2028}end".to_owned(),
        date: Some("2021-05-06".to_owned()),
        rating100: Some(80),
        studio: Some("Acme Films".to_owned()),
        performers: vec!["Ada Example".to_owned()],
        tags: vec!["Outdoor".to_owned(), "Blue".to_owned()],
        groups: vec![("Harbor Nights".to_owned(), Some(1))],
        ..NewScene::titled("Blue Harbor & Co", "/data/films/Blue Harbor.mp4")
    }
}

async fn raw(stash: &SimStash, query: &str, variables: Value) -> Reply {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = request("POST", &format!("{}/graphql", stash.url()))
        .header("Content-Type", "application/json")
        .header("Accept", "application/json")
        .body(body);
    sent(request).await.unwrap()
}

async fn ask(stash: &SimStash, query: &str) -> Value {
    let reply = raw(stash, query, json!({})).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()
}

/// The ids that a query for scenes finds, in order.
async fn ids(stash: &SimStash, arguments: &str) -> Vec<String> {
    let answer = ask(stash, &format!("{{findScenes{arguments}{{count scenes{{id}}}}}}")).await;
    let scenes = answer["data"]["findScenes"]["scenes"].as_array();
    let scenes = scenes.unwrap_or_else(|| panic!("{arguments}: {answer}"));
    scenes.iter().map(|scene| scene["id"].as_str().unwrap().to_owned()).collect()
}

fn message(answer: &Value) -> &str {
    answer["errors"][0]["message"].as_str().unwrap_or_default()
}

#[actix_rt::test]
async fn a_scene_is_answered_with_what_was_selected() {
    let stash = stash();
    let id = stash.add_scene(harbor());
    stash.set_parent_studio("Acme Films", "Beta & Sons");
    let reply = raw(&stash, FULL, json!({ "id": id.to_string() })).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    assert!(reply.text().contains("Blue Harbor \\u0026 Co"), "{}", reply.text());
    assert!(reply.text().contains("\\u003cb\\u003ebold\\u003c/b\\u003e\\u2028end"), "{}", reply.text());
    let scene = reply.json()["data"]["findScene"].take();
    assert_eq!(scene["title"], "Blue Harbor & Co");
    assert_eq!(scene["studio"]["parent_studio"]["name"], "Beta & Sons");
    assert_eq!((&scene["tags"][0]["name"], &scene["tags"][1]["name"]), (&"Blue".into(), &"Outdoor".into()));
    assert_eq!(scene["groups"][0]["scene_index"], 1);
    assert_eq!(scene["files"][0]["basename"], "Blue Harbor.mp4");
    assert_eq!((&scene["files"][0]["duration"], &scene["code"]), (&60.into(), &"".into()));
    assert!(scene["updated_at"].as_str().unwrap().ends_with("-05:00"), "{scene}");
    let selected: Vec<_> = scene.as_object().unwrap().keys().cloned().collect();
    assert!(!selected.contains(&"movies".to_owned()), "nothing else is sent");
}

#[actix_rt::test]
async fn several_scenes_come_by_aliases_and_a_missing_one_is_null() {
    let stash = stash();
    stash.add_scene(harbor());
    let answer = ask(&stash, "{s0:findScene(id:\"1\"){id} s1:findScene(id:\"9\"){id}}").await;
    assert_eq!(answer, json!({ "data": { "s0": { "id": "1" }, "s1": null } }));
    let bad = ask(&stash, "{findScene(id:\"abc\"){id}}").await;
    assert_eq!(bad["data"], json!({ "findScene": null }));
    assert_eq!(message(&bad), "strconv.Atoi: parsing \"abc\": invalid syntax");
}

#[actix_rt::test]
async fn an_unknown_field_is_a_validation_error_and_its_status_follows_accept() {
    let stash = stash();
    let query = "{findScene(id:\"1\"){id nope}}";
    let reply = raw(&stash, query, json!({})).await;
    assert_eq!(reply.status, 422);
    let error = reply.json()["errors"][0].take();
    assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(error["locations"], json!([{ "line": 1, "column": 23 }]));
    let any = request("POST", &format!("{}/graphql", stash.url()))
        .header("Content-Type", "application/json")
        .header("Accept", "*/*")
        .body(json!({ "query": query }).to_string());
    let any = sent(any).await.unwrap();
    assert_eq!((any.status, any.header("content-type")), (400, "application/graphql-response+json"));
    for wrong in
        ["{findScene(id:\"1\")}", "{version{version{x}}}", "{findScene(nr:1){id}}", "{", "{version{version}"]
    {
        assert_eq!(raw(&stash, wrong, json!({})).await.status, 422, "{wrong}");
    }
    assert_eq!(raw(&stash, FULL, json!({})).await.status, 422, "a variable that must be there is not");
}

#[actix_rt::test]
async fn a_query_that_is_not_sent_as_json_has_no_transport() {
    let stash = stash();
    let url = format!("{}/graphql", stash.url());
    let text = sent(request("POST", &url).body("{version{version}}")).await.unwrap();
    assert_eq!((text.status, message(&text.json())), (400, "transport not supported"));
    let broken = request("POST", &url).header("Content-Type", "application/json").body("{");
    let broken = sent(broken).await.unwrap();
    assert!(broken.status == 400 && broken.text().contains("could not be decoded"), "{}", broken.text());
    let by_get = sent(request("GET", &format!("{url}?query=%7Bversion%7Bversion%7D%7D"))).await.unwrap();
    assert_eq!(by_get.json()["data"]["version"]["version"], "v0.30.1");
}

#[actix_rt::test]
async fn a_key_is_refused_when_it_is_wrong_and_when_there_is_none() {
    let open = stash();
    let locked =
        SimStash::start(StashOptions { api_key: Some("key".to_owned()), ..StashOptions::default() }).unwrap();
    locked.add_scene(harbor());
    let get = async |stash: &SimStash, path: &str, key: Option<&str>| {
        let mut request = request("GET", &format!("{}{path}", stash.url()));
        if let Some(key) = key {
            request = request.header("ApiKey", key);
        }
        sent(request).await.unwrap()
    };
    let version = "/graphql?query=%7Bversion%7Bversion%7D%7D";
    assert_eq!(get(&open, version, None).await.status, 200);
    let refused = get(&open, version, Some("key")).await;
    assert_eq!(
        (refused.status, refused.body.len(), refused.header("www-authenticate")),
        (401, 0, "FormBased")
    );
    assert_eq!(get(&locked, version, Some("key")).await.status, 200);
    assert_eq!(get(&locked, &format!("{version}&apikey=key"), None).await.status, 200);
    assert_eq!(get(&locked, version, Some("wrong")).await.status, 401);
    assert_eq!(get(&locked, version, None).await.status, 401);
    let login = get(&locked, "/scene/1/screenshot", None).await;
    assert_eq!((login.status, login.header("location")), (302, "/login?returnURL=%2Fscene%2F1%2Fscreenshot"));
    assert_eq!(get(&locked, "/healthz", Some("wrong")).await.text(), ".");
}

#[actix_rt::test]
async fn errors_come_with_data_when_the_database_is_not_open() {
    let stash = stash();
    stash.add_scene(harbor());
    stash.set_status(SystemStatus::NeedsMigration);
    let reply = raw(&stash, "{findScene(id:\"1\"){id}}", json!({})).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().starts_with("{\"errors\":[{"), "{}", reply.text());
    assert_eq!(reply.json()["data"], json!({ "findScene": null }));
    assert_eq!(ask(&stash, "{findScenes{count}}").await["data"], Value::Null);
    let about = ask(&stash, "{version{version} systemStatus{status databaseSchema appSchema}}").await;
    assert_eq!(
        about["data"]["systemStatus"],
        json!({ "status": "NEEDS_MIGRATION", "databaseSchema": 74, "appSchema": 75 })
    );
    stash.set_status(SystemStatus::Ok);
    stash.faults().inject(StashOp::FindScene, Fault::Failing(Failing::DatabaseBusy), 1);
    let locked = ask(&stash, "{s0:findScene(id:\"1\"){id}}").await;
    assert!(message(&locked).contains("database is locked"));
    assert_eq!((&locked["errors"][0]["path"][0], &locked["data"]), (&"s0".into(), &json!({ "s0": null })));
}

#[actix_rt::test]
async fn a_list_of_ids_fails_as_a_whole_and_an_empty_one_finds_everything() {
    let stash = stash();
    for title in ["c", "b", "a"] {
        stash.add_scene(NewScene::titled(title, "/data/x.mp4"));
    }
    assert_eq!(ids(&stash, "(ids:[\"3\",\"1\"])").await, ["3", "1"]);
    assert_eq!(ids(&stash, "(ids:[])").await, ["3", "2", "1"], "by title, as without ids");
    let missing = ask(&stash, "{findScenes(ids:[\"1\",\"9\"]){count}}").await;
    assert_eq!((message(&missing), &missing["data"]), ("scene with id 9 not found", &Value::Null));
    let twice = ask(&stash, "{findScenes(ids:[\"1\",\"1\"]){count}}").await;
    assert_eq!(message(&twice), "validating ids: duplicate id found: 1");
}

#[actix_rt::test]
async fn scenes_are_paged_by_twenty_five_unless_told_otherwise() {
    let stash = stash();
    for number in 1..=30 {
        stash.add_scene(NewScene::titled(&format!("{number:02}"), "/data/x.mp4"));
    }
    assert_eq!(ids(&stash, "").await.len(), 25);
    assert_eq!(ids(&stash, "(filter:{page:2})").await.len(), 5);
    assert_eq!(ids(&stash, "(filter:{per_page:-1})").await.len(), 30);
    assert_eq!(ids(&stash, "(filter:{per_page:0})").await.len(), 0);
    let sweep =
        "(scene_filter:{id:{value:27,modifier:GREATER_THAN}},filter:{sort:\"id\",direction:ASC,per_page:2})";
    assert_eq!(ids(&stash, sweep).await, ["28", "29"]);
    let counted = ask(&stash, &format!("{{findScenes{sweep}{{count}}}}")).await;
    assert_eq!(counted["data"]["findScenes"], json!({ "count": 3 }));
}

#[actix_rt::test]
async fn times_are_compared_as_text() {
    let stash = stash();
    stash.add_scene(harbor());
    let since =
        |value: &str| format!("(scene_filter:{{updated_at:{{value:\"{value}\",modifier:GREATER_THAN}}}})");
    assert_eq!(ids(&stash, &since("2026-09-20")).await, ["1"]);
    // An hour before the change, but later as a text than the local time the scene has.
    assert!(ids(&stash, &since("2026-09-21T13:00:00Z")).await.is_empty());
    assert_eq!(ids(&stash, &since("2026-09-21T09:00:00Z")).await, ["1"]);
}

#[actix_rt::test]
async fn a_rename_moves_no_scene_but_is_found_through_the_entity() {
    let stash = stash();
    let id = stash.add_scene(harbor());
    let before = stash.scene(id).unwrap();
    stash.clock().advance(Duration::from_hours(48));
    assert!(stash.rename(EntityKind::Performer, "Ada Example", "Ada Renamed"));
    let after = stash.scene(id).unwrap();
    assert_eq!((after.updated_at, after.performers), (before.updated_at, vec!["Ada Renamed".to_owned()]));
    let renamed =
        "(scene_filter:{performers_filter:{updated_at:{value:\"2026-09-22\",modifier:GREATER_THAN}}})";
    assert_eq!(ids(&stash, renamed).await, ["1"]);
    let performer = stash.entity_id(EntityKind::Performer, "Ada Renamed").unwrap();
    let with = format!("(scene_filter:{{performers:{{value:[\"{performer}\"],modifier:INCLUDES}}}})");
    assert_eq!(ids(&stash, &with).await, ["1"]);
    assert!(stash.delete(EntityKind::Performer, "Ada Renamed"));
    assert!(ids(&stash, &with).await.is_empty());
}

#[actix_rt::test]
async fn an_older_version_has_neither_groups_nor_ids() {
    let old =
        SimStash::start(StashOptions { version: "v0.24.3".to_owned(), ..StashOptions::default() }).unwrap();
    let told =
        ask(&old, "{__type(name:\"Scene\"){fields{name}}}").await["data"]["__type"]["fields"].to_string();
    assert!(told.contains("\"title\"") && !told.contains("\"groups\""), "{told}");
    assert_eq!(raw(&old, "{findScene(id:\"1\"){groups{scene_index}}}", json!({})).await.status, 422);
    assert_eq!(raw(&old, "{findScene(id:\"1\"){movies{scene_index}}}", json!({})).await.status, 200);
    assert_eq!(raw(&old, "{findScenes(ids:[\"1\"]){count}}", json!({})).await.status, 422);
}

#[actix_rt::test]
async fn a_file_name_that_is_no_utf8_is_sent_as_it_is() {
    let stash = stash();
    let files = vec![NewFile::at_bytes(b"/data/bad\xff\xfename.mp4")];
    stash.add_scene(NewScene { files, ..NewScene::default() });
    let reply = raw(&stash, "{findScene(id:\"1\"){files{path}}}", json!({})).await;
    let wanted = b"/data/bad\xff\xfename.mp4";
    assert!(reply.body.windows(wanted.len()).any(|part| part == wanted), "{}", reply.text());
}

#[actix_rt::test]
async fn a_screenshot_has_a_tag_and_a_scene_without_cover_a_placeholder() {
    let stash = stash();
    let cover = Some(Cover { content_type: "image/jpeg".to_owned(), bytes: vec![0xFF, 0xD8, 1] });
    let with = stash.add_scene(NewScene { cover, ..harbor() });
    let without = stash.add_scene(harbor());
    let url = |id: &str| format!("{}/scene/{id}/screenshot", stash.url());
    let first = sent(request("GET", &url(&with.to_string()))).await.unwrap();
    assert_eq!(
        (first.status, first.header("content-type"), first.header("cache-control")),
        (200, "image/jpeg", "no-cache")
    );
    let again = request("GET", &url(&with.to_string())).header("If-None-Match", first.header("etag"));
    assert_eq!(sent(again).await.unwrap().status, 304);
    let placeholder = sent(request("GET", &url(&without.to_string()))).await.unwrap();
    assert_eq!((placeholder.status, placeholder.header("content-type")), (200, "image/svg+xml"));
    for (method, id, status) in [("GET", "99", 404), ("GET", "abc", 400), ("HEAD", "1", 405)] {
        assert_eq!(sent(request(method, &url(id))).await.unwrap().status, status, "{method} {id}");
    }
}

#[test]
fn hooks_are_called_for_edits_and_not_for_jobs() {
    let stash = stash();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (heard, seen) = (Arc::clone(&calls), stash.clone());
    stash.on_edit(Arc::new(move |call: HookCall| {
        // A hook may look at the server it comes from.
        drop(seen.scenes());
        heard.lock().unwrap().push((call.kind, call.id, call.input_fields));
    }));
    let id = stash.add_scene(harbor());
    let created = stash.scene(id).unwrap().updated_at;
    stash.clock().advance(Duration::from_secs(5));
    assert!(stash.update_scene(id, |scene| "New".clone_into(&mut scene.title)));
    assert!(stash.scene(id).unwrap().updated_at >= created + 5);
    let edited = stash.scene(id).unwrap().updated_at;
    stash.clock().advance(Duration::from_secs(5));
    assert!(stash.change_silently(id, false, |scene| scene.tags.push("Auto".to_owned())));
    assert!(stash.move_files(id, vec![NewFile::at("/data/elsewhere.mp4")]));
    assert_eq!(stash.scene(id).unwrap().updated_at, edited);
    assert!(stash.destroy_scene(id));
    assert!(!stash.update_scene(id, |_| ()));
    let fields = Some(vec!["title".to_owned(), "id".to_owned()]);
    let expected = [("Create", None), ("Update", fields), ("Update", None), ("Destroy", None)];
    let expected = expected.map(|(what, fields)| (format!("Scene.{what}.Post"), id, fields));
    assert_eq!(*calls.lock().unwrap(), expected);
}

#[actix_rt::test]
async fn requests_are_counted_by_what_they_ask_for() {
    let stash = stash();
    ask(&stash, "query About{version{version} systemStatus{status}}").await;
    ask(&stash, "{a:findScene(id:\"7\"){id}}").await;
    ask(&stash, "{findScenes{count}}").await;
    for op in [StashOp::About, StashOp::FindScene, StashOp::FindScenes] {
        assert_eq!(stash.count(op), 1, "{op:?}");
    }
    stash.faults().inject_for("7", None, Fault::status(503), None);
    assert_eq!(raw(&stash, FULL, json!({ "id": "7" })).await.status, 503);
    assert_eq!(raw(&stash, FULL, json!({ "id": "8" })).await.status, 200);
}

#[test]
fn an_import_with_reset_numbers_scenes_anew() {
    let stash = stash();
    let (gone, kept) =
        (stash.add_scene(harbor()), stash.add_scene(NewScene::titled("Kept", "/data/kept.mp4")));
    stash.destroy_scene(gone);
    stash.reset_ids();
    assert!(stash.scene(kept).is_none());
    assert_eq!(stash.scene(1).unwrap().title, "Kept");
}
