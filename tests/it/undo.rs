//! Is a write taken back, does that last, and is what cannot be taken back refused with a reason?

use std::path::Path;

use plexsync::sim::world::{Pair, World};
use plexsync::sim::{Cover, Fault, ItemView, PlexOp, SimScene, TagAdds};
use rstest::rstest;
use serde_json::{Value, json};

use crate::process::{Service, errors, free_port, run, write_settings};
use crate::steer::{json, state_of, told};
use crate::support::wait_for;

/// A house whose service runs only when it is told to, so that each moment can be looked at.
struct House {
    folder: tempfile::TempDir,
    world: World,
    port: u16,
}

impl House {
    fn new(scenes: usize) -> Self {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
            world: World::start(scenes).unwrap(),
            port: free_port(),
        };
        write_settings(house.path(), &house.world, house.port);
        drop(house.serve());
        house
    }

    fn set(&self, setting: &str) {
        let file = self.path().join("config.toml");
        let settings = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{setting}\n{settings}")).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn serve(&self) -> Service {
        Service::start(self.path(), self.port)
    }

    fn pair(&self) -> Pair {
        self.world.pairs[0].clone()
    }

    fn item(&self) -> ItemView {
        self.world.plex.item(&self.pair().rating_key).unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut SimScene)) {
        self.world.stash.update_scene(self.pair().scene, change);
    }

    /// Carries the scene, and returns the item as it is then.
    fn sync(&self) -> ItemView {
        told(self.path(), 0, &["sync", &self.pair().scene.to_string()]);
        told(self.path(), 0, &["run", "--until-idle"]);
        self.item()
    }

    fn history(&self) -> Vec<Value> {
        let history = json(self.path(), 0, &["history", &self.pair().scene.to_string(), "--json"]);
        history.as_array().unwrap().clone()
    }

    /// The number of the last write of a field.
    fn last(&self, field: &str) -> String {
        let history = self.history();
        history.iter().find(|write| write["field"] == field).unwrap()["write_id"].to_string()
    }

    /// Takes the last write of a field back, and returns the item as it is then.
    fn undo(&self, field: &str) -> ItemView {
        let answer = json(self.path(), 0, &["undo", &self.last(field), "--json"]);
        assert_eq!((&answer["outcome"], &answer["field"]), (&"undone".into(), &field.into()), "{answer}");
        self.item()
    }

    /// The reason why a write cannot be taken back.
    fn refused(&self, write: &str) -> String {
        let output = run(self.path(), &["undo", write, "--json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &answer["outcome"]), (Some(1), &"refused".into()), "{answer}");
        assert!(errors(&output).contains(answer["text"].as_str().unwrap()), "{}", errors(&output));
        answer["text"].as_str().unwrap().to_owned()
    }
}

#[test]
fn without_a_service_a_write_is_taken_back_and_stays_so_until_stash_changes_the_field() {
    let house = House::new(2);
    house.sync();
    house.change(|scene| scene.title = "Second".to_owned());
    assert_eq!(house.sync().title, "Second");
    let other = house.world.pairs[1].clone();
    told(house.path(), 0, &["sync", &other.scene.to_string()]);
    assert_eq!(house.undo("title").title, "Film 1");
    assert_eq!(state_of(house.path(), other.scene), "ready", "it is not what the command was for");
    let last = &house.history()[0];
    assert_eq!(
        (&last["before"], &last["after"], &last["outcome"]),
        (&"Second".into(), &"Film 1".into(), &"applied".into())
    );
    assert!(last["note"].as_str().unwrap().starts_with("takes write "), "{last}");
    assert_eq!(house.sync().title, "Film 1");
    house.change(|scene| scene.details = "Something else changes.".to_owned());
    let item = house.sync();
    assert_eq!((item.title.as_str(), item.summary.as_str()), ("Film 1", "Something else changes."));
    house.change(|scene| scene.title = "Third".to_owned());
    assert_eq!(house.sync().title, "Third");
    house.change(|scene| scene.title = "Second".to_owned());
    assert_eq!(house.sync().title, "Second", "what was taken back is welcome when Stash says it anew");
    let counts = &json(house.path(), 0, &["status", "--json"])["counts"];
    assert_eq!(counts["conservation_error"], 0, "{counts}");
}

#[test]
fn a_running_service_takes_writes_back_within_a_moment() {
    let house = House::new(1);
    let service = house.serve();
    assert!(service.report(house.pair().scene));
    wait_for("it shows in Plex", || house.world.is_synced(&house.pair()).then_some(()));
    wait_for("it is done", || (state_of(house.path(), house.pair().scene) == "done").then_some(()));
    assert_eq!(house.undo("studio").studio, None, "there was none before");
    assert!(service.report(house.pair().scene));
    wait_for("it is done", || (state_of(house.path(), house.pair().scene) == "done").then_some(()));
    assert_eq!(house.item().studio, None, "an emptied field is not taken for wiped");
    house.undo("studio");
    assert_eq!(house.item().studio.as_deref(), Some("Studio of Film 1"), "undoing can be undone");
}

#[rstest]
#[case(TagAdds::Merge)]
#[case(TagAdds::Replace)]
fn of_a_list_only_what_the_write_changed_is_taken_back(#[case] tag_adds: TagAdds) {
    let house = House::new(1);
    house.world.plex.reconfigure(|options| options.tag_adds = tag_adds);
    house.change(|scene| scene.tags = vec!["One".to_owned(), "Two".to_owned()]);
    house.sync();
    house.change(|scene| scene.tags = vec!["Two".to_owned(), "Three".to_owned()]);
    house.sync();
    house.world.plex.add_tag(&house.pair().rating_key, "genre", "By hand");
    let names = |item: &ItemView| {
        let mut names = item.genres.clone();
        names.sort_unstable();
        names
    };
    let back = ["By hand", "One", "Two"];
    assert_eq!(names(&house.undo("genres")), back);
    assert_eq!(names(&house.sync()), back, "it lasts");
    house.change(|scene| scene.tags.push("Four".to_owned()));
    assert_eq!(names(&house.sync()), ["By hand", "Four", "One", "Two"]);
}

#[test]
fn a_poster_is_exchanged_for_the_one_before_it() {
    let house = House::new(1);
    let cover = |number: u8| {
        let bytes = [b"GIF89a\x10\0\x09\0\0\0\0", [number].as_slice()].concat();
        house.change(|scene| {
            scene.cover = Some(Cover { content_type: "image/gif".to_owned(), bytes });
        });
    };
    cover(1);
    let first = house.sync().selected_poster;
    assert!(house.refused(&house.last("poster")).contains("cannot go without one"));
    cover(2);
    assert_ne!(house.sync().selected_poster, first);
    assert_eq!(house.undo("poster").selected_poster, first);
    assert_eq!(house.sync().selected_poster, first, "it lasts");
    cover(3);
    assert_ne!(house.sync().selected_poster, first);
}

#[test]
fn what_cannot_be_taken_back_is_refused_with_the_reason_and_holds_nothing_up() {
    let house = House::new(1);
    house.sync();
    let unknown = run(house.path(), &["undo", "999"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(errors(&unknown).contains("no write 999"), "{}", errors(&unknown));
    let (title, summary, studio) = (house.last("title"), house.last("summary"), house.last("studio"));
    house.world.plex.set_field(&house.pair().rating_key, "title", "By hand");
    assert!(house.refused(&title).contains("it holds \"By hand\""));
    house.world.plex.faults().inject(PlexOp::Edit, Fault::SilentDrop, Some(1));
    assert!(house.refused(&summary).contains("did not store: summary"));
    let item = house.sync();
    assert_eq!((item.title.as_str(), item.summary.is_empty()), ("By hand", false));
    house.set("sync.hand_edits = \"overwrite\"");
    assert!(house.refused(&studio).contains("sync.hand_edits"));
    assert_eq!(house.sync().title, "Film 1");
}

#[test]
fn a_lost_answer_neither_loses_the_undo_nor_writes_twice() {
    let house = House::new(1);
    house.sync();
    house.world.plex.clear_requests();
    house.world.plex.faults().inject(PlexOp::Edit, Fault::AppliedButLost, Some(1));
    assert_eq!(house.undo("summary").summary, "");
    assert_eq!(house.world.plex.count(PlexOp::Edit), 1);
    let last = &house.history()[0];
    assert_eq!((&last["after"], &last["outcome"]), (&json!(""), &"applied".into()), "{last}");
    assert_eq!(house.sync().summary, "");
}

#[test]
fn a_proxys_login_page_is_no_reason_to_give_an_undo_up() {
    let house = House::new(1);
    house.sync();
    house.world.plex.faults().inject(PlexOp::Edit, Fault::Html, Some(1));
    assert_eq!(house.undo("summary").summary, "");
    assert_eq!(house.world.plex.count(PlexOp::Edit), 3, "one sync, one page, one undo");
}

#[test]
fn what_waits_for_plex_says_so_and_is_done_later() {
    let house = House::new(1);
    house.sync();
    house.set("circuit_breaker.failures = 1");
    house.world.plex.go_down().unwrap();
    let output = run(house.path(), &["undo", &house.last("summary"), "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &answer["outcome"]), (Some(1), &"asked".into()), "{answer}");
    assert!(answer["text"].as_str().unwrap().contains("Plex"), "{answer}");
    house.world.plex.come_back().unwrap();
    wait_for("the next run takes it back", || {
        run(house.path(), &["run", "--until-idle"]);
        house.item().summary.is_empty().then_some(())
    });
}
