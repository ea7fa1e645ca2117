//! How are images listed, sent and chosen?

use super::*;
use crate::domain::image::Image;

/// The header of a picture of 16 by 9.
const GIF: &[u8] = b"GIF89a\x10\0\x09\0\0\0\0";

#[rstest]
#[case(r#"{"MediaContainer":{"size":0}}"#, &[])]
#[case(
    r#"{"MediaContainer":{"Metadata":[{"key":"/x","ratingKey":"upload://posters/ab","selected":"1"},{"ratingKey":"media://y"}]}}"#,
    &[("upload://posters/ab", true), ("media://y", false)]
)]
#[case(
    r#"{"MediaContainer":{"Photo":[{"ratingKey":"media://y","selected":true},{"ratingKey":""}]}}"#,
    &[("media://y", true)]
)]
#[tokio::test]
async fn the_images_of_an_item_are_listed(#[case] body: &str, #[case] expected: &[(&str, bool)]) {
    let server = CannedServer::always(Reply::json(body)).await;
    let images = client(&server.url).images(&key("71"), ImageSlot::Poster).await.unwrap();
    let listed: Vec<_> = images.iter().map(|image| (image.key.as_str(), image.selected)).collect();
    assert_eq!(listed, expected);
    assert_eq!(server.requests()[0].line, "GET /library/metadata/71/posters");
}

#[tokio::test]
async fn an_image_travels_as_bytes_and_no_address_with_it() {
    let server = CannedServer::always(Reply::new(200, "", "")).await;
    let plex = client(&server.url);
    let image = Image::new("image/gif", GIF.to_vec()).unwrap();
    plex.upload_image(&key("71"), ImageSlot::Background, &image).await.unwrap();
    plex.select_image(&key("71"), ImageSlot::Background, "upload://art/a b&c").await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].line, "POST /library/metadata/71/arts");
    assert_eq!((requests[0].header("content-type"), requests[0].body.as_bytes()), (Some("image/gif"), GIF));
    assert_eq!(requests[1].line, "PUT /library/metadata/71/art?url=upload%3A%2F%2Fart%2Fa%20b%26c");
}

#[rstest]
#[case(413, FailureClass::Rejected, "image_rejected")]
#[case(500, FailureClass::Unavailable, "write_unknown")]
#[case(404, FailureClass::StaleMatch, "item_gone")]
#[tokio::test]
async fn an_image_can_be_refused(#[case] status: u16, #[case] class: FailureClass, #[case] code: &str) {
    let server = CannedServer::always(Reply::new(status, "", "")).await;
    let image = Image::new("image/gif", GIF.to_vec()).unwrap();
    let sent = client(&server.url).upload_image(&key("71"), ImageSlot::Poster, &image).await;
    let failure = sent.unwrap_err();
    assert_eq!((failure.class, failure.code), (class, code), "{failure}");
}
