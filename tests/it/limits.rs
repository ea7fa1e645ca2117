//! Is everything bounded, and does nothing hold up the rest? Answers without end, too many senders, and what hangs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use plexsync::sim::Fault;
use plexsync::sim::world::World;
use plexsync::store::Readers;
use plexsync::store::counts::counts;
use rstest::rstest;

use crate::process::{Service, free_port, write_settings};
use crate::support::asked::Asked;
use crate::support::{TestApp, agent, tell, wait_for};

fn get(service: &Service, path: &str) -> String {
    let mut answer = agent().get(format!("{}{path}", service.url)).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

/// The most memory that a process has had, in KiB.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the system tells the peak");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[rstest]
fn an_answer_without_end_takes_little_memory(
    #[values(Asked::Scene, Asked::Listing, Asked::Item, Asked::Edit)] asked: Asked,
) {
    const HUGE: u64 = 512 << 20;
    const LIMIT: u64 = 64 << 10;
    let folder = tempfile::tempdir().unwrap();
    let (mut world, port) = (World::start(1).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let service = Service::start(folder.path(), port);
    assert!(service.report(world.pairs[0].scene));
    wait_for("all is well at first", || world.is_synced(&world.pairs[0]).then_some(()));
    let before = peak_memory(service.id());
    // A new one, so that Plex is asked for a listing as well.
    let second = world.add("Second", "second.mp4");
    asked.disturb(&world, Fault::Huge(HUGE), None);
    wait_for("it was given up", || {
        // More than the two seconds for which a look at the libraries is fresh enough may have to pass.
        assert!(service.report(second.scene));
        let job = get(&service, &format!("/api/v1/jobs/{}", second.scene));
        (job.contains("answer_too_large") || job.contains("write_unknown")).then_some(())
    });
    let grown = peak_memory(service.id()).saturating_sub(before);
    tell(&format!("an answer of 512 MiB to {asked:?}: {grown} KiB more than {before} KiB"));
    assert!(grown < LIMIT, "{grown} KiB for an answer of {HUGE} bytes");
}

/// A sender that waits for its answer.
fn send(address: &str, scene: i64) -> TcpStream {
    let body = format!(r#"{{"type":"Scene.Update.Post","id":{scene}}}"#);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "POST /webhooks/stash HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream
}

/// How many are taken, and how many sent away in good form.
fn answers(senders: Vec<TcpStream>) -> (usize, usize) {
    let (mut taken, mut sent_away) = (0, 0);
    for mut sender in senders {
        let mut answer = String::new();
        sender.read_to_string(&mut answer).unwrap();
        if answer.starts_with("HTTP/1.1 202") {
            taken += 1;
        } else {
            assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer}");
            sent_away += 1;
        }
    }
    (taken, sent_away)
}

#[test]
fn more_senders_than_can_wait_are_told_to_come_again_and_nothing_acknowledged_is_lost() {
    const ADMITTED: usize = 1024;
    const TOO_MANY: usize = 76;
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(0).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let service = Service::start(folder.path(), port);
    // While another process writes to the database, nothing can be stored.
    let database = folder.path().join("p.db");
    let mut other = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    // The service may be writing at its start.
    other.batch_execute("PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE").unwrap();
    let address = service.url.trim_start_matches("http://");
    let scenes = 1..=i64::try_from(ADMITTED + TOO_MANY).unwrap();
    let senders: Vec<_> = scenes.map(|scene| send(address, scene)).collect();
    wait_for("as many wait as may", || {
        let status: serde_json::Value = serde_json::from_str(&get(&service, "/api/v1/status")).unwrap();
        (status["service"]["waiting_requests"] == ADMITTED).then_some(())
    });
    other.batch_execute("ROLLBACK").unwrap();
    let (taken, sent_away) = answers(senders);
    assert_eq!((taken, sent_away), (ADMITTED, TOO_MANY));
    let stored = Readers::open(&database).unwrap().with(counts).unwrap().tallies.received;
    assert_eq!(usize::try_from(stored).unwrap(), taken, "what was acknowledged, and nothing else");
    assert!(service.report(1), "and it goes on by itself");
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
}

/// A body of almost the largest size that is taken, with one event in it.
fn large_body(scene: usize) -> Vec<u8> {
    let padding = "x".repeat((1 << 20) - 100);
    format!(r#"{{"type":"Scene.Update.Post","id":{scene},"padding":"{padding}"}}"#).into_bytes()
}

/// A sender of a large body whose last byte is still to come.
fn almost_sent(address: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /webhooks/stash HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..body.len() - 1]).unwrap();
    stream
}

#[test]
fn many_large_bodies_take_little_memory_are_sent_away_in_order_and_keep_no_small_event_out() {
    const SENDERS: usize = 200;
    const LIMIT: u64 = 128 << 10;
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(0).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let service = Service::start(folder.path(), port);
    let address = service.url.trim_start_matches("http://");
    assert!(service.report(1));
    let before = peak_memory(service.id());
    let mut senders: Vec<_> =
        (0..SENDERS).map(|scene| almost_sent(address, &large_body(scene + 2))).collect();
    assert!(service.report(1), "an event of usual size goes by");
    for sender in &mut senders {
        sender.write_all(b"}").unwrap();
    }
    let (taken, sent_away) = answers(senders);
    let grown = peak_memory(service.id()).saturating_sub(before);
    tell(&format!(
        "{SENDERS} bodies of 1 MiB: {taken} taken, {sent_away} sent away, {grown} KiB more than {before} KiB"
    ));
    assert!(grown < LIMIT, "{grown} KiB");
    assert!(taken >= 16 && sent_away > 0, "{taken} taken, {sent_away} sent away");
    let stored = Readers::open(&folder.path().join("p.db")).unwrap().with(counts).unwrap().tallies.received;
    assert_eq!(usize::try_from(stored).unwrap(), taken + 2, "what was acknowledged, and nothing else");
    let mut again = almost_sent(address, &large_body(1));
    again.write_all(b"}").unwrap();
    let mut answer = String::new();
    again.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "there is room again: {answer}");
}

#[rstest]
fn what_hangs_for_one_scene_holds_no_other_up_for_longer_than_one_time_out(
    #[values(Asked::Scene, Asked::Item, Asked::Edit)] asked: Asked,
) {
    const TIME_OUT: Duration = Duration::from_secs(6);
    let settings = "stash.read_timeout = \"6s\"\nplex.read_timeout = \"6s\"\nplex.write_timeout = \"6s\"";
    let app = TestApp::start_with(12, settings);
    asked.disturb_for(&app.world, &app.pair(0), Fault::Hang);
    let began = Instant::now();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("the others are done", || (app.world.synced() == 11).then_some(()));
    assert!(began.elapsed() < TIME_OUT * 2, "{:?}", began.elapsed());
    app.world.stash.faults().clear();
    app.world.plex.faults().clear();
    app.wait_until_synced();
}
