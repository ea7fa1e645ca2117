//! Is the tree of items read for the hashes of their files, and a folder named as Plex needs it?

use super::*;

#[tokio::test]
async fn hashes_are_told_by_part_and_what_is_no_hash_is_none() {
    let body = r#"{"MediaContainer":{"size":2,"MetadataItem":[
        {"id":71,"MediaItem":[{"id":1,"MediaPart":[
            {"id":11,"file":"/media/a.mkv","size":5,"openSubtitleHash":"65F52AA3BD4025d4","hash":"47da8a62adf441b1"},
            {"id":"12","file":"/media/b.mkv"}]}]},
        {"id":72,"MediaItem":[{"id":2,"MediaPart":[{"id":13,"openSubtitleHash":"nonsense"}]}]},
        {"id":73}]}}"#;
    let server = CannedServer::always(Reply::json(body)).await;
    let hashes = client(&server.url).content_hashes(&[key("71"), key("72"), key("73")]).await.unwrap();
    let known = ContentHash::Known("65f52aa3bd4025d4".to_owned());
    let expected = [(11, known), (12, ContentHash::NotShown), (13, ContentHash::NotShown)];
    assert_eq!(hashes, BTreeMap::from(expected));
    assert_eq!(server.requests()[0].line, "GET /library/metadata/71,72,73/tree");
}

#[tokio::test]
async fn a_server_that_does_not_know_the_question_says_that_nothing_is_there() {
    let server = CannedServer::always(Reply::new(404, "", "")).await;
    let failure = client(&server.url).content_hashes(&[key("71")]).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::StaleMatch);
}

#[tokio::test]
async fn a_folder_is_named_so_that_neither_plus_nor_ampersand_is_lost() {
    let server = CannedServer::always(Reply::json("")).await;
    client(&server.url).scan(&section(), "/media/A & B+C").await.unwrap();
    assert_eq!(server.requests()[0].line, "GET /library/sections/3/refresh?path=%2Fmedia%2FA%20%26%20B%2BC");
}
