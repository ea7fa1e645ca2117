//! Is every shape of a hook taken, and every wrong request refused with a reason?

use std::collections::BTreeMap;
use std::path::Path;

use plexsync::domain::job::JobState;
use rstest::rstest;

use crate::support::{TestApp, agent};

/// What becomes of each recorded hook, by the beginning of its file's name.
const RECORDED: [(&str, &str); 24] = [
    ("bulk_update_three_scenes", "scene"),
    ("clean_after_file_gone", "scene"),
    ("file_copied_then_scan", "scene"),
    ("file_moved_then_scan", "scene"),
    ("group_rename_two_hooks", "ignored"),
    ("marker_create", "ignored"),
    ("performer_rename", "ignored"),
    ("performers_bulk_update", "ignored"),
    ("performers_destroy", "ignored"),
    ("scan_finds_them_again", "scene"),
    ("scan_new_files", "scene"),
    ("scene_destroy", "scene"),
    ("scene_update_cover", "scene"),
    ("scene_update_edit_form", "scene"),
    ("scene_update_month_only_date", "scene"),
    ("scene_update_nothing_changed", "scene"),
    ("scene_update_rating", "scene"),
    ("scenes_destroy", "scene"),
    ("scenes_update_array", "scene"),
    ("studio_destroy", "ignored"),
    ("studio_rename", "ignored"),
    ("tag_destroy", "ignored"),
    ("tag_rename", "ignored"),
    ("tags_merge", "ignored"),
];

#[test]
fn every_recorded_hook_of_a_running_stash_is_taken_as_written_down() {
    let app = TestApp::start_with(0, "queue.debounce = \"30s\"");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stash/live/hooks");
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (family, expected) = RECORDED
            .into_iter()
            .filter(|(family, _)| name.starts_with(family))
            .max_by_key(|(family, _)| family.len())
            .unwrap_or_else(|| panic!("{name} is not written down"));
        *seen.entry(family).or_default() += 1;
        let (status, answer) = app.post(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(status, 202, "{name}: {answer}");
        let outcome = answer["outcome"].as_str().unwrap();
        if expected == "ignored" {
            assert_eq!(outcome, "ignored", "{name}: {answer}");
            assert!(answer["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{name}: {answer}");
        } else {
            assert!(matches!(outcome, "queued" | "coalesced"), "{name}: {answer}");
        }
    }
    assert_eq!(seen.len(), RECORDED.len(), "every family was recorded: {seen:?}");
}

#[test]
fn what_was_acknowledged_is_in_the_database() {
    let app = TestApp::start_with(0, "queue.debounce = \"30s\"");
    let (status, answer) = app.post(r#"{"type":"Scene.Update.Post","id":42,"input_fields":["title"]}"#);
    assert_eq!((status, answer["outcome"].as_str()), (202, Some("queued")));
    let job = app.job(42).unwrap();
    assert_eq!(job.state, JobState::Ready);
    assert_eq!(Some(job.correlation_id.as_str()), answer["correlation_id"].as_str());
    assert_eq!(app.post(r#"{"type":"Scene.Update.Post","id":42}"#).1["outcome"], "coalesced");
}

#[test]
fn an_array_with_one_bad_event_stores_none_of_them() {
    let app = TestApp::start_with(0, "queue.debounce = \"30s\"");
    let (status, answer) =
        app.post(r#"[{"type":"Scene.Update.Post","id":1},{"type":"Scene.Update.Post","id":"x"}]"#);
    assert_eq!((status, answer["problems"][0]["field"].as_str()), (422, Some("[1].id")));
    assert_eq!(app.counts().tallies.received, 0);
}

#[rstest]
#[case::not_json("{", &[("content-type", "application/json")], 400)]
#[case::no_type("{}", &[("content-type", "application/json")], 422)]
#[case::form("a=b", &[("content-type", "application/x-www-form-urlencoded")], 415)]
#[case::untyped("{}", &[("content-type", "")], 415)]
#[case::strange_host("{}", &[("content-type", "application/json"), ("host", "evil.example")], 421)]
#[case::foreign_page("{}", &[("content-type", "application/json"), ("origin", "http://evil.example")], 403)]
fn a_wrong_request_is_refused(#[case] body: &str, #[case] headers: &[(&str, &str)], #[case] expected: u16) {
    let app = TestApp::start(0);
    let (status, answer) = app.post_with(body, headers);
    assert_eq!(status, expected, "{answer}");
    assert!(answer["error"].as_str().is_some_and(|error| error.len() > 10), "{answer}");
}

#[test]
fn a_body_that_is_too_large_is_refused_and_the_limit_is_named() {
    let app = TestApp::start_with(0, "server.max_body = \"2 KiB\"");
    let (status, answer) =
        app.post(&format!(r#"{{"type":"Scene.Update.Post","id":1,"more":"{}"}}"#, "x".repeat(4000)));
    assert_eq!(status, 413, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("2048"), "{answer}");
}

#[test]
fn a_token_opens_everything_and_nothing_opens_without_it() {
    let app = TestApp::start_with(0, "server.token = \"s3cret\"\nqueue.debounce = \"30s\"");
    let event = r#"{"type":"Scene.Update.Post","id":1}"#;
    let json = ("content-type", "application/json");
    assert_eq!(app.post(event).0, 401);
    assert_eq!(app.post_with(event, &[json, ("authorization", "Bearer wrong")]).0, 401);
    assert_eq!(app.post_with(event, &[json, ("authorization", "Bearer s3cret")]).0, 202);
    assert_eq!(app.post_with(event, &[json, ("x-plexsync-token", "s3cret")]).0, 202);
    assert_eq!(app.get("/api/v1/status").0, 401);
    assert_eq!((app.get("/livez").0, app.get("/readyz").0), (200, 200), "containers ask without a token");
}

#[test]
fn the_hook_token_posts_events_and_opens_nothing_else() {
    let app = TestApp::start_with(0, "server.token = \"s3cret\"\nqueue.debounce = \"30s\"");
    let bearer = format!("Bearer {}", app.hook_token());
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    assert_eq!(app.post_with(r#"{"type":"Scene.Update.Post","id":1}"#, &headers).0, 202);
    for path in ["/api/v1/status", "/api/v1/jobs", "/api/v1/jobs/1", "/nothing"] {
        let answer =
            agent().get(format!("{}{path}", app.url)).header("authorization", &bearer).call().unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
}

#[test]
fn without_a_token_the_name_in_the_public_address_is_known() {
    let app = TestApp::start_with(0, "server.public_url = \"http://nas.lan:8765\"");
    let ask = |host: &str| {
        let request = agent().get(format!("{}/api/v1/status", app.url)).header("host", host);
        request.call().unwrap().status().as_u16()
    };
    assert_eq!((ask("nas.lan:8765"), ask("other.lan:8765")), (200, 421));
}

#[test]
fn the_callers_correlation_id_is_kept_and_an_unfit_one_replaced() {
    let app = TestApp::start(0);
    for (given, kept) in [("abc-1", true), ("no spaces", false)] {
        let answer =
            agent().get(format!("{}/livez", app.url)).header("x-correlation-id", given).call().unwrap();
        let id = answer.headers()["x-correlation-id"].to_str().unwrap();
        assert_eq!(id == given, kept, "{given}: {id}");
        assert!(!id.is_empty());
    }
}

#[test]
fn an_unknown_path_is_not_found_and_says_so() {
    let app = TestApp::start(0);
    let (status, answer) = app.get("/nothing");
    assert_eq!((status, answer["error"].as_str()), (404, Some("there is nothing here")));
}
