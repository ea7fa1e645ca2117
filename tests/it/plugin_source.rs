//! Does the service offer its plugin to Stash, and to nobody else?

use std::io::{Cursor, Read as _};

use plexsync::store::settings;
use rstest::rstest;

use crate::support::{TestApp, agent};

fn fetched(app: &TestApp, path: &str) -> (u16, Vec<u8>) {
    let mut answer = agent().get(format!("{}/stash-plugin/{path}", app.url)).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_vec().unwrap())
}

fn plugin_token(app: &TestApp) -> String {
    app.readers.with(|reader| settings::get(reader, "plugin_token")).unwrap().unwrap()
}

#[test]
fn the_index_names_a_zip_with_the_services_own_address_and_token_in_it() {
    let app = TestApp::start_with(0, "server.token = \"s3cret\"\nserver.public_url = \"http://nas.lan:1\"");
    let query = format!("token={}&variant=python", plugin_token(&app));
    let (status, index) = fetched(&app, &format!("index.yml?{query}"));
    let index = String::from_utf8(index).unwrap();
    assert_eq!(status, 200, "{index}");
    let said =
        |key: &str| index.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim().to_owned();
    let (status, zip) = fetched(&app, &format!("{}?{query}", said("path:")));
    assert_eq!(status, 200);
    let digest = ring::digest::digest(&ring::digest::SHA256, &zip);
    let sum = digest.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert_eq!(sum, said("sha256:"));
    let mut manifest = String::new();
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    zip.by_name("plexsync-hook.yml").unwrap().read_to_string(&mut manifest).unwrap();
    assert!(manifest.contains("http://nas.lan:1/") && manifest.contains(&app.hook_token()), "{manifest}");
    assert!(!manifest.contains("s3cret") && !manifest.contains(&plugin_token(&app)), "{manifest}");
    assert_eq!(fetched(&app, &format!("index.yml?{query}")).1, index.as_bytes(), "and stays what it is");
}

#[test]
fn stash_is_told_that_there_is_an_index_and_never_that_it_has_not_changed() {
    let app = TestApp::start(0);
    let answer = agent().head(format!("{}/stash-plugin/index.yml", app.url)).call().unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("last-modified"));
}

#[rstest]
#[case::nothing("index.yml", 401)]
#[case::wrong("index.yml?token=wrong", 401)]
#[case::nothing_for_the_zip("plexsync-hook.zip", 401)]
#[case::hook_token("index.yml?variant=python&token=HOOK", 401)]
#[case::own_token("index.yml?variant=python&token=s3cret", 200)]
#[case::plugin_token("plexsync-hook.zip?variant=python&token=PLUGIN", 200)]
#[case::another_variant("index.yml?variant=cobol&token=PLUGIN", 404)]
fn a_token_is_asked_for(#[case] path: &str, #[case] expected: u16) {
    let app = TestApp::start_with(0, "server.token = \"s3cret\"");
    let path = path.replace("HOOK", &app.hook_token()).replace("PLUGIN", &plugin_token(&app));
    assert_eq!(fetched(&app, &path).0, expected, "{path}");
}
