//! Secrets: where they come from, and that they go nowhere.

use std::error::Error as _;

use proptest::prelude::*;
use rstest::rstest;
use secrecy::ExposeSecret as _;

use super::*;

#[test]
fn a_secret_is_read_from_its_file_without_the_newline() {
    let place = Place::with_file("")
        .write("token", "abc123\r\n")
        .environment(&[("PLEXSYNC_PLEX__TOKEN_FILE", "token")]);
    let loaded = place.load();
    assert_eq!(loaded.config.plex.token.unwrap().expose_secret(), "abc123");
    assert_eq!(loaded.config.secret_sources.plex_token, SecretSource::File(place.path().join("token")));
}

#[test]
fn a_changed_secret_file_is_read_again() {
    let place =
        Place::with_file("").write("key", "before").environment(&[("PLEXSYNC_STASH__API_KEY_FILE", "key")]);
    let source = place.load().config.secret_sources.stash_api_key;
    let place = place.write("key", "after\n");
    assert_eq!(source.read_again().unwrap().unwrap().expose_secret(), "after");
    drop(place);
    let error = source.read_again().unwrap_err();
    assert!(error.source().is_some() && error.to_string().starts_with("cannot be read from "), "{error}");
}

#[test]
fn a_secret_without_a_file_of_its_own_cannot_be_read_again() {
    let loaded = Place::with_file("[plex]\ntoken = \"abc\"\n").load();
    assert_eq!(loaded.config.secret_sources.plex_token, SecretSource::Inline);
    assert_eq!(loaded.config.secret_sources.server_token, SecretSource::Unset);
    assert!(loaded.config.secret_sources.plex_token.read_again().unwrap().is_none());
}

#[test]
fn a_secret_file_overrules_the_configuration_file() {
    let place = Place::with_file("[plex]\ntoken = \"old\"\n")
        .write("token", "new")
        .environment(&[("PLEXSYNC_PLEX__TOKEN_FILE", "token")]);
    assert_eq!(place.load().config.plex.token.unwrap().expose_secret(), "new");
}

#[test]
fn a_secret_given_by_variable_and_by_file_is_an_error() {
    let place = Place::with_file("")
        .write("token", "one")
        .environment(&[("PLEXSYNC_PLEX__TOKEN", "two"), ("PLEXSYNC_PLEX__TOKEN_FILE", "token")]);
    let said = "plex.token: is given twice: by PLEXSYNC_PLEX__TOKEN and by PLEXSYNC_PLEX__TOKEN_FILE (unset one of them)";
    assert_eq!(place.problems(), [said]);
}

#[rstest]
#[case("", "is to be read from ", ", which is empty")]
#[case("\n", "is to be read from ", ", which is empty")]
#[case("two words", "has a space", "without quotes)")]
fn a_secret_file_without_a_secret_is_an_error(
    #[case] content: &str,
    #[case] begins: &str,
    #[case] ends: &str,
) {
    let place = Place::with_file("")
        .write("token", content)
        .environment(&[("PLEXSYNC_SERVER__TOKEN_FILE", "token"), ("PLEXSYNC_SERVER__LISTEN", "0.0.0.0:1")]);
    let problems = place.problems();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    let text = problem.strip_prefix("server.token: ").unwrap_or_else(|| panic!("{problem}"));
    assert!(text.starts_with(begins) && text.ends_with(ends), "{text}");
}

#[test]
fn a_file_too_long_for_a_secret_is_not_cut_but_refused() {
    let place = Place::with_file("")
        .write("token", &"x".repeat(4097))
        .environment(&[("PLEXSYNC_PLEX__TOKEN_FILE", "token")]);
    let problems = place.problems();
    assert!(
        problems.len() == 1 && problems[0].ends_with("token is longer than 4096 bytes (name another)"),
        "{problems:?}"
    );
}

#[test]
fn a_secret_file_that_cannot_be_read_is_named_with_the_reason() {
    let place =
        Place::with_file("").environment(&[("PLEXSYNC_PLEX__TOKEN_FILE", "/nowhere/token")]).for_running();
    let error = Config::load(&place.options).unwrap_err().to_string();
    assert!(error.contains("cannot be read from /nowhere/token: No such file"), "{error}");
    assert!(
        error.ends_with("(from PLEXSYNC_PLEX__TOKEN_FILE)") && error.contains(": 1 problem\n"),
        "{error}"
    );
}

#[test]
fn an_empty_name_of_a_secret_file_is_as_good_as_none() {
    let place =
        Place::with_file("[plex]\ntoken = \"abc\"\n").environment(&[("PLEXSYNC_PLEX__TOKEN_FILE", "")]);
    assert_eq!(place.load().config.plex.token.unwrap().expose_secret(), "abc");
}

#[test]
fn the_service_does_not_run_without_a_plex_token_and_says_where_to_find_one() {
    let problems = Place::with_file("").for_running().problems();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(
        problem.starts_with("plex.token: is empty (how to find yours: https://support.plex.tv/"),
        "{problem}"
    );
    assert!(Place::with_file("[plex]\ntoken = \"abc\"\n").for_running().load().config.plex.token.is_some());
}

#[test]
fn credentials_in_a_url_are_refused_and_masked() {
    let said = the_problem("[stash]\nurl = \"http://me:hunter2@nas:9999\"\n");
    assert_eq!(
        said,
        "stash.url: has a user name or a password in it: \"http://***@nas:9999\" (leave them out)"
    );
    let said = the_problem("[plex]\nurl = \"http://plex:32400/?X-Plex-Token=hunter2\"\n");
    assert!(!said.contains("hunter2"), "{said}");
    let said = the_problem("[plex]\nurl = \"me:hunter2@plex:32400\"\n");
    assert!(!said.contains("hunter2"), "{said}");
}

fn toml_line(section: &str, name: &str, value: String) -> String {
    format!("[{section}]\n{name} = {}\n", toml::Value::String(value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever way the secrets come in, and whether or not something else is wrong.
    #[test]
    fn no_secret_is_ever_shown(
        secrets in proptest::array::uniform3("[A-Za-z0-9_-]{12,40}"),
        ways in proptest::array::uniform3(0_u8..4),
        spoilt in proptest::option::of("[ éß\\n]"),
        url in prop::bool::ANY,
    ) {
        let keys = ["server.token", "stash.api_key", "plex.token"];
        let mut place = Place::with_file("");
        let mut file = String::new();
        let mut variables = Vec::new();
        for ((key, secret), way) in keys.iter().zip(&secrets).zip(ways) {
            let (section, name) = key.split_once('.').unwrap();
            let value = format!("{secret}{}", spoilt.as_deref().unwrap_or_default());
            let variable = super::super::environment::variable_of(key);
            match way {
                0 => file += &toml_line(section, name, value),
                1 => variables.push((variable, value)),
                2 => {
                    fs::write(place.path().join(key), value).unwrap();
                    variables.push((format!("{variable}_FILE"), (*key).to_owned()));
                }
                // A slip in the key must not show the value.
                _ => file += &toml_line(section, &format!("{name}s"), value),
            }
        }
        if url {
            variables.push(("PLEXSYNC_LOG__FORMAT".to_owned(), "wrong".to_owned()));
        }
        fs::write(place.path().join("config.toml"), file).unwrap();
        place.options.environment = variables.into_iter().collect();
        let shown = match Config::load(&place.options) {
            Ok(loaded) => format!("{loaded:?}\n{}\n{:?}", render_show(&loaded), place.options),
            Err(error) => format!("{error}\n{error:?}\n{:?}", place.options),
        };
        for secret in &secrets {
            prop_assert!(!shown.contains(secret.as_str()), "{} is in {}", secret, shown);
        }
    }
}
