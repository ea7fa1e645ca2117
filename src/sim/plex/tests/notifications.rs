//! Is told what a real server tells, and are its traps there?

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rstest::rstest;

use super::*;

/// The frames of a channel, read by hand.
struct Ear(TcpStream);

impl Ear {
    /// Asks for the channel; the status line if it is not opened.
    fn open(plex: &SimPlex, token: &str, query: &str) -> Result<Self, String> {
        let mut stream = TcpStream::connect(plex.url().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // The key is the example of RFC 6455.
        let head = format!(
            "GET /:/websockets/notifications{query} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Plex-Token: {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        let status = answer.lines().next().unwrap().to_owned();
        if !status.contains("101") {
            return Err(status);
        }
        assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
        Ok(Self(stream))
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length).unwrap();
                usize::from(u16::from_be_bytes(length))
            }
            short => usize::from(short),
        };
        let mut said = vec![0; length];
        self.0.read_exact(&mut said).unwrap();
        (head[0], said)
    }

    /// All frames up to one that says so.
    fn until(&mut self, plex: &SimPlex) -> Vec<Value> {
        plex.tell("\"the end\"");
        let frames = std::iter::from_fn(|| {
            let (kind, said) = self.frame();
            assert_eq!(kind, 0x81, "a whole frame of text");
            let said: Value = serde_json::from_slice(&said).unwrap();
            (said != "the end").then(|| said["NotificationContainer"].clone())
        });
        frames.collect()
    }
}

fn entries(frames: &[Value]) -> Vec<&Value> {
    frames.iter().filter_map(|frame| frame["TimelineEntry"].get(0)).collect()
}

fn states(frames: &[Value]) -> Vec<i64> {
    let entries = entries(frames).into_iter();
    let ours = entries.filter(|entry| entry["identifier"] == "com.plexapp.plugins.library");
    ours.map(|entry| entry["state"].as_i64().unwrap()).collect()
}

#[actix_rt::test]
async fn a_new_video_is_told_of_in_many_frames() {
    let plex = plex(PlexOptions::default());
    let mut ear = Ear::open(&plex, plex.token(), "").unwrap();
    let key = video(&plex, "a");
    let frames = ear.until(&plex);
    let count = |kind: &str| frames.iter().filter(|frame| frame["type"] == kind).count();
    assert_eq!((count("activity"), count("progress"), count("timeline")), (80, 52, 14));
    assert_eq!(states(&frames), [0, 1, 1, 1, 1, 1, 2, 3, 4, 4, 5, 5, 5]);
    let first = entries(&frames)[0];
    assert_eq!((first["itemID"].as_str(), first["sectionID"].as_str()), (Some(key.as_str()), Some("1")));
    assert_eq!((first["type"].as_i64(), first["metadataState"].as_str()), (Some(1), Some("created")));
    let foreign =
        entries(&frames).into_iter().find(|entry| entry["identifier"] != first["identifier"]).unwrap();
    assert_eq!(foreign["itemID"], first["itemID"], "somebody else counts alike");
    assert_eq!(put(&plex, &format!("/library/sections/1/all?type=1&id={key}&title.value=New")).await, 200);
    assert_eq!(states(&ear.until(&plex)), [5], "an edit is told as well");
    assert!(plex.remove_item(&key));
    let gone = ear.until(&plex);
    assert_eq!((states(&gone), entries(&gone)[0]["type"].as_i64()), (vec![9], Some(-1)));
}

#[rstest]
#[case::only_what_is_asked_for(PlexOptions::default(), "?filters=timeline", 14)]
#[case::unless_it_is_ignored(
    PlexOptions { ignores_notification_filters: true, ..PlexOptions::default() },
    "?filters=timeline",
    146
)]
#[actix_rt::test]
async fn kinds_are_filtered(#[case] options: PlexOptions, #[case] query: &str, #[case] frames: usize) {
    let plex = plex(options);
    let mut ear = Ear::open(&plex, plex.token(), query).unwrap();
    video(&plex, "a");
    assert_eq!(ear.until(&plex).len(), frames);
}

#[actix_rt::test]
async fn old_servers_spell_otherwise_and_some_never_come_to_an_end() {
    let plex = plex(PlexOptions {
        notifies_with_numbers: true,
        tells_when_personal_items_are_settled: false,
        ..PlexOptions::default()
    });
    let mut ear = Ear::open(&plex, plex.token(), "?filters=timeline").unwrap();
    let key = video(&plex, "a");
    let frames = ear.until(&plex);
    assert_eq!(states(&frames), [0, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(entries(&frames)[0]["itemID"].as_i64(), key.parse().ok());
    assert!(plex.move_file(&key, "/data/videos/b.mp4"));
    assert!(plex.remove_item(&key));
    let frames = ear.until(&plex);
    assert_eq!((states(&frames), entries(&frames)[1]["type"].as_i64()), (vec![5, 9], Some(1)));
}

#[actix_rt::test]
async fn what_a_scan_finds_is_told_although_nobody_asks() {
    let plex = plex(PlexOptions { scan_takes: Duration::from_millis(50), ..PlexOptions::default() });
    let mut ear = Ear::open(&plex, plex.token(), "?filters=timeline").unwrap();
    plex.place_file("1", NewItem::file("/data/videos/a.mp4", 1000));
    assert_eq!(ask(&plex, "GET", "/library/sections/1/refresh").await.status, 200);
    assert_eq!(ear.frame().0, 0x81);
}

#[actix_rt::test]
async fn the_door_is_guarded_and_may_be_missing() {
    let plex = plex(PlexOptions::default());
    assert!(Ear::open(&plex, "no", "").err().unwrap().contains("401"));
    plex.reconfigure(|options| options.notifies = false);
    assert!(Ear::open(&plex, plex.token(), "").err().unwrap().contains("404"));
    plex.reconfigure(|options| options.notifies = true);
    plex.faults().inject(PlexOp::Notifications, Fault::status(503), 1);
    assert!(Ear::open(&plex, plex.token(), "").err().unwrap().contains("503"));
    assert!(Ear::open(&plex, plex.token(), "").is_ok());
}

#[actix_rt::test]
async fn a_ping_is_answered_unless_it_is_silent_and_a_cut_is_a_cut() {
    let plex = plex(PlexOptions::default());
    let mut ear = Ear::open(&plex, plex.token(), "").unwrap();
    // A masked "Hello", as in RFC 6455.
    let ping = [0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    ear.0.write_all(&ping).unwrap();
    assert_eq!(ear.frame(), (0x8a, b"Hello".to_vec()));
    assert_eq!(plex.listeners(), 1);
    plex.fall_silent(true);
    ear.0.write_all(&ping).unwrap();
    ear.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(ear.0.read(&mut [0]).is_err(), "not a byte");
    plex.fall_silent(false);
    assert_eq!(ear.frame(), (0x8a, b"Hello".to_vec()));
    plex.drop_listeners();
    assert!(!matches!(ear.0.read(&mut [0]), Ok(1..)), "reset, or closed");
}
