//! Which test shows from outside what a key of the configuration does? Every key has one.

mod log;
mod matching;
mod pace;
mod plex;
mod queue;
mod retry;
mod server;
mod stash;
mod storage;
mod supervision;
mod sync;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use plexsync::config::EXAMPLE;
use plexsync::sim::world::World;

use crate::process::write_settings;
use crate::support::{TestApp, wait_for};

/// Each key with a test that fails when the key has no effect, by file and function below `tests/it`.
const SHOWN: [(&str, &str); 67] = [
    ("server.listen", "settings/server::it_answers_where_it_is_told_to_and_nowhere_else"),
    (
        "server.public_url",
        "plugin_source::the_index_names_a_zip_with_the_services_own_address_and_token_in_it",
    ),
    ("server.token", "webhook::a_token_opens_everything_and_nothing_opens_without_it"),
    ("server.allowed_hosts", "settings/server::without_a_token_it_answers_to_the_names_that_it_was_given"),
    ("server.max_body", "webhook::a_body_that_is_too_large_is_refused_and_the_limit_is_named"),
    ("server.request_timeout", "settings/server::a_body_that_does_not_arrive_in_time_is_not_waited_for"),
    ("storage.path", "settings/storage::the_database_is_where_the_user_wants_it"),
    ("storage.keep_history", "settings/storage::history_is_kept_as_long_as_the_user_wants_and_no_longer"),
    (
        "storage.keep_dead",
        "settings/storage::a_dead_letter_is_kept_as_long_as_the_user_wants_after_it_was_closed",
    ),
    ("stash.url", "settings/stash::scenes_are_read_from_the_stash_that_is_named"),
    ("stash.api_key", "settings/stash::the_key_is_shown_to_stash"),
    ("stash.connect_timeout", "settings/stash::a_connection_is_waited_for_as_long_as_the_user_wants"),
    ("stash.read_timeout", "settings/stash::a_silence_is_waited_for_as_long_as_the_user_wants"),
    ("stash.max_requests_per_second", "settings/stash::questions_go_out_at_the_rate_that_the_user_wants"),
    ("plex.url", "settings/plex::items_are_changed_in_the_plex_that_is_named"),
    ("plex.token", "settings/plex::the_token_is_shown_to_plex"),
    ("plex.libraries", "settings/plex::only_the_libraries_that_are_named_are_touched"),
    (
        "plex.verify_tls",
        "settings/plex::a_certificate_that_nobody_vouches_for_is_accepted_only_if_the_user_says_so",
    ),
    ("plex.connect_timeout", "settings/plex::a_connection_is_waited_for_as_long_as_the_user_wants"),
    ("plex.read_timeout", "settings/plex::a_silence_is_waited_for_as_long_as_the_user_wants"),
    (
        "plex.write_timeout",
        "settings/plex::an_edit_may_take_as_long_as_the_user_wants_whatever_a_read_may_take",
    ),
    ("plex.client_id", "settings/plex::plex_knows_us_by_one_name_which_the_user_may_choose"),
    (
        "path_map.stash",
        "settings/plex::paths_are_mapped_by_the_longest_beginning_that_fits_up_to_a_separator",
    ),
    ("path_map.plex", "settings/plex::paths_are_mapped_by_the_longest_beginning_that_fits_up_to_a_separator"),
    ("sync.fields", "settings/sync::only_the_fields_that_are_named_are_written"),
    ("sync.tags_as", "lists::tags_become_labels_where_the_user_wants_them_to"),
    ("sync.collection", "fields::a_studio_is_no_collection_where_the_user_wants_none"),
    ("sync.content_rating", "fields::a_content_rating_is_the_same_for_every_item_if_the_user_wants_one"),
    ("sync.on_delete", "fields::a_deleted_scene_keeps_its_item_or_takes_back_what_was_written"),
    ("sync.only_organized", "fields::scenes_that_are_not_organized_are_left_alone_where_the_user_wants_it"),
    ("sync.hand_edits", "settings/sync::a_hand_edit_stays_or_is_overwritten"),
    ("sync.clear_empty", "settings/sync::what_is_empty_in_stash_is_cleared_as_the_user_wants"),
    ("sync.ownership", "lists::ownership_says_what_may_be_removed"),
    ("sync.lock", "settings/sync::what_is_written_is_locked_if_the_user_wants_it"),
    ("sync.max_title", "settings/sync::a_longer_title_or_summary_is_cut"),
    ("sync.max_summary", "settings/sync::a_longer_title_or_summary_is_cut"),
    ("sync.max_tags", "lists::no_more_tags_and_performers_are_carried_than_the_user_wants"),
    ("sync.max_performers", "lists::no_more_tags_and_performers_are_carried_than_the_user_wants"),
    ("matching.auto_threshold", "settings/matching::a_match_is_written_from_the_threshold_on"),
    ("matching.review_threshold", "settings/matching::a_match_is_put_up_for_review_from_the_threshold_on"),
    ("queue.debounce", "settings/queue::a_changed_scene_is_read_when_it_has_been_quiet"),
    ("queue.create_delay", "settings/queue::a_new_scene_is_given_time"),
    ("queue.concurrency", "settings/queue::so_many_scenes_are_in_hand_at_once"),
    (
        "queue.not_found_for",
        "settings/queue::a_scene_that_plex_does_not_have_is_looked_for_as_long_as_the_user_wants",
    ),
    ("retry.first_delay", "settings/retry::the_first_wait_is_what_the_user_wants_and_the_next_ones_double"),
    ("retry.max_delay", "settings/retry::no_wait_is_longer_than_the_user_wants"),
    ("retry.give_up_after", "settings/retry::a_scene_is_dead_when_time_and_attempts_are_used_up"),
    ("retry.min_attempts", "settings/retry::a_scene_is_dead_when_time_and_attempts_are_used_up"),
    ("retry.adaptive", "settings/retry::waits_grow_when_many_scenes_fail_alike"),
    ("rate_limit.writes_per_second", "settings/pace::edits_go_out_at_the_rate_that_the_user_wants"),
    ("rate_limit.burst", "settings/pace::edits_go_out_at_the_rate_that_the_user_wants"),
    ("rate_limit.adaptive", "settings/pace::edits_become_rarer_when_plex_fails_if_the_user_wants_it"),
    ("rate_limit.ramp_up", "settings/pace::after_an_outage_the_rate_climbs_as_long_as_the_user_wants"),
    (
        "circuit_breaker.failures",
        "settings/pace::a_peer_counts_as_away_after_as_many_failures_as_the_user_wants",
    ),
    (
        "circuit_breaker.open_for",
        "settings/pace::a_peer_that_is_away_is_left_alone_as_long_as_the_user_wants",
    ),
    (
        "circuit_breaker.max_open_for",
        "settings/pace::a_peer_that_is_away_is_left_alone_as_long_as_the_user_wants",
    ),
    ("reconcile.plex_index_every", "matching::a_library_is_read_whole_as_often_as_the_settings_say"),
    (
        "matching.scan_missing",
        "matching::a_folder_outside_of_the_libraries_is_not_scanned_nor_any_when_that_is_not_wanted",
    ),
    ("log.level", "settings/log::as_much_is_logged_as_the_user_wants"),
    ("log.format", "settings/log::every_line_is_an_object_where_the_user_wants_json"),
    ("log.file", "settings/log::lines_are_appended_to_the_file_that_the_user_named"),
    ("log.obfuscate_paths", "settings/log::names_in_paths_are_hidden_if_the_user_wants_it"),
    ("supervision.max_restarts", "actors::more_restarts_than_allowed_end_the_service_with_a_reason"),
    ("supervision.within", "settings/supervision::restarts_are_counted_over_the_time_that_the_user_wants"),
    (
        "supervision.first_pause",
        "settings/supervision::a_restart_comes_after_the_pause_that_the_user_wants_and_the_next_ones_later",
    ),
    ("supervision.max_pause", "settings/supervision::no_pause_is_longer_than_the_user_wants"),
    (
        "supervision.heartbeat",
        "settings/supervision::an_actor_that_hangs_is_replaced_after_the_time_that_the_user_wants",
    ),
];

/// Every key of the example file; of the blocks of the path map, which stand there as comments, both.
fn documented() -> BTreeSet<String> {
    let example: toml::Table = EXAMPLE.parse().unwrap();
    let of_section = |(section, keys): (&String, &toml::Value)| {
        let keys = keys.as_table().unwrap_or_else(|| panic!("{section} is a section")).keys();
        keys.map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
    };
    let mut keys: BTreeSet<_> = example.iter().flat_map(of_section).collect();
    assert!(EXAMPLE.contains("# [[path_map]]\n# stash = \"/data\"\n# plex = \"/media\"\n"));
    keys.extend(["path_map.stash".to_owned(), "path_map.plex".to_owned()]);
    keys
}

#[test]
fn every_documented_key_is_shown_to_work_by_a_test() {
    let shown: BTreeMap<_, _> = SHOWN.into_iter().collect();
    assert_eq!(shown.len(), SHOWN.len(), "each key stands here once");
    let keys: BTreeSet<_> = shown.keys().map(|key| (*key).to_owned()).collect();
    let missing: Vec<_> = documented().difference(&keys).cloned().collect();
    assert!(missing.is_empty(), "no test is named here that shows the effect of {missing:?}");
    let unknown: Vec<_> = keys.difference(&documented()).cloned().collect();
    assert!(unknown.is_empty(), "config.example.toml does not have {unknown:?}");
    for (key, test) in shown {
        let (file, name) = test.rsplit_once("::").unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file).with_extension("rs");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(&format!("\nfn {name}(")), "{key}: there is no test {test}");
    }
}

/// Settings of a service between these peers, in its folder, with `more` before them.
fn write_settings_with(folder: &Path, world: &World, port: u16, more: &str) {
    write_settings(folder, world, port);
    let file = folder.join("config.toml");
    let usual = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{more}\n{usual}")).unwrap();
}

/// Reports the first scene, waits until a run of it has ended with that code, and returns the class of the failure.
fn failed_with(app: &TestApp, code: &str) -> String {
    let scene = app.pair(0).scene;
    app.report(scene);
    wait_for(&format!("a run ended with {code}"), || {
        let (_, job) = app.get(&format!("/api/v1/jobs/{scene}"));
        let runs = job["history"].as_array()?;
        let failed = runs.iter().find(|run| run["code"] == code)?;
        Some(failed["outcome"].as_str().unwrap().to_owned())
    })
}

/// Expects as many as the first of these numbers at once, and then one more after each so long a time, and none before.
fn come_one_by_one(
    app: &TestApp,
    numbers: RangeInclusive<usize>,
    apart: Duration,
    count: impl Fn() -> usize,
) {
    // A rate is no whole number of nanoseconds.
    const A_LITTLE: Duration = Duration::from_millis(1);
    for number in numbers {
        wait_for("it comes in time", || (count() >= number).then_some(()));
        app.wait_until_calm();
        assert_eq!(count(), number, "none comes before its time");
        app.advance(apart + A_LITTLE);
    }
}
