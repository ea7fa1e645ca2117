//! Do tags and performers reach Plex one by one, and is nobody else's touched? Under both readings of a tag write.

use plexsync::domain::job::JobState;
use plexsync::sim::world::Pair;
use plexsync::sim::{Fault, ItemView, PlexOp, TagAdds};
use rstest::rstest;
use serde_json::Value;

use crate::support::{TestApp, agent, wait_for};

/// A service with one scene, before a server that reads tag writes so.
fn start(tag_adds: TagAdds, settings: &str) -> (TestApp, Pair) {
    let app = TestApp::start_with(1, settings);
    app.world.plex.reconfigure(|options| options.tag_adds = tag_adds);
    let pair = app.pair(0);
    set(&app, &pair, &["Drama", "Outdoor, mostly"], &["Ada", "Ben"]);
    (app, pair)
}

/// Changes the scene in Stash.
fn set(app: &TestApp, pair: &Pair, tags: &[&str], performers: &[&str]) {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    app.world.stash.update_scene(pair.scene, |scene| {
        scene.tags = names(tags);
        scene.performers = names(performers);
    });
}

/// Reports the scene and waits until it was worked on once more.
fn sync(app: &TestApp, pair: &Pair) -> ItemView {
    let before = app.counts().tallies.done;
    app.report(pair.scene);
    wait_for("the scene is done", || (app.counts().tallies.done > before).then_some(()));
    app.world.plex.item(&pair.rating_key).unwrap()
}

/// Edits the item as a user does in Plex.
fn edit_by_hand(app: &TestApp, pair: &Pair, parameters: &[(&str, &str)]) {
    let plex = &app.world.plex;
    let mut request = agent().put(format!("{}/library/metadata/{}", plex.url(), pair.rating_key));
    for (name, value) in parameters {
        request = request.query(*name, *value);
    }
    let answer = request.header("X-Plex-Token", plex.token()).send_empty().unwrap();
    assert_eq!(answer.status(), 200);
}

/// Actors with the parts they play, as Plex tells them.
fn roles(app: &TestApp, pair: &Pair) -> Vec<(String, String)> {
    let plex = &app.world.plex;
    let request = agent().get(format!("{}/library/metadata/{}", plex.url(), pair.rating_key));
    let request = request.header("X-Plex-Token", plex.token()).header("Accept", "application/json");
    let answer = request.call().unwrap().body_mut().read_to_string().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let roles = answer["MediaContainer"]["Metadata"][0]["Role"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    roles.iter().map(|role| (text(&role["tag"]), text(&role["role"]))).collect()
}

#[rstest]
#[case(TagAdds::Merge)]
#[case(TagAdds::Replace)]
fn what_stash_drops_goes_and_what_a_user_added_stays(#[case] tag_adds: TagAdds) {
    let (app, pair) = start(tag_adds, "");
    let plex = &app.world.plex;
    edit_by_hand(
        &app,
        &pair,
        &[
            ("genre[0].tag.tag", "By hand"),
            ("actor[0].tag.tag", "Cy"),
            ("actor[0].tagging.text", "Cook & captain"),
        ],
    );
    let item = sync(&app, &pair);
    assert_eq!(item.genres, ["By hand", "Drama", "Outdoor, mostly"]);
    assert_eq!(item.actors, ["Cy", "Ada", "Ben"]);
    assert!(item.locked.contains("genre") && item.locked.contains("actor"), "{:?}", item.locked);
    set(&app, &pair, &["drama", "New"], &["Ben"]);
    plex.clear_requests();
    let item = sync(&app, &pair);
    assert_eq!(plex.count(PlexOp::Edit), 1, "all changes of an item go in one request");
    assert_eq!(item.genres, ["By hand", "Drama", "New"], "the server keeps the spelling it has");
    assert_eq!(
        roles(&app, &pair),
        [("Cy", "Cook & captain"), ("Ben", "")].map(|(name, role)| (name.to_owned(), role.to_owned()))
    );
    set(&app, &pair, &[], &[]);
    let item = sync(&app, &pair);
    assert_eq!((item.genres, item.actors), (vec!["By hand".to_owned()], vec!["Cy".to_owned()]));
    plex.clear_requests();
    sync(&app, &pair);
    assert_eq!(plex.count(PlexOp::Edit), 0, "what stands as it should is not written again");
}

#[rstest]
#[case("own", &["By hand", "Drama"])]
#[case("mirror", &["Drama"])]
#[case("add", &["By hand", "Drama", "Outdoor, mostly"])]
fn ownership_says_what_may_be_removed(#[case] ownership: &str, #[case] expected: &[&str]) {
    let (app, pair) = start(TagAdds::Merge, &format!("sync.ownership = {ownership:?}"));
    app.world.plex.add_tag(&pair.rating_key, "genre", "By hand");
    sync(&app, &pair);
    set(&app, &pair, &["Drama"], &["Ada"]);
    assert_eq!(sync(&app, &pair).genres, expected);
}

#[rstest]
#[case(TagAdds::Merge)]
#[case(TagAdds::Replace)]
fn tags_become_labels_where_the_user_wants_them_to(#[case] tag_adds: TagAdds) {
    let (app, pair) = start(tag_adds, "sync.tags_as = \"label\"");
    set(&app, &pair, &["quiet", "élan"], &[]);
    let item = sync(&app, &pair);
    assert_eq!((item.labels, item.genres), (vec!["Quiet".to_owned(), "Élan".to_owned()], vec![]));
    app.world.plex.clear_requests();
    sync(&app, &pair);
    assert_eq!(app.world.plex.count(PlexOp::Edit), 0, "the capital is the server's, and no reason to write");
    set(&app, &pair, &["élan"], &[]);
    assert_eq!(sync(&app, &pair).labels, ["Élan"]);
}

#[test]
fn no_more_tags_and_performers_are_carried_than_the_user_wants() {
    let (app, pair) = start(TagAdds::Merge, "sync.max_tags = 1\nsync.max_performers = 1");
    let item = sync(&app, &pair);
    assert_eq!((item.genres, item.actors), (vec!["Drama".to_owned()], vec!["Ada".to_owned()]));
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
    let note = |field: &str| {
        let writes = job["writes"].as_array().unwrap();
        writes.iter().find(|write| write["field"] == field).unwrap()["note"].clone()
    };
    assert_eq!(note("genres"), "are cut to 1 of 2");
    assert_eq!(note("performers"), "are cut to 1 of 2");
}

#[test]
fn what_a_user_took_out_stays_out_until_it_is_named_anew() {
    let (app, pair) = start(TagAdds::Replace, "");
    sync(&app, &pair);
    edit_by_hand(&app, &pair, &[("genre[].tag.tag-", "Drama")]);
    set(&app, &pair, &["Drama", "Outdoor, mostly", "New"], &["Ada", "Ben"]);
    assert_eq!(sync(&app, &pair).genres, ["Outdoor, mostly", "New"]);
    assert_eq!(sync(&app, &pair).genres, ["Outdoor, mostly", "New"], "and is remembered");
    set(&app, &pair, &["Outdoor, mostly"], &["Ada", "Ben"]);
    sync(&app, &pair);
    set(&app, &pair, &["Outdoor, mostly", "Drama"], &["Ada", "Ben"]);
    assert_eq!(sync(&app, &pair).genres, ["Outdoor, mostly", "Drama"]);
}

#[test]
fn what_a_refresh_took_or_somebody_wiped_comes_back() {
    let (app, pair) = start(TagAdds::Merge, "sync.lock = false");
    sync(&app, &pair);
    assert!(app.world.plex.refresh_metadata(&pair.rating_key));
    assert_eq!(sync(&app, &pair).genres, ["Drama", "Outdoor, mostly"]);
    let (app, pair) = start(TagAdds::Merge, "");
    sync(&app, &pair);
    edit_by_hand(&app, &pair, &[("genre[].tag", "")]);
    assert_eq!(sync(&app, &pair).genres, ["Drama", "Outdoor, mostly"]);
}

#[rstest]
#[case(TagAdds::Merge)]
#[case(TagAdds::Replace)]
fn a_write_whose_answer_got_lost_is_known_as_ours_afterwards(#[case] tag_adds: TagAdds) {
    let (app, pair) = start(tag_adds, "");
    app.world.plex.faults().inject(PlexOp::Edit, Fault::AppliedButLost, 1);
    assert_eq!(sync(&app, &pair).genres, ["Drama", "Outdoor, mostly"]);
    assert_eq!(app.world.plex.count(PlexOp::Edit), 1);
    set(&app, &pair, &["Drama"], &["Ada"]);
    let item = sync(&app, &pair);
    assert_eq!((item.genres, item.actors), (vec!["Drama".to_owned()], vec!["Ada".to_owned()]));
}

/// More than one request can carry together with a summary, and fewer than one can carry alone.
fn many_tags(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("Étiquette {number:03}")).collect()
}

#[rstest]
#[case(TagAdds::Merge)]
#[case(TagAdds::Replace)]
fn what_one_request_cannot_carry_goes_in_two(#[case] tag_adds: TagAdds) {
    let (app, pair) = start(tag_adds, "");
    let tags = many_tags(100);
    app.world.stash.update_scene(pair.scene, |scene| {
        scene.tags.clone_from(&tags);
        scene.details = "word ".repeat(800).trim().to_owned();
    });
    let item = sync(&app, &pair);
    assert_eq!((item.genres, item.summary.len()), (tags, 3999));
    let edits: Vec<_> =
        app.world.plex.requests().into_iter().filter(|asked| asked.op == PlexOp::Edit).collect();
    assert_eq!(edits.len(), 2);
    assert!(edits.iter().all(|asked| asked.path_and_query.len() < 8192));
    assert!(
        edits[0].path_and_query.contains("summary.value") && edits[1].path_and_query.contains("genre"),
        "texts first"
    );
}

#[test]
fn of_two_requests_the_first_counts_when_the_second_is_refused() {
    let (app, pair) = start(TagAdds::Replace, "sync.max_tags = 150");
    app.world.stash.update_scene(pair.scene, |scene| {
        scene.tags = many_tags(150);
        scene.details = "word ".repeat(700);
    });
    app.world.plex.reconfigure(|options| options.longest_target = 6000);
    app.report(pair.scene);
    let dead = app.wait_for_state(pair.scene, JobState::Dead);
    assert_eq!(dead.code.as_deref(), Some("edit_rejected"));
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
    let outcomes: Vec<_> = job["writes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|write| (write["field"].as_str().unwrap(), write["outcome"].as_str().unwrap()))
        .collect();
    assert!(
        outcomes.contains(&("summary", "applied")) && outcomes.contains(&("genres", "not_applied")),
        "{outcomes:?}"
    );
}

#[test]
fn a_list_that_no_request_can_carry_is_cut_and_settles() {
    let (app, pair) = start(TagAdds::Replace, "sync.max_tags = 1000");
    app.world.stash.update_scene(pair.scene, |scene| {
        scene.tags = (0..400).map(|number| format!("Tag number {number:03}")).collect();
    });
    let shown = sync(&app, &pair).genres;
    assert!(shown.len() > 150 && shown.len() < 200, "{}", shown.len());
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
    assert!(job["writes"].to_string().contains("a request to Plex can carry no longer list"), "{job}");
    app.world.plex.clear_requests();
    assert_eq!(sync(&app, &pair).genres, shown);
    assert_eq!(app.world.plex.count(PlexOp::Edit), 0, "and is not written again and again");
}
