//! Does the configuration come out as it was meant, and are mistakes told well?

mod keys;
mod layers;
mod secrets;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

/// A working directory with files in it, in which a configuration is loaded.
struct Place {
    directory: TempDir,
    options: LoadOptions,
}

impl Place {
    /// With this text as `config.toml`.
    fn with_file(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("config.toml"), text).unwrap();
        let cwd = directory.path().to_path_buf();
        Self { directory, options: LoadOptions { cwd, ..LoadOptions::default() } }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.options.environment = variables.iter().copied().collect();
        self
    }

    fn flag(mut self, flag: &str, key: &str, value: &str) -> Self {
        let flag = Flag { flag: flag.to_owned(), key: key.to_owned(), value: value.to_owned() };
        self.options.flags.push(flag);
        self
    }

    fn for_running(mut self) -> Self {
        self.options.purpose = Purpose::Run;
        self
    }

    fn write(self, name: &str, text: &str) -> Self {
        fs::write(self.path().join(name), text).unwrap();
        self
    }

    fn load(&self) -> Loaded {
        Config::load(&self.options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The problems, each as `key: text`, with the origin if it is told.
    fn problems(&self) -> Vec<String> {
        match Config::load(&self.options) {
            Err(ConfigError::Invalid(Problems { problems, .. })) => {
                problems.into_iter().map(|Problem { key, text, .. }| format!("{key}: {text}")).collect()
            }
            other => panic!("no problems with values: {other:?}"),
        }
    }
}

/// The only problem that these overrides lead to.
fn the_problem(overrides: &str) -> String {
    match Config::defaults_with(overrides) {
        Err(ConfigError::Invalid(Problems { problems, .. })) => match problems.as_slice() {
            [Problem { key, text, .. }] => format!("{key}: {text}"),
            several => panic!("not one problem: {several:?}"),
        },
        other => panic!("no problem with values: {other:?}"),
    }
}

#[test]
fn all_problems_are_told_at_once_aligned_and_with_a_remedy() {
    let place = Place::with_file(
        "[plex]\nurl = \"plex:32400\"\ntokn = \"x\"\n[retry]\nfirst_delay = \"2h\"\n[queue]\nconcurrency = 99\n",
    )
    .environment(&[("PLEXSYNC_MATCHING__AUTO_THRESHOLD", "1.5")]);
    let error = Config::load(&place.options).unwrap_err().to_string();
    let expected = [
        "config.toml: 5 problems",
        "  plex.url                  is not a URL: \"plex:32400\" (did you mean \"http://plex:32400\"?)",
        "  matching.auto_threshold   1.5 is out of range (0 to 1 is right) (from PLEXSYNC_MATCHING__AUTO_THRESHOLD)",
        "  queue.concurrency         99 is out of range (1 to 16 is right)",
        "  retry.first_delay         2h is longer than 1h (1ms to 1h is right)",
        "  plex.tokn                 is not a key (did you mean plex.token?)",
    ];
    assert_eq!(error, expected.join("\n"));
}

#[test]
fn a_syntax_error_is_told_with_its_line_and_without_the_text_around_it() {
    let place = Place::with_file("[plex]\n# a comment\ntoken = \"s3cretToken\n");
    let error = Config::load(&place.options).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(error.to_string().starts_with("config.toml:3:"), "{shown}");
    assert!(!shown.contains("s3cretToken"), "{shown}");
}

#[test]
fn the_example_gives_the_defaults() {
    let place = Place::with_file(EXAMPLE);
    let builtin = Config::builtin().unwrap();
    assert_eq!(format!("{:?}", place.load().config), format!("{builtin:?}"));
}

#[test]
fn every_key_of_the_example_has_a_sentence_of_its_own() {
    let mut before = "";
    for line in EXAMPLE.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with("# ") && before.contains('.'), "no sentence in front of: {line}");
        }
        before = line;
    }
}

#[test]
fn the_block_that_the_example_shows_commented_out_is_right() {
    let lines = EXAMPLE.lines().skip_while(|line| *line != "# [[path_map]]").take(3);
    let block = lines.map(|line| line.trim_start_matches("# ")).collect::<Vec<_>>().join("\n");
    let config = Config::defaults_with(&block).unwrap();
    assert_eq!(config.path_map, [PathMap { stash: "/data".to_owned(), plex: "/media".to_owned() }]);
}

#[test]
fn show_is_toml_that_means_the_same() {
    let place = Place::with_file(
        "[plex]\nlibraries = [\"A \\\"B\\\" é\"]\n[[path_map]]\nstash = '\\\\nas\\x'\nplex = \"/m\"\n",
    )
    .environment(&[("PLEXSYNC_QUEUE__DEBOUNCE", "0")]);
    let loaded = place.load();
    let again = Config::defaults_with(&render_show(&loaded)).unwrap();
    assert_eq!(format!("{again:?}"), format!("{:?}", loaded.config));
}

#[test]
fn show_tells_where_each_value_came_from() {
    let place = Place::with_file("[plex]\nurl = \"http://plex:32400\"\n")
        .environment(&[("PLEXSYNC_STASH__URL", "http://stash:9999")])
        .flag("--listen", "server.listen", "127.0.0.1:0");
    let shown = render_show(&place.load());
    let origin_of = |start: &str| {
        let line = shown.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{shown}"));
        line.split_once("  # ").unwrap().1.to_owned()
    };
    assert_eq!(origin_of("url = \"http://plex:32400\""), "file config.toml");
    assert_eq!(origin_of("url = \"http://stash:9999\""), "environment PLEXSYNC_STASH__URL");
    assert_eq!(origin_of("listen = \"127.0.0.1:0\""), "flag --listen");
    assert_eq!(origin_of("concurrency = 2"), "built-in");
    assert!(shown.starts_with("# configuration file: config.toml\n"), "{shown}");
}
