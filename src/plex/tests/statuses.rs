//! Which class and code has each answer that is not a good one, for each question?

use super::*;
use crate::domain::circuit::Circuit;

const UNAUTHORIZED: &str = "<html><body><h1>401 Unauthorized</h1></body></html>";
const STARTING: &str = "the server is still starting up. Please retry later";
const MIGRATING: &str =
    r#"<Response code="503" title="Maintenance" status="Plex Media Server is migrating its database."/>"#;
const BUSY: &str = r#"<Response code="500" title="Error" status="Database error"/>"#;
const PAGE_OF_A_PROXY: &str = "<!doctype html><title>Sign in</title>";

fn is(failure: &Failure, class: FailureClass, code: &str) {
    assert_eq!((failure.class, failure.code, failure.peer), (class, code, Peer::Plex), "{failure}");
}

/// What every question has in common; an edit has its own word where the change may have been made.
#[rstest]
#[case(400, "", STARTING, FailureClass::Unavailable, "starting_up", "starting_up")]
#[case(401, "", UNAUTHORIZED, FailureClass::Unauthorized, "token_refused", "token_refused")]
// The front door is closed, too.
#[case(403, "", "", FailureClass::Unauthorized, "token_refused", "token_refused")]
#[case(408, "", "", FailureClass::Unavailable, "request_timeout", "write_unknown")]
#[case(429, "retry-after: 9\r\n", "", FailureClass::Throttled, "too_many_requests", "too_many_requests")]
#[case(500, "", "", FailureClass::Unavailable, "server_error", "write_unknown")]
#[case(500, "", BUSY, FailureClass::Unavailable, "server_error", "write_unknown")]
#[case(502, "", PAGE_OF_A_PROXY, FailureClass::Unavailable, "server_error", "write_unknown")]
#[case(503, "retry-after: 9\r\n", "", FailureClass::Throttled, "busy", "busy")]
#[case(503, "", MIGRATING, FailureClass::Unavailable, "maintenance", "write_unknown")]
#[case(504, "", "", FailureClass::Unavailable, "server_error", "write_unknown")]
#[case(
    302,
    "location: https://sso.example/login?next=x\r\n",
    "",
    FailureClass::Unauthorized,
    "login_redirect",
    "login_redirect"
)]
#[case(
    301,
    "location: https://plex.example/web/\r\n",
    "",
    FailureClass::Incompatible,
    "redirected",
    "redirected"
)]
#[case(307, "", "", FailureClass::Incompatible, "redirected", "redirected")]
#[tokio::test]
async fn a_status_means_the_same_for_every_question(
    #[case] status: u16,
    #[case] headers: &str,
    #[case] body: &str,
    #[case] class: FailureClass,
    #[case] code: &str,
    #[case] code_of_an_edit: &str,
) {
    let reply = Reply::new(status, headers, body);
    let server = CannedServer::always(reply.clone()).await;
    let plex = client(&server.url);
    let failures = [
        plex.identity().await.unwrap_err(),
        plex.libraries().await.unwrap_err(),
        listing_of(reply.clone()).await.unwrap_err(),
        item_of(reply.clone()).await.unwrap_err(),
    ];
    for failure in &failures {
        is(failure, class, code);
    }
    let failure = edit_of(reply).await.unwrap_err();
    is(&failure, class, code_of_an_edit);
    let told = headers.starts_with("retry-after").then_some(Duration::from_secs(9));
    assert_eq!(failure.retry_after, told);
    assert_eq!(failure.answer.as_deref(), Some(body));
}

#[rstest]
#[case(400)]
#[case(405)]
#[case(409)]
#[case(413)]
#[case(414)]
#[case(422)]
#[tokio::test]
async fn a_refused_edit_is_rejected_and_a_refused_question_incompatible(#[case] status: u16) {
    let reply = Reply::new(status, "", "<h1>no</h1>");
    let failure = edit_of(reply.clone()).await.unwrap_err();
    is(&failure, FailureClass::Rejected, "edit_rejected");
    assert_eq!(failure.answer.as_deref(), Some("<h1>no</h1>"));
    assert!(failure.detail.contains(&status.to_string()));
    is(&item_of(reply.clone()).await.unwrap_err(), FailureClass::Incompatible, "unexpected_status");
    is(&listing_of(reply).await.unwrap_err(), FailureClass::Incompatible, "unexpected_status");
}

#[tokio::test]
async fn what_is_not_found_depends_on_what_was_asked() {
    let reply = Reply::new(404, "", "<h1>404 Not Found</h1>");
    is(&item_of(reply.clone()).await.unwrap_err(), FailureClass::StaleMatch, "item_gone");
    is(&edit_of(reply.clone()).await.unwrap_err(), FailureClass::StaleMatch, "item_gone");
    is(&listing_of(reply.clone()).await.unwrap_err(), FailureClass::StaleMatch, "library_gone");
    let server = CannedServer::always(reply).await;
    let failure = client(&server.url).libraries().await.unwrap_err();
    is(&failure, FailureClass::Incompatible, "unexpected_status");
}

#[rstest]
#[case(200, FailureClass::Forbidden, "forbidden")]
#[case(401, FailureClass::Unauthorized, "token_refused")]
#[case(403, FailureClass::Unauthorized, "token_refused")]
#[case(503, FailureClass::Unavailable, "maintenance")]
#[tokio::test]
async fn a_403_is_about_one_item_only_when_the_front_door_is_open(
    #[case] front_door: u16,
    #[case] class: FailureClass,
    #[case] code: &str,
) {
    let server = CannedServer::start(move |request| match request.line.as_str() {
        "GET /plex/" => Reply::new(front_door, "", "{}"),
        _ => Reply::new(403, "", ""),
    })
    .await;
    let plex = client(&server.url.join("/plex").unwrap());
    is(&plex.item(&key("71")).await.unwrap_err(), class, code);
    is(&plex.edit(&section(), &key("71").into(), &[new_title("x")]).await.unwrap_err(), class, code);
    is(&plex.listing(&section(), ListingOrder::Stable, 0, 0).await.unwrap_err(), class, code);
    // Three questions, and one at the front door for each.
    assert_eq!(server.requests().len(), 6);
}

#[rstest]
#[case(PAGE_OF_A_PROXY, FailureClass::Unavailable, "not_json")]
#[case("", FailureClass::Unavailable, "not_json")]
#[case("{\"MediaContainer\":{\"Metada", FailureClass::Unavailable, "not_json")]
#[case("{\"MediaContainer\":7}", FailureClass::Incompatible, "undecodable")]
#[case("[]", FailureClass::Incompatible, "undecodable")]
#[tokio::test]
async fn a_success_that_cannot_be_read_is_a_proxy_or_another_plex(
    #[case] body: &str,
    #[case] class: FailureClass,
    #[case] code: &str,
) {
    is(&item_of(Reply::json(body)).await.unwrap_err(), class, code);
    is(&listing_of(Reply::json(body)).await.unwrap_err(), class, code);
    let server = CannedServer::always(Reply::json(body)).await;
    is(&client(&server.url).libraries().await.unwrap_err(), class, code);
}

#[tokio::test]
async fn a_page_for_an_edit_is_no_word_of_plex_and_anything_else_is_left_to_the_read_back() {
    let Told::Page(failure) = edit_of(Reply::new(200, "", PAGE_OF_A_PROXY)).await.unwrap() else {
        panic!("a page is not seen")
    };
    is(&failure, FailureClass::Unavailable, "page_answered");
    assert_eq!(failure.circuit, Some(Circuit::PlexWrite));
    assert_eq!(failure.answer.as_deref(), Some(PAGE_OF_A_PROXY));
    for body in ["", "{}", MIGRATING, "\0noise"] {
        assert!(matches!(edit_of(Reply::new(200, "", body)).await, Ok(Told::Done)), "{body}");
    }
    let server = CannedServer::always(Reply::new(200, "", PAGE_OF_A_PROXY)).await;
    let failure = client(&server.url).scan(&section(), "/data").await.unwrap_err();
    is(&failure, FailureClass::Unavailable, "page_answered");
}

#[tokio::test]
async fn a_plex_that_cannot_be_heard_is_unavailable_and_an_edit_may_have_been_made() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec();
    for (reply, code) in [
        (Reply::Hang(Vec::new()), "timeout"),
        (Reply::Reset(head.clone()), "connection_reset"),
        (Reply::Bytes(Vec::new()), "connection_closed"),
        (Reply::Bytes(head.clone()), "truncated"),
        (Reply::Drip(head, SILENCE / 10), "deadline_exceeded"),
    ] {
        let server = CannedServer::always(reply).await;
        let settings = settings(&server.url);
        let impatient = PlexSettings { read_timeout: SILENCE, write_timeout: 2 * SILENCE, ..settings };
        let plex = PlexClient::new(impatient).unwrap();
        is(&plex.item(&key("71")).await.unwrap_err(), FailureClass::Unavailable, code);
        let failure = plex.edit(&section(), &key("71").into(), &[new_title("x")]).await.unwrap_err();
        is(&failure, FailureClass::Unavailable, "write_unknown");
    }
}

#[tokio::test]
async fn an_edit_that_was_never_sent_is_known_not_to_have_been_made() {
    let plex = client(&closed_port().await);
    let failure = plex.edit(&section(), &key("71").into(), &[new_title("x")]).await.unwrap_err();
    is(&failure, FailureClass::Unavailable, "connection_refused");
}

#[tokio::test]
async fn an_edit_may_be_silent_for_longer_than_a_read() {
    let server = CannedServer::always(Reply::Hang(Vec::new())).await;
    let settings = settings(&server.url);
    let quick = PlexSettings { read_timeout: SILENCE / 10, write_timeout: SILENCE, ..settings };
    let plex = PlexClient::new(quick).unwrap();
    let begun = std::time::Instant::now();
    plex.edit(&section(), &key("71").into(), &[new_title("x")]).await.unwrap_err();
    assert!(begun.elapsed() >= SILENCE);
}

#[tokio::test]
async fn an_answer_beyond_its_cap_is_incompatible_and_a_listing_may_be_longer_than_an_item() {
    let long = Reply::json(format!("{}{}", PAGE, " ".repeat(8 << 20)));
    is(&item_of(long.clone()).await.unwrap_err(), FailureClass::Incompatible, "answer_too_large");
    assert_eq!(listing_of(long).await.unwrap().items, 5);
}

#[tokio::test]
async fn an_error_in_xml_is_quoted() {
    let failure = item_of(Reply::new(503, "", MIGRATING)).await.unwrap_err();
    assert!(failure.detail.ends_with(": Plex Media Server is migrating its database."), "{failure}");
}

#[tokio::test]
async fn a_redirect_is_told_with_the_host_it_points_at_and_nothing_is_sent_there() {
    let other = CannedServer::always(Reply::json("{}")).await;
    let location = format!("location: {}x?next={TOKEN}\r\n", other.url);
    let failure = item_of(Reply::new(302, &location, "")).await.unwrap_err();
    let told = format!("redirects to {}x, and the token is not sent there; ", other.url);
    assert!(failure.detail.contains(&told), "{failure}");
    assert!(other.requests().is_empty());
}

#[rstest]
#[case(
    "https://plex.example/plex/library/metadata/71?x=1",
    "set plex.url to \"https://plex.example/plex\" if"
)]
#[case("https://plex.example/", "; plex.url should be the final address")]
#[case("https://sso.example/?next=x", "a login at https://sso.example/; let the proxy")]
#[tokio::test]
async fn a_redirect_is_told_with_what_to_do(#[case] location: &str, #[case] advice: &str) {
    let failure = item_of(Reply::new(302, &format!("location: {location}\r\n"), "")).await.unwrap_err();
    assert!(failure.detail.contains(advice), "{failure}");
}

#[tokio::test]
async fn a_refusal_by_name_tells_of_the_host_header() {
    let server = CannedServer::always(Reply::new(401, "", UNAUTHORIZED)).await;
    let failure = client(&server.url).libraries().await.unwrap_err();
    assert!(!failure.detail.contains("Host"), "{failure}");
    // The classifier alone, as the name of a Docker service has no address here.
    let classify = error::Classifier::new("http://plex:32400".parse().unwrap());
    let answer = crate::http::Answer {
        asked: "http://plex:32400/library/sections".parse().unwrap(),
        status: reqwest::StatusCode::UNAUTHORIZED,
        headers: reqwest::header::HeaderMap::new(),
        text: String::new(),
    };
    let failure = classify.bad_status(error::Asked::Server, &answer).unwrap();
    assert!(failure.detail.contains("refuses the name \"plex\" in the Host header"), "{failure}");
}

#[tokio::test]
async fn no_error_and_no_debug_output_holds_the_token() {
    for status in [200, 302, 400, 401, 403, 404, 409, 429, 500, 503] {
        for body in [format!("<p>{TOKEN}</p>"), format!(r#"{{"MediaContainer":"{TOKEN}"}}"#)] {
            let reply = Reply::new(status, &format!("location: /x?X-Plex-Token={TOKEN}\r\n"), body);
            let read = item_of(reply.clone()).await.unwrap_err();
            let edit = edit_of(reply).await;
            assert!(!format!("{read} {read:?} {edit:?}").contains(TOKEN), "{status}: {read:?} {edit:?}");
        }
    }
    let settings = settings(&"http://localhost:32400".parse().unwrap());
    assert!(!format!("{settings:?}").contains(TOKEN));
    assert!(!format!("{:?}", PlexClient::new(settings).unwrap()).contains(TOKEN));
}
