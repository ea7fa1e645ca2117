//! What does the client make of covers?

use super::*;
use crate::domain::image::{Image, Unfit};

/// The header of a picture of 16 by 9.
const GIF: &[u8] = b"GIF89a\x10\0\x09\0\0\0\0";

async fn cover_of(reply: Reply) -> Result<Cover, Failure> {
    let server = CannedServer::always(reply).await;
    client(&server.url).cover(scene(42), None).await
}

#[tokio::test]
async fn a_cover_is_asked_for_at_an_address_that_does_not_change() {
    let reply = Reply::new(200, "content-type: image/gif\r\netag: \"abc\"\r\n", GIF);
    let server = CannedServer::always(reply).await;
    let stash = client(&server.url.join("/behind/").unwrap());
    let image = Image::new("image/gif", GIF.to_vec()).unwrap();
    let cover = stash.cover(scene(42), None).await.unwrap();
    assert_eq!(cover, Cover::Image { image, tag: "\"abc\"".to_owned() });
    let request = &server.requests()[0];
    assert_eq!(request.line, "GET /behind/scene/42/screenshot");
    assert_eq!((request.header("apikey"), request.header("if-none-match")), (Some(KEY), None));
}

#[tokio::test]
async fn a_cover_that_is_known_is_not_sent_again() {
    let server = CannedServer::always(Reply::new(304, "etag: \"abc\"\r\n", "")).await;
    let cover = client(&server.url).cover(scene(42), Some("\"abc\"")).await.unwrap();
    assert_eq!(cover, Cover::Unchanged);
    assert_eq!(server.requests()[0].header("if-none-match"), Some("\"abc\""));
}

#[rstest]
#[case::none("image/svg+xml", b"<svg/>", Unfit::Drawing)]
#[case::page("text/html", b"<html>", Unfit::NoImage("text/html".to_owned()))]
#[case::damaged("image/png", b"\x89PNG", Unfit::Undecodable)]
#[tokio::test]
async fn what_is_no_cover_that_plex_takes_is_told(
    #[case] content_type: &str,
    #[case] body: &[u8],
    #[case] why: Unfit,
) {
    let reply = Reply::new(200, &format!("content-type: {content_type}\r\netag: x\r\n"), body);
    assert_eq!(cover_of(reply).await.unwrap(), Cover::Unfit { why, tag: "x".to_owned() });
}

#[tokio::test]
async fn a_cover_that_is_too_large_is_not_received() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 10000001\r\n\r\n".to_vec();
    let cover = cover_of(Reply::Hang(head)).await.unwrap();
    assert_eq!(cover, Cover::Unfit { why: Unfit::TooLarge, tag: String::new() });
}

#[rstest]
#[case(401, "", FailureClass::Unauthorized)]
#[case(302, "location: /login?returnURL=x\r\n", FailureClass::Unauthorized)]
#[case(500, "", FailureClass::Unavailable)]
#[case(429, "", FailureClass::Throttled)]
#[tokio::test]
async fn a_stash_that_cannot_say_is_a_failure(
    #[case] status: u16,
    #[case] headers: &str,
    #[case] class: FailureClass,
) {
    let failure = cover_of(Reply::new(status, headers, "")).await.unwrap_err();
    assert_eq!(failure.class, class, "{failure}");
    assert!(!format!("{failure:?}").contains(KEY));
}
