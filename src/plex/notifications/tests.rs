//! Are the channel and its frames read as servers send them, and does whatever else comes do no harm?

use std::time::Duration;

use rstest::rstest;

use super::*;
use crate::http::canned::{CannedServer, Reply, Request};
use crate::plex::PlexSettings;

const TOKEN: &str = "xT0ken-of-a-test";
const TIMELINE: &str = r#"{"NotificationContainer":{"type":"timeline","size":1,"TimelineEntry":["#;

fn notice(item: &str, section: Option<&str>) -> Notice {
    Notice { item: item.parse().unwrap(), section: section.map(|key| key.parse().unwrap()) }
}

fn read(entries: &str) -> Notices {
    frames::notices(&format!("{TIMELINE}{entries}]}}}}"))
}

fn entry(item: &str, kind: &str, state: &str) -> String {
    format!(
        r#"{{"identifier":"com.plexapp.plugins.library","sectionID":"1","itemID":{item},"type":{kind},"state":{state}}}"#
    )
}

#[rstest]
#[case::created("\"71\"", "1", "0", true)]
#[case::in_work("\"71\"", "1", "1", true)]
#[case::settled("\"71\"", "1", "5", true)]
#[case::deleted("\"71\"", "1", "9", true)]
#[case::an_old_server("71", "1", "5", true)]
#[case::all_as_text("\"71\"", "\"1\"", "\"5\"", true)]
#[case::deleted_without_a_type("\"71\"", "-1", "9", true)]
#[case::deleted_without_a_type_as_processed("\"71\"", "-1", "5", true)]
#[case::no_deletion("\"71\"", "-1", "3", false)]
#[case::a_show("\"71\"", "2", "5", false)]
#[case::a_collection("\"71\"", "18", "5", false)]
fn what_was_done_to_movies_is_heard(
    #[case] item: &str,
    #[case] kind: &str,
    #[case] state: &str,
    #[case] ours: bool,
) {
    let notices = if ours { vec![notice("71", Some("1"))] } else { Vec::new() };
    assert_eq!(read(&entry(item, kind, state)), Notices { notices, unreadable: 0 });
}

#[test]
fn one_frame_may_tell_of_several_items_and_one_of_them_may_be_spoilt() {
    let spoilt = r#"{"identifier":"com.plexapp.plugins.library","itemID":{"a":1},"type":1,"state":5}"#;
    let malformed = entry("\"7x\"", "1", "5");
    let nowhere =
        r#"{"identifier":"com.plexapp.plugins.library","sectionID":-1,"itemID":9,"type":1,"state":5}"#;
    let all = [&entry("\"71\"", "1", "5"), spoilt, &malformed, nowhere].join(",");
    assert_eq!(
        read(&all),
        Notices { notices: vec![notice("71", Some("1")), notice("9", None)], unreadable: 2 }
    );
}

#[rstest]
#[case::another_source(
    r#"{"NotificationContainer":{"type":"timeline","TimelineEntry":[{"identifier":"tv.plex.providers.epg.onconnect:4","sectionID":2,"itemID":583,"type":1,"state":9}]}}"#,
    0
)]
#[case::no_source(r#"{"NotificationContainer":{"TimelineEntry":[{"itemID":583,"type":1,"state":9}]}}"#, 0)]
#[case::an_activity(
    r#"{"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{"event":"ended","uuid":"c","Activity":{"type":"library.update.section","Context":{"librarySectionID":"1"}}}]}}"#,
    0
)]
#[case::something_new(
    r#"{"NotificationContainer":{"type":"fireworks","size":1,"Rocket":[{"colour":"red"}]}}"#,
    0
)]
#[case::another_envelope(r#"{"ActivityNotification":{"event":"ended"}}"#, 1)]
#[case::entries_of_another_shape(r#"{"NotificationContainer":{"TimelineEntry":7}}"#, 1)]
#[case::half_a_frame(r#"{"NotificationContainer":{"type":"timeline","#, 1)]
#[case::a_page("<html><body>Sign in</body></html>", 1)]
#[case::nothing("", 1)]
fn the_rest_is_passed_over(#[case] frame: &str, #[case] unreadable: u32) {
    assert_eq!(frames::notices(frame), Notices { notices: Vec::new(), unreadable });
}

#[test]
fn nesting_without_end_is_passed_over() {
    assert_eq!(frames::notices(&"[".repeat(LONGEST)).unreadable, 1);
}

fn client(server: &CannedServer) -> PlexClient {
    PlexClient::new(PlexSettings {
        url: server.url.clone(),
        token: TOKEN.into(),
        client_id: "plexsync-test".to_owned(),
        verify_tls: true,
        connect_timeout: Duration::from_secs(20),
        read_timeout: Duration::from_millis(200),
        write_timeout: Duration::from_secs(20),
    })
    .unwrap()
}

/// Switches as it should, sends these bytes, and keeps the connection open.
fn switched(request: &Request, then: &[u8]) -> Reply {
    let accept = accept(request.header("sec-websocket-key").unwrap());
    let head = format!(
        "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Reply::Hang([head.as_bytes(), then].concat())
}

/// A frame of a server. What is said here is shorter than 64 KiB.
fn frame(kind: u8, said: &[u8]) -> Vec<u8> {
    let length = u16::try_from(said.len()).unwrap().to_be_bytes();
    [&[0x80 | kind, 126], length.as_slice(), said].concat()
}

async fn channel(then: Vec<u8>) -> (CannedServer, Notifications) {
    let server = CannedServer::start(move |request| switched(request, &then)).await;
    let channel = client(&server).notifications([7; 16]).await.unwrap();
    (server, channel)
}

#[tokio::test]
async fn the_channel_is_asked_for_with_the_token_in_a_header_and_heard() {
    let said = format!("{TIMELINE}{}]}}}}", entry("\"71\"", "1", "5"));
    let then = [frame(0x2, b"bytes"), frame(0x9, b"ping"), frame(0x1, said.as_bytes())].concat();
    let (server, mut channel) = channel(then).await;
    assert_eq!(channel.next().await.unwrap().notices, [notice("71", Some("1"))]);
    let asked = &server.requests()[0];
    assert_eq!(asked.line, "GET /:/websockets/notifications?filters=timeline");
    assert_eq!(asked.header("x-plex-token"), Some(TOKEN));
    assert_eq!(asked.header("sec-websocket-version"), Some("13"));
}

#[tokio::test]
async fn a_server_that_gives_no_sign_of_life_is_given_up() {
    let (_server, mut channel) = channel(Vec::new()).await;
    let ended = channel.next().await.unwrap_err();
    assert_eq!((ended.code, ended.class), ("timeout", FailureClass::Unavailable));
}

/// Announces more than memory has.
const GIANT: [u8; 10] = [0x81, 127, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff];

#[rstest]
#[case::a_giant(GIANT.to_vec())]
#[case::noise(b"\xff\xfe this is no frame".to_vec())]
#[case::no_text(frame(0x1, b"\xff\xff"))]
#[tokio::test]
async fn what_is_no_frame_ends_the_channel(#[case] then: Vec<u8>) {
    let (_server, mut channel) = channel(then).await;
    assert_eq!(channel.next().await.unwrap_err().code, "not_notifications");
}

#[tokio::test]
async fn a_message_in_many_pieces_is_bounded_as_a_whole() {
    let piece = frame(0x0, &vec![b' '; 60_000]);
    let mut first = frame(0x1, &vec![b' '; 60_000]);
    first[0] &= 0x7f;
    let mut more: Vec<u8> = piece;
    more[0] &= 0x7f;
    let (_server, mut channel) = channel([first, more.repeat(20)].concat()).await;
    let ended = channel.next().await.unwrap_err();
    assert!(ended.code == "not_notifications" && ended.detail.contains("too long"), "{ended}");
}

#[tokio::test]
async fn the_end_of_the_channel_is_told() {
    let (_server, mut channel) = channel(frame(0x8, &[])).await;
    let ended = channel.next().await.unwrap_err();
    assert_eq!(ended.class, FailureClass::Unavailable, "{ended}");
}

#[rstest]
#[case::no_such_route(Reply::new(404, "", ""), FailureClass::Incompatible, "no_notifications")]
#[case::refused(Reply::new(401, "", TOKEN), FailureClass::Unauthorized, "token_refused")]
#[case::a_proxy(Reply::new(200, "", "<html>Sign in</html>"), FailureClass::Incompatible, "no_notifications")]
#[case::another_proxy(Reply::new(426, "", ""), FailureClass::Incompatible, "no_notifications")]
#[case::away(Reply::new(502, "", ""), FailureClass::Unavailable, "server_error")]
#[case::starting(
    Reply::new(400, "", "the server is still starting up."),
    FailureClass::Unavailable,
    "starting_up"
)]
#[case::elsewhere(
    Reply::new(302, "location: http://other/\r\n", ""),
    FailureClass::Incompatible,
    "redirected"
)]
#[case::another_protocol(
    Reply::Hang(b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: no\r\n\r\n".to_vec()),
    FailureClass::Incompatible,
    "no_notifications"
)]
#[tokio::test]
async fn without_a_channel_it_is_told_why(
    #[case] reply: Reply,
    #[case] class: FailureClass,
    #[case] code: &str,
) {
    let server = CannedServer::always(reply).await;
    let refused = client(&server).notifications([7; 16]).await.unwrap_err();
    assert_eq!((refused.class, refused.code), (class, code), "{refused}");
    assert!(!format!("{refused:?}").contains(TOKEN), "{refused:?}");
}

#[test]
fn the_key_is_answered_as_the_protocol_says() {
    // The example of RFC 6455.
    assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
