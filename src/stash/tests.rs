//! What does the client make of real answers, and of every way in which Stash or something before it can fail?

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;
use url::Url;

use super::*;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::SceneId;
use crate::domain::scene::Scene;
use crate::http::canned::{CannedServer, Reply, closed_port};

mod cover;

const KEY: &str = "eyJhbGciOi.api-key.of-a-test";
/// Longer than any test waits for an answer that comes.
const PATIENCE: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_millis(300);

fn client(url: &Url) -> StashClient {
    StashClient::new(settings(url)).unwrap()
}

fn settings(url: &Url) -> StashSettings {
    let (connect_timeout, read_timeout) = (PATIENCE, PATIENCE);
    StashSettings { url: url.clone(), api_key: Some(KEY.into()), connect_timeout, read_timeout }
}

fn scene(id: i64) -> SceneId {
    SceneId::try_from(id).unwrap()
}

fn recorded(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.response.json"))).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stash/live/graphql")
}

/// A Stash that has the right schema and gives one answer to everything else.
async fn stash(reply: Reply) -> CannedServer {
    CannedServer::start(move |request| {
        if request.body.contains("__type") {
            Reply::json(recorded("introspect_scene"))
        } else {
            reply.clone()
        }
    })
    .await
}

async fn ask(reply: Reply, id: i64) -> Result<Scene, Failure> {
    let server = stash(reply).await;
    client(&server.url).find_scene(scene(id)).await
}

/// What must come of a recorded answer: the scene that it is about, or a failure.
enum Outcome {
    Found(i64),
    Fails(FailureClass, &'static str),
}
use Outcome::{Fails, Found};

const NOT_OURS: Outcome = Fails(FailureClass::Incompatible, "undecodable");

/// Every recorded answer, its status, and what the client makes of it.
const RECORDED: [(&str, u16, Outcome); 28] = [
    ("configuration", 200, NOT_OURS),
    ("error_unknown_field", 422, Fails(FailureClass::Incompatible, "graphql_invalid")),
    ("error_unknown_field_accept_any", 400, Fails(FailureClass::Incompatible, "graphql_invalid")),
    ("error_wrong_key", 401, Fails(FailureClass::Unauthorized, "api_key_refused")),
    ("find_scene_after_folder_rename", 200, Found(1)),
    ("find_scene_after_renames", 200, Found(1)),
    ("find_scene_after_scan", 200, Found(1)),
    ("find_scene_bad_id", 200, Fails(FailureClass::Unavailable, "resolver_error")),
    ("find_scene_batch_by_alias", 200, NOT_OURS),
    ("find_scene_full", 200, Found(1)),
    ("find_scene_merge_destination", 200, Found(3)),
    ("find_scene_merge_source_gone", 200, Fails(FailureClass::Gone, "scene_gone")),
    ("find_scenes_ids_duplicate", 200, Fails(FailureClass::Unavailable, "resolver_error")),
    ("find_scenes_ids_empty_returns_all", 200, NOT_OURS),
    ("find_scenes_ids_one_missing", 200, Fails(FailureClass::Unavailable, "resolver_error")),
    ("find_scenes_page", 200, NOT_OURS),
    ("find_scenes_path_not_utf8", 200, NOT_OURS),
    ("introspect_scene", 200, NOT_OURS),
    ("needs_migration_find_scene_null_with_error", 200, Fails(FailureClass::Unavailable, "system_error")),
    ("needs_migration_find_scenes", 200, Fails(FailureClass::Unavailable, "system_error")),
    ("needs_migration_system_status", 200, NOT_OURS),
    ("plugins", 200, NOT_OURS),
    ("scenes_by_performer_updated", 200, NOT_OURS),
    ("scenes_with_tag", 200, NOT_OURS),
    ("system_status", 200, NOT_OURS),
    ("updated_since_date_only", 200, NOT_OURS),
    ("updated_since_utc_watermark_misses", 200, NOT_OURS),
    ("version", 200, NOT_OURS),
];

#[tokio::test]
async fn every_recorded_answer_is_understood_as_the_table_says() {
    for (name, status, expected) in &RECORDED {
        let asked = if let Found(id) = expected { *id } else { 1 };
        match (expected, ask(Reply::new(*status, "", recorded(name)), asked).await) {
            (Found(id), Ok(found)) => assert_eq!(found.id, scene(*id), "{name}"),
            (Fails(class, code), Err(failure)) => {
                assert_eq!((failure.class, failure.code), (*class, *code), "{name}: {failure}");
                assert_eq!(failure.peer, Peer::Stash, "{name}");
            }
            (Found(_) | Fails(..), got) => panic!("{name}: {got:?}"),
        }
    }
}

#[test]
fn no_recorded_answer_is_missing_from_the_table() {
    let files =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.filter(|name| name.ends_with(".response.json")).collect();
    let named: BTreeSet<_> = RECORDED.iter().map(|(name, ..)| format!("{name}.response.json")).collect();
    assert_eq!(files, named);
}

#[tokio::test]
async fn a_recorded_scene_comes_with_all_its_fields() {
    let found = ask(Reply::json(recorded("find_scene_full")), 1).await.unwrap();
    assert_eq!(found.title, "Blue Harbor & Co");
    assert_eq!(found.details, "Line one\nLine two <b>bold</b>\u{2028}end");
    assert_eq!(found.date, "2021-05-06");
    assert_eq!(found.studio.as_deref(), Some("Acme Films"));
    assert_eq!(found.tags, ["Blue", "Night", "Outdoor"]);
    assert_eq!(found.performers, ["Ada Example", "Ben Sample"]);
    assert!(found.organized);
    assert_eq!(found.created_at, "2026-11-22T10:28:35-05:00");
    assert_eq!(found.files.len(), 1);
    let file = &found.files[0];
    assert_eq!(file.path, "/data/films/Acme - Blue Harbor (2021).mp4");
    assert_eq!((file.size, file.duration), (Some(220_481), Some(5.0)));
    assert_eq!(file.oshash.as_deref(), Some("4367706bc98024ee"));
    let found = ask(Reply::json(recorded("find_scene_merge_destination")), 3).await.unwrap();
    assert_eq!(found.title, "Two Parter");
    assert!(found.files.len() > 1 && found.date.is_empty());
}

/// A complete answer about scene 1, with one member replaced, or left out.
fn scene_with(member: &str, value: Option<Value>) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(&recorded("find_scene_full")).unwrap();
    let scene = answer["data"]["findScene"].as_object_mut().unwrap();
    match value {
        Some(value) => scene.insert(member.to_owned(), value),
        None => scene.remove(member),
    };
    answer.to_string().into_bytes()
}

#[tokio::test]
async fn a_value_that_was_not_sent_is_never_taken_for_an_empty_one() {
    for member in
        ["id", "title", "details", "date", "organized", "created_at", "studio", "tags", "performers", "files"]
    {
        let failure = ask(Reply::json(scene_with(member, None)), 1).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Incompatible, "{member}");
        assert!(failure.detail.contains(member), "{failure}");
    }
    for member in ["title", "details", "date", "studio"] {
        ask(Reply::json(scene_with(member, Some(Value::Null))), 1).await.expect(member);
    }
}

#[tokio::test]
async fn an_answer_about_another_scene_is_not_believed() {
    let failure = ask(Reply::json(recorded("find_scene_full")), 2).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Incompatible);
    assert!(failure.detail.ends_with("scene 1 was sent for scene 2"), "{failure}");
}

#[tokio::test]
async fn a_file_name_that_is_not_utf8_does_not_hide_the_scene() {
    let answer = String::from_utf8(recorded("find_scene_full")).unwrap();
    let (before, after) = answer.split_once("Acme - Blue").unwrap();
    let bytes = [before.as_bytes(), b"\xff\xfe", after.as_bytes()].concat();
    let found = ask(Reply::json(bytes), 1).await.unwrap();
    assert_eq!(found.files[0].path, "/data/films/\u{fffd}\u{fffd} Harbor (2021).mp4");
}

#[rstest]
#[case(403, "", "no public access", FailureClass::Unauthorized, "access_denied")]
#[case(302, "location: /login?returnURL=%2F\r\n", "", FailureClass::Unauthorized, "login_redirect")]
#[case(301, "location: https://stash.example/graphql\r\n", "", FailureClass::Incompatible, "redirected")]
#[case(308, "", "", FailureClass::Incompatible, "redirected")]
#[case(429, "retry-after: 9\r\n", "", FailureClass::Throttled, "too_many_requests")]
#[case(503, "retry-after: 9\r\n", "", FailureClass::Throttled, "busy")]
#[case(503, "", "starting", FailureClass::Unavailable, "server_error")]
#[case(500, "", "oops", FailureClass::Unavailable, "server_error")]
#[case(502, "", "<html>bad gateway</html>", FailureClass::Unavailable, "server_error")]
#[case(504, "", "", FailureClass::Unavailable, "server_error")]
#[case(408, "", "", FailureClass::Unavailable, "request_timeout")]
#[case(
    400,
    "",
    r#"{"errors":[{"message":"transport not supported"}],"data":null}"#,
    FailureClass::Incompatible,
    "transport_not_supported"
)]
#[case(400, "", "json request body could not be decoded: EOF", FailureClass::Incompatible, "bad_request")]
#[case(
    422,
    "",
    r#"{"errors":[{"message":"expected Name","extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}"#,
    FailureClass::Incompatible,
    "graphql_invalid"
)]
#[case(404, "", "404 page not found", FailureClass::Incompatible, "unexpected_status")]
#[case(
    200,
    "",
    r#"{"errors":[{"message":"no such column","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#,
    FailureClass::Incompatible,
    "graphql_invalid"
)]
#[case(
    200,
    "",
    r#"{"errors":[{"message":"beginning transaction: database is locked"}],"data":{"findScene":null}}"#,
    FailureClass::Unavailable,
    "database_locked"
)]
#[case(200, "", r#"{"errors":[],"data":{"findScene":null}}"#, FailureClass::Unavailable, "resolver_error")]
#[case(200, "", r#"{"errors":null,"data":{"findScene":null}}"#, FailureClass::Unavailable, "resolver_error")]
#[case(
    200,
    "",
    r#"{"errors":"all is lost","data":{"findScene":null}}"#,
    FailureClass::Unavailable,
    "resolver_error"
)]
#[case(200, "", r#"{"data":{}}"#, FailureClass::Incompatible, "undecodable")]
#[case(200, "", r#"{"data":null}"#, FailureClass::Incompatible, "undecodable")]
#[case(200, "", "{}", FailureClass::Incompatible, "undecodable")]
#[case(200, "", "[]", FailureClass::Incompatible, "undecodable")]
#[case(200, "", "<!doctype html><title>Welcome</title>", FailureClass::Unavailable, "not_json")]
#[case(200, "", r#"{"data":{"findScene":{"id":"1","ti"#, FailureClass::Unavailable, "not_json")]
#[case(204, "", "", FailureClass::Unavailable, "not_json")]
#[tokio::test]
async fn every_answer_has_one_class_and_one_code(
    #[case] status: u16,
    #[case] headers: &str,
    #[case] body: &str,
    #[case] class: FailureClass,
    #[case] code: &str,
) {
    let failure = ask(Reply::new(status, headers, body), 1).await.unwrap_err();
    assert_eq!((failure.class, failure.code), (class, code), "{failure}");
    let told = headers.starts_with("retry-after").then_some(Duration::from_secs(9));
    assert_eq!(failure.retry_after, told);
}

#[tokio::test]
async fn a_scene_is_gone_only_when_nothing_speaks_against_it() {
    let gone = ask(Reply::json(r#"{"data":{"findScene":null}}"#), 1).await.unwrap_err();
    assert_eq!((gone.class, gone.code), (FailureClass::Gone, "scene_gone"));
}

#[tokio::test]
async fn a_stash_that_cannot_be_heard_is_unavailable() {
    let failure = client(&closed_port().await).find_scene(scene(1)).await.unwrap_err();
    assert_eq!((failure.class, failure.code), (FailureClass::Unavailable, "connection_refused"));
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec();
    for (reply, code) in [
        (Reply::Hang(Vec::new()), "timeout"),
        (Reply::Reset(head.clone()), "connection_reset"),
        (Reply::Bytes(head.clone()), "truncated"),
        (Reply::Drip(head, SILENCE / 10), "deadline_exceeded"),
    ] {
        let server = stash(reply).await;
        let impatient = StashSettings { read_timeout: SILENCE, ..settings(&server.url) };
        let failure = StashClient::new(impatient).unwrap().find_scene(scene(1)).await.unwrap_err();
        assert_eq!((failure.class, failure.code), (FailureClass::Unavailable, code), "{failure}");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_cap_is_incompatible() {
    let failure = ask(Reply::json(vec![b' '; (16 << 20) + 1]), 1).await.unwrap_err();
    assert_eq!((failure.class, failure.code), (FailureClass::Incompatible, "answer_too_large"));
}

#[tokio::test]
async fn the_key_travels_in_its_header_alone() {
    let server = stash(Reply::json(recorded("find_scene_full"))).await;
    client(&server.url.join("/stash/").unwrap()).find_scene(scene(1)).await.unwrap();
    for request in server.requests() {
        assert_eq!(request.line, "POST /stash/graphql");
        assert_eq!(request.header("apikey"), Some(KEY));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert!(!request.body.contains(KEY));
    }
}

#[tokio::test]
async fn without_a_key_none_is_sent_and_a_refusal_says_so() {
    let server = CannedServer::always(Reply::new(401, "", "")).await;
    let keyless = StashSettings { api_key: None, ..settings(&server.url) };
    let failure = StashClient::new(keyless).unwrap().about().await.unwrap_err();
    assert!(failure.detail.ends_with("wants an API key, and stash.api_key is empty"), "{failure}");
    assert_eq!(server.requests()[0].header("apikey"), None);
}

#[tokio::test]
async fn no_error_and_no_debug_output_holds_the_key() {
    for status in [200, 302, 400, 401, 403, 404, 422, 429, 500, 503] {
        let echo = format!(r#"{{"errors":[{{"message":"you sent {KEY}"}}]}}"#);
        for body in [echo, format!("<p>{KEY}</p>")] {
            let failure =
                ask(Reply::new(status, &format!("location: /x?k={KEY}\r\n"), body), 1).await.unwrap_err();
            assert!(!format!("{failure} {failure:?}").contains(KEY), "{status}: {failure:?}");
        }
    }
    let client = client(&"http://localhost:9999".parse().unwrap());
    assert!(!format!("{client:?}").contains(KEY));
}

#[tokio::test]
async fn the_schema_is_asked_for_once_and_again_after_an_incompatible_answer() {
    let server = stash(Reply::json(r#"{"data":{"findScene":null}}"#)).await;
    let asked = client(&server.url);
    for _ in 0..3 {
        asked.clone().find_scene(scene(1)).await.unwrap_err();
    }
    let introspections = |server: &CannedServer| {
        server.requests().iter().filter(|request| request.body.contains("__type")).count()
    };
    assert_eq!((introspections(&server), server.requests().len()), (1, 4));

    let server = stash(Reply::new(422, "", recorded("error_unknown_field"))).await;
    let asked = client(&server.url);
    for _ in 0..3 {
        asked.find_scene(scene(1)).await.unwrap_err();
    }
    assert_eq!((introspections(&server), server.requests().len()), (3, 6));
}

#[tokio::test]
async fn a_stash_that_is_too_old_is_told_by_its_version_and_the_missing_field() {
    let old =
        r#"{"data":{"version":{"version":"v0.16.1"},"__type":{"fields":[{"name":"id"},{"name":"title"}]}}}"#;
    let server = CannedServer::always(Reply::json(old)).await;
    let failure = client(&server.url).find_scene(scene(1)).await.unwrap_err();
    assert_eq!((failure.class, failure.code), (FailureClass::Incompatible, "unsupported_schema"));
    assert!(failure.detail.contains("(v0.16.1) has no field Scene.details"), "{failure}");
    assert!(failure.detail.contains("needs Stash 0.25"), "{failure}");
}

#[rstest]
#[case("OK", StashStatus::Ok)]
#[case("SETUP", StashStatus::Setup)]
#[case("NEEDS_MIGRATION", StashStatus::NeedsMigration)]
#[case("RESTING", StashStatus::Other("RESTING".to_owned()))]
#[tokio::test]
async fn stash_tells_its_version_and_whether_it_can_work(#[case] word: &str, #[case] status: StashStatus) {
    let mut answer: Value = serde_json::from_slice(&recorded("version")).unwrap();
    answer["data"]["systemStatus"] = serde_json::json!({ "status": word });
    let server = CannedServer::always(Reply::json(answer.to_string())).await;
    let about = client(&server.url).about().await.unwrap();
    assert_eq!(about, StashAbout { version: "v0.30.1-19-gcf3489ef".to_owned(), status });
}
