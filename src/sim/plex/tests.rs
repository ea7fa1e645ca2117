//! Does the simulated Plex have the habits and traps of the real one?

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::sim::client::{Reply, request, sent};
use crate::sim::faults::{Failing, Fault};

mod notifications;

const TITLE: &str = "/library/sections/1/all?type=1";

fn plex(options: PlexOptions) -> SimPlex {
    let plex = SimPlex::start(options).unwrap();
    plex.add_library("1", "Videos", &["/data/videos"]);
    plex
}

fn video(plex: &SimPlex, name: &str) -> String {
    plex.add_item("1", NewItem::file(&format!("/data/videos/{name}.mp4"), 1000))
}

async fn ask(plex: &SimPlex, method: &str, target: &str) -> Reply {
    let request = request(method, &format!("{}{target}", plex.url()))
        .header("X-Plex-Token", plex.token())
        .header("Accept", "application/json");
    sent(request).await.unwrap()
}

async fn get(plex: &SimPlex, target: &str) -> Value {
    let reply = ask(plex, "GET", target).await;
    assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    reply.json()["MediaContainer"].take()
}

async fn put(plex: &SimPlex, target: &str) -> u16 {
    let reply = ask(plex, "PUT", target).await;
    assert!(reply.status != 200 || reply.body.is_empty(), "an edit's answer has no body");
    reply.status
}

fn titles(container: &Value) -> Vec<&str> {
    let rows = container["Metadata"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter().filter_map(|row| row["title"].as_str()).collect()
}

#[actix_rt::test]
async fn a_wrong_token_is_unauthorized_and_identity_needs_none() {
    let plex = plex(PlexOptions::default());
    let refused =
        sent(request("GET", &format!("{}/", plex.url())).header("X-Plex-Token", "no")).await.unwrap();
    assert_eq!((refused.status, refused.header("x-plex-protocol")), (401, "1.0"));
    assert!(refused.text().contains("<h1>401 Unauthorized</h1>"));
    let open = sent(request("GET", &format!("{}/identity", plex.url()))).await.unwrap();
    assert_eq!(open.status, 200);
    assert!(open.text().starts_with("<?xml"), "XML unless JSON is asked for: {}", open.text());
    let by_query = format!("{}/?X-Plex-Token={}", plex.url(), plex.token());
    assert_eq!(sent(request("GET", &by_query)).await.unwrap().status, 200);
    plex.change_token("another");
    assert_eq!(ask(&plex, "GET", "/").await.status, 401, "a token may become invalid");
}

#[actix_rt::test]
async fn an_unknown_host_name_is_unauthorized() {
    let known_hosts = Some(BTreeSet::from(["media".to_owned()]));
    let plex = plex(PlexOptions { known_hosts, ..PlexOptions::default() });
    for (host, status) in [("plex:32400", 401), ("media:32400", 200), ("10.0.0.1:32400", 200)] {
        let request = request("GET", &format!("{}/identity", plex.url())).header("Host", host);
        assert_eq!(sent(request).await.unwrap().status, status, "{host}");
    }
}

#[actix_rt::test]
async fn an_edit_without_ids_is_for_the_whole_library() {
    let plex = plex(PlexOptions::default());
    let keys = [video(&plex, "a"), video(&plex, "b")];
    assert_eq!(put(&plex, &format!("{TITLE}&id={}&title.value=One", keys[0])).await, 200);
    assert_eq!(plex.item(&keys[1]).unwrap().title, "b");
    assert_eq!(put(&plex, &format!("{TITLE}&title.value=All")).await, 200);
    assert!(plex.items().iter().all(|item| item.title == "All"));
}

#[actix_rt::test]
async fn an_edit_of_an_item_that_is_gone_is_answered_with_200() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    assert!(plex.remove_item(&key));
    assert_eq!(put(&plex, &format!("{TITLE}&id={key}&title.value=x")).await, 200);
    assert_eq!(put(&plex, &format!("/library/metadata/{key}?title.value=x")).await, 404);
}

#[actix_rt::test]
async fn a_value_without_a_lock_is_lost_at_the_next_refresh() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "From the file");
    let edit = "title.value=Kept&title.locked=1&studio.value=Lost";
    assert_eq!(put(&plex, &format!("/library/metadata/{key}?{edit}")).await, 200);
    assert_eq!(plex.item(&key).unwrap().studio.as_deref(), Some("Lost"));
    assert!(plex.refresh_metadata(&key));
    let item = plex.item(&key).unwrap();
    assert_eq!((item.title.as_str(), item.studio), ("Kept", None));
    assert_eq!(item.locked, BTreeSet::from(["title".to_owned()]));
    plex.set_lock(&key, "title", false);
    plex.refresh_metadata(&key);
    assert_eq!(plex.item(&key).unwrap().title, "From the file");
}

#[actix_rt::test]
async fn an_empty_title_keeps_the_old_one_and_an_empty_studio_clears() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    plex.set_field(&key, "studio", "Acme");
    put(&plex, &format!("{TITLE}&id={key}&title.value=&studio.value=")).await;
    let item = plex.item(&key).unwrap();
    assert_eq!((item.title.as_str(), item.studio), ("a", None));
}

#[actix_rt::test]
async fn a_summary_is_kept_byte_for_byte() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    put(&plex, &format!("{TITLE}&id={key}&summary.value=One%0A%26%3C%20%F0%9F%8C%8A%20%20")).await;
    assert_eq!(plex.item(&key).unwrap().summary, "One\n&< 🌊  ");
    let read = get(&plex, &format!("/library/metadata/{key}")).await;
    assert_eq!(read["Metadata"][0]["summary"], "One\n&< 🌊  ");
}

#[actix_rt::test]
async fn an_unknown_field_is_a_bad_request_and_a_wrong_value_a_server_error() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    for field in ["nonsense.value", "editionTitle.value", "nonsense.locked", "mood[0].tag.tag"] {
        assert_eq!(put(&plex, &format!("{TITLE}&id={key}&{field}=1")).await, 400, "{field}");
    }
    assert_eq!(put(&plex, &format!("{TITLE}&id={key}&originallyAvailableAt.value=2021-5")).await, 500);
}

#[actix_rt::test]
async fn one_paging_header_alone_is_as_good_as_none() {
    let plex = plex(PlexOptions::default());
    for name in ["a", "b", "c"] {
        video(&plex, name);
    }
    let unpaged = get(&plex, &format!("{TITLE}&X-Plex-Container-Size=1")).await;
    assert_eq!(titles(&unpaged), ["a", "b", "c"]);
    assert_eq!(unpaged["totalSize"], Value::Null);
    let paged = ask(&plex, "GET", &format!("{TITLE}&X-Plex-Container-Size=1&X-Plex-Container-Start=1")).await;
    assert_eq!(paged.header("x-plex-container-total-size"), "3");
    let container = &paged.json()["MediaContainer"];
    assert_eq!(titles(container), ["b"]);
    assert_eq!(
        (&container["size"], &container["totalSize"], &container["offset"]),
        (&1.into(), &3.into(), &1.into())
    );
    plex.reconfigure(|options| options.sends_total_size = false);
    let silent = get(&plex, &format!("{TITLE}&X-Plex-Container-Size=1&X-Plex-Container-Start=1")).await;
    assert_eq!((titles(&silent), &silent["totalSize"]), (vec!["b"], &Value::Null));
}

#[actix_rt::test]
async fn a_listing_is_filtered_and_sorted_unless_a_filter_is_ignored() {
    let plex = plex(PlexOptions::default());
    for name in ["Blue Harbor", "Night Walk", "The Blue"] {
        video(&plex, name);
    }
    assert_eq!(titles(&get(&plex, &format!("{TITLE}&title=blue")).await), ["The Blue", "Blue Harbor"]);
    assert_eq!(titles(&get(&plex, &format!("{TITLE}&title==night%20walk")).await), ["Night Walk"]);
    let newest = get(&plex, &format!("{TITLE}&sort=addedAt:desc&limit=1")).await;
    assert_eq!(titles(&newest), ["The Blue"]);
    let since = plex.items()[0].added_at;
    let young = format!("{TITLE}&sort=id&addedAt%3E%3E={since}");
    assert_eq!(titles(&get(&plex, &young).await), ["Night Walk", "The Blue"]);
    plex.reconfigure(|options| options.ignored_filters = BTreeSet::from(["addedAt".to_owned()]));
    assert_eq!(get(&plex, &young).await["size"], 3);
    assert_eq!(get(&plex, "/library/sections/1/all?label=unknown").await["size"], 0);
}

#[actix_rt::test]
async fn a_listing_leaves_out_what_a_single_item_shows() {
    let plex = plex(PlexOptions::default());
    let names = |prefix: &str| (1..=4).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>();
    let item = NewItem {
        genres: names("g"),
        actors: names("a"),
        labels: names("l"),
        ..NewItem::file("/data/videos/a.mp4", 1)
    };
    let key = plex.add_item("1", item);
    plex.set_lock(&key, "genre", true);
    let row = get(&plex, TITLE).await["Metadata"][0].take();
    let count = |of: &Value, kind: &str| of[kind].as_array().map_or(0, Vec::len);
    assert_eq!(
        (count(&row, "Genre"), count(&row, "Role"), count(&row, "Label"), count(&row, "Field")),
        (2, 3, 0, 0)
    );
    assert_eq!(row["ratingKey"], key, "a key is text");
    let full = get(&plex, &format!("/library/metadata/{key}")).await["Metadata"][0].take();
    assert_eq!(
        (count(&full, "Genre"), count(&full, "Role"), count(&full, "Label"), count(&full, "Field")),
        (4, 4, 4, 1)
    );
    assert_eq!((&full["librarySectionID"], &full["Field"][0]["name"]), (&1.into(), &"genre".into()));
}

#[actix_rt::test]
async fn an_item_that_is_gone_is_absent_among_others_and_not_found_alone() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    assert_eq!(get(&plex, &format!("/library/metadata/99,{key}")).await["size"], 1);
    let gone = ask(&plex, "GET", "/library/metadata/99").await;
    assert_eq!((gone.status, gone.header("content-type")), (404, "text/html"));
}

#[actix_rt::test]
async fn tags_merge_or_replace_and_removals_go_by_name() {
    for (tag_adds, expected) in [(TagAdds::Merge, vec!["A, b", "New"]), (TagAdds::Replace, vec!["New"])] {
        let plex = plex(PlexOptions { tag_adds, ..PlexOptions::default() });
        let genres = vec!["A, b".to_owned(), "Old".to_owned()];
        let key = plex.add_item("1", NewItem { genres, ..NewItem::file("/data/videos/a.mp4", 1) });
        let edit = "genre%5B0%5D.tag.tag=New&genre%5B%5D.tag.tag-=Old,New";
        put(&plex, &format!("{TITLE}&id={key}&{edit}")).await;
        assert_eq!(plex.item(&key).unwrap().genres, expected, "a tag both added and removed stays");
        put(&plex, &format!("{TITLE}&id={key}&genre[].tag.tag-=A%252C%20b")).await;
        assert_eq!(plex.item(&key).unwrap().genres, ["New"]);
        put(&plex, &format!("{TITLE}&id={key}&genre.locked=1")).await;
        assert_eq!(plex.item(&key).unwrap().genres, ["New"], "a lock alone clears nothing");
        put(&plex, &format!("{TITLE}&id={key}&genre[].tag=")).await;
        assert_eq!(plex.item(&key).unwrap().genres, Vec::<String>::new());
    }
}

#[actix_rt::test]
async fn the_first_spelling_of_a_tag_stays_and_labels_get_a_capital() {
    let plex = plex(PlexOptions::default());
    let (one, two) = (video(&plex, "a"), video(&plex, "b"));
    put(&plex, &format!("{TITLE}&id={one}&genre[0].tag.tag=outdoor&label[0].tag.tag=fresh")).await;
    put(&plex, &format!("{TITLE}&id={two}&genre[0].tag.tag=Outdoor")).await;
    assert_eq!(plex.item(&one).unwrap().labels, ["Fresh"]);
    assert_eq!(plex.item(&two).unwrap().genres, ["outdoor"]);
}

#[actix_rt::test]
async fn a_sort_title_without_a_lock_follows_the_title() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    let sort_after = async |edit: &str| {
        put(&plex, &format!("{TITLE}&id={key}&{edit}")).await;
        plex.item(&key).unwrap().title_sort
    };
    assert_eq!(sort_after("title.value=The%20End&titleSort.value=zz").await, "zz");
    assert_eq!(sort_after("title.value=The%20End").await, "End");
    assert_eq!(sort_after("titleSort.value=").await, "The End");
    assert_eq!(sort_after("titleSort.value=zz&titleSort.locked=1").await, "zz");
    assert_eq!(sort_after("title.value=The%20Other").await, "zz");
    assert_eq!(sort_after("title.value=The%20Other&titleSort.value=&titleSort.locked=0").await, "Other");
}

#[actix_rt::test]
async fn a_scan_finds_the_files_of_its_folder_and_no_others() {
    let plex = plex(PlexOptions { scan_takes: Duration::from_millis(200), ..PlexOptions::default() });
    plex.place_file("1", NewItem::file("/data/videos/x/new.mp4", 5));
    plex.place_file("1", NewItem::file("/data/videos/xy/other.mp4", 5));
    let before = get(&plex, "/library/sections/1").await["Directory"][0].take();
    assert_eq!(ask(&plex, "GET", "/library/sections/1/refresh?path=%2Fdata%2Fvideos%2Fx").await.status, 200);
    assert_eq!(plex.count(PlexOp::Scan), 1);
    let busy = get(&plex, "/activities").await;
    assert_eq!(busy["Activity"][1]["Context"]["librarySectionID"], "1");
    assert!(plex.items().is_empty(), "what a scan finds is not there at once");
    while get(&plex, "/activities").await["size"] != 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(plex.items().iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), ["new"]);
    let after = get(&plex, "/library/sections/1").await["Directory"][0].take();
    assert!(after["scannedAt"].as_i64() > before["scannedAt"].as_i64());
    assert!(after["contentChangedAt"].as_i64() > before["contentChangedAt"].as_i64());
}

#[actix_rt::test]
async fn a_request_line_that_is_too_long_is_a_bad_request() {
    let plex = plex(PlexOptions { longest_target: 4096, ..PlexOptions::default() });
    let key = video(&plex, "a");
    let long = "x".repeat(5000);
    assert_eq!(put(&plex, &format!("{TITLE}&id={key}&summary.value={long}")).await, 400);
    assert_eq!(plex.item(&key).unwrap().summary, "");
}

#[actix_rt::test]
async fn a_head_request_tells_the_total_without_a_body() {
    let plex = plex(PlexOptions::default());
    video(&plex, "a");
    let reply =
        ask(&plex, "HEAD", &format!("{TITLE}&X-Plex-Container-Start=0&X-Plex-Container-Size=0")).await;
    assert_eq!((reply.status, reply.header("x-plex-container-total-size"), reply.body.len()), (200, "1", 0));
}

#[actix_rt::test]
async fn a_poster_is_known_by_its_bytes_and_locks() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    let target = format!("{}/library/metadata/{key}/posters", plex.url());
    for _ in 0..2 {
        let upload = request("POST", &target).header("X-Plex-Token", plex.token()).body(vec![0xFF, 0xD8, 7]);
        assert_eq!(sent(upload).await.unwrap().status, 200);
    }
    let listed = get(&plex, &format!("/library/metadata/{key}/posters")).await;
    assert_eq!((&listed["size"], &listed["Metadata"][0]["selected"]), (&1.into(), &true.into()));
    let hash = "upload://posters/5c9049745cd43eda05ebf06a28d92eb1738b3163";
    let item = plex.item(&key).unwrap();
    assert_eq!(
        (item.selected_poster.as_deref(), listed["Metadata"][0]["ratingKey"].as_str()),
        (Some(hash), Some(hash))
    );
    assert!(item.locked.contains("thumb"));
}

#[actix_rt::test]
async fn a_fault_can_be_meant_for_one_item() {
    let plex = plex(PlexOptions::default());
    let (one, two) = (video(&plex, "a"), video(&plex, "b"));
    plex.faults().inject_for(&one, PlexOp::Edit, Fault::SilentDrop, None);
    plex.faults().inject(PlexOp::Item, Fault::Failing(Failing::StartingUp), 1);
    for key in [&one, &two] {
        assert_eq!(put(&plex, &format!("{TITLE}&id={key}&title.value=new")).await, 200);
    }
    assert_eq!(
        (plex.item(&one).unwrap().title, plex.item(&two).unwrap().title),
        ("a".to_owned(), "new".to_owned())
    );
    let starting = ask(&plex, "GET", &format!("/library/metadata/{one}")).await;
    assert_eq!(starting.status, 400);
    assert!(starting.text().contains("still starting up"));
}

#[actix_rt::test]
async fn an_edit_that_was_applied_but_lost_can_be_read_back() {
    let plex = plex(PlexOptions::default());
    let key = video(&plex, "a");
    plex.faults().inject(PlexOp::Edit, Fault::AppliedButLost, 1);
    let lost = request("PUT", &format!("{}{TITLE}&id={key}&title.value=new", plex.url()));
    assert!(sent(lost.header("X-Plex-Token", plex.token())).await.is_err());
    assert_eq!(plex.item(&key).unwrap().title, "new");
    let requests = plex.requests();
    assert_eq!((requests.len(), requests[0].op, requests[0].status), (1, PlexOp::Edit, None));
}
