//! Does the script for Python do what the program does, event by event, and do both share one spool?

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plexsync::plugin::{self, Target, Variant};
use rstest::rstest;
use serde_json::{Value, json};

use crate::hook::recordings;
use crate::support::TestApp;
use crate::support::plugin::{Ended, Plugin, ids, nobody, taken};
use crate::support::stranger::Stranger;

/// Writes the script as Stash would unpack it, and starts it as the manifest says.
fn run_script(folder: &Path, stdin: &str) -> Ended {
    let target = Target { url: "http://unused/".parse().unwrap(), token: "unused".into() };
    let made = plugin::Plugin::make(Variant::Python, &target, Path::new("unused")).unwrap();
    let script = folder.join(made.files[1].name);
    fs::write(&script, &made.files[1].content).unwrap();
    let began = Instant::now();
    let mut command = Command::new("python3");
    command
        .args(["-I", "-S"])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{log}");
    let answer = serde_json::from_slice(&output.stdout).expect("an answer in JSON");
    Ended { answer, log, took: began.elapsed() }
}

fn report(plugin: &Plugin, scene: i64) -> Ended {
    let input = plugin.input(&json!({ "type": "Scene.Update.Post", "id": scene }));
    run_script(plugin.folder.path(), &input)
}

#[test]
fn both_make_the_same_event_of_every_recording() {
    let service = taken();
    let plugin = Plugin::of(&service.url);
    for path in recordings() {
        let mut call: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        call["args"]["url"] = service.url.as_str().into();
        call["args"]["token"] = "t0ken".into();
        call["server_connection"]["PluginDir"] = plugin.folder.path().to_str().into();
        let call = call.to_string();
        assert_eq!(plugin.run_with(&[], call.as_bytes()).answer, json!({ "output": "delivered" }));
        assert_eq!(run_script(plugin.folder.path(), &call).answer, json!({ "output": "delivered" }));
        let posted = service.posted();
        let [.., program, script] = posted.as_slice() else { panic!("two posts") };
        let event = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(event(&program.body), event(&script.body), "{}", path.display());
        assert_eq!((&program.path, &program.authorization), (&script.path, &script.authorization));
    }
}

#[test]
fn what_one_kept_the_other_delivers() {
    let mut plugin = Plugin::of(&nobody());
    assert_eq!(report(&plugin, 1).answer, json!({ "output": "spooled" }));
    assert_eq!(plugin.report(2).answer, json!({ "output": "spooled" }));
    let service = taken();
    plugin.at(&service.url);
    let ended = report(&plugin, 3);
    assert!(ended.log.contains("\u{1}i\u{2}delivered 2 events"), "{:?}", ended.log);
    plugin.at(&nobody());
    report(&plugin, 4);
    plugin.at(&service.url);
    plugin.report(5);
    assert_eq!(ids(&service.posted()), [3, 1, 2, 5, 4]);
    assert!(plugin.waiting().is_empty());
}

#[test]
fn a_bad_event_among_those_that_waited_blocks_none() {
    let mut plugin = Plugin::of(&nobody());
    for scene in 1..=3 {
        report(&plugin, scene);
    }
    let file = plugin.spool().join("waiting.jsonl");
    fs::File::options().append(true).open(file).unwrap().write_all(br#"{"type":"Scene.Upd"#).unwrap();
    report(&plugin, 4);
    let app = TestApp::start_with(0, "queue.debounce = \"30s\"");
    plugin.at(&app.url);
    let ended = report(&plugin, 5);
    assert!(ended.log.contains("set aside"), "{:?}", ended.log);
    assert!((1..=5).all(|scene| app.job(scene).is_some()));
    assert!(plugin.waiting().is_empty());
    assert_eq!(plugin.lines("refused.jsonl").len(), 1);
}

#[rstest]
#[case::not_now(503, "spooled", "")]
#[case::denied(401, "", "401")]
#[case::refused(422, "", "was refused")]
fn every_answer_means_what_it_means_to_the_program(
    #[case] status: u16,
    #[case] output: &str,
    #[case] error: &str,
) {
    let service = Stranger::start(move |_| (status, r#"{"error":"so it is"}"#.to_owned()));
    let plugin = Plugin::of(&service.url);
    for ended in [plugin.report(1), report(&plugin, 1)] {
        assert_eq!(ended.answer["output"].as_str().unwrap_or_default(), output, "{ended:?}");
        assert!(ended.answer["error"].as_str().unwrap_or_default().contains(error), "{ended:?}");
        assert!(ended.answer.to_string().contains("so it is") || ended.log.contains("so it is"), "{ended:?}");
    }
    let kept = plugin.waiting().len() + plugin.lines("refused.jsonl").len();
    assert_eq!(kept, 2);
}

#[test]
fn a_service_that_never_answers_costs_two_seconds() {
    let service = Stranger::start(|_| (0, String::new()));
    let plugin = Plugin::of(&service.url);
    let ended = report(&plugin, 1);
    assert_eq!(ended.answer, json!({ "output": "spooled" }));
    assert!(ended.took >= Duration::from_secs(2) && ended.took < Duration::from_secs(8), "{:?}", ended.took);
}

#[test]
fn many_at_once_tear_no_line_and_the_oldest_stay_when_it_is_full() {
    let plugin = Plugin::of(&nobody());
    std::thread::scope(|scope| {
        for scene in 0..10 {
            let plugin = &plugin;
            scope.spawn(move || if scene % 2 == 0 { report(plugin, scene) } else { plugin.report(scene) });
        }
    });
    let lines = plugin.waiting();
    assert_eq!(lines.len(), 10);
    assert!(lines.iter().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines:?}");
    let file = plugin.spool().join("waiting.jsonl");
    let full = format!("{}\n", lines[0]).repeat((4 << 20) / (lines[0].len() + 1));
    fs::write(&file, &full).unwrap();
    let error = report(&plugin, 11).answer["error"].as_str().unwrap().to_owned();
    assert!(error.contains("full"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), full);
}

#[rstest]
#[case::nothing("", "failed")]
#[case::no_hook(r#"{"server_connection":{},"args":null}"#, "args.hookContext")]
#[case::another_mode(r#"{"args":{"mode":"dance"}}"#, "dance")]
#[case::no_address(r#"{"args":{"hookContext":{"type":"Scene.Update.Post","id":1}}}"#, "no address")]
fn whatever_stands_on_standard_input_is_answered(#[case] stdin: &str, #[case] says: &str) {
    let folder = tempfile::tempdir().unwrap();
    let ended = run_script(folder.path(), stdin);
    assert!(ended.answer["error"].as_str().unwrap().contains(says), "{ended:?}");
}
