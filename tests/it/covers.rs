//! Does the cover of a scene reach Plex, once, and hold nothing else up?

use std::time::Duration;

use plexsync::domain::job::JobState;
use plexsync::sim::world::Pair;
use plexsync::sim::{Cover, Fault, ItemView, PlexOp, StashOp};
use rstest::rstest;

use crate::support::{TestApp, wait_for};

/// A picture of 16 by 9, or its header at least; pictures of different numbers differ.
fn gif(number: u8) -> Cover {
    let bytes = [b"GIF89a\x10\0\x09\0\0\0\0", [number].as_slice()].concat();
    Cover { content_type: "image/gif".to_owned(), bytes }
}

/// A service with one scene that has a cover.
fn start(settings: &str) -> (TestApp, Pair) {
    let app = TestApp::start_with(1, settings);
    let pair = app.pair(0);
    cover(&app, &pair, Some(gif(1)));
    (app, pair)
}

/// Changes the cover in Stash.
fn cover(app: &TestApp, pair: &Pair, cover: Option<Cover>) {
    app.world.stash.update_scene(pair.scene, |scene| scene.cover = cover);
}

/// Reports the scene and waits until it was worked on once more.
fn sync(app: &TestApp, pair: &Pair) -> ItemView {
    let before = app.counts().tallies.done;
    app.report(pair.scene);
    wait_for("the scene is done", || (app.counts().tallies.done > before).then_some(()));
    app.world.plex.item(&pair.rating_key).unwrap()
}

/// The picture that the item shows.
fn shown(app: &TestApp, pair: &Pair) -> Option<Vec<u8>> {
    let item = app.world.plex.item(&pair.rating_key)?;
    app.world.plex.upload(&item.selected_poster?)
}

fn uploads(app: &TestApp) -> usize {
    app.world.plex.requests().iter().filter(|asked| asked.method == "POST").count()
}

fn clear_requests(app: &TestApp) {
    app.world.plex.clear_requests();
    app.world.stash.clear_requests();
}

#[test]
fn a_cover_becomes_the_poster_and_is_locked() {
    let (app, pair) = start("");
    let item = sync(&app, &pair);
    assert_eq!(shown(&app, &pair), Some(gif(1).bytes));
    assert!(item.locked.contains("thumb"));
    assert_eq!((item.selected_art, uploads(&app)), (None, 1));
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
    let write =
        job["writes"].as_array().unwrap().iter().find(|write| write["field"] == "poster").cloned().unwrap();
    assert_eq!(
        (&write["outcome"], &write["after"]),
        (&"applied".into(), &item.selected_poster.unwrap().into())
    );
}

#[test]
fn nothing_that_is_unchanged_is_read_twice_or_sent_again() {
    let (app, pair) = start("");
    sync(&app, &pair);
    clear_requests(&app);
    sync(&app, &pair);
    let (plex, stash) = (&app.world.plex, &app.world.stash);
    assert_eq!((plex.count(PlexOp::Item), plex.requests().len()), (1, 1), "one read, no write, no upload");
    assert_eq!((stash.count(StashOp::FindScene), stash.count(StashOp::Screenshot)), (1, 1));
    let asked = stash.requests().into_iter().find(|asked| asked.op == StashOp::Screenshot).unwrap();
    assert_eq!((asked.status, asked.path_and_query.contains('?')), (Some(304), false));
    app.world.stash.update_scene(pair.scene, |scene| "New".clone_into(&mut scene.title));
    clear_requests(&app);
    sync(&app, &pair);
    let counts = [PlexOp::Item, PlexOp::Edit].map(|op| plex.count(op));
    assert_eq!(
        (counts, plex.requests().len()),
        ([2, 1], 3),
        "a changed text: one read, one write, one read back"
    );
    clear_requests(&app);
    sync(&app, &pair);
    assert_eq!(plex.requests().len(), 1, "although each edit gives the poster another address");
}

#[test]
fn another_cover_replaces_the_poster_and_an_earlier_one_is_not_sent_again() {
    let (app, pair) = start("");
    sync(&app, &pair);
    for (number, sent) in [(2, 2), (1, 2), (2, 2)] {
        cover(&app, &pair, Some(gif(number)));
        sync(&app, &pair);
        assert_eq!((shown(&app, &pair), uploads(&app)), (Some(gif(number).bytes), sent));
    }
}

#[test]
fn a_cover_that_appears_later_is_picked_up_and_one_that_goes_leaves_the_poster() {
    let (app, pair) = start("");
    cover(&app, &pair, None);
    sync(&app, &pair);
    assert_eq!((shown(&app, &pair), uploads(&app)), (None, 0), "what stands in for a cover is none");
    cover(&app, &pair, Some(gif(1)));
    sync(&app, &pair);
    assert_eq!(shown(&app, &pair), Some(gif(1).bytes));
    cover(&app, &pair, None);
    sync(&app, &pair);
    assert_eq!(shown(&app, &pair), Some(gif(1).bytes));
}

#[test]
fn a_poster_picked_by_hand_stays_until_the_cover_changes() {
    let (app, pair) = start("");
    sync(&app, &pair);
    app.world.plex.pick_poster(&pair.rating_key, "media://frame");
    let picked = Some("media://frame".to_owned());
    assert_eq!(sync(&app, &pair).selected_poster, picked);
    app.world.stash.update_scene(pair.scene, |scene| "New".clone_into(&mut scene.title));
    assert_eq!(sync(&app, &pair).selected_poster, picked);
    cover(&app, &pair, Some(gif(2)));
    sync(&app, &pair);
    assert_eq!(shown(&app, &pair), Some(gif(2).bytes));
}

#[test]
fn a_poster_that_a_refresh_took_comes_back_without_being_sent_again() {
    let (app, pair) = start("");
    sync(&app, &pair);
    app.world.plex.set_lock(&pair.rating_key, "thumb", false);
    app.world.plex.refresh_metadata(&pair.rating_key);
    assert_eq!(shown(&app, &pair), None);
    sync(&app, &pair);
    assert_eq!((shown(&app, &pair), uploads(&app)), (Some(gif(1).bytes), 1));
}

#[test]
fn the_background_is_the_same_picture_for_whoever_wants_it() {
    let (app, pair) = start("sync.fields = [\"background\"]");
    let item = sync(&app, &pair);
    assert_eq!((item.selected_poster, item.title.as_str()), (None, "video"));
    assert_eq!(app.world.plex.upload(&item.selected_art.unwrap()), Some(gif(1).bytes));
    assert!(item.locked.contains("art"));
    let (app, pair) = start("sync.fields = [\"title\"]");
    sync(&app, &pair);
    assert_eq!(
        app.world.stash.count(StashOp::Screenshot),
        0,
        "whoever wants none is not made to wait for it"
    );
}

#[rstest]
#[case::stash(None, Fault::status(500))]
#[case::list(Some(PlexOp::Images), Fault::status(500))]
#[case::upload(Some(PlexOp::Image), Fault::status(500))]
#[case::page_for_an_upload(Some(PlexOp::Image), Fault::Html)]
fn a_poster_in_trouble_holds_no_other_field_up_and_is_tried_again_by_itself(
    #[case] trouble: Option<PlexOp>,
    #[case] fault: Fault,
) {
    let (app, pair) = start("");
    let (plex, stash) = (&app.world.plex, &app.world.stash);
    match trouble {
        None => stash.faults().inject(StashOp::Screenshot, fault, None),
        Some(op) => plex.faults().inject(op, fault, None),
    };
    app.report(pair.scene);
    wait_for("all other fields are there", || app.world.is_synced(&pair).then_some(()));
    wait_for("the poster is tried again", || app.job(pair.scene).filter(|job| job.attempts > 1));
    assert_eq!(
        (plex.count(PlexOp::Edit), shown(&app, &pair)),
        (1, None),
        "what is written is not written again"
    );
    plex.faults().clear();
    stash.faults().clear();
    wait_for("the poster", || (shown(&app, &pair) == Some(gif(1).bytes)).then_some(()));
    app.wait_for_state(pair.scene, JobState::Done);
    assert_eq!(plex.count(PlexOp::Edit), 1);
    app.world.stash.update_scene(pair.scene, |scene| scene.tags.clear());
    assert!(sync(&app, &pair).genres.is_empty(), "what was written in the run that failed is known as ours");
}

#[rstest]
#[case::lost(Fault::AppliedButLost)]
#[case::page(Fault::AppliedButHtml)]
fn an_upload_whose_answer_got_lost_is_looked_into_and_not_repeated(#[case] fault: Fault) {
    let (app, pair) = start("");
    app.world.plex.faults().inject(PlexOp::Image, fault, 1);
    sync(&app, &pair);
    assert_eq!((shown(&app, &pair), uploads(&app)), (Some(gif(1).bytes), 1));
    app.world.plex.pick_poster(&pair.rating_key, "media://frame");
    assert_eq!(
        sync(&app, &pair).selected_poster.as_deref(),
        Some("media://frame"),
        "it is known as ours, so what stands there now was picked by hand"
    );
}

#[test]
fn an_upload_that_plex_ignores_parks_the_scene_and_names_the_poster() {
    let (app, pair) = start("");
    app.world.plex.faults().inject(PlexOp::Image, Fault::SilentDrop, None);
    app.report(pair.scene);
    let parked = app.wait_for_state(pair.scene, JobState::Parked);
    assert_eq!(parked.code.as_deref(), Some("not_applied"));
    assert!(parked.detail.unwrap().ends_with("did not store: poster"));
    assert_eq!((uploads(&app), app.world.plex.count(PlexOp::Edit)), (3, 1));
    app.world.plex.faults().clear();
}

#[test]
fn an_image_that_plex_does_not_take_is_left_out_with_a_note() {
    let (app, pair) = start("");
    let bytes = b"\x89PNG and no more".to_vec();
    cover(&app, &pair, Some(Cover { content_type: "image/png".to_owned(), bytes }));
    let item = sync(&app, &pair);
    assert_eq!((item.title.as_str(), item.selected_poster, uploads(&app)), ("Film 1", None, 0));
}

#[test]
fn no_address_of_stash_and_no_key_reaches_plex() {
    let (app, pair) = start("");
    sync(&app, &pair);
    let stash = app.world.stash.url();
    let address = stash.trim_start_matches("http://");
    for asked in app.world.plex.requests() {
        assert!(!asked.path_and_query.contains(address) && !asked.body.contains(address), "{asked:?}");
        assert!(!asked.headers.contains_key("apikey"), "{asked:?}");
    }
}

#[test]
fn a_cover_that_stash_is_slow_with_does_not_hold_the_text_fields_back() {
    let (app, pair) = start("");
    app.world.stash.faults().inject(StashOp::Screenshot, Fault::Latency(Duration::from_secs(2)), 1);
    app.report(pair.scene);
    wait_for("the text fields", || app.world.is_synced(&pair).then_some(()));
    assert_eq!(shown(&app, &pair), None);
    app.wait_for_state(pair.scene, JobState::Done);
    assert_eq!(shown(&app, &pair), Some(gif(1).bytes));
}
