//! Is nothing changed but what shall be, by one writer at a time, and can everything be taken back?

use std::time::Duration;

use plexsync::domain::job::JobState;
use plexsync::sim::{Fault, ItemView, NewItem, NewScene, PlexOp};

use crate::support::{TestApp, wait_for};

#[test]
fn no_item_is_touched_that_is_not_certainly_the_scene_and_no_field_that_is_not_chosen() {
    let app = TestApp::start_with(1, "sync.fields = [\"title\"]");
    let pair = app.pair(0);
    for (field, value) in [("summary", "Own words"), ("studio", "Own studio"), ("tagline", "Own line")] {
        assert!(app.world.plex.set_field(&pair.rating_key, field, value));
    }
    app.world.plex.add_tag(&pair.rating_key, "genre", "Own genre");
    // One that only shares its name with a scene, and one that nobody asks for.
    let other = app.world.plex.add_item("1", NewItem::file("/media/elsewhere/twin.mp4", 5));
    let stranger = app.world.plex.add_item("1", NewItem::file("/media/stranger.mp4", 6));
    let twin = app.world.stash.add_scene(NewScene::titled("Twin", "/data/here/twin.mp4"));
    let before: Vec<_> = app.world.plex.items();
    app.report(pair.scene);
    app.report(twin);
    app.wait_for_state(pair.scene, JobState::Done);
    wait_for("the twin was looked for", || app.job(twin).filter(|job| job.class.is_some()).map(drop));
    for item in before {
        let now = app.world.plex.item(&item.rating_key).unwrap();
        let expected = if item.rating_key == pair.rating_key {
            let mut locked = item.locked.clone();
            locked.insert("title".to_owned());
            ItemView {
                title: "Film 1".to_owned(),
                title_sort: now.title_sort.clone(),
                updated_at: now.updated_at,
                locked,
                ..item
            }
        } else {
            item
        };
        assert_eq!(now, expected);
    }
    assert!(app.world.plex.item(&other).is_some() && app.world.plex.item(&stranger).is_some());
}

#[test]
fn every_write_is_on_record_with_what_was_there_before() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.world.plex.set_field(&pair.rating_key, "summary", "Own words");
    app.world.plex.set_lock(&pair.rating_key, "summary", false);
    app.report(pair.scene);
    app.wait_until_synced();
    app.wait_for_state(pair.scene, JobState::Done);
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
    let write = |field: &str| {
        let writes = job["writes"].as_array().unwrap();
        writes
            .iter()
            .find(|write| write["field"] == field)
            .unwrap_or_else(|| panic!("{field}: {job}"))
            .clone()
    };
    let summary = write("summary");
    assert!(summary["before"].to_string().contains("Own words"), "{summary}");
    assert!(summary["after"].to_string().contains("What happens in Film 1."), "{summary}");
    assert!(write("title")["before"].to_string().contains("video"), "Plex had named it after its file");
}

#[test]
fn writes_to_plex_go_one_at_a_time_and_no_scene_is_worked_on_twice_at_once() {
    const TAKES: Duration = Duration::from_millis(120);
    let app = TestApp::start_with(6, "queue.concurrency = 6");
    app.world.plex.faults().inject(PlexOp::Edit, Fault::LateAnswer(TAKES), None);
    // Two rounds: events come for scenes that are in hand.
    for _ in 0..2 {
        for pair in &app.world.pairs {
            app.world.stash.update_scene(pair.scene, |scene| scene.title.push('!'));
            app.report(pair.scene);
        }
    }
    app.wait_until_synced();
    let edits: Vec<_> =
        app.world.plex.requests().into_iter().filter(|asked| asked.op == PlexOp::Edit).collect();
    assert!(edits.len() >= 6, "{}", edits.len());
    let gaps: Vec<_> = edits.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at)).collect();
    assert!(gaps.iter().all(|gap| *gap >= TAKES), "{gaps:?}");
}
