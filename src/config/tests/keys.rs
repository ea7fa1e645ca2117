//! Each key: what a good value means, and what is said of a bad one.

use crate::domain::edits::{ClearEmpty, Field, HandEdits, OnDelete, Ownership};
use std::time::Duration;

use rstest::rstest;

use super::*;

/// `[section] key = value` from `section.key = value`.
fn overrides(setting: &str) -> String {
    let (section, key) = setting.split_once('.').unwrap();
    format!("[{section}]\n{key}")
}

#[rstest]
#[case(
    "server.listen = \"8765\"",
    "is not an address to listen on: \"8765\" (did you mean \"127.0.0.1:8765\"?)"
)]
#[case(
    "server.listen = \"localhost:80\"",
    "is not an address to listen on: \"localhost:80\" (did you mean \"127.0.0.1:80\"?)"
)]
#[case(
    "server.listen = \"nas\"",
    "is not an address to listen on: \"nas\" (write an IP address and a port, for example \"127.0.0.1:8765\")"
)]
#[case(
    "server.listen = \"0.0.0.0:8765\"",
    "0.0.0.0:8765 can be reached from other machines and needs server.token (set one, or listen on 127.0.0.1)"
)]
#[case(
    "server.listen = \"[::]:8765\"",
    "[::]:8765 can be reached from other machines and needs server.token (set one, or listen on 127.0.0.1)"
)]
#[case(
    "server.public_url = \"plexsync:8765\"",
    "is not a URL: \"plexsync:8765\" (did you mean \"http://plexsync:8765\"?)"
)]
#[case(
    "server.public_url = \"http://plexsync:8765/webhooks/stash\"",
    "has more in it than the server's address: \"http://plexsync:8765/webhooks/stash\" (did you mean \"http://plexsync:8765\"?)"
)]
#[case("server.public_url = 8765", "is not a text: 8765 (did you mean \"8765\"?)")]
#[case("server.token = 12345678", "is not a text (write it in quotes)")]
#[case(
    "server.token = \"two words\"",
    "has a space, a line break or a letter outside of ASCII in it (copy it again, without quotes)"
)]
#[case("server.allowed_hosts = \"nas\"", "is not a list: \"nas\" (did you mean [\"nas\"]?)")]
#[case(
    "server.allowed_hosts = [\"http://nas\"]",
    "has an element that is not a host name: \"http://nas\" (write the name alone, for example \"nas.lan\")"
)]
#[case(
    "server.allowed_hosts = [\"nas:8765\"]",
    "has an element that is not a host name: \"nas:8765\" (write the name alone, for example \"nas.lan\")"
)]
#[case(
    "server.allowed_hosts = [\"*\"]",
    "has an element that is not a host name: \"*\" (write the name alone, for example \"nas.lan\")"
)]
#[case("server.max_body = \"big\"", "is not a size: \"big\" (write for example \"512 KiB\" or \"1 MiB\")")]
#[case("server.max_body = \"1 GiB\"", "1 GiB is out of range (1.0 KiB to 64.0 MiB is right)")]
#[case("server.request_timeout = \"10\"", "is not a duration: \"10\" (did you mean \"10s\"?)")]
#[case("server.request_timeout = \"0\"", "0 is shorter than 100ms (100ms to 5m is right)")]
#[case("storage.path = \"\"", "is empty (write for example \"plexsync.db\")")]
#[case(
    "storage.path = \"~/plexsync.db\"",
    "begins with ~, which only a shell replaces: \"~/plexsync.db\" (write the whole path)"
)]
#[case(
    "storage.keep_history = \"6 months\"",
    "is not a duration: \"6 months\" (write for example \"30s\", \"10m\" or \"14d\")"
)]
#[case("storage.keep_dead = \"1m\"", "1m is shorter than 1h (1h to 3650d is right)")]
#[case(
    "stash.url = \"ftp://nas\"",
    "is not a URL: \"ftp://nas\" (write for example \"http://192.168.1.10:8080\")"
)]
#[case(
    "stash.url = \"http://nas:9999/graphql\"",
    "has more in it than the server's address: \"http://nas:9999/graphql\" (did you mean \"http://nas:9999\"?)"
)]
#[case("stash.api_key = [\"x\"]", "is not a text (write it in quotes)")]
#[case("stash.connect_timeout = 5", "is not a duration: 5 (did you mean \"5s\"?)")]
#[case(
    "stash.read_timeout = \"-3s\"",
    "is not a duration: \"-3s\" (write for example \"30s\", \"10m\" or \"14d\")"
)]
#[case("plex.url = 32400", "is not a text: 32400 (did you mean \"32400\"?)")]
#[case(
    "plex.url = \"http://plex:32400/web/index.html#!/settings\"",
    "has more in it than the server's address: \"http://plex:32400/web/index.html?***\" (did you mean \"http://plex:32400\"?)"
)]
#[case("plex.libraries = [\"A\", \"A\"]", "has \"A\" twice")]
#[case("plex.libraries = [\" \"]", "has an element that is empty (write the library's name)")]
#[case("plex.verify_tls = \"yes\"", "is neither true nor false: \"yes\"")]
#[case("plex.connect_timeout = \"1d\"", "1d is longer than 5m (10ms to 5m is right)")]
#[case("plex.read_timeout = \"1ms\"", "1ms is shorter than 10ms (10ms to 1h is right)")]
#[case("plex.write_timeout = \"1d\"", "1d is longer than 1h (10ms to 1h is right)")]
#[case(
    "plex.client_id = \"my client\"",
    "is not a client id: \"my client\" (letters, digits, \"-\", \"_\" and \".\" are right)"
)]
#[case(
    "sync.fields = [\"titel\"]",
    "has an element that is none of \"title\", \"studio\", \"summary\", \"date\", \"rating\", \"performers\", \"director\", \"tags\", \"collection\", \"poster\", \"background\": \"titel\"; did you mean \"title\"?"
)]
#[case(
    "sync.fields = []",
    "is empty, so that nothing would be synced (any of \"title\", \"studio\", \"summary\", \"date\", \"rating\", \"performers\", \"director\", \"tags\", \"collection\", \"poster\", \"background\")"
)]
#[case("sync.hand_edits = \"Keep\"", "is none of \"keep\", \"overwrite\": \"Keep\"; did you mean \"keep\"?")]
#[case("sync.clear_empty = true", "is none of \"own\", \"always\", \"never\": true")]
#[case("sync.tags_as = \"genres\"", "is none of \"genre\", \"label\": \"genres\"; did you mean \"genre\"?")]
#[case("sync.collection = \"tags\"", "is none of \"studio\", \"none\": \"tags\"")]
#[case(
    "sync.content_rating = \"a\\nb\"",
    "is not a content rating: \"a\\nb\" (write a word, for example \"XXX\")"
)]
#[case("sync.on_delete = \"remove\"", "is none of \"keep\", \"clear\": \"remove\"")]
#[case("sync.only_organized = \"no\"", "is neither true nor false: \"no\"")]
#[case("sync.ownership = \"mine\"", "is none of \"own\", \"mirror\", \"add\": \"mine\"")]
#[case("sync.max_tags = 1001", "1001 is out of range (1 to 1000 is right)")]
#[case("sync.max_performers = 5000", "5000 is out of range (1 to 1000 is right)")]
#[case("sync.lock = 1", "is neither true nor false: 1")]
#[case("sync.max_title = 256", "256 is out of range (1 to 255 is right)")]
#[case("sync.max_summary = -1", "is not a whole number from 0 up: -1 (write it without quotes)")]
#[case("matching.auto_threshold = 90", "90 is out of range (0 to 1 is right)")]
#[case("matching.auto_threshold = nan", "is not a number: nan (write for example 0.9, without quotes)")]
#[case("matching.review_threshold = 0.95", "0.95 is greater than matching.auto_threshold 0.9")]
#[case("queue.debounce = \"31s\"", "31s is longer than 30s (0 to 30s is right)")]
#[case(
    "queue.create_delay = \"soon\"",
    "is not a duration: \"soon\" (write for example \"30s\", \"10m\" or \"14d\")"
)]
#[case("matching.scan_missing = \"no\"", "is neither true nor false: \"no\"")]
#[case("queue.concurrency = 2.5", "is not a whole number from 0 up: 2.5 (write it without quotes)")]
#[case("queue.concurrency = 0", "0 is out of range (1 to 16 is right)")]
#[case("queue.not_found_for = \"0\"", "0 is shorter than 1m (1m to 365d is right)")]
#[case("retry.first_delay = \"20m\"", "20m is longer than retry.max_delay 10m")]
#[case("retry.max_delay = \"2d\"", "2d is longer than 1d (1ms to 1d is right)")]
#[case("retry.give_up_after = \"0\"", "0 is shorter than 1s (1s to 365d is right)")]
#[case("retry.min_attempts = \"12\"", "is not a whole number from 0 up: \"12\" (write it without quotes)")]
#[case("retry.adaptive = 1", "is neither true nor false: 1")]
#[case("stash.max_requests_per_second = -1", "-1 is out of range (0.1 to 1000 is right, or 0 for no limit)")]
#[case(
    "rate_limit.writes_per_second = 0.01",
    "0.01 is out of range (0.1 to 1000 is right, or 0 for no limit)"
)]
#[case("rate_limit.burst = 0", "0 is out of range (1 to 1000 is right)")]
#[case("rate_limit.adaptive = \"yes\"", "is neither true nor false: \"yes\"")]
#[case("rate_limit.ramp_up = \"2h\"", "2h is longer than 1h (0 to 1h is right)")]
#[case("circuit_breaker.failures = 0", "0 is out of range (1 to 100 is right)")]
#[case("circuit_breaker.open_for = \"10m\"", "10m is longer than circuit_breaker.max_open_for 5m")]
#[case("circuit_breaker.max_open_for = \"2d\"", "2d is longer than 1d (10ms to 1d is right)")]
#[case("reconcile.plex_index_every = \"30s\"", "30s is shorter than 1m (1m to 30d is right)")]
#[case(
    "log.level = \"inof\"",
    "is none of error, warn, info, debug, trace, off: \"inof\" (for one part: \"info,plexsync::plex=debug\"; did you mean \"info\"?)"
)]
#[case(
    "log.level = \"info,plexsync=loud\"",
    "is not a log filter: \"info,plexsync=loud\" (write for example \"info,plexsync::plex=debug\")"
)]
#[case("log.format = \"xml\"", "is none of \"text\", \"json\": \"xml\"")]
#[case("log.file = 5", "is not a text: 5 (did you mean \"5\"?)")]
#[case("log.obfuscate_paths = \"true\"", "is neither true nor false: \"true\"")]
#[case("supervision.max_restarts = 1001", "1001 is out of range (0 to 1000 is right)")]
#[case("supervision.within = \"2h\"", "2h is longer than 1h (1s to 1h is right)")]
#[case("supervision.first_pause = \"20s\"", "20s is longer than supervision.max_pause 10s")]
#[case("supervision.max_pause = \"1h\"", "1h is longer than 10m (1ms to 10m is right)")]
#[case("supervision.heartbeat = \"1ms\"", "1ms is shorter than 50ms (50ms to 10m is right)")]
fn a_bad_value_names_key_value_and_remedy(#[case] setting: &str, #[case] said: &str) {
    let key = setting.split_once(" = ").unwrap().0;
    assert_eq!(the_problem(&overrides(setting)), format!("{key}: {said}"));
}

#[rstest]
#[case(
    "stash = \"data\"\nplex = \"/m\"",
    "path_map[0].stash: is not an absolute path: \"data\" (did you mean \"/data\"?)"
)]
#[case("stash = \"/data\"\nplex = \"\"", "path_map[0].plex: is empty (write an absolute path)")]
#[case("stash = \"/data\"", "path_map[0].plex: is missing (write an absolute path)")]
#[case(
    "stash = \"/data\"\nplex = \"/m\"\nto = \"/x\"",
    "path_map[0].to: is not a key ([[path_map]] has stash, plex)"
)]
fn a_bad_block_of_the_path_map_names_its_place(#[case] block: &str, #[case] said: &str) {
    assert_eq!(the_problem(&format!("[[path_map]]\n{block}")), said);
}

#[test]
fn one_directory_of_stash_stands_in_one_block() {
    let block = "[[path_map]]\nstash = \"/data\"\nplex = \"/m\"\n";
    let said = the_problem(&block.repeat(2));
    assert_eq!(said, "path_map[1].stash: \"/data\" stands in an earlier block too (one block for each)");
}

#[test]
fn a_path_map_in_single_brackets_is_told() {
    let said = the_problem("[path_map]\nstash = \"/data\"\nplex = \"/m\"\n");
    assert_eq!(said, "path_map: stands in single brackets (write [[path_map]])");
}

#[rstest]
#[case("/data")]
#[case(r"D:\data")]
#[case("D:/data")]
#[case(r"\\nas\data")]
fn paths_of_any_system_are_absolute(#[case] path: &str) {
    let config =
        Config::defaults_with(&format!("[[path_map]]\nstash = '{path}'\nplex = '{path}'\n")).unwrap();
    assert_eq!(config.path_map, [PathMap { stash: path.to_owned(), plex: path.to_owned() }]);
}

#[rstest]
#[case("[plx]\nurl = \"x\"", "plx: is not a section (did you mean [plex]?)")]
#[case(
    "[colours]\nred = 1",
    "colours: is not a section (there are server, storage, stash, plex, path_map, sync, matching, queue, retry, rate_limit, circuit_breaker, reconcile, log, supervision)"
)]
#[case("debounce = \"3s\"", "debounce: stands outside of its section (did you mean queue.debounce?)")]
#[case("plex = \"http://plex\"", "plex: is a section (write [plex] on a line and its keys below)")]
#[case("[plex]\ndebounce = \"3s\"", "plex.debounce: is not a key (did you mean queue.debounce?)")]
#[case("[plex]\nlibrary = [\"A\"]", "plex.library: is not a key (did you mean plex.libraries?)")]
#[case("[log]\ncolour = 1", "log.colour: is not a key ([log] has level, format, file, obfuscate_paths)")]
fn what_is_unknown_is_told_with_what_is_known(#[case] text: &str, #[case] said: &str) {
    assert_eq!(the_problem(text), said);
}

#[test]
fn the_defaults_mean_what_they_say() {
    let config = Config::builtin().unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8765");
    assert!(config.server.token.is_none() && config.stash.api_key.is_none() && config.plex.token.is_none());
    assert_eq!(config.server.max_body, 1024 * 1024);
    assert_eq!(config.storage.path, Path::new("plexsync.db"));
    assert_eq!(config.storage.keep_history, Duration::from_hours(180 * 24));
    assert_eq!(config.stash.url.as_str(), "http://localhost:9999/");
    assert_eq!(config.plex.url.as_str(), "http://localhost:32400/");
    assert_eq!(config.plex.write_timeout, Duration::from_secs(90));
    assert!(config.plex.verify_tls && config.plex.libraries.is_empty() && config.plex.client_id.is_none());
    assert!(config.path_map.is_empty());
    let others = [Field::Labels, Field::ContentRating, Field::Background];
    let all = Field::ALL.into_iter().filter(|field| !others.contains(field)).collect::<Vec<_>>();
    assert_eq!(config.sync.fields, all);
    assert_eq!((config.sync.ownership, config.sync.on_delete), (Ownership::Own, OnDelete::Keep));
    assert_eq!((config.sync.max_tags, config.sync.max_performers), (100, 50));
    assert_eq!((config.sync.hand_edits, config.sync.clear_empty), (HandEdits::Keep, ClearEmpty::Own));
    assert_eq!((config.sync.max_title, config.sync.max_summary, config.sync.lock), (255, 10_000, true));
    assert!((config.matching.auto_threshold - 0.9).abs() < f64::EPSILON);
    assert_eq!((config.queue.debounce, config.queue.concurrency), (Duration::from_secs(3), 2));
    assert_eq!(config.queue.not_found_for, Duration::from_hours(14 * 24));
    assert_eq!((config.retry.give_up_after, config.retry.min_attempts), (Duration::from_hours(72), 12));
    assert!(config.retry.adaptive && config.rate_limit.adaptive);
    assert_eq!(
        (config.rate_limit.writes_per_second.to_string(), config.rate_limit.burst),
        ("5".to_owned(), 10)
    );
    assert_eq!(
        (config.circuit_breaker.failures, config.circuit_breaker.open_for),
        (5, Duration::from_secs(30))
    );
    assert_eq!((config.log.format, config.log.file), (LogFormat::Text, None));
    assert_eq!(
        (config.supervision.max_restarts, config.supervision.first_pause),
        (5, Duration::from_millis(100))
    );
}

#[test]
fn tags_are_carried_as_what_the_user_chose() {
    let config =
        Config::defaults_with("sync.tags_as = \"label\"\nsync.fields = [\"tags\", \"title\"]\n").unwrap();
    assert_eq!(config.sync.fields, [Field::Labels, Field::Title]);
    let neither = Config::defaults_with("sync.tags_as = \"label\"\nsync.fields = [\"title\"]\n").unwrap();
    assert_eq!(neither.sync.fields, [Field::Title]);
}

#[test]
fn a_content_rating_and_a_collection_are_fields_where_the_user_wants_them() {
    let given = "sync.fields = [\"title\", \"collection\"]\n";
    let with = Config::defaults_with(&format!("{given}sync.content_rating = \" XXX \"\n")).unwrap();
    assert_eq!(with.sync.fields, [Field::Title, Field::Collections, Field::ContentRating]);
    assert_eq!(with.sync.content_rating, "XXX");
    let without = Config::defaults_with(&format!("{given}sync.collection = \"none\"\n")).unwrap();
    assert_eq!(without.sync.fields, [Field::Title]);
}

#[rstest]
#[case("100ms", Duration::from_millis(100))]
#[case("1.5s", Duration::from_millis(1500))]
#[case("1h 30m", Duration::from_mins(90))]
#[case("2 hours", Duration::from_hours(2))]
#[case("1d", Duration::from_hours(24))]
fn a_duration_is_read_as_people_write_it(#[case] written: &str, #[case] meant: Duration) {
    let overrides = format!("[retry]\nmax_delay = \"{written}\"\nfirst_delay = \"1ms\"\n");
    assert_eq!(Config::defaults_with(&overrides).unwrap().retry.max_delay, meant);
}

#[test]
fn zero_switches_debounce_off_with_or_without_quotes() {
    let config = Config::defaults_with("[queue]\ndebounce = 0\ncreate_delay = \"0\"\n").unwrap();
    assert_eq!((config.queue.debounce, config.queue.create_delay), (Duration::ZERO, Duration::ZERO));
}

#[rstest]
#[case("http://nas/stash", "http://nas/stash/")]
#[case("https://nas:443//", "https://nas/")]
#[case("http://[::1]:9999", "http://[::1]:9999/")]
fn a_server_may_stand_behind_a_path(#[case] written: &str, #[case] meant: &str) {
    let config = Config::defaults_with(&format!("[stash]\nurl = \"{written}\"\n")).unwrap();
    assert_eq!(config.stash.url.as_str(), meant);
}

#[rstest]
#[case("listen = \"127.0.0.1:80\"", "http://127.0.0.1/")]
#[case("listen = \"[::1]:8765\"", "http://[::1]:8765/")]
#[case("listen = \"0.0.0.0:8765\"\ntoken = \"x\"", "http://127.0.0.1:8765/")]
#[case("listen = \"[::]:8765\"\ntoken = \"x\"", "http://[::1]:8765/")]
#[case("public_url = \"https://nas.lan/plexsync\"", "https://nas.lan/plexsync/")]
fn stash_reaches_the_public_address_or_else_the_one_listened_on(#[case] server: &str, #[case] at: &str) {
    let server = Config::defaults_with(&format!("[server]\n{server}\n")).unwrap().server;
    assert_eq!(server.reached_at(server.listen).as_str(), at);
}

#[test]
fn a_whole_number_is_a_threshold_too() {
    let config = Config::defaults_with("[matching]\nauto_threshold = 1\nreview_threshold = 0\n").unwrap();
    assert!(config.matching.auto_threshold > 0.99 && config.matching.review_threshold < 0.01);
}

#[test]
fn a_pair_is_not_compared_when_one_of_it_is_unreadable() {
    let said = the_problem("[retry]\nfirst_delay = \"20m\"\nmax_delay = \"1 hou\"\n");
    assert!(said.starts_with("retry.max_delay: is not a duration"), "{said}");
}

#[test]
fn a_token_lets_the_service_listen_on_every_network() {
    let config =
        Config::defaults_with("[server]\nlisten = \"0.0.0.0:8765\"\ntoken = \"0123456789abcdef\"\n").unwrap();
    assert!(config.server.token.is_some());
}
