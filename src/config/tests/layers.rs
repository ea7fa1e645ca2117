//! Files, environment and flags lying on one another.

use std::ffi::OsString;

use rstest::rstest;

use super::*;
use crate::config::search::places;

#[test]
fn the_environment_overrules_the_file_and_a_flag_overrules_both() {
    let file =
        "[plex]\nurl = \"http://file:1\"\n[stash]\nurl = \"http://file:2\"\n[queue]\nconcurrency = 3\n";
    let place = Place::with_file(file)
        .environment(&[("PLEXSYNC_PLEX__URL", "http://env:1"), ("PLEXSYNC_QUEUE__CONCURRENCY", "4")])
        .flag("--concurrency", "queue.concurrency", "5");
    let loaded = place.load();
    assert_eq!(loaded.config.stash.url.as_str(), "http://file:2/");
    assert_eq!(loaded.config.plex.url.as_str(), "http://env:1/");
    assert_eq!(loaded.config.queue.concurrency, 5);
    assert_eq!(loaded.origin("stash.url"), Some(&Origin::File("config.toml".into())));
    assert_eq!(loaded.origin("plex.url"), Some(&Origin::Environment("PLEXSYNC_PLEX__URL".to_owned())));
    assert_eq!(loaded.origin("queue.concurrency"), Some(&Origin::Flag("--concurrency".to_owned())));
    assert_eq!(loaded.origin("queue.debounce"), Some(&Origin::BuiltIn));
    assert_eq!(loaded.origin("queue.nothing"), None);
}

#[test]
fn a_file_leaves_the_other_keys_of_its_sections_at_their_defaults() {
    let config = Config::defaults_with("[queue]\nconcurrency = 7\n").unwrap();
    assert_eq!((config.queue.concurrency, config.queue.debounce.as_secs()), (7, 3));
}

#[test]
fn lists_and_blocks_are_written_as_toml_in_the_environment() {
    let place = Place::with_file("").environment(&[
        ("PLEXSYNC_PLEX__LIBRARIES", "[\"Movies\", \"Home\"]"),
        ("PLEXSYNC_PATH_MAP", "[{ stash = \"/data\", plex = \"/media\" }]"),
        ("PLEXSYNC_PLEX__VERIFY_TLS", "false"),
        ("PLEXSYNC_MATCHING__REVIEW_THRESHOLD", "0.25"),
        ("PLEXSYNC_LOG__FILE", "plexsync.log"),
    ]);
    let config = place.load().config;
    assert_eq!(config.plex.libraries, ["Movies", "Home"]);
    assert_eq!(config.path_map.len(), 1);
    assert!(!config.plex.verify_tls);
    assert!((config.matching.review_threshold - 0.25).abs() < f64::EPSILON);
    assert_eq!(config.log.file.as_deref(), Some(Path::new("plexsync.log")));
}

#[test]
fn every_key_can_be_given_by_the_environment() {
    for setting in Place::with_file("").load().settings {
        let variable = super::super::environment::variable_of(&setting.key);
        let value = setting.value.trim_matches('"');
        let loaded = Place::with_file("").environment(&[(&variable, value)]).load();
        assert_eq!(loaded.origin(&setting.key), Some(&Origin::Environment(variable)));
    }
}

#[rstest]
#[case("PLEXSYNC_PLEX__TOKN", "stands for no key (did you mean PLEXSYNC_PLEX__TOKEN?)")]
#[case("PLEXSYNC_PLEX__URL_FILE", "stands for no key (did you mean PLEXSYNC_PLEX__URL?)")]
#[case("PLEXSYNC_WINDOW__BLUE", "stands for no key")]
#[case("PLEXSYNC_PLEX_URL", "has one underscore too few (did you mean PLEXSYNC_PLEX__URL?)")]
fn a_variable_that_stands_for_no_key_is_told(#[case] variable: &str, #[case] said: &str) {
    let place = Place::with_file("").environment(&[(variable, "x")]);
    assert_eq!(place.problems(), [format!("{variable}: {said}")]);
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_called_plexsync_are_left_alone() {
    let place = Place::with_file("").environment(&[
        ("PLEXSYNC_PORT", "tcp://10.0.0.1:8765"),
        ("PLEXSYNC_SERVICE_HOST", "10.0.0.1"),
        ("PLEXSYNC_PORT_8765_TCP_ADDR", "10.0.0.1"),
    ]);
    assert_eq!(place.load().config.server.listen.to_string(), "127.0.0.1:8765");
}

#[rstest]
#[case(
    "PLEXSYNC_PLEX__LIBRARIES",
    "Movies",
    "plex.libraries: is not a list: \"Movies\" (did you mean [\"Movies\"]?)"
)]
#[case("PLEXSYNC_PLEX__VERIFY_TLS", "no", "plex.verify_tls: is neither true nor false: \"no\"")]
fn a_bad_value_in_the_environment_names_its_key(
    #[case] variable: &str,
    #[case] value: &str,
    #[case] said: &str,
) {
    assert_eq!(Place::with_file("").environment(&[(variable, value)]).problems(), [said]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_told() {
    use std::os::unix::ffi::OsStringExt as _;
    let mut place = Place::with_file("");
    place.options.environment =
        [("PLEXSYNC_PLEX__URL", OsString::from_vec(vec![0xff]))].into_iter().collect();
    assert_eq!(place.problems(), ["plex.url: is not UTF-8"]);
}

#[test]
fn a_flag_for_no_key_is_told() {
    let place = Place::with_file("").flag("--x", "plex.uri", "http://x");
    assert_eq!(place.problems(), ["plex.uri: is not a key (did you mean plex.url?)"]);
}

#[test]
fn files_are_looked_for_from_near_to_far() {
    let places_with = |variables: &[(&str, &str)]| {
        let environment: Environment = variables.iter().copied().collect();
        places(&environment).iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    let etc = "/etc/plexsync/config.toml";
    let both = [("XDG_CONFIG_HOME", "/xdg"), ("HOME", "/home/a")];
    assert_eq!(places_with(&both), ["config.toml", "/xdg/plexsync/config.toml", etc]);
    let home = [("HOME", "/home/a")];
    assert_eq!(places_with(&home), ["config.toml", "/home/a/.config/plexsync/config.toml", etc]);
    assert_eq!(places_with(&[]), ["config.toml", etc]);
}

#[test]
fn the_flag_wins_over_the_variable_and_that_over_the_working_directory() {
    let url = |name: &str| format!("[plex]\nurl = \"http://{name}\"\n");
    let mut place = Place::with_file(&url("cwd"))
        .write("named.toml", &url("named"))
        .write("variable.toml", &url("variable"))
        .environment(&[("PLEXSYNC_CONFIG", "variable.toml")]);
    let loaded = place.load();
    assert_eq!(loaded.config.plex.url.as_str(), "http://variable/");
    assert_eq!(loaded.file.as_deref(), Some(Path::new("variable.toml")));
    place.options.file = Some("named.toml".into());
    assert_eq!(place.load().config.plex.url.as_str(), "http://named/");
}

#[test]
fn the_file_of_the_user_is_found_when_there_is_none_in_the_working_directory() {
    let xdg = tempfile::tempdir().unwrap();
    fs::create_dir(xdg.path().join("plexsync")).unwrap();
    fs::write(xdg.path().join("plexsync/config.toml"), "[queue]\nconcurrency = 9\n").unwrap();
    let place = Place::with_file("").environment(&[("XDG_CONFIG_HOME", xdg.path().to_str().unwrap())]);
    fs::remove_file(place.path().join("config.toml")).unwrap();
    let loaded = place.load();
    assert_eq!(loaded.config.queue.concurrency, 9);
    assert_eq!(loaded.file, Some(xdg.path().join("plexsync/config.toml")));
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let mut place = Place::with_file("").environment(&[("PLEXSYNC_CONFIG", "gone.toml")]);
    let error = Config::load(&place.options).unwrap_err().to_string();
    assert_eq!(error, "gone.toml does not exist, but PLEXSYNC_CONFIG names it");
    place.options.file = Some("lost.toml".into());
    let error = Config::load(&place.options).unwrap_err().to_string();
    assert_eq!(error, "lost.toml does not exist, but --config names it");
}

#[test]
fn a_directory_in_the_place_of_the_file_is_an_error() {
    let place = Place::with_file("");
    fs::remove_file(place.path().join("config.toml")).unwrap();
    fs::create_dir(place.path().join("config.toml")).unwrap();
    let error = Config::load(&place.options).unwrap_err().to_string();
    assert!(error.starts_with("config.toml is a directory, not a file"), "{error}");
}

#[test]
fn a_file_that_is_no_text_is_an_error() {
    let place = Place::with_file("");
    fs::write(place.path().join("config.toml"), [0xff, 0xfe]).unwrap();
    assert!(matches!(Config::load(&place.options), Err(ConfigError::Unreadable { .. })));
}
