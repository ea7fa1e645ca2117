//! Does each scene keep to its items, and each item to its scene, when either turns out to be another?

use std::time::Duration;

use plexsync::domain::ids::SceneId;
use plexsync::domain::job::{Job, JobState};
use plexsync::sim::world::{Pair, World};
use plexsync::sim::{NewFile, NewItem, NewScene};
use plexsync::store::ledger::links_of;
use rstest::rstest;

use crate::support::{Setup, TestApp, wait_for};

fn title(app: &TestApp, item: &str) -> String {
    app.world.plex.item(item).unwrap().title
}

/// Lets a scene show, and another one with the same file claim its item in vain. Returns the job of the other one.
fn parked_rival(app: &TestApp, holder: &Pair) -> Job {
    app.report(holder.scene);
    app.wait_until_synced();
    let path = app.world.stash.scene(holder.scene).unwrap().files[0].file.path.clone();
    let rival = app.world.stash.add_scene(NewScene::titled("Rival", &path));
    app.report(rival);
    let parked = app.wait_for_state(rival, JobState::Parked);
    assert_eq!(parked.code.as_deref(), Some("conflict"));
    parked
}

/// What becomes of a scene that holds the item which another one claims.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Destroyed,
    /// Its file is moved, and is another item in Plex.
    Elsewhere,
    /// Its file is moved out of Plex.
    Outside,
    /// So it is, and what is left is that the names are alike.
    Alike,
}

/// After a minute the index is looked through again, and then knows the title and the date that were written.
#[rstest]
fn a_claim_passes_on_by_itself_when_the_scene_that_holds_the_item_is_it_no_more(
    #[values(Fate::Destroyed, Fate::Elsewhere, Fate::Outside, Fate::Alike)] fate: Fate,
    #[values(Duration::ZERO, Duration::from_mins(1))] later: Duration,
) {
    let setup = Setup::new(1).settings("queue.debounce = 0").manual_clock();
    let other = setup.world().plex.add_item("1", NewItem::file("/media/new/Other.mp4", 99));
    let app = setup.start();
    let pair = app.pair(0);
    let rival = parked_rival(&app, &pair).scene.get();
    assert_eq!(title(&app, &pair.rating_key), "Film 1");
    app.advance(later);
    let event = match fate {
        Fate::Destroyed => {
            assert!(app.world.stash.destroy_scene(pair.scene));
            "Destroy"
        }
        Fate::Elsewhere | Fate::Outside | Fate::Alike => {
            let (path, size) = match fate {
                Fate::Elsewhere => ("/data/new/Other.mp4", 98),
                Fate::Alike => ("/gone/video.mp4", 0),
                Fate::Outside | Fate::Destroyed => ("/gone/Other.mp4", 98),
            };
            let file = NewFile { size, ..NewFile::at(path) };
            assert!(app.world.stash.move_files(pair.scene, vec![file]));
            "Update"
        }
    };
    assert_eq!(app.post(&format!(r#"{{"type":"Scene.{event}.Post","id":{}}}"#, pair.scene)).0, 202);
    wait_for("the claim passes on", || (title(&app, &pair.rating_key) == "Rival").then_some(()));
    app.wait_for_state(rival, JobState::Done);
    let expected = if matches!(fate, Fate::Elsewhere) { "Film 1" } else { "Other" };
    wait_for("the first is where it went", || (title(&app, &other) == expected).then_some(()));
}

#[test]
fn a_conflict_stays_one_while_the_scene_that_holds_the_item_still_is_it() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    let parked = parked_rival(&app, &pair);
    app.world.stash.update_scene(pair.scene, |scene| "Renamed".clone_into(&mut scene.title));
    app.report(pair.scene);
    wait_for("the change shows", || (title(&app, &pair.rating_key) == "Renamed").then_some(()));
    wait_for("it is settled", || (app.counts().tallies.done == 2).then_some(()));
    assert_eq!(app.job(parked.scene.get()).unwrap(), parked, "nobody asks again");
}

#[test]
fn a_file_that_stands_in_two_libraries_is_written_in_both_and_a_likeness_in_both_is_for_a_person() {
    let setup = Setup::new(1);
    let World { plex, stash, pairs } = setup.world();
    let pair = pairs[0].clone();
    plex.add_library("2", "Also films", &["/media"]);
    let path = plex.item(&pair.rating_key).unwrap().files[0].clone();
    let twin = plex.add_item("2", NewItem::file(&path, 1_000_000));
    let file = NewFile { size: 4711, ..NewFile::at("/data/a/Copy.mp4") };
    let scene = stash.add_scene(NewScene { files: vec![file], ..NewScene::titled("Torn", "") });
    let copies = ["1", "2"].map(|library| plex.add_item(library, NewItem::file("/media/b/Copy.mp4", 4711)));
    let app = setup.start();
    app.report(pair.scene);
    app.wait_until_synced();
    assert_eq!(title(&app, &twin), "Film 1");
    app.report(scene);
    let parked = app.wait_for_state(scene, JobState::Parked);
    assert_eq!(parked.code.as_deref(), Some("ambiguous"));
    assert_eq!(copies.map(|copy| title(&app, &copy)), ["Copy", "Copy"]);
}

#[test]
fn a_file_that_moved_to_another_item_is_written_there_in_the_same_attempt() {
    let app = TestApp::start(1);
    let pair = app.pair(0);
    app.report(pair.scene);
    app.wait_until_synced();
    let path = app.world.plex.item(&pair.rating_key).unwrap().files[0].clone();
    assert!(app.world.plex.set_files(&pair.rating_key, &[("/media/a/Stranger.mp4", 5)]));
    assert!(app.world.plex.set_field(&pair.rating_key, "title", "Stranger"));
    let new = app.world.plex.add_item("1", NewItem::file(&path, 1_000_000));
    app.report(pair.scene);
    wait_for("it is written there", || (title(&app, &new) == "Film 1").then_some(()));
    let job = app.wait_for_state(pair.scene, JobState::Done);
    assert_eq!((job.attempts, title(&app, &pair.rating_key)), (0, "Stranger".to_owned()));
    let (_, shown) = app.get(&format!("/api/v1/jobs/{}", pair.scene));
    assert_eq!(shown["history"].as_array().unwrap().len(), 2, "one run for each event: {shown}");
}

#[test]
fn on_another_server_an_equal_rating_key_means_nothing_and_all_is_written_there() {
    let app = TestApp::start(2);
    let (first, second) = (app.pair(0), app.pair(1));
    for pair in [&first, &second] {
        app.report(pair.scene);
    }
    app.wait_until_synced();
    let path = |item: &str| app.world.plex.item(item).unwrap().files[0].clone();
    let (left, right) = (path(&first.rating_key), path(&second.rating_key));
    // Or a look may ask for the name of the one and for the items of the other.
    app.wait_until_calm();
    let machine = "another-server";
    app.world.plex.reconfigure(|options| machine.clone_into(&mut options.machine_identifier));
    // There each key is the other one's film.
    app.world.plex.set_files(&first.rating_key, &[(&right, 1_000_001)]);
    app.world.plex.set_files(&second.rating_key, &[(&left, 1_000_000)]);
    for (item, name) in [(&first.rating_key, "Two"), (&second.rating_key, "One")] {
        app.world.plex.set_field(item, "title", name);
    }
    app.report(first.scene);
    wait_for("it is found there", || (title(&app, &second.rating_key) == "Film 1").then_some(()));
    app.wait_for_state(first.scene, JobState::Done);
    wait_for("so is the other, of which nobody told", || {
        (title(&app, &first.rating_key) == "Film 2").then_some(())
    });
    app.wait_for_state(second.scene, JobState::Done);
    let links = app.readers.with(|reader| links_of(reader, SceneId::try_from(first.scene).unwrap())).unwrap();
    let mut held: Vec<_> =
        links.iter().map(|link| (link.item.machine.0.as_str(), link.item.rating_key.as_str())).collect();
    held.retain(|(known, _)| *known == machine);
    assert_eq!(held, [(machine, second.rating_key.as_str())]);
}
