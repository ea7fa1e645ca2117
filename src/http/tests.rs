//! Do calls end, whatever the peer does, and is it said right what happened?

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use rstest::rstest;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::canned::{CannedServer, Reply, closed_port};
use super::*;

const SILENCE: Duration = Duration::from_millis(200);
/// Longer than any test waits for an answer that comes.
const PATIENCE: Duration = Duration::from_secs(20);
const LIMITS: Limits = Limits { total: PATIENCE, body: 1000 };

fn client_for(url: &Url, read_timeout: Duration) -> reqwest::Client {
    client(&HttpOptions { url, verify_tls: true, connect_timeout: PATIENCE, read_timeout }).unwrap()
}

async fn call_within(url: &Url, limits: Limits) -> Result<Answer, NoAnswer> {
    exchange(client_for(url, PATIENCE).get(url.clone()), limits, Some(&"s3cret".into())).await
}

fn answer(status: u16, headers: HeaderMap, body: &str) -> Answer {
    let (asked, status) = ("http://peer/".parse().unwrap(), status.try_into().unwrap());
    Download { asked, status, headers, body: body.into() }.into_answer(Some(&"s3cret".into()))
}

/// The code that a call ends with which allows for little silence.
async fn code_of(reply: Reply) -> &'static str {
    let server = CannedServer::always(reply).await;
    let request = client_for(&server.url, SILENCE).get(server.url.clone());
    exchange(request, LIMITS, None).await.unwrap_err().code()
}

#[tokio::test]
async fn localhost_is_reached_where_it_listens_by_ipv4_alone() {
    let server = CannedServer::always(Reply::json("{}")).await;
    let mut url = server.url.clone();
    url.set_host(Some("localhost")).unwrap();
    assert_eq!(call_within(&url, LIMITS).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_refused_connection_is_known_not_to_have_sent_anything() {
    let error = call_within(&closed_port().await, LIMITS).await.unwrap_err();
    let refused =
        NoAnswer::NotSent { code: "connection_refused", detail: "refused the connection".to_owned() };
    assert_eq!(error, refused);
}

#[tokio::test]
async fn an_unknown_name_is_told_from_a_refused_connection() {
    // A label this long is refused by the resolver itself, so no name server is asked.
    let url = format!("http://{}.invalid:1", "x".repeat(64)).parse().unwrap();
    let error = call_within(&url, LIMITS).await.unwrap_err();
    assert!(matches!(error, NoAnswer::NotSent { code: "dns", .. }), "{error:?}");
}

#[tokio::test]
async fn plain_http_where_tls_was_due_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let rude = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let (connect_timeout, read_timeout) = (PATIENCE, PATIENCE);
    // Unverified, so that the test needs no CA files.
    let client =
        client(&HttpOptions { url: &url, verify_tls: false, connect_timeout, read_timeout }).unwrap();
    let error = exchange(client.get(url), LIMITS, None).await.unwrap_err();
    rude.abort();
    assert!(matches!(error, NoAnswer::NotSent { code: "tls", .. }), "{error:?}");
}

#[tokio::test]
async fn every_way_to_lose_an_answer_has_its_own_code() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec();
    assert_eq!(code_of(Reply::Hang(Vec::new())).await, "timeout");
    assert_eq!(code_of(Reply::Hang(head.clone())).await, "timeout");
    assert_eq!(code_of(Reply::Reset(Vec::new())).await, "connection_reset");
    assert_eq!(code_of(Reply::Reset(head.clone())).await, "connection_reset");
    assert_eq!(code_of(Reply::Bytes(Vec::new())).await, "connection_closed");
    assert_eq!(code_of(Reply::Bytes(head)).await, "truncated");
    assert_eq!(code_of(Reply::new(200, "content-encoding: gzip\r\n", "not gzip")).await, "truncated");
}

#[tokio::test]
async fn a_drip_is_never_silent_but_ends_at_the_total_limit() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
    let server = CannedServer::always(Reply::Drip(head, SILENCE / 10)).await;
    let limits = Limits { total: 2 * SILENCE, body: 1000 };
    let error = call_within(&server.url, limits).await.unwrap_err();
    assert_eq!(error.code(), "deadline_exceeded");
    assert_eq!(error.to_string(), "did not complete its answer within 0.4 s");
}

#[tokio::test]
async fn a_body_may_fill_the_cap_but_not_go_beyond() {
    let server = CannedServer::always(Reply::json("x".repeat(1000))).await;
    assert_eq!(call_within(&server.url, LIMITS).await.unwrap().text.len(), 1000);
    let server = CannedServer::always(Reply::json("x".repeat(1001))).await;
    assert_eq!(call_within(&server.url, LIMITS).await.unwrap_err(), NoAnswer::TooLarge { cap: 1000 });
}

#[tokio::test]
async fn a_body_of_unknown_length_is_left_at_the_cap() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let server = CannedServer::always(Reply::Drip(head, Duration::ZERO)).await;
    assert_eq!(call_within(&server.url, LIMITS).await.unwrap_err(), NoAnswer::TooLarge { cap: 1000 });
}

#[tokio::test]
async fn a_secret_that_the_peer_repeats_is_hidden() {
    let server = CannedServer::always(Reply::new(400, "", "you sent s3cret, really s3cret")).await;
    let answer = call_within(&server.url, LIMITS).await.unwrap();
    assert_eq!(answer.text, "you sent ***, really ***");
}

#[test]
fn a_secret_in_a_redirect_is_hidden() {
    let headers = HeaderMap::from_iter([(LOCATION, "/s3cret/x".parse().unwrap())]);
    let redirect = answer(302, headers, "").redirect(&"http://peer/".parse().unwrap()).unwrap();
    assert_eq!(redirect.target, "http://peer/***/x");
}

#[rstest]
#[case("<!DOCTYPE html><title>Sign in</title>", true)]
#[case("\n<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\">", true)]
#[case("\u{feff}<HTML>", true)]
#[case("<!-- hello --><html>", true)]
#[case("", false)]
#[case("<Response code=\"200\" status=\"OK\"/>", false)]
#[case("<?xml version=\"1.0\"?><MediaContainer size=\"0\"/>", false)]
#[case("{\"text\":\"<html>\"}", false)]
fn a_page_is_told_from_what_peers_say(#[case] body: &str, #[case] is_page: bool) {
    assert_eq!(answer(200, HeaderMap::new(), body).is_page(), is_page);
}

#[tokio::test]
async fn bytes_that_are_not_utf8_do_not_spoil_the_answer() {
    let server = CannedServer::always(Reply::json(b"\"a\xff\xfeb\"")).await;
    let answer = call_within(&server.url, LIMITS).await.unwrap();
    assert_eq!(answer.decode::<String>().unwrap(), "a\u{fffd}\u{fffd}b");
}

#[tokio::test]
async fn redirects_are_not_followed_and_the_agent_has_a_name() {
    let server = CannedServer::always(Reply::new(302, "location: //other:1/x\r\n", "")).await;
    let answer = call_within(&server.url, LIMITS).await.unwrap();
    assert_eq!(answer.redirect(&server.url).unwrap().target, "http://other:1/x");
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let agent = requests[0].header("user-agent").unwrap();
    assert_eq!(agent, format!("PlexSync/{}", env!("CARGO_PKG_VERSION")));
}

#[rstest]
#[case("7", None, Some(7))]
#[case("Wed, 21 Oct 2026 07:28:30 GMT", Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some(30))]
#[case("Wed, 21 Oct 2026 07:28:00 GMT", Some("Wed, 21 Oct 2026 07:28:30 GMT"), Some(0))]
#[case("Wed, 21 Oct 2026 07:28:00 GMT", None, None)]
#[case("soon", None, None)]
#[case("-1", None, None)]
fn a_wait_is_read_in_seconds_or_against_the_date_of_the_answer(
    #[case] retry_after: &str,
    #[case] date: Option<&str>,
    #[case] wait: Option<u64>,
) {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
    if let Some(date) = date {
        headers.insert(DATE, date.parse().unwrap());
    }
    let answer = answer(503, headers, "");
    assert_eq!(answer.retry_after(), wait.map(Duration::from_secs));
}

#[rstest]
#[case("", "sent an empty body where JSON was due")]
#[case(" <html>", "sent a page where JSON was due")]
#[case("{\"a\":", "sent half an answer where JSON was due")]
#[case("OK", "sent text where JSON was due")]
#[case("[]", "sent JSON of an unknown shape: invalid type: sequence, expected a string at line 1 column 0")]
fn an_undecodable_body_is_described(#[case] body: &str, #[case] text: &str) {
    let answer = answer(200, HeaderMap::new(), body);
    assert_eq!(answer.decode::<String>().unwrap_err().to_string(), text);
}

#[test]
fn an_address_must_be_http() {
    let url = "ftp://user:s3cret@host/".parse().unwrap();
    let (connect_timeout, read_timeout) = (SILENCE, SILENCE);
    let error =
        client(&HttpOptions { url: &url, verify_tls: true, connect_timeout, read_timeout }).unwrap_err();
    assert!(matches!(&error, HttpError::Address { scheme } if scheme == "ftp"));
    assert!(!error.to_string().contains("s3cret"));
}

#[test]
fn a_secret_with_a_line_break_is_refused_without_quoting_it() {
    let error = secret_header("plex token", &"s3cret\r\nX: y".into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the plex token holds characters that cannot be sent in a header, such as a line break"
    );
    let value = secret_header("plex token", &"s3crét".into()).unwrap();
    assert_eq!(format!("{value:?}"), "Sensitive");
}

#[test]
fn a_path_below_an_address_keeps_the_path_of_the_address() {
    for (base, full) in [
        ("http://h:1", "http://h:1/a/b%2Fc"),
        ("http://h:1/", "http://h:1/a/b%2Fc"),
        ("http://h:1/sub", "http://h:1/sub/a/b%2Fc"),
        ("http://h:1/sub/?x=1#y", "http://h:1/sub/a/b%2Fc"),
    ] {
        assert_eq!(below(&base.parse().unwrap(), &["a", "b/c"]).as_str(), full);
    }
}
