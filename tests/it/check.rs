//! Does `plexsync check` say what is wrong, and what to do about it?

use std::path::Path;
use std::process::Output;

use plexsync::domain::ids::SceneId;
use plexsync::domain::job::JobState;
use plexsync::sim::world::World;
use plexsync::sim::{NewItem, NewScene, SystemStatus};
use plexsync::store::Readers;
use plexsync::store::jobs::job;
use rstest::rstest;
use serde_json::Value;

use crate::process::{Service, errors, free_port, run, write_settings};
use crate::support::wait_for;

/// A household whose service has read the libraries and has ended.
struct House {
    folder: tempfile::TempDir,
    world: World,
    port: u16,
}

impl House {
    /// `change` has the world and the text of the settings.
    fn new(scenes: usize, change: impl FnOnce(&mut World, &mut String)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::start(scenes).unwrap();
        let port = free_port();
        write_settings(folder.path(), &world, port);
        let file = folder.path().join("config.toml");
        let mut settings = std::fs::read_to_string(&file).unwrap();
        change(&mut world, &mut settings);
        std::fs::write(&file, settings).unwrap();
        Self { folder, world, port }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the service once for these scenes, so that there is an index.
    fn index(&self, scenes: &[i64]) {
        let service = Service::start(self.path(), self.port);
        for scene in scenes {
            assert!(service.report(*scene));
        }
        let readers = Readers::open(&self.path().join("p.db")).unwrap();
        for scene in scenes {
            wait_for("the run has ended", || {
                let id = SceneId::try_from(*scene).unwrap();
                let job = readers.with(|reader| job(reader, id)).unwrap()?;
                (job.state == JobState::Done || job.class.is_some()).then_some(())
            });
        }
        service.signal("-TERM");
        assert_eq!(service.ended(), 0);
    }

    fn check(&self, arguments: &[&str]) -> Output {
        run(self.path(), &[&["check"], arguments].concat())
    }

    /// The rows about a subject, as they stand in a pipe.
    fn rows(&self, subject: &str) -> Vec<[String; 2]> {
        let output = self.check(&[]);
        let text = String::from_utf8(output.stdout).unwrap();
        let rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        let rows: Vec<_> = rows.inspect(|row| assert_eq!(row.len(), 3, "{row:?}")).collect();
        let about = rows.into_iter().filter(|row| row[0] == subject);
        about.map(|row| [row[1].clone(), row[2].clone()]).collect()
    }
}

fn unmapped(settings: &mut String) {
    *settings = settings.split("[[path_map]]").next().unwrap().to_owned();
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), errors(output))
}

#[test]
fn before_the_first_run_it_says_what_is_missing_and_makes_nothing() {
    let house = House::new(3, |_, _| {});
    let output = house.check(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert_eq!(house.rows("path mapping"), [["ok", "Plex has 3 of 3 files of Stash under the mapped path"]]);
    assert_eq!(house.rows("database")[0][0], "warning");
    assert!(house.rows("service")[0][1].contains("plexsync run"));
    assert!(house.rows("plugin")[0][1].contains("plexsync run"));
    assert!(!house.path().join("p.db").exists());
}

#[test]
fn with_a_running_service_everything_but_the_plugin_is_well() {
    let house = House::new(2, |_, _| {});
    let service = Service::start(house.path(), house.port);
    let output = house.check(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(errors(&output).contains("plexsync plugin install"), "{}", errors(&output));
    for subject in ["configuration", "service", "database", "Stash", "Plex", "libraries", "path mapping"] {
        assert!(house.rows(subject).iter().all(|row| row[0] == "ok"), "{subject}: {}", shown(&output));
    }
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
}

#[rstest]
#[case::stash_away(|house: &House| house.world.stash.go_down().unwrap(), "Stash", "Plex")]
#[case::stash_not_ready(|house: &House| house.world.stash.set_status(SystemStatus::NeedsMigration), "Stash", "Plex")]
#[case::plex_away(|house: &House| house.world.plex.go_down().unwrap(), "Plex", "Stash")]
#[case::token_refused(|house: &House| house.world.plex.change_token("another"), "Plex", "Stash")]
fn a_peer_in_trouble_is_named_and_the_other_one_is_looked_at_all_the_same(
    #[case] trouble: fn(&House),
    #[case] troubled: &str,
    #[case] other: &str,
) {
    let house = House::new(1, |_, _| {});
    trouble(&house);
    let output = house.check(&[]);
    assert_eq!(output.status.code(), Some(69), "{}", shown(&output));
    assert!(errors(&output).starts_with(&format!("plexsync: {troubled}: ")), "{}", errors(&output));
    assert_eq!(house.rows(troubled)[0][0], "problem");
    assert_eq!(house.rows(other)[0][0], "ok");
    assert!(!shown(&output).contains(house.world.plex.token()), "{}", shown(&output));
}

#[test]
fn a_library_that_plex_does_not_have_is_a_mistake_in_the_configuration() {
    let house = House::new(1, |_, settings| settings.insert_str(0, "plex.libraries = [\"Film\"]\n"));
    let output = house.check(&[]);
    assert_eq!(output.status.code(), Some(78), "{}", shown(&output));
    assert!(
        errors(&output).contains("\"Film\"") && errors(&output).contains("\"Films\""),
        "{}",
        shown(&output)
    );
}

#[test]
fn what_is_wrong_in_the_file_is_told_before_anybody_is_asked() {
    let house = House::new(0, |_, settings| settings.insert_str(0, "plex.tokn = \"x\"\n"));
    let output = house.check(&[]);
    assert_eq!(output.status.code(), Some(78));
    assert!(errors(&output).contains("plex.token"), "{}", errors(&output));
    assert_eq!(house.world.plex.requests().len() + house.world.stash.requests().len(), 0);
}

#[test]
fn the_mapping_that_the_files_ask_for_is_proposed_and_taking_it_makes_all_well() {
    let house = House::new(5, |_, settings| unmapped(settings));
    let output = house.check(&["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["mapping"]["files"], &found["mapping"]["found"]), (&5.into(), &0.into()));
    let proposal = &found["mapping"]["proposals"][0];
    assert_eq!(proposal["files"], 5, "{found:#}");
    let file = house.path().join("config.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let block =
        format!("{settings}\n[[path_map]]\nstash = {}\nplex = {}\n", proposal["stash"], proposal["plex"]);
    std::fs::write(&file, block).unwrap();
    assert_eq!(house.rows("path mapping"), [["ok", "Plex has 5 of 5 files of Stash under the mapped path"]]);
    assert_eq!(house.check(&[]).status.code(), Some(0));
}

#[rstest]
#[case::swapped(("/media", "/data"), "the wrong way round")]
#[case::not_in_stash(("/dta", "/media"), "no path in Stash begins with \"/dta\"")]
#[case::other_case(("/DATA", "/media"), "Stash writes \"/data\"")]
#[case::not_in_plex(("/data", "/movies"), "no path in Plex begins with \"/movies\"")]
#[case::missing_part(("/data", "/"), "Plex has none of its 3 files there")]
fn the_mistake_in_a_mapping_is_named_beside_the_right_one(#[case] rule: (&str, &str), #[case] said: &str) {
    let house = House::new(3, |_, settings| {
        unmapped(settings);
        *settings = format!("{settings}[[path_map]]\nstash = {:?}\nplex = {:?}\n", rule.0, rule.1);
    });
    let rows = house.rows("path mapping");
    assert!(rows.iter().any(|row| row[0] == "problem" && row[1].contains(said)), "{rows:#?}");
    let right = "[[path_map]] with stash = \"/data\" and plex = \"/media\"";
    assert!(rows.iter().any(|row| row[1].starts_with(right) && row[1].ends_with("3 files")), "{rows:#?}");
}

#[test]
fn folders_with_nothing_in_common_are_named() {
    let house = House::new(2, |world, _| {
        world.plex.add_library("2", "Kids", &["/kids"]);
        world.plex.add_item("2", NewItem::file("/kids/k.mp4", 5));
    });
    let rows = house.rows("path mapping");
    assert_eq!(rows[1], ["warning", "Stash has no file of Plex's folder \"/kids\""], "{rows:?}");
}

#[test]
fn a_scene_is_walked_from_its_file_to_what_would_be_written() {
    let house = House::new(1, |_, _| {});
    house.index(&[1]);
    house.world.stash.update_scene(1, |scene| scene.title = "Another".to_owned());
    let output = house.check(&["--scene", "1"]);
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for said in [
        "scene        1 \"Another\"",
        "/data/Studio 1/Part 1/video.mp4",
        "/media/Studio 1/Part 1/video.mp4",
        "1000000 bytes",
        "+1.00      the mapped path is equal",
        "linked     to this scene",
        "decision     the scene is item",
        "write title \"Another\" (now \"Film 1\")",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[test]
fn a_scene_without_a_certain_item_shows_what_was_weighed() {
    let house = House::new(1, |world, _| {
        world.stash.add_scene(NewScene::titled("Twin", "/elsewhere/twin.mp4"));
        world.plex.add_item("1", NewItem::file("/media/x/twin.mp4", 5));
    });
    house.index(&[2]);
    let output = house.check(&["--scene", "2", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let walked: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reasons = walked["candidates"][0]["reasons"].as_array().unwrap();
    let weights: Vec<_> = reasons.iter().map(|reason| reason["weight"].as_f64().unwrap()).collect();
    assert!(
        weights.iter().any(|weight| *weight > 0.0) && weights.iter().any(|weight| *weight < 0.0),
        "{walked:#}"
    );
    assert!(!walked["decision"].as_str().unwrap().starts_with("the scene is"), "{walked:#}");
    assert!(walked["preview"]["left_alone"].is_string(), "{walked:#}");
}

#[test]
fn a_scene_that_cannot_be_walked_says_why() {
    let house = House::new(1, |_, _| {});
    house.index(&[1]);
    let gone = house.check(&["--scene", "7"]);
    assert_eq!(gone.status.code(), Some(1), "{}", shown(&gone));
    assert!(errors(&gone).contains("does not have scene 7"), "{}", errors(&gone));
    house.world.plex.go_down().unwrap();
    let away = house.check(&["--scene", "1"]);
    assert_eq!(away.status.code(), Some(69), "{}", shown(&away));
    assert!(
        shown(&away).contains("decision     the scene is item"),
        "what is known is told: {}",
        shown(&away)
    );
}
