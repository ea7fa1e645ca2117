//! What do the keys of `[sync]` do that have no test beside the lists?

use plexsync::sim::ItemView;
use plexsync::sim::world::Pair;
use rstest::rstest;

use crate::support::{TestApp, wait_for};

/// Reports the scene and waits until it was worked on once more.
fn sync(app: &TestApp, pair: &Pair) -> ItemView {
    let before = app.counts().tallies.done;
    app.report(pair.scene);
    wait_for("the scene is done", || (app.counts().tallies.done > before).then_some(()));
    app.world.plex.item(&pair.rating_key).unwrap()
}

#[test]
fn only_the_fields_that_are_named_are_written() {
    let app = TestApp::start_with(1, "sync.fields = [\"title\", \"date\"]");
    let pair = app.pair(0);
    let item = sync(&app, &pair);
    assert_eq!(
        (item.title.as_str(), item.originally_available_at.as_deref()),
        ("Film 1", Some("2024-05-31"))
    );
    assert_eq!((item.studio.unwrap_or_default(), item.summary), (String::new(), String::new()));
    assert!(item.actors.is_empty() && item.genres.is_empty());
    assert_eq!(Vec::from_iter(item.locked), ["originallyAvailableAt", "title"]);
}

#[rstest]
#[case("keep", "By hand")]
#[case("overwrite", "Film 1")]
fn a_hand_edit_stays_or_is_overwritten(#[case] hand_edits: &str, #[case] expected: &str) {
    let app = TestApp::start_with(1, &format!("sync.hand_edits = {hand_edits:?}"));
    let pair = app.pair(0);
    sync(&app, &pair);
    app.world.plex.set_field(&pair.rating_key, "title", "By hand");
    assert_eq!(sync(&app, &pair).title, expected);
}

#[rstest]
#[case("own", "", "Of another's hand")]
#[case("always", "", "")]
#[case("never", "What happens in Film 1.\n\nAnd how it ends.", "Of another's hand")]
fn what_is_empty_in_stash_is_cleared_as_the_user_wants(
    #[case] clear_empty: &str,
    #[case] ours: &str,
    #[case] foreign: &str,
) {
    let app = TestApp::start_with(2, &format!("sync.clear_empty = {clear_empty:?}"));
    let (written, never_written) = (app.pair(0), app.pair(1));
    sync(&app, &written);
    app.world.plex.set_field(&never_written.rating_key, "summary", "Of another's hand");
    for pair in [&written, &never_written] {
        app.world.stash.update_scene(pair.scene, |scene| scene.details.clear());
    }
    assert_eq!(sync(&app, &written).summary, ours);
    assert_eq!(sync(&app, &never_written).summary, foreign);
}

#[rstest]
#[case(true)]
#[case(false)]
fn what_is_written_is_locked_if_the_user_wants_it(#[case] lock: bool) {
    let app = TestApp::start_with(1, &format!("sync.lock = {lock}"));
    let item = sync(&app, &app.pair(0));
    assert_eq!(item.title, "Film 1");
    assert_eq!(item.locked.contains("title") && item.locked.contains("genre"), lock, "{:?}", item.locked);
    assert_eq!(item.locked.is_empty(), !lock, "{:?}", item.locked);
}

#[test]
fn a_longer_title_or_summary_is_cut() {
    let app = TestApp::start_with(1, "sync.max_title = 12\nsync.max_summary = 20");
    let pair = app.pair(0);
    app.world.stash.update_scene(pair.scene, |scene| {
        "A title of more than twelve characters".clone_into(&mut scene.title);
        "A summary of more than twenty characters".clone_into(&mut scene.details);
    });
    let item = sync(&app, &pair);
    for (shown, whole, most) in [
        (&item.title, "A title of more than twelve characters", 12),
        (&item.summary, "A summary of more than twenty characters", 20),
    ] {
        let kept = shown.trim_end_matches('…').trim_end();
        assert!(whole.starts_with(kept) && kept.len() > most / 2, "{shown:?}");
        assert!(shown.chars().count() <= most, "{shown:?}");
    }
}
