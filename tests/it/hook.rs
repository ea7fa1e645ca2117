//! Does `plexsync hook`, as a process, hand over every event, keep what cannot be handed over, and never hold Stash up?

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::plugin::{Plugin, ids, nobody, taken};
use crate::support::stranger::Stranger;

pub(crate) fn recordings() -> Vec<PathBuf> {
    let folders = ["tests/fixtures/stash/live/hooks", "tests/fixtures/stash/hooks"];
    let all = folders.iter().flat_map(|folder| {
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
    });
    let mut all: Vec<_> = all.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    all.sort();
    assert!(all.len() > 70, "{}", all.len());
    all
}

#[test]
fn every_recorded_hook_arrives_as_a_thin_event() {
    let service = taken();
    let plugin = Plugin::of(&service.url);
    for (place, path) in recordings().iter().enumerate() {
        let text = fs::read_to_string(path).unwrap();
        let ended = plugin.run_with(&["--url", &service.url, "--spool", "spool"], text.as_bytes());
        assert_eq!(ended.answer, json!({ "output": "delivered" }), "{}: {ended:?}", path.display());
        let posted = service.posted();
        assert_eq!(posted.len(), place + 1);
        let event: Value = serde_json::from_str(&posted[place].body).unwrap();
        assert!(posted[place].body.len() < 1000, "{}", posted[place].body);
        let context = &serde_json::from_str::<Value>(&text).unwrap()["args"]["hookContext"];
        for (thin, told) in [
            ("type", &context["type"]),
            ("id", &context["id"]),
            ("input_fields", &context["inputFields"]),
            ("path", &context["input"]["path"]),
            ("oshash", &context["input"]["oshash"]),
            ("source", &context["input"]["source"]),
            ("destination", &context["input"]["destination"]),
        ] {
            assert_eq!(&event[thin], told, "{thin} of {}", path.display());
        }
    }
    assert!(plugin.waiting().is_empty());
}

#[test]
fn the_service_takes_what_the_hook_makes_of_every_recording() {
    let app = TestApp::start_with(0, "queue.debounce = \"30s\"\nserver.token = \"s3cret\"");
    let plugin = Plugin::of(&app.url);
    fs::write(plugin.folder.path().join("token"), app.hook_token()).unwrap();
    let recordings = recordings();
    for path in &recordings {
        let text = fs::read(path).unwrap();
        let ended = plugin.run_with(&["--url", &app.url, "--token-file", "token"], &text);
        assert_eq!(ended.answer, json!({ "output": "delivered" }), "{}: {ended:?}", path.display());
    }
    assert_eq!(usize::try_from(app.counts().tallies.received).unwrap(), recordings.len());
}

#[test]
fn a_cover_of_megabytes_passes_through_in_bounded_memory() {
    const PIECE: usize = 1 << 20;
    let service = taken();
    let plugin = Plugin::of(&service.url);
    let mut child = plugin.start(&["--url", &service.url]);
    let mut stdin = child.stdin.take().unwrap();
    let begin = r#"{"server_connection":{},"args":{"hookContext":{"id":7,"type":"Scene.Update.Post","input":{"cover_image":"data:image/png;base64,"#;
    stdin.write_all(begin.as_bytes()).unwrap();
    let piece = "QUJD".repeat(PIECE / 4);
    for _ in 0..64 {
        stdin.write_all(piece.as_bytes()).unwrap();
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    stdin.write_all(br#""},"inputFields":["cover_image","id"]}}}"#).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, br#"{"output":"delivered"}"#);
    assert_eq!(ids(&service.posted()), [7]);
    assert!(peak < 32 << 10, "{peak} KiB at most while 64 MiB passed through");
}

#[test]
fn the_token_and_the_address_come_from_stash_or_from_flags_which_win() {
    let (told, flagged) = (taken(), taken());
    let plugin = Plugin::of(&told.url);
    plugin.report(1);
    fs::write(plugin.folder.path().join("token"), "fl4g\n").unwrap();
    let input = plugin.input(&json!({ "type": "Scene.Update.Post", "id": 2 }));
    plugin.run_with(&["--url", &flagged.url, "--token-file", "token"], input.as_bytes());
    let (told, flagged) = (told.posted(), flagged.posted());
    assert_eq!((told[0].path.as_str(), told[0].authorization.as_str()), ("/webhooks/stash", "Bearer t0ken"));
    assert_eq!((ids(&flagged), flagged[0].authorization.as_str()), (vec![2], "Bearer fl4g"));
}

#[test]
fn without_flags_and_arguments_the_configuration_says_where_the_service_is() {
    let service = taken();
    let plugin = Plugin::of("");
    let settings = format!("server.public_url = \"{}\"\nserver.token = \"c0nfig\"", service.url);
    fs::write(plugin.folder.path().join("config.toml"), settings).unwrap();
    let input = r#"{"args":{"hookContext":{"id":3,"type":"Scene.Update.Post"}}}"#;
    assert_eq!(plugin.run_with(&[], input.as_bytes()).answer, json!({ "output": "delivered" }));
    let posted = service.posted();
    assert_eq!((ids(&posted), posted[0].authorization.as_str()), (vec![3], "Bearer c0nfig"));
}

#[rstest]
#[case::cannot_store(503, "spooled", 'w')]
#[case::bug(500, "spooled", 'w')]
#[case::slow(408, "spooled", 'w')]
fn what_cannot_be_stored_now_is_kept(#[case] status: u16, #[case] output: &str, #[case] level: char) {
    let service = Stranger::start(move |_| (status, r#"{"error":"not now"}"#.to_owned()));
    let plugin = Plugin::of(&service.url);
    let ended = plugin.report(1);
    assert_eq!(ended.answer, json!({ "output": output }));
    assert!(
        ended.log.contains(&format!("\u{1}{level}\u{2}")) && ended.log.contains("not now"),
        "{:?}",
        ended.log
    );
    assert_eq!(plugin.waiting().len(), 1);
}

#[rstest]
#[case::wrong_token(401)]
#[case::another_server(404)]
#[case::elsewhere(302)]
#[case::not_ours(200)]
fn who_does_not_let_the_event_in_is_told_of_and_the_event_is_kept(#[case] status: u16) {
    let service = Stranger::start(move |_| (status, "<html>".to_owned()));
    let plugin = Plugin::of(&service.url);
    let error = plugin.report(1).answer["error"].as_str().unwrap().to_owned();
    assert!(error.contains(&status.to_string()) && error.contains("kept"), "{error}");
    assert!(!error.contains("t0ken"), "{error}");
    assert_eq!(plugin.waiting().len(), 1);
}

#[test]
fn an_event_that_the_service_will_never_take_is_set_aside_at_once() {
    let app = TestApp::start(0);
    let plugin = Plugin::of(&app.url);
    let input = plugin.input(&json!({ "type": "Scene.Paint.Post", "id": 1 }));
    let ended = plugin.run_with(&[], input.as_bytes());
    assert!(ended.answer["error"].as_str().unwrap().contains("Scene.Paint.Post"), "{ended:?}");
    assert_eq!((plugin.waiting().len(), plugin.lines("refused.jsonl").len()), (0, 1));
}

#[test]
fn a_service_that_never_answers_costs_two_seconds_and_the_event_is_kept() {
    let service = Stranger::start(|_| (0, String::new()));
    let plugin = Plugin::of(&service.url);
    let ended = plugin.report(1);
    assert_eq!(ended.answer, json!({ "output": "spooled" }));
    assert!(ended.took >= Duration::from_secs(2) && ended.took < Duration::from_secs(8), "{:?}", ended.took);
    assert_eq!(plugin.waiting().len(), 1);
}

#[test]
fn tls_is_set_up_for_https_and_what_speaks_no_tls_is_away() {
    let service = taken();
    let plugin = Plugin::of(&service.url.replace("http:", "https:"));
    let ended = plugin.report(1);
    assert_eq!(ended.answer, json!({ "output": "spooled" }), "{ended:?}");
    assert!(service.posted().is_empty());
}

#[test]
fn a_stash_that_never_ends_its_input_is_answered_all_the_same() {
    let plugin = Plugin::of("");
    let began = Instant::now();
    let mut child = plugin.start(&[]);
    let stdin = child.stdin.take();
    let status = child.wait().unwrap();
    drop(stdin);
    assert!(
        status.success() && began.elapsed() < Duration::from_secs(10),
        "{status} after {:?}",
        began.elapsed()
    );
}

#[rstest]
#[case::nothing("", "no call of Stash")]
#[case::not_json("<html>", "no call of Stash")]
#[case::no_hook(r#"{"server_connection":{},"args":null}"#, "args.hookContext")]
#[case::another_mode(r#"{"args":{"mode":"dance"}}"#, "dance")]
#[case::no_address(
    r#"{"args":{"url":"ftp://x","token":"x","hookContext":{"type":"Scene.Update.Post","id":1}}}"#,
    "ftp"
)]
fn whatever_stands_on_standard_input_is_answered(#[case] stdin: &str, #[case] says: &str) {
    let plugin = Plugin::of("");
    let ended = plugin.run_with(&[], stdin.as_bytes());
    assert!(ended.answer["error"].as_str().unwrap().contains(says), "{ended:?}");
}

#[test]
fn a_ping_says_whether_the_service_is_reached_from_here() {
    let app = TestApp::start_with(0, "server.token = \"s3cret\"");
    let plugin = Plugin::of("");
    let ping = |url: &str, token: &str| {
        let input = json!({ "args": { "mode": "ping", "url": url, "token": token } });
        plugin.run_with(&[], input.to_string().as_bytes()).answer["output"].clone()
    };
    let reached = ping(&app.url, &app.hook_token());
    assert_eq!((&reached["reached"], &reached["version"]), (&json!(true), &json!(env!("CARGO_PKG_VERSION"))));
    let denied = ping(&app.url, "wrong");
    assert_eq!(denied["reached"], false);
    assert!(denied["problem"].as_str().unwrap().contains("401"), "{denied}");
    let away = nobody();
    let away = (ping(&away, "x"), away);
    assert!(away.0["problem"].as_str().unwrap().contains(&away.1), "it names the address: {away:?}");
}
