//! Do ratings, directors, collections and content ratings reach Plex, and does the user say which scenes and fields do?

use plexsync::domain::ids::SceneId;
use plexsync::domain::job::JobState;
use plexsync::sim::world::Pair;
use plexsync::sim::{Fault, ItemView, NewScene, PlexOp, TagAdds};
use plexsync::store::ledger::links_of;
use rstest::rstest;

use crate::support::{TestApp, wait_for};

/// Reports the scene and waits until it was worked on once more.
fn sync(app: &TestApp, pair: &Pair) -> ItemView {
    let before = app.counts().tallies.done;
    app.report(pair.scene);
    wait_for("the scene is done", || (app.counts().tallies.done > before).then_some(()));
    app.world.plex.item(&pair.rating_key).unwrap()
}

#[rstest]
#[case(TagAdds::Merge)]
#[case(TagAdds::Replace)]
fn director_and_collection_follow_the_scene_and_leave_others_alone(#[case] tag_adds: TagAdds) {
    let app = TestApp::start(1);
    app.world.plex.reconfigure(|options| options.tag_adds = tag_adds);
    let pair = app.pair(0);
    app.world.plex.add_tag(&pair.rating_key, "collection", "By hand");
    let item = sync(&app, &pair);
    assert_eq!(item.directors, ["Director of Film 1"]);
    assert_eq!(item.collections, ["By hand", "Studio of Film 1"]);
    assert!(["director", "collection"].iter().all(|field| item.locked.contains(*field)), "{:?}", item.locked);
    app.world.stash.update_scene(pair.scene, |scene| {
        scene.director.clear();
        scene.studio = Some("Another".to_owned());
    });
    let item = sync(&app, &pair);
    assert!(item.directors.is_empty());
    assert_eq!(item.collections, ["By hand", "Another"]);
    app.world.stash.update_scene(pair.scene, |scene| scene.studio = None);
    let item = sync(&app, &pair);
    assert_eq!((item.studio, item.collections), (None, vec!["By hand".to_owned()]));
}

/// A service with a scene that has a rating.
fn rated() -> (TestApp, Pair) {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.world.stash.update_scene(pair.scene, |scene| scene.rating100 = Some(85));
    (app, pair)
}

#[test]
fn a_rating_is_written_once_and_taken_back_when_stash_takes_it_back() {
    let (app, pair) = rated();
    assert_eq!(sync(&app, &pair).user_rating.as_deref(), Some("8.5"));
    let plex = &app.world.plex;
    assert_eq!(plex.count(PlexOp::Rate), 1);
    plex.clear_requests();
    sync(&app, &pair);
    assert_eq!(
        (plex.count(PlexOp::Rate), plex.count(PlexOp::Edit)),
        (0, 0),
        "it is compared before it is written"
    );
    app.world.stash.update_scene(pair.scene, |scene| scene.rating100 = None);
    assert_eq!(sync(&app, &pair).user_rating, None);
    assert_eq!(plex.count(PlexOp::Rate), 1);
}

#[test]
fn stars_given_by_hand_stay_until_the_rating_changes_in_stash() {
    let (app, pair) = rated();
    sync(&app, &pair);
    app.world.plex.set_field(&pair.rating_key, "userRating", "3");
    assert_eq!(sync(&app, &pair).user_rating.as_deref(), Some("3"));
    app.world.stash.update_scene(pair.scene, |scene| scene.rating100 = Some(90));
    assert_eq!(sync(&app, &pair).user_rating.as_deref(), Some("9"));
}

#[test]
fn a_content_rating_is_the_same_for_every_item_if_the_user_wants_one() {
    let app = TestApp::start_with(2, "sync.content_rating = \"XXX\"");
    app.world.plex.set_field(&app.pair(1).rating_key, "contentRating", "G");
    for pair in [app.pair(0), app.pair(1)] {
        let item = sync(&app, &pair);
        assert_eq!(item.content_rating.as_deref(), Some("XXX"));
        assert!(item.locked.contains("contentRating"));
    }
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.world.plex.set_field(&pair.rating_key, "contentRating", "G");
    assert_eq!(sync(&app, &pair).content_rating.as_deref(), Some("G"));
}

#[test]
fn a_studio_is_no_collection_where_the_user_wants_none() {
    let app = TestApp::start_with(1, "sync.collection = \"none\"");
    let pair = app.pair(0);
    let item = sync(&app, &pair);
    assert_eq!((item.studio.as_deref(), item.collections.len()), (Some("Studio of Film 1"), 0));
}

#[test]
fn scenes_that_are_not_organized_are_left_alone_where_the_user_wants_it() {
    let app = TestApp::start_with(1, "sync.only_organized = true");
    let pair = app.pair(0);
    app.world.stash.update_scene(pair.scene, |scene| scene.organized = false);
    let item = sync(&app, &pair);
    assert_eq!((item.title.as_str(), app.world.plex.count(PlexOp::Item)), ("video", 0));
    let last_run = || app.get(&format!("/api/v1/jobs/{}", pair.scene)).1["history"][0]["next"].clone();
    assert_eq!(last_run(), "done: left alone, as it is not organized in Stash (sync.only_organized)");
    app.world.stash.update_scene(pair.scene, |scene| scene.organized = true);
    assert_eq!(sync(&app, &pair).title, "Film 1");
    assert_eq!(last_run(), "done");
}

#[rstest]
#[case("keep", "Film 1", "What happens in Film 1.\n\nAnd how it ends.", 3)]
#[case("clear", "Film 1", "", 1)]
fn a_deleted_scene_keeps_its_item_or_takes_back_what_was_written(
    #[case] on_delete: &str,
    #[case] title: &str,
    #[case] summary: &str,
    #[case] genres: usize,
) {
    let app = TestApp::start_with(1, &format!("sync.on_delete = {on_delete:?}"));
    let pair = app.pair(0);
    app.world.plex.add_tag(&pair.rating_key, "genre", "By hand");
    sync(&app, &pair);
    app.world.plex.set_field(&pair.rating_key, "studio", "By hand");
    app.world.stash.destroy_scene(pair.scene);
    let item = sync(&app, &pair);
    assert_eq!((item.title.as_str(), item.summary.as_str(), item.genres.len()), (title, summary, genres));
    assert_eq!(item.studio.as_deref(), Some("By hand"), "an edit by hand is nobody else's to clear");
    assert_eq!(item.locked.contains("summary"), on_delete == "keep");
    let left = app.readers.with(|reader| links_of(reader, SceneId::try_from(pair.scene).unwrap())).unwrap();
    assert_eq!(left, [], "and the scene is forgotten");
}

#[test]
fn what_could_not_be_taken_back_at_once_is_taken_back_later() {
    let app = TestApp::start_with(1, "sync.on_delete = \"clear\"");
    let pair = app.pair(0);
    sync(&app, &pair);
    app.world.stash.destroy_scene(pair.scene);
    app.world.plex.faults().inject(PlexOp::Edit, Fault::status(500), 2);
    assert_eq!(sync(&app, &pair).summary, "");
}

#[test]
fn a_scene_that_nobody_has_described_yet_clears_nothing() {
    let app = TestApp::start_with(1, "sync.clear_empty = \"always\"");
    let pair = app.pair(0);
    app.world.plex.set_field(&pair.rating_key, "summary", "By hand");
    app.world.stash.update_scene(pair.scene, |scene| {
        let files = scene.files.clone();
        let bare = NewScene::default();
        (scene.title, scene.details, scene.director) = (bare.title, bare.details, bare.director);
        (scene.date, scene.studio, scene.rating100) = (None, None, None);
        (scene.tags, scene.performers, scene.files) = (bare.tags, bare.performers, files);
    });
    assert_eq!(sync(&app, &pair).summary, "By hand");
    app.world.stash.update_scene(pair.scene, |scene| "Told".clone_into(&mut scene.title));
    assert_eq!(sync(&app, &pair).summary, "");
}

#[test]
fn a_summary_that_no_request_can_carry_is_cut_and_settles() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.world.stash.update_scene(pair.scene, |scene| scene.details = "漢字".repeat(2000));
    let shown = sync(&app, &pair).summary;
    let length = shown.chars().count();
    assert!(length > 800 && length < 950, "{length}");
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
    let note = format!("is cut to {length} characters: a request to Plex can carry no longer text");
    assert!(job["writes"].to_string().contains(&note), "{job}");
    assert!(app.world.plex.requests().iter().all(|asked| asked.path_and_query.len() < 8192));
    app.world.plex.clear_requests();
    assert_eq!(sync(&app, &pair).summary, shown);
    assert_eq!(app.world.plex.count(PlexOp::Edit), 0, "and is not written again and again");
    app.wait_for_state(pair.scene, JobState::Done);
}
