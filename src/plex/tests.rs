//! What does the client make of every answer of Plex, and of every way in which Plex or something before it can fail?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rstest::rstest;
use url::Url;

use super::*;
use crate::domain::edits::{Change, Edit, Field, ImageSlot, ListChange, Tag, Value};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::{MachineId, RatingKey, SectionKey};
use crate::domain::item::{ContentHash, IndexedPart, PlexItem};
use crate::http::canned::{CannedServer, Reply, closed_port};

mod files;
mod images;
mod statuses;
mod tree;

const TOKEN: &str = "xT0ken-of-a-test";
/// Longer than any test waits for an answer that comes.
const PATIENCE: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_millis(300);

fn client(url: &Url) -> PlexClient {
    PlexClient::new(settings(url)).unwrap()
}

fn settings(url: &Url) -> PlexSettings {
    PlexSettings {
        url: url.clone(),
        token: TOKEN.into(),
        client_id: "plexsync-test".to_owned(),
        verify_tls: true,
        connect_timeout: PATIENCE,
        read_timeout: PATIENCE,
        write_timeout: PATIENCE,
    }
}

fn section() -> SectionKey {
    "3".parse().unwrap()
}

fn key(key: &str) -> RatingKey {
    key.parse().unwrap()
}

async fn listing_of(reply: Reply) -> Result<ListingPage, Failure> {
    let server = CannedServer::always(reply).await;
    client(&server.url).listing(&section(), ListingOrder::Stable, 0, 10).await
}

async fn item_of(reply: Reply) -> Result<PlexItem, Failure> {
    let server = CannedServer::always(reply).await;
    client(&server.url).item(&key("71")).await
}

async fn edit_of(reply: Reply) -> Result<Told, Failure> {
    let server = CannedServer::always(reply).await;
    client(&server.url).edit(&section(), &key("71").into(), &[new_title("A new title")]).await
}

fn new_title(title: &str) -> Edit {
    Edit { field: Field::Title, value: Some(Change::Text(title.to_owned())), locked: Some(true) }
}

#[tokio::test]
async fn the_server_tells_who_it_is() {
    let body =
        r#"{"MediaContainer":{"size":0,"claimed":true,"machineIdentifier":"c0ffee","version":"1.43.3"}}"#;
    let server = CannedServer::always(Reply::json(body)).await;
    let identity = client(&server.url).identity().await.unwrap();
    let expected = PlexIdentity { machine: MachineId("c0ffee".to_owned()), version: "1.43.3".to_owned() };
    assert_eq!(identity, expected);
    assert_eq!(server.requests()[0].line, "GET /identity");
}

#[tokio::test]
async fn a_server_without_an_identifier_is_not_taken_for_plex() {
    for body in [r#"{"MediaContainer":{"machineIdentifier":""}}"#, r#"{"MediaContainer":{}}"#, "{}"] {
        let server = CannedServer::always(Reply::json(body)).await;
        let failure = client(&server.url).identity().await.unwrap_err();
        assert_eq!((failure.class, failure.code), (FailureClass::Incompatible, "undecodable"), "{body}");
    }
}

#[tokio::test]
async fn only_libraries_of_films_are_listed_whatever_their_numbers_look_like() {
    let body = r#"{"MediaContainer":{"size":3,"Directory":[
        {"key":"3","type":"movie","title":"Clips","contentChangedAt":18253,"hidden":true,
         "Location":[{"id":1,"path":"/media/clips"},{"id":2,"path":"O:\\Clips"}]},
        {"key":"4","type":"show","title":"Series","Location":[]},
        {"key":5,"type":"movie","contentChangedAt":"77"},
        {"key":6,"type":"movie","title":"New","contentChangedAt":1.5}]}}"#;
    let server = CannedServer::always(Reply::json(body)).await;
    let libraries = client(&server.url).libraries().await.unwrap();
    let keys: Vec<_> = libraries.iter().map(|library| library.key.as_str()).collect();
    assert_eq!(keys, ["3", "5", "6"]);
    let changes: Vec<_> = libraries.iter().map(|library| library.content_changed_at).collect();
    assert_eq!(changes, [Some(18253), Some(77), None]);
    assert_eq!(libraries[0].locations, ["/media/clips", "O:\\Clips"]);
    assert_eq!(server.requests()[0].line, "GET /library/sections");
}

#[tokio::test]
async fn a_server_without_libraries_has_none() {
    let server = CannedServer::always(Reply::json(r#"{"MediaContainer":{"size":0}}"#)).await;
    assert_eq!(client(&server.url).libraries().await.unwrap(), []);
}

const PAGE: &str = r#"{"MediaContainer":{"size":5,"totalSize":4711,"offset":0,"Metadata":[
    {"ratingKey":"71","type":"movie","title":"One","studio":"Acme","originallyAvailableAt":"2024-05-31","addedAt":100,"updatedAt":200,"Media":[
        {"id":1,"duration":5062,"Part":[{"id":11,"file":"/media/one.mkv","size":13400382,"duration":5061}]},
        {"id":2,"duration":5000,"Part":[{"id":"12","file":"/media/one b.mkv"},{"id":13},{"id":14,"file":""}]}]},
    {"ratingKey":72,"type":"movie","title":"Without files"},
    {"ratingKey":"73","type":"collection","title":"Box","Media":[{"Part":[{"id":15,"file":"/media/box"}]}]},
    {"ratingKey":"74","type":"clip","Media":[{"Part":[{"id":16,"file":"/media/trailer"}]}]},
    {"ratingKey":"75","title":"No type","Media":[{"Part":[{"id":17,"file":"/media/x","size":"9","duration":1.5}]}]}]}}"#;

#[tokio::test]
async fn a_page_has_every_file_of_every_movie_and_counts_all_entries() {
    let page = listing_of(Reply::json(PAGE)).await.unwrap();
    let part = |rating_key: &str, part_id, path: &str| IndexedPart {
        section: section(),
        rating_key: key(rating_key),
        part_id,
        path: path.to_owned(),
        size: None,
        duration_ms: Some(5000),
        title: "One".to_owned(),
        date: "2024-05-31".to_owned(),
        studio: "Acme".to_owned(),
        content_hash: ContentHash::NotAsked,
        added_at: 100,
        updated_at: 200,
    };
    let one = part("71", 11, "/media/one.mkv");
    let untyped = part("75", 17, "/media/x");
    let parts = vec![
        IndexedPart { size: Some(13_400_382), duration_ms: Some(5061), ..one },
        part("71", 12, "/media/one b.mkv"),
        IndexedPart {
            size: Some(9),
            duration_ms: None,
            title: "No type".to_owned(),
            date: String::new(),
            studio: String::new(),
            added_at: 0,
            updated_at: 0,
            ..untyped
        },
    ];
    assert_eq!(page, ListingPage { parts, items: 5, total: Some(4711) });
}

#[tokio::test]
async fn the_size_of_a_page_is_never_taken_for_the_total() {
    let body = r#"{"MediaContainer":{"size":1,"Metadata":[{"ratingKey":"1"}]}}"#;
    let page = listing_of(Reply::json(body)).await.unwrap();
    assert_eq!(page, ListingPage { parts: vec![], items: 1, total: None });
    let page = listing_of(Reply::new(200, "X-Plex-Container-Total-Size: 12\r\n", body)).await.unwrap();
    assert_eq!(page.total, Some(12));
    let page = listing_of(Reply::json(r#"{"MediaContainer":{"size":0,"totalSize":"8"}}"#)).await.unwrap();
    assert_eq!(page, ListingPage { parts: vec![], items: 0, total: Some(8) });
}

#[rstest]
#[case(r#"{"MediaContainer":{"Metadata":[{"title":"no key"}]}}"#)]
#[case(r#"{"MediaContainer":{"Metadata":[{"ratingKey":"all","Media":[]}]}}"#)]
#[case(r#"{"MediaContainer":{"Metadata":[{"ratingKey":"1","Media":[{"Part":[{"file":"/x"}]}]}]}}"#)]
#[case(r#"{"Metadata":[]}"#)]
#[tokio::test]
async fn an_entry_that_cannot_be_read_is_not_taken_for_absent(#[case] body: &str) {
    let failure = listing_of(Reply::json(body)).await.unwrap_err();
    assert_eq!((failure.class, failure.code), (FailureClass::Incompatible, "undecodable"), "{failure}");
}

#[rstest]
#[case(ListingOrder::ByAddedAtDesc, "addedAt%3Adesc")]
#[case(ListingOrder::ByUpdatedAtDesc, "updatedAt%3Adesc")]
#[case(ListingOrder::Stable, "addedAt")]
#[tokio::test]
async fn a_page_is_asked_for_with_both_of_its_headers(#[case] order: ListingOrder, #[case] sort: &str) {
    let server = CannedServer::always(Reply::json(r#"{"MediaContainer":{}}"#)).await;
    client(&server.url).listing(&section(), order, 2000, 500).await.unwrap();
    let request = &server.requests()[0];
    let start = format!("GET /library/sections/3/all?type=1&sort={sort}&excludeElements=Genre%2CRole");
    assert!(request.line.starts_with(&start), "{}", request.line);
    assert_eq!(request.header("x-plex-container-start"), Some("2000"));
    assert_eq!(request.header("x-plex-container-size"), Some("500"));
}

const ITEM: &str = r#"{"MediaContainer":{"size":1,"librarySectionID":3,"Metadata":[{"ratingKey":"71","type":"movie",
    "librarySectionID":"3","title":"One","studio":"Acme","summary":"Line\nline","originallyAvailableAt":"2008-04-10",
    "contentRating":"XXX","thumb":"/library/metadata/71/thumb/5","userRating":8.1000003814697266,"Director":[{"tag":"Jo"}],"Collection":[{"id":9,"tag":"Best of"}],
    "Field":[{"locked":true,"name":"title"},{"locked":"1","name":"originallyAvailableAt"},
             {"locked":0,"name":"summary"},{"locked":true,"name":"thumb"},{"name":"studio"}],
    "Genre":[{"id":177,"filter":"genre=177","tag":"Drama"},{"tag":"Fun, with a comma"}],"Label":[{"tag":"Quiet"}],
    "Role":[{"id":178,"tag":"Ada","role":"Captain","thumb":"/x"},{"id":179,"tag":"Ben","role":""}],
    "Media":[{"Part":[{"id":1,"file":"/a"},{"id":2,"file":"/b"}]},{"Part":[{"id":3,"file":"/c"}]}]}]}}"#;

#[tokio::test]
async fn an_item_comes_with_its_lists_its_locks_and_all_its_paths() {
    let server = CannedServer::always(Reply::json(ITEM)).await;
    let item = client(&server.url).item(&key("71")).await.unwrap();
    let captain = Tag { role: Some("Captain".to_owned()), ..Tag::named("Ada") };
    let expected = PlexItem {
        rating_key: key("71"),
        section: section(),
        values: BTreeMap::from([
            (Field::Title, "One".into()),
            (Field::Studio, "Acme".into()),
            (Field::Summary, "Line\nline".into()),
            (Field::Date, "2008-04-10".into()),
            (Field::Rating, "8.1".into()),
            (Field::ContentRating, "XXX".into()),
            (Field::Directors, Value::names(["Jo"])),
            (Field::Collections, Value::names(["Best of"])),
            (Field::Performers, Value::List(vec![captain, Tag::named("Ben")])),
            (Field::Genres, Value::names(["Drama", "Fun, with a comma"])),
            (Field::Labels, Value::names(["Quiet"])),
        ]),
        shown: BTreeMap::from([
            (ImageSlot::Poster, "/library/metadata/71/thumb/5".to_owned()),
            (ImageSlot::Background, String::new()),
        ]),
        locked: BTreeSet::from([Field::Title, Field::Date, Field::Poster]),
        paths: vec!["/a".to_owned(), "/b".to_owned(), "/c".to_owned()],
    };
    assert_eq!(item, expected);
    assert_eq!(server.requests()[0].line, "GET /library/metadata/71?skipRefresh=1");
}

#[tokio::test]
async fn what_an_item_does_not_have_is_empty() {
    let body = r#"{"MediaContainer":{"librarySectionID":3,"Metadata":[{"ratingKey":71}]}}"#;
    let item = item_of(Reply::json(body)).await.unwrap();
    for field in Field::ALL {
        assert_eq!(item.value(field), field.nothing());
    }
    assert_eq!((item.section, item.locked.len(), item.paths.len()), (section(), 0, 0));
}

#[rstest]
#[case(r#"{"MediaContainer":{"size":0}}"#, FailureClass::StaleMatch, "item_gone")]
#[case(&ITEM.replace("\"71\"", "\"72\""), FailureClass::StaleMatch, "other_item")]
#[case(&ITEM.replace("movie", "show"), FailureClass::StaleMatch, "not_a_movie")]
#[case(r#"{"MediaContainer":{"Metadata":[{"ratingKey":"71"}]}}"#, FailureClass::Incompatible, "undecodable")]
#[tokio::test]
async fn an_item_that_is_not_the_one_asked_for_is_never_used(
    #[case] body: &str,
    #[case] class: FailureClass,
    #[case] code: &str,
) {
    let failure = item_of(Reply::json(body)).await.unwrap_err();
    assert_eq!((failure.class, failure.code), (class, code), "{failure}");
}

#[tokio::test]
async fn an_edit_names_its_item_and_sends_nothing_in_a_body() {
    let server = CannedServer::always(Reply::new(200, "content-type: text/html\r\n", "")).await;
    let plex = client(&server.url.join("/plex/").unwrap());
    let ids = key("71").into();
    let edits = [new_title("A + B")];
    plex.edit(&section(), &ids, &edits).await.unwrap();
    let request = &server.requests()[0];
    let target = "/plex/library/sections/3/all?type=1&id=71&title.value=A%20%2B%20B&title.locked=1";
    assert_eq!(request.line, format!("PUT {target}"));
    assert_eq!(request.body, "");
}

#[rstest]
#[case("8.5", "8.5")]
#[case("", "-1")]
#[tokio::test]
async fn stars_are_given_by_a_request_of_their_own(#[case] stars: &str, #[case] sent: &str) {
    let server = CannedServer::always(Reply::new(200, "", "")).await;
    let edit = Edit { field: Field::Rating, value: Some(Change::Text(stars.to_owned())), locked: None };
    client(&server.url).write(&section(), &key("71"), &[edit]).await.unwrap();
    let target = format!("/:/rate?key=71&identifier=com.plexapp.plugins.library&rating={sent}");
    assert_eq!(server.requests()[0].line, format!("PUT {target}"));
}

#[tokio::test]
async fn a_request_line_stays_below_8_kib_whatever_has_to_go_into_it() {
    let server = CannedServer::always(Reply::new(200, "", "")).await;
    let plex = client(&server.url);
    let names: Vec<_> = (0..300).map(|number| Tag::named(format!("Étiquette, la {number}"))).collect();
    let list = ListChange { add: names.clone(), ours: names, ..ListChange::default() };
    let genres = Edit { field: Field::Genres, value: Some(Change::List(list)), locked: Some(true) };
    let summary = Edit { field: Field::Summary, ..new_title(&"word ".repeat(1000)) };
    let ids = key("71").into();
    let (edits, notes) = plex.shortened(&section(), &ids, vec![new_title("x"), genres, summary]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    let requests = plex.requests(&section(), &ids, &edits);
    let fields: Vec<Vec<_>> =
        requests.iter().map(|edits| edits.iter().map(|edit| edit.field).collect()).collect();
    assert_eq!(fields, [vec![Field::Title, Field::Summary], vec![Field::Genres]]);
    for edits in &requests {
        plex.edit(&section(), &ids, edits).await.unwrap();
    }
    let lines = server.requests().into_iter().map(|request| request.line.len() + " HTTP/1.1\r\n".len());
    let lines: Vec<_> = lines.collect();
    assert!(lines.iter().all(|length| *length <= 8192) && lines[1] > 8000, "{lines:?}");
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_not_sent() {
    let server = CannedServer::always(Reply::new(500, "", "")).await;
    let idle = Edit { field: Field::Title, value: None, locked: None };
    for edits in [vec![], vec![idle]] {
        client(&server.url).edit(&section(), &key("71").into(), &edits).await.unwrap();
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_token_travels_in_its_header_alone() {
    let server = CannedServer::always(Reply::json(ITEM)).await;
    let plex = client(&server.url);
    plex.item(&key("71")).await.unwrap();
    plex.edit(&section(), &key("71").into(), &[new_title("x")]).await.unwrap();
    plex.libraries().await.unwrap();
    plex.listing(&section(), ListingOrder::Stable, 0, 1).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert_eq!(request.header("x-plex-token"), Some(TOKEN));
        assert_eq!(request.header("x-plex-client-identifier"), Some("plexsync-test"));
        assert_eq!(request.header("x-plex-product"), Some("PlexSync"));
        assert_eq!(request.header("x-plex-version"), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert!(!request.line.contains(TOKEN));
    }
}
