//! Is the plugin what Stash takes, and does it change exactly when something in it does?

use std::io::{Cursor, Read as _};

use jiff::Timestamp;
use serde::Deserialize;

use super::*;

fn target(url: &str, token: &str) -> Target {
    Target { url: Url::parse(url).unwrap(), token: token.into() }
}

fn made(variant: Variant, program: &[u8], target: &Target) -> Plugin {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    fs::write(&path, program).unwrap();
    Plugin::make(variant, target, &path).unwrap()
}

fn text(plugin: &Plugin) -> String {
    String::from_utf8(plugin.files[0].content.clone()).unwrap()
}

/// The keys that Stash knows; it refuses a manifest with any other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: String,
    description: String,
    version: String,
    exec: Vec<String>,
    interface: String,
    #[serde(rename = "errLog")]
    err_log: String,
    hooks: Vec<Hook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Hook {
    name: String,
    description: String,
    triggered_by: Vec<String>,
    default_args: std::collections::BTreeMap<String, String>,
}

#[test]
fn the_manifest_is_yaml_that_stash_knows_every_key_of() {
    let target = target("http://plexsync:8765/a\"b/", "t0ken");
    for variant in Variant::ALL {
        let plugin = made(variant, b"program", &target);
        let manifest: Manifest = serde_saphyr::from_str(&text(&plugin)).unwrap();
        assert_eq!(manifest.version, plugin.version);
        assert_eq!((manifest.interface.as_str(), manifest.err_log.as_str()), ("raw", "error"));
        assert!(!manifest.name.is_empty() && !manifest.description.is_empty());
        let [hook] = manifest.hooks.as_slice() else { panic!("{}", text(&plugin)) };
        assert!(!hook.name.is_empty() && !hook.description.is_empty());
        assert_eq!(hook.default_args["url"], target.url.as_str());
        assert_eq!(hook.default_args["token"], "t0ken");
        for trigger in &hook.triggered_by {
            assert!(trigger.parse::<crate::domain::event::EventType>().is_ok(), "{trigger}");
        }
        let runs = plugin.files[1].name;
        assert!(manifest.exec.iter().any(|word| word.ends_with(runs)), "{:?} starts {runs}", manifest.exec);
        assert!(!manifest.exec[0].contains("{pluginDir}"), "Stash replaces it in arguments only");
    }
}

#[test]
fn only_one_file_is_a_manifest_and_its_name_is_the_plugins_id() {
    for variant in Variant::ALL {
        let plugin = made(variant, b"program", &target("http://a/", "t"));
        let manifests: Vec<_> = plugin
            .files
            .iter()
            .filter(|file| Path::new(file.name).extension().is_some_and(|it| it == "yml"))
            .collect();
        assert_eq!(manifests.len(), 1);
        assert_eq!(manifests[0].name, format!("{ID}.yml"));
    }
}

#[test]
fn the_zip_holds_the_files_with_their_modes_and_the_index_its_checksum() {
    let plugin = made(Variant::Program, b"\x7fELF program", &target("http://a/", "t"));
    let package = Package::of(&plugin.files).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(&package.bytes)).unwrap();
    assert_eq!(zip.len(), plugin.files.len());
    for file in &plugin.files {
        let mut entry = zip.by_name(file.name).unwrap();
        assert_eq!(entry.unix_mode().unwrap() & 0o777, file.mode);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(content, file.content);
    }
    let date = Timestamp::from_second(1_768_115_273).unwrap();
    let index = index(&package.sha256, &plugin.version, date);
    let listed: Vec<serde_json::Value> = serde_saphyr::from_str(&index).unwrap();
    assert_eq!(listed[0]["id"], ID);
    assert_eq!(listed[0]["path"], ZIP_NAME);
    assert_eq!(listed[0]["version"], plugin.version.as_str());
    assert_eq!(listed[0]["date"], "2026-01-11 07:07:53");
    assert_eq!(listed[0]["sha256"], package.sha256.as_str());
    assert_eq!(package.sha256.len(), 64);
}

#[test]
fn the_same_plugin_is_the_same_zip_and_whatever_differs_is_another_version() {
    let usual = made(Variant::Program, b"program", &target("http://a/", "t"));
    let again = made(Variant::Program, b"program", &target("http://a/", "t"));
    assert_eq!(Package::of(&usual.files).unwrap(), Package::of(&again.files).unwrap());
    let others = [
        made(Variant::Program, b"another program", &target("http://a/", "t")),
        made(Variant::Program, b"program", &target("http://b/", "t")),
        made(Variant::Program, b"program", &target("http://a/", "u")),
        made(Variant::Python, b"program", &target("http://a/", "t")),
    ];
    for other in others {
        assert_ne!(other.version, usual.version);
        assert!(other.version.starts_with(concat!(env!("CARGO_PKG_VERSION"), "-")), "{}", other.version);
    }
}

#[test]
fn a_source_is_known_again_whatever_its_token_and_its_path() {
    let service = Url::parse("https://nas.lan/plexsync/").unwrap();
    let url = source_url(&service, &"a&b".into(), Variant::Python);
    assert_eq!(url.as_str(), "https://nas.lan/plexsync/stash-plugin/index.yml?token=a%26b&variant=python");
    assert!(is_source(url.as_str()));
    assert!(!is_source("https://stashapp.github.io/CommunityScripts/stable/index.yml"));
    assert!(!is_source("not an address"));
}

#[test]
fn the_script_carries_the_version_of_the_program() {
    assert!(script().contains(concat!("VERSION = \"", env!("CARGO_PKG_VERSION"), "\"")));
}
