//! Can a person say which item a scene is, and is that remembered?

use std::path::Path;

use plexsync::sim::world::{LIBRARY, World};
use plexsync::sim::{NewFile, NewItem, NewScene, PlexOp};
use serde_json::Value;

use crate::process::{Service, errors, free_port, run, write_settings};
use crate::steer::{json, told};
use crate::support::{agent, wait_for};

/// A scene of which Plex has two copies, neither where it should be.
struct Twins {
    house: tempfile::TempDir,
    world: World,
    port: u16,
    scene: i64,
    items: [String; 2],
}

impl Twins {
    fn new() -> Self {
        let house = tempfile::tempdir().unwrap();
        let (world, port) = (World::start(0).unwrap(), free_port());
        write_settings(house.path(), &world, port);
        let file = NewFile { size: 4711, ..NewFile::at("/data/here/Film.mp4") };
        let scene = world.stash.add_scene(NewScene { files: vec![file], ..NewScene::titled("The Film", "") });
        let item = |folder: &str| {
            world.plex.add_item(LIBRARY, NewItem::file(&format!("/media/{folder}/Film.mp4"), 4711))
        };
        let items = [item("left"), item("right")];
        Self { house, world, port, scene, items }
    }

    fn folder(&self) -> &Path {
        self.house.path()
    }

    fn start(&self) -> Service {
        Service::start(self.folder(), self.port)
    }

    /// Reports the scene and waits until a person is asked.
    fn ask(&self, service: &Service) -> Value {
        assert!(service.report(self.scene));
        wait_for("somebody is asked", || {
            json(self.folder(), 0, &["review", "list", "--json"]).as_array().unwrap().first().cloned()
        })
    }

    fn state(&self) -> String {
        let shown = json(self.folder(), 0, &["queue", "show", "--json", &self.scene.to_string()]);
        shown["state"].as_str().unwrap().to_owned()
    }

    fn title(&self, item: usize) -> String {
        self.world.plex.item(&self.items[item]).unwrap().title
    }
}

#[test]
fn what_could_be_several_items_is_shown_with_reasons_and_said_once() {
    let twins = Twins::new();
    let folder = twins.folder();
    let service = twins.start();
    let asked = twins.ask(&service);
    assert_eq!((&asked["code"], &asked["path"]), (&"ambiguous".into(), &"/data/here/Film.mp4".into()));
    let keys: Vec<_> = asked["candidates"].as_array().unwrap().iter().map(|one| &one["rating_key"]).collect();
    assert_eq!(keys, twins.items.iter().collect::<Vec<_>>());
    let reason = &asked["candidates"][0]["reasons"][0];
    assert_eq!((&reason["weight"], &reason["text"]), (&0.97.into(), &"file name and size are equal".into()));

    let scene = twins.scene.to_string();
    let row = told(folder, 0, &["review", "list"]);
    let row: Vec<_> = row.trim_end().split('\t').collect();
    assert_eq!(row[..5], [scene.as_str(), "ambiguous", "2", &twins.items[0], "0.97"], "{row:?}");
    let shown = told(folder, 0, &["review", "show", &scene]);
    assert!(shown.contains("+0.97      file name and size are equal"), "{shown}");
    assert!(shown.contains(&format!("`plexsync review accept {scene} {}`", twins.items[0])), "{shown}");

    let get = |path: &str| {
        let mut answer = agent().get(format!("{}/api/v1/reviews{path}", service.url)).call().unwrap();
        let code = answer.status().as_u16();
        (code, serde_json::from_str::<Value>(&answer.body_mut().read_to_string().unwrap()).unwrap())
    };
    assert_eq!(get(&format!("/{scene}")), (200, asked.clone()));
    let (_, page) = get("?limit=1");
    assert_eq!((&page["reviews"][0], &page["next"]), (&asked, &twins.scene.into()));
    assert_eq!(get(&format!("?after={scene}")).1, serde_json::json!({"reviews": []}));
    assert_eq!((get("/99").0, get("/x").0), (404, 422));

    let runs = || {
        let shown = json(folder, 0, &["queue", "show", "--json", &scene]);
        (shown["state"] == "parked").then(|| shown["history"].as_array().unwrap().len())
    };
    assert!(service.report(twins.scene));
    wait_for("it was judged again", || runs().filter(|runs| *runs == 2));
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    let said: Vec<_> = log.lines().filter(|line| line.contains("`plexsync review show")).collect();
    let correlation = asked["correlation_id"].as_str().unwrap();
    assert!(matches!(said.as_slice(), [once] if once.contains(correlation)), "{said:?} {correlation}");
}

#[test]
fn paths_are_hidden_wherever_a_match_is_shown_if_the_user_wants_it() {
    let twins = Twins::new();
    let config = twins.folder().join("config.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("log.obfuscate_paths = true\n{settings}")).unwrap();
    let service = twins.start();
    twins.ask(&service);
    let scene = twins.scene.to_string();
    let page = |path: &str| {
        agent().get(format!("{}{path}", service.url)).call().unwrap().body_mut().read_to_string().unwrap()
    };
    let said = |arguments: &[&str]| String::from_utf8(run(twins.folder(), arguments).stdout).unwrap();
    let log = std::fs::read_to_string(twins.folder().join("log")).unwrap();
    let all = [
        said(&["review", "list"]),
        said(&["review", "list", "--json"]),
        said(&["review", "show", &scene]),
        said(&["review", "show", &scene, "--json"]),
        said(&["queue", "explain", &scene]),
        said(&["queue", "show", &scene]),
        page("/api/v1/reviews"),
        page(&format!("/api/v1/reviews/{scene}")),
        page(&format!("/api/v1/jobs/{scene}")),
        log,
    ];
    for shown in all {
        assert!(shown.contains(".mp4"), "{shown}");
        assert!(!["here/", "left/", "right/", "Film.mp4"].iter().any(|name| shown.contains(name)), "{shown}");
    }
}

#[test]
fn what_was_accepted_is_written_at_once_and_from_then_on() {
    let twins = Twins::new();
    let (folder, scene) = (twins.folder(), twins.scene.to_string());
    let service = twins.start();
    twins.ask(&service);
    let wrong = run(folder, &["review", "accept", &scene, "999"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(errors(&wrong).contains(&twins.items.join(", ")), "{}", errors(&wrong));
    told(folder, 64, &["review", "accept", &scene, "x"]);
    let answer = json(folder, 0, &["review", "accept", &scene, &twins.items[1], "--json"]);
    assert_eq!(answer["results"][0]["outcome"], "accepted", "{answer}");
    wait_for("the item shows it", || (twins.title(1) == "The Film").then_some(()));
    wait_for("it is done", || (twins.state() == "done").then_some(()));
    assert_eq!(told(folder, 0, &["review", "list"]), "");
    told(folder, 1, &["review", "accept", &scene, &twins.items[1]]);

    twins.world.stash.update_scene(twins.scene, |scene| "Renamed".clone_into(&mut scene.title));
    assert!(service.report(twins.scene));
    wait_for("nobody is asked again", || (twins.title(1) == "Renamed").then_some(()));
    assert_eq!(twins.title(0), "Film", "the other is left alone");
}

#[test]
fn what_was_rejected_never_comes_back_with_a_service_or_without() {
    let twins = Twins::new();
    let (folder, scene) = (twins.folder(), twins.scene.to_string());
    let service = twins.start();
    twins.ask(&service);
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    let rejected = json(folder, 0, &["review", "reject", &scene, "--json"]);
    assert_eq!(rejected["results"][0]["outcome"], "rejected", "{rejected}");
    told(folder, 1, &["review", "show", &scene]);
    told(folder, 1, &["review", "reject", &scene]);
    let service = twins.start();
    wait_for("it waits for its file", || (twins.state() == "waiting").then_some(()));
    assert_eq!(twins.world.plex.count(PlexOp::Edit), 0);
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    // A third copy is judged by itself. A service that starts afresh has no index that is fresh enough to miss it.
    let third = twins.world.plex.add_item(LIBRARY, NewItem::file("/media/third/Film.mp4", 4711));
    let service = twins.start();
    assert!(service.report(twins.scene));
    wait_for("the rest is judged again", || {
        (twins.world.plex.item(&third)?.title == "The Film").then_some(())
    });
    assert_eq!([twins.title(0), twins.title(1)], ["Film", "Film"]);
}

#[test]
fn of_two_scenes_that_claim_one_item_the_accepted_one_takes_it_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(1).unwrap(), free_port());
    write_settings(folder, &world, port);
    let pair = &world.pairs[0];
    let path = world.stash.scene(pair.scene).unwrap().files[0].file.path.clone();
    let service = Service::start(folder, port);
    assert!(service.report(pair.scene));
    wait_for("the first is written", || world.is_synced(pair).then_some(()));
    let rival = world.stash.add_scene(NewScene::titled("Rival", &path));
    assert!(service.report(rival));
    let asked = wait_for("somebody is asked", || {
        json(folder, 0, &["review", "list", "--json"]).as_array().unwrap().first().cloned()
    });
    assert_eq!((&asked["scene_id"], &asked["code"]), (&rival.into(), &"conflict".into()));
    assert_eq!(asked["candidates"][0]["held_by"], pair.scene);
    let why = json(folder, 0, &["queue", "explain", &rival.to_string(), "--json"])["why"].to_string();
    let both = [format!("scene {} already is", pair.scene), format!("scene {rival}")];
    assert!(both.iter().all(|scene| why.contains(scene)), "{why}");
    told(folder, 0, &["review", "accept", &rival.to_string(), &pair.rating_key]);
    let title = || world.plex.item(&pair.rating_key).unwrap().title;
    wait_for("the rival is written", || (title() == "Rival").then_some(()));
    assert!(service.report(pair.scene));
    wait_for("now the first is asked about", || {
        let asked = json(folder, 0, &["review", "list", "--json"]);
        (asked[0]["scene_id"] == pair.scene && asked[0]["code"] == "conflict").then_some(())
    });
    assert_eq!(title(), "Rival", "they do not overwrite each other");
}
