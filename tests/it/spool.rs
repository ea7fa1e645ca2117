//! Does `plexsync hook` keep events while the service is away, and lose none of them, whatever ends it?

use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::plugin::{Plugin, ids, nobody, taken};
use crate::support::stranger::Stranger;
use crate::support::{TestApp, wait_for};

#[test]
fn while_the_service_is_away_events_wait_in_the_spool_and_the_next_call_brings_them() {
    let mut plugin = Plugin::of(&nobody());
    for scene in 1..=3 {
        let ended = plugin.report(scene);
        assert_eq!(ended.answer, json!({ "output": "spooled" }), "{ended:?}");
        assert!(ended.log.starts_with("\u{1}w\u{2}"), "{:?}", ended.log);
    }
    assert_eq!(plugin.waiting().len(), 3);
    let service = taken();
    plugin.at(&service.url);
    let ended = plugin.report(4);
    assert_eq!(ended.answer, json!({ "output": "delivered" }));
    assert!(ended.log.contains("\u{1}i\u{2}delivered 3 events"), "{:?}", ended.log);
    assert_eq!(ids(&service.posted()), [4, 1, 2, 3], "one's own first, then the oldest");
    assert!(plugin.waiting().is_empty());
}

#[test]
fn one_bad_event_among_those_that_waited_blocks_none_and_is_set_aside() {
    let mut plugin = Plugin::of(&nobody());
    for scene in 1..=5 {
        plugin.report(scene);
    }
    let service = Stranger::start(|posted| {
        if posted.body.contains("\"id\":3") {
            return (
                422,
                r#"{"error":"no event","problems":[{"field":"id","problem":"is odd"}]}"#.to_owned(),
            );
        }
        (202, "{}".to_owned())
    });
    plugin.at(&service.url);
    let ended = plugin.report(6);
    assert_eq!(ended.answer, json!({ "output": "delivered" }));
    assert!(ended.log.contains("\u{1}e\u{2}") && ended.log.contains("id is odd"), "{:?}", ended.log);
    assert!(plugin.waiting().is_empty());
    let aside = plugin.lines("refused.jsonl");
    assert_eq!(aside.len(), 1);
    assert!(aside[0].contains("is odd") && aside[0].contains("\\\"id\\\":3"), "{}", aside[0]);
    let singly: Vec<_> = service.posted().into_iter().filter(|posted| posted.body.starts_with('{')).collect();
    assert_eq!(ids(&singly), [6, 1, 2, 3, 4, 5]);
}

#[test]
fn many_hooks_at_once_keep_and_deliver_every_event_once_or_more() {
    let mut plugin = Plugin::of(&nobody());
    let all_at_once = |plugin: &Plugin, scenes: std::ops::Range<i64>| {
        std::thread::scope(|scope| {
            let calls: Vec<_> = scenes.map(|scene| scope.spawn(move || plugin.report(scene))).collect();
            calls.into_iter().map(|call| call.join().unwrap().answer).collect::<Vec<_>>()
        })
    };
    let kept = all_at_once(&plugin, 0..20);
    assert!(kept.iter().all(|answer| *answer == json!({ "output": "spooled" })), "{kept:?}");
    let waiting: Vec<Value> =
        plugin.waiting().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(waiting.len(), 20, "no line was torn by another one");
    let service = taken();
    plugin.at(&service.url);
    let delivered = all_at_once(&plugin, 20..40);
    assert!(delivered.iter().all(|answer| *answer == json!({ "output": "delivered" })), "{delivered:?}");
    let mut arrived = ids(&service.posted());
    arrived.sort_unstable();
    assert_eq!(
        arrived,
        (0..40).collect::<Vec<_>>(),
        "each once, as nobody delivers what another one delivers"
    );
    assert!(plugin.waiting().is_empty());
}

#[test]
fn a_hook_that_is_killed_while_it_delivers_loses_nothing() {
    let mut plugin = Plugin::of(&nobody());
    for scene in 1..=3 {
        plugin.report(scene);
    }
    // It takes its own event, and never answers for those that waited.
    let silent =
        Stranger::start(|posted| (if posted.body.starts_with('[') { 0 } else { 202 }, "{}".to_owned()));
    plugin.at(&silent.url);
    let mut child = plugin.start(&[]);
    let input = plugin.input(&json!({ "type": "Scene.Update.Post", "id": 4 }));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    wait_for("it delivers", || (silent.posted().len() == 2).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(plugin.waiting().len(), 3);
    let service = taken();
    plugin.at(&service.url);
    plugin.report(5);
    assert_eq!(ids(&service.posted()), [5, 1, 2, 3], "its lock went with it");
}

#[test]
fn what_a_hook_said_it_keeps_is_kept_whenever_it_is_killed() {
    let plugin = Plugin::of(&nobody());
    let mut said = Vec::new();
    for scene in 1..=40 {
        let mut child = plugin.start(&[]);
        let input = plugin.input(&json!({ "type": "Scene.Update.Post", "id": scene }));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        // Ever further on its way, from its very beginning to its end.
        let began = Instant::now();
        while began.elapsed() < Duration::from_micros(500) * scene {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        if child.wait_with_output().unwrap().stdout == br#"{"output":"spooled"}"# {
            said.push(i64::from(scene));
        }
    }
    plugin.report(41);
    let waiting: Vec<Value> =
        plugin.waiting().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let waiting: Vec<_> = waiting.iter().filter_map(|event| event["id"].as_i64()).collect();
    assert!(said.iter().all(|scene| waiting.contains(scene)), "said {said:?}, kept {waiting:?}");
    assert_eq!(waiting.last(), Some(&41), "and the next one is not spoilt");
}

#[test]
fn half_a_line_from_a_power_cut_spoils_neither_what_came_before_nor_what_comes_after() {
    let mut plugin = Plugin::of(&nobody());
    plugin.report(1);
    let file = plugin.spool().join("waiting.jsonl");
    fs::File::options().append(true).open(file).unwrap().write_all(br#"{"type":"Scene.Upd"#).unwrap();
    plugin.report(2);
    let app = TestApp::start_with(0, "queue.debounce = \"30s\"");
    plugin.at(&app.url);
    plugin.report(3);
    assert!((1..=3).all(|scene| app.job(scene).is_some()), "all whole events arrived");
    assert!(plugin.waiting().is_empty());
    assert_eq!(plugin.lines("refused.jsonl").len(), 1);
}

#[test]
fn a_full_spool_keeps_the_oldest_and_says_so() {
    let plugin = Plugin::of(&nobody());
    plugin.report(1);
    let file = plugin.spool().join("waiting.jsonl");
    let line = fs::read_to_string(&file).unwrap();
    let full = line.repeat((4 << 20) / line.len());
    fs::write(&file, &full).unwrap();
    let error = plugin.report(2).answer["error"].as_str().unwrap().to_owned();
    assert!(error.contains("full") && error.contains("Scene.Update.Post 2"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), full);
}

#[test]
fn a_large_spool_is_delivered_in_parts_that_the_service_takes() {
    let app = TestApp::start_with(0, "queue.debounce = \"30s\"");
    let mut plugin = Plugin::of(&nobody());
    plugin.report(1);
    let events = (2..=3000).map(|scene| format!("{{\"type\":\"Scene.Update.Post\",\"id\":{scene}}}\n"));
    let file = plugin.spool().join("waiting.jsonl");
    fs::File::options()
        .append(true)
        .open(file)
        .unwrap()
        .write_all(events.collect::<String>().as_bytes())
        .unwrap();
    plugin.at(&app.url);
    wait_for("all are delivered", || {
        plugin.report(3001);
        plugin.waiting().is_empty().then_some(())
    });
    assert!((1..=3001).all(|scene| app.job(scene).is_some()));
}

#[test]
fn a_spool_that_another_call_holds_is_not_waited_for_long() {
    let plugin = Plugin::of(&nobody());
    plugin.report(1);
    let lock = fs::File::open(plugin.spool().join("lock")).unwrap();
    lock.lock().unwrap();
    let ended = plugin.report(2);
    assert!(ended.answer["error"].as_str().unwrap().contains("in use"), "{ended:?}");
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
}

#[test]
fn an_event_that_can_be_kept_nowhere_is_named() {
    let plugin = Plugin::of(&nobody());
    fs::write(plugin.spool(), "a file, where the folder should be").unwrap();
    let error = plugin.report(9).answer["error"].as_str().unwrap().to_owned();
    assert!(error.contains("Scene.Update.Post 9 is lost"), "{error}");
}
