//! Are several items read together, whatever became of each?

use super::*;
use crate::plex::FilesNow;

async fn files_of(reply: Reply) -> (CannedServer, Result<FilesNow, Failure>) {
    let server = CannedServer::always(reply).await;
    let now = client(&server.url).files_of(&[key("71"), key("72"), key("73"), key("74")]).await;
    (server, now)
}

#[tokio::test]
async fn each_is_read_for_itself() {
    let movie = |key: &str, rest: &str| {
        format!(
            r#"{{"ratingKey":"{key}","type":"movie","title":"T",{rest}"Media":[{{"duration":60000,"Part":[{{"id":9{key},"file":"/m/{key}.mp4","size":"5"}}]}}]}}"#
        )
    };
    let show = r#"{"ratingKey":74,"type":"show","librarySectionID":2,"title":"S"}"#;
    let spoilt = r#"{"ratingKey":"73","type":"movie","Media":"none"}"#;
    let (first, second, unasked) =
        (movie("71", r#""librarySectionID":4,"#), movie("72", ""), movie("75", ""));
    let items = [first.as_str(), &second, spoilt, show, &unasked];
    let body = format!(r#"{{"MediaContainer":{{"librarySectionID":3,"Metadata":[{}]}}}}"#, items.join(","));
    let (server, now) = files_of(Reply::json(body)).await;
    let now = now.unwrap();
    let files: Vec<_> = now
        .parts
        .iter()
        .map(|part| (part.rating_key.as_str(), part.section.as_str(), part.part_id))
        .collect();
    assert_eq!(files, [("71", "4", 971), ("72", "3", 972)], "75 was not asked for");
    assert_eq!((now.parts[0].size, now.parts[0].duration_ms), (Some(5), Some(60_000)));
    assert_eq!(now.unreadable, BTreeSet::from([key("73")]));
    let line = &server.requests()[0].line;
    assert!(line.starts_with("GET /library/metadata/71,72,73,74?skipRefresh=1&excludeElements="), "{line}");
}

#[tokio::test]
async fn that_all_are_gone_is_an_answer() {
    let (_server, now) = files_of(Reply::new(404, "", "")).await;
    assert_eq!(now.unwrap(), FilesNow::default());
}

#[rstest]
#[case::away(Reply::new(503, "", ""), FailureClass::Unavailable)]
#[case::refused(Reply::new(401, "", ""), FailureClass::Unauthorized)]
#[case::a_page(Reply::new(200, "", "<html>"), FailureClass::Unavailable)]
#[case::an_item_without_a_key(
    Reply::json(r#"{"MediaContainer":{"Metadata":[{"title":"T"}]}}"#),
    FailureClass::Incompatible
)]
#[tokio::test]
async fn no_answer_is_no_proof_that_anything_is_gone(#[case] reply: Reply, #[case] class: FailureClass) {
    let (_server, now) = files_of(reply).await;
    assert_eq!(now.unwrap_err().class, class);
}
