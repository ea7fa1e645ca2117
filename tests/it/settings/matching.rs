//! What do the keys of `[matching]` do?

use plexsync::domain::job::JobState;
use plexsync::sim::{NewFile, NewItem, NewScene};
use rstest::rstest;

use crate::support::TestApp;

/// A scene and an item that have only the file's name in common, and its size too if wanted; and what became of it.
fn matched(settings: &str, same_size: bool, state: JobState) -> (Option<String>, String) {
    let app = TestApp::start_with(0, settings);
    let size = 4321;
    let files = vec![NewFile { size, ..NewFile::at("/data/one place/The one and only.mp4") }];
    let scene = app.world.stash.add_scene(NewScene { files, ..NewScene::titled("Mine", "") });
    let other = if same_size { size } else { size + 1 };
    let key = app.world.plex.add_item("1", NewItem::file("/media/another place/The one and only.mp4", other));
    app.report(scene);
    let job = app.wait_for_state(scene, state);
    (job.code, app.world.plex.item(&key).unwrap().title)
}

#[rstest]
#[case::default("", JobState::Done)]
#[case::only_if_certain("matching.auto_threshold = 1.0", JobState::Parked)]
fn a_match_is_written_from_the_threshold_on(#[case] settings: &str, #[case] state: JobState) {
    let (code, title) = matched(settings, true, state);
    assert_eq!(title == "Mine", state == JobState::Done);
    assert_eq!(code.as_deref() == Some("low_confidence"), state == JobState::Parked, "{code:?}");
}

#[rstest]
#[case::everything("matching.review_threshold = 0.0", JobState::Parked)]
#[case::nothing("matching.review_threshold = 1.0\nmatching.auto_threshold = 1.0", JobState::Waiting)]
fn a_match_is_put_up_for_review_from_the_threshold_on(#[case] settings: &str, #[case] state: JobState) {
    let (code, title) = matched(settings, false, state);
    assert_ne!(title, "Mine");
    assert_eq!(code.as_deref() == Some("low_confidence"), state == JobState::Parked, "{code:?}");
}
