//! Does Stash get the plugin by itself, and do edits go the whole way through it, from a save in Stash to Plex?

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use plexsync::sim::world::World;
use plexsync::sim::{HangUp, PlexOptions, StashOptions};
use serde_json::Value;

use crate::process::{Service, errors, free_port, light_program, write_settings};
use crate::support::stranger::Stranger;
use crate::support::wait_for;

fn plexsync(folder: &Path, arguments: &[&str]) -> Output {
    light_program(folder, arguments).output().unwrap()
}

/// A service as a process between simulated peers, with a token, so that everything needs one.
struct House {
    folder: tempfile::TempDir,
    world: World,
    port: u16,
    service: Option<Service>,
}

impl House {
    fn of(scenes: usize, stash: StashOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (world, port) = (World::start_with(scenes, stash, PlexOptions::default()).unwrap(), free_port());
        let mut house = Self { folder, world, port, service: None };
        house.configure("");
        house.service = Some(Service::start_light(house.folder.path(), port));
        house
    }

    fn configure(&self, settings: &str) {
        write_settings(self.folder.path(), &self.world, self.port);
        let file = self.folder.path().join("config.toml");
        let written = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("server.token = \"s3cret\"\n{settings}\n{written}")).unwrap();
    }

    fn restart(&mut self) {
        self.stop();
        self.service = Some(Service::start_light(self.folder.path(), self.port));
    }

    fn stop(&mut self) {
        if let Some(service) = self.service.take() {
            service.signal("-TERM");
            assert_eq!(service.ended(), 0);
        }
    }

    fn plugin(&self, arguments: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } =
            plexsync(self.folder.path(), &[&["plugin"], arguments].concat());
        let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        for token in ["hook_token", "plugin_token"] {
            let token = self.token(token);
            assert!(!text.contains(&token), "{text}");
        }
        (status.code().unwrap(), text)
    }

    fn token(&self, name: &str) -> String {
        let readers = plexsync::store::Readers::open(&self.folder.path().join("p.db")).unwrap();
        readers.with(|reader| plexsync::store::settings::get(reader, name)).unwrap().unwrap()
    }

    fn status(&self) -> (i32, Value) {
        let output = plexsync(self.folder.path(), &["plugin", "status", "--json"]);
        let found = serde_json::from_slice(&output.stdout).expect("one JSON document");
        (output.status.code().unwrap(), found)
    }

    fn installed(&self) -> PathBuf {
        self.world.stash.plugins_folder().join("plexsync/plexsync-hook")
    }

    /// Edits a scene in Stash and waits until it shows in Plex.
    fn edit(&self, place: usize, title: &str) {
        let pair = &self.world.pairs[place];
        self.world.stash.update_scene(pair.scene, |scene| title.clone_into(&mut scene.title));
        wait_for("the edit shows in Plex", || self.world.is_synced(pair).then_some(()));
    }

    fn other_plugin(&self, id: &str, exec: &str) {
        let folder = self.world.stash.plugins_folder().join(id);
        fs::create_dir_all(&folder).unwrap();
        let manifest = format!(
            "name: {id}\nexec: [\"{exec}\"]\nhooks: [{{name: x, triggeredBy: [Scene.Update.Post]}}]\n"
        );
        fs::write(folder.join(format!("{id}.yml")), manifest).unwrap();
        self.world.stash.reload_plugins();
    }
}

#[test]
fn one_command_installs_it_and_an_edit_in_stash_shows_in_plex() {
    let house = House::of(3, StashOptions::default());
    let (code, text) = house.plugin(&["install"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("it reached the service"), "{text}");
    let program = house.installed().join("plexsync-hook");
    assert_eq!(fs::metadata(program).unwrap().permissions().mode() & 0o777, 0o755);
    house.edit(0, "Another title");
    let (code, found) = house.status();
    assert_eq!((code, found["variant"].as_str()), (0, Some("program")), "{found}");
    assert_eq!(found["installed"], found["offered"], "{found}");
    assert_eq!(found["ping"]["reached"], true, "{found}");
    let (code, text) = house.plugin(&["install"]);
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("installs"), "what is in place stays: {text}");
}

#[test]
fn what_is_edited_while_the_service_is_stopped_comes_in_with_the_next_event() {
    let mut house = House::of(3, StashOptions::default());
    assert_eq!(house.plugin(&["install"]).0, 0);
    house.stop();
    for pair in &house.world.pairs[..2] {
        house.world.stash.update_scene(pair.scene, |scene| "While away".clone_into(&mut scene.title));
    }
    assert!(house.installed().join("spool/waiting.jsonl").exists());
    house.restart();
    house.edit(2, "Back");
    for pair in &house.world.pairs[..2] {
        wait_for("the kept edits show in Plex", || house.world.is_synced(pair).then_some(()));
    }
    house.configure(&format!("server.public_url = \"http://localhost:{}\"", house.port));
    house.restart();
    assert_eq!(house.plugin(&["install"]).0, 0);
    assert!(house.installed().join("spool").exists(), "an upgrade leaves the spool alone");
}

#[test]
fn where_the_program_does_not_run_the_script_for_python_does() {
    let house = House::of(2, StashOptions { runs_programs: false, ..StashOptions::default() });
    let (code, text) = house.plugin(&["install"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("exec format error") && text.contains("variant  python"), "{text}");
    assert!(!house.installed().join("plexsync-hook").exists(), "the program is gone");
    house.edit(0, "By Python");
    let (code, text) = house.plugin(&["install"]);
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("exec format error"), "what does not run is not tried again: {text}");
    let (code, text) = house.plugin(&["install", "--variant", "program"]);
    assert_eq!(code, 1, "{text}");
    assert!(!house.installed().exists(), "and is taken out again: {text}");
}

#[test]
fn where_nothing_runs_nothing_is_left() {
    let options = StashOptions { runs_programs: false, has_python: false, ..StashOptions::default() };
    let house = House::of(0, options);
    let (code, text) = house.plugin(&["install"]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("exec format error") && text.contains("python") && text.contains("taken out"),
        "{text}"
    );
    assert!(!house.installed().exists());
    let requests = house.world.stash.requests();
    let set = requests.iter().rfind(|request| request.body.contains("configureGeneral")).unwrap();
    assert!(set.body.contains("Community (stable)") && !set.body.contains("stash-plugin"), "{}", set.body);
    assert_eq!(house.status().0, 1);
}

#[test]
fn an_address_that_stash_cannot_reach_is_named_and_nothing_is_changed() {
    let house = House::of(0, StashOptions::default());
    let nobody = crate::support::plugin::nobody();
    house.configure(&format!("server.public_url = {nobody:?}"));
    let (code, text) = house.plugin(&["install"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(&nobody) && text.contains("server.public_url"), "{text}");
    assert!(!house.world.stash.requests().iter().any(|request| request.body.contains("configureGeneral")));
}

#[test]
fn a_plugin_that_cannot_reach_the_service_is_told_apart_from_one_that_does_not_run() {
    let mut house = House::of(0, StashOptions::default());
    assert_eq!(house.plugin(&["install"]).0, 0);
    house.stop();
    let (code, found) = house.status();
    let problems = found["problems"].to_string();
    assert_eq!(code, 1, "{found}");
    assert!(problems.contains("the plugin runs, but cannot reach the service"), "{found}");
    assert_eq!(found["ping"]["reached"], false);
}

#[test]
fn a_changed_address_is_another_version_that_stash_is_offered_with_a_later_date() {
    let mut house = House::of(1, StashOptions::default());
    assert_eq!(house.plugin(&["install"]).0, 0);
    let date = |house: &House| {
        let url = format!(
            "http://127.0.0.1:{}/stash-plugin/index.yml?token={}",
            house.port,
            house.token("plugin_token")
        );
        let text = crate::support::agent().get(url).call().unwrap().body_mut().read_to_string().unwrap();
        text.lines().find_map(|line| line.trim().strip_prefix("date: ")).unwrap().to_owned()
    };
    let before = date(&house);
    house.configure(&format!("server.public_url = \"http://localhost:{}\"", house.port));
    house.restart();
    let (code, found) = house.status();
    assert_eq!(code, 1, "{found}");
    assert!(found["problems"].to_string().contains("another version"), "{found}");
    assert!(date(&house) > before, "{} {before}", date(&house));
    let (code, text) = house.plugin(&["install"]);
    assert_eq!((code, text.contains("installs")), (0, true), "{text}");
    assert_eq!(house.status().0, 0);
    house.edit(0, "Through the new address");
}

#[test]
fn one_that_is_disabled_is_told_of_and_enabled_by_another_install() {
    let house = House::of(0, StashOptions::default());
    assert_eq!(house.plugin(&["install"]).0, 0);
    let disable = serde_json::json!({
        "query": "mutation($map: BoolMap!) { setPluginsEnabled(enabledMap: $map) }",
        "variables": { "map": { "plexsync-hook": false } },
    });
    let sent = crate::support::agent().post(format!("{}/graphql", house.world.stash.url()));
    let answer = sent.header("content-type", "application/json").send(disable.to_string()).unwrap();
    assert_eq!(answer.status(), 200);
    let (code, found) = house.status();
    assert_eq!((code, found["enabled"].as_bool()), (1, Some(false)), "{found}");
    assert_eq!(house.plugin(&["install"]).0, 0);
    assert_eq!(house.status().0, 0);
}

#[test]
fn a_broken_plugin_before_ours_and_an_old_one_beside_it_are_told_of() {
    let house = House::of(1, StashOptions::default());
    house.other_plugin("aaa_broken", "./no-such-program");
    house.other_plugin("Stash2Plex", "true");
    let (code, text) = house.plugin(&["install"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("after    Stash2Plex, aaa_broken;"), "told before anything is lost: {text}");
    let pair = &house.world.pairs[0];
    house.world.stash.update_scene(pair.scene, |scene| "Unheard".clone_into(&mut scene.title));
    let (code, found) = house.status();
    let warnings = found["warnings"].to_string();
    assert_eq!(code, 0, "ours works when it is called: {found}");
    assert!(warnings.contains("no-such-program") && warnings.contains("aaa_broken"), "{found}");
    assert!(warnings.contains("Stash2Plex") && warnings.contains("disable it"), "{found}");
    assert!(house.world.stash.log().iter().any(|(_, line)| line.starts_with("error executing post hooks")));
}

#[test]
fn a_bulk_edit_whose_page_is_closed_changes_all_and_loses_the_hooks() {
    let house = House::of(5, StashOptions::default());
    // It never answers, so that the first hook is still at work.
    let silent = Stranger::start(|_| (0, String::new()));
    house.configure(&format!("server.public_url = {:?}", silent.url));
    let folder = house.world.stash.plugins_folder().join("plexsync-hook").display().to_string();
    assert_eq!(house.plugin(&["export", &folder]).0, 0);
    house.world.stash.reload_plugins();
    let (client, ids) =
        (HangUp::default(), house.world.pairs.iter().map(|pair| pair.scene).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            house.world.stash.bulk_update(&ids, |scene| "All".clone_into(&mut scene.title), &client);
        });
        wait_for("the first hook is at work", || (silent.posted().len() == 1).then_some(()));
        client.hang_up();
    });
    assert!(house.world.stash.scenes().iter().all(|scene| scene.title == "All"));
    assert_eq!(silent.posted().len(), 1, "the other four never came");
    assert!(house.world.stash.log().iter().any(|(_, line)| line.ends_with("operation cancelled")));
}

#[test]
fn those_who_prefer_files_get_the_same_plugin_as_files() {
    let house = House::of(1, StashOptions::default());
    for variant in ["program", "python"] {
        let folder = house.world.stash.plugins_folder().join("by-hand");
        fs::remove_dir_all(&folder).ok();
        let (code, text) = house.plugin(&["export", folder.to_str().unwrap(), "--variant", variant]);
        assert_eq!(code, 0, "{text}");
        house.world.stash.reload_plugins();
        house.edit(0, variant);
        assert_eq!(house.status().0, 0);
    }
}

#[test]
fn before_its_first_start_and_without_stash_the_reason_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(0).unwrap(), free_port());
    write_settings(folder.path(), &world, port);
    let output = plexsync(folder.path(), &["plugin", "install"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("start it first"), "{}", errors(&output));
    let house = House::of(0, StashOptions::default());
    house.world.stash.go_down().unwrap();
    let (code, text) = house.plugin(&["status"]);
    assert_eq!(code, 69, "{text}");
    assert!(text.contains("Stash at"), "{text}");
}
