//! What do the keys of `[log]` do?

use std::path::Path;

use plexsync::sim::NewScene;
use plexsync::sim::world::World;
use rstest::rstest;

use super::write_settings_with;
use crate::process::{Service, free_port};
use crate::support::{agent, wait_for};

const SECRET: &str = "A name nobody should read";

/// What the service writes to its error output while it syncs a scene and misses another one.
fn logged(folder: &Path, settings: &str) -> String {
    let (world, port) = (World::start(1).unwrap(), free_port());
    let missing = world.stash.add_scene(NewScene::titled("Missing", &format!("/data/{SECRET}/film.mp4")));
    write_settings_with(folder, &world, port, settings);
    let service = Service::start(folder, port);
    assert!(service.report(world.pairs[0].scene) && service.report(missing));
    wait_for("one is synced and the other one missed", || {
        let mut waiting = agent().get(format!("{}/api/v1/jobs?state=waiting", service.url)).call().unwrap();
        let waiting = waiting.body_mut().read_to_string().unwrap();
        (world.is_synced(&world.pairs[0]) && waiting.contains("no_candidate")).then_some(())
    });
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    std::fs::read_to_string(folder.join("log")).unwrap()
}

#[rstest]
#[case::default("", &[" WARN ", " INFO "], &["DEBUG"])]
#[case::less("log.level = \"warn\"", &[" WARN "], &[" INFO ", "DEBUG"])]
#[case::more("log.level = \"info,plexsync::supervision=debug\"", &[" WARN ", " INFO ", "DEBUG plexsync::supervision"], &[])]
fn as_much_is_logged_as_the_user_wants(
    #[case] settings: &str,
    #[case] present: &[&str],
    #[case] absent: &[&str],
) {
    let folder = tempfile::tempdir().unwrap();
    let log = logged(folder.path(), settings);
    assert!(present.iter().all(|level| log.contains(level)), "{log}");
    assert!(!absent.iter().any(|level| log.contains(level)), "{log}");
}

#[test]
fn every_line_is_an_object_where_the_user_wants_json() {
    let folder = tempfile::tempdir().unwrap();
    let log = logged(folder.path(), "log.format = \"json\"");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["level"] == "INFO" && line["message"].is_string()), "{log}");
}

#[test]
fn lines_are_appended_to_the_file_that_the_user_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.log");
    std::fs::write(&file, "from before\n").unwrap();
    let elsewhere = logged(folder.path(), &format!("log.file = {:?}", file.display().to_string()));
    let log = std::fs::read_to_string(file).unwrap();
    assert!(log.starts_with("from before\n") && log.contains("listening on"), "{log}");
    assert_eq!(elsewhere, "");
}

#[rstest]
#[case(true)]
#[case(false)]
fn names_in_paths_are_hidden_if_the_user_wants_it(#[case] obfuscate: bool) {
    let folder = tempfile::tempdir().unwrap();
    let log = logged(folder.path(), &format!("log.obfuscate_paths = {obfuscate}"));
    assert!(log.contains(".mp4"), "the missing file is told: {log}");
    assert_eq!(log.contains(SECRET), !obfuscate, "{log}");
}
