//! What do the keys of `[server]` do?

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use plexsync::sim::world::World;

use crate::process::{Service, free_port, write_settings};
use crate::support::{TestApp, agent};

#[test]
fn it_answers_where_it_is_told_to_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (world, ports) = (World::start(0).unwrap(), [free_port(), free_port()]);
    for (port, other) in [(ports[0], ports[1]), (ports[1], ports[0])] {
        write_settings(folder.path(), &world, port);
        let service = Service::start(folder.path(), port);
        assert!(agent().get(format!("http://127.0.0.1:{other}/livez")).call().is_err());
        service.signal("-TERM");
        assert_eq!(service.ended(), 0);
    }
}

#[test]
fn without_a_token_it_answers_to_the_names_that_it_was_given() {
    let app = TestApp::start_with(0, "server.allowed_hosts = [\"nas.lan\"]\nqueue.debounce = \"30s\"");
    let post = |host| {
        let headers = [("content-type", "application/json"), ("host", host)];
        app.post_with(r#"{"type":"Scene.Update.Post","id":1}"#, &headers).0
    };
    assert_eq!([post("nas.lan"), post("NAS.lan:8765"), post("other.lan")], [202, 202, 421]);
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_not_waited_for() {
    const LIMIT: Duration = Duration::from_millis(500);
    let app = TestApp::start_with(0, "server.request_timeout = \"500ms\"");
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = "POST /webhooks/stash HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 100\r\n\r\n{";
    let began = Instant::now();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer[..read]));
    // The default is ten seconds.
    assert!((LIMIT..18 * LIMIT).contains(&began.elapsed()), "{:?}", began.elapsed());
}
