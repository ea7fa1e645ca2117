//! Is the house in order? Rules that nobody should have to remember.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const LINE_CAP: usize = 400;

/// Which room may use which others. `main.rs` and `lib.rs` are the doors.
const MAY_USE: [(&str, &[&str]); 17] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("telemetry", &["domain"]),
    ("clock", &["domain"]),
    ("http", &["domain"]),
    ("hook", &[]),
    ("plugin", &[]),
    ("store", &["domain", "clock"]),
    ("stash", &["domain", "http", "clock"]),
    ("plex", &["domain", "http", "clock"]),
    ("supervision", &["domain", "clock", "store", "stash", "plex", "http"]),
    ("actors", &["domain", "clock", "store", "stash", "plex", "http", "supervision", "telemetry"]),
    ("web", &["domain", "clock", "store", "stash", "plex", "supervision", "actors", "telemetry", "plugin"]),
    ("sim", &["domain", "clock", "http"]),
    (
        "app",
        &[
            "domain",
            "clock",
            "http",
            "store",
            "stash",
            "plex",
            "supervision",
            "actors",
            "web",
            "config",
            "telemetry",
            "plugin",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "clock",
            "http",
            "store",
            "stash",
            "plex",
            "supervision",
            "actors",
            "web",
            "config",
            "telemetry",
            "sim",
            "hook",
            "plugin",
            "app",
        ],
    ),
    ("main", &["cli"]),
];

/// Crates that a room must not know.
const MUST_NOT_KNOW: [(&str, &[&str]); 7] = [
    ("domain", &["actix", "diesel", "reqwest", "tokio", "std::fs", "std::env", "std::net", "Timestamp::now"]),
    ("actors", &["diesel", "reqwest"]),
    ("store", &["actix", "reqwest", "tokio"]),
    ("stash", &["actix", "diesel"]),
    ("plex", &["actix", "diesel"]),
    ("supervision", &["diesel", "reqwest"]),
    // It is started for every save in Stash, where somebody waits for it: no runtime, no database, no log of its own.
    ("hook", &["actix", "actix_rt", "actix_web", "diesel", "reqwest", "tokio", "tracing"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, with their texts.
fn sources(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(root()).unwrap().to_owned(), text);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds sources");
    found
}

/// The first room on the way to a file, such as `domain` for `src/domain/job.rs`.
fn room(path: &Path) -> String {
    let name = path.components().nth(1).unwrap().as_os_str().to_str().unwrap();
    name.trim_end_matches(".rs").to_owned()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
        || path.ends_with("canned.rs")
}

/// Production code only: what comes before the unit tests, without comments.
fn code(text: &str) -> String {
    let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    production.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_file_says_first_which_question_it_answers_and_keeps_the_line_cap() {
    for folder in ["src", "tests/it", "benches", "examples"] {
        for (path, text) in sources(folder) {
            assert!(text.starts_with("//! "), "{} begins with a //! line", path.display());
            let lines = text.lines().count();
            assert!(lines <= LINE_CAP, "{} has {lines} lines, more than {LINE_CAP}", path.display());
        }
    }
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let rules: BTreeMap<_, _> = MAY_USE.into_iter().collect();
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let room = room(&path);
        if room == "lib" {
            continue;
        }
        let allowed = rules.get(room.as_str()).unwrap_or_else(|| panic!("{} has a rule", path.display()));
        for used in code(&text).split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_room = rules.contains_key(used.as_str());
            assert!(
                !is_room || used == room || allowed.contains(&used.as_str()),
                "{} must not use crate::{used}",
                path.display()
            );
        }
    }
}

#[test]
fn rooms_do_not_know_what_they_must_not() {
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let room = room(&path);
        for (_, unknown) in MUST_NOT_KNOW.into_iter().filter(|(name, _)| *name == room) {
            for word in unknown {
                assert!(
                    !code(&text).contains(&format!("{word}::")),
                    "{} must not know {word}",
                    path.display()
                );
            }
        }
        let reads_environment = code(&text).contains("env::var");
        assert!(
            !reads_environment || room == "config",
            "{}: only config reads the environment",
            path.display()
        );
    }
}

#[test]
fn the_documents_name_files_that_are_there() {
    for document in ["ARCHITECTURE.md", "README.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for word in text.split(|c: char| c.is_whitespace() || "`()|,;:\"".contains(c)) {
            let is_path =
                (word.starts_with("src/") || word.starts_with("tests/") || word.starts_with("benches/"))
                    && Path::new(word).extension().is_some_and(|extension| extension == "rs");
            assert!(!is_path || root().join(word).exists(), "{document} names {word}");
        }
    }
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines <= 250, "ARCHITECTURE.md has {lines} lines");
}
