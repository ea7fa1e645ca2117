//! What does the client make of what a running Stash said about its plugins?

use std::time::Duration;

use super::*;
use crate::http::canned::{CannedServer, Reply};
use crate::stash::StashSettings;

fn recorded(name: &str) -> Reply {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stash/live/graphql");
    Reply::json(std::fs::read(format!("{folder}/{name}.response.json")).unwrap())
}

async fn stash(reply: Reply) -> (CannedServer, StashClient) {
    let server = CannedServer::always(reply).await;
    let timeout = Duration::from_secs(20);
    let settings = StashSettings {
        url: server.url.clone(),
        api_key: None,
        connect_timeout: timeout,
        read_timeout: timeout,
    };
    let client = StashClient::new(settings).unwrap();
    (server, client)
}

#[tokio::test]
async fn the_recorded_plugins_and_sources_are_read() {
    let (_server, client) = stash(recorded("plugins")).await;
    let [plugin] = client.plugins().await.unwrap().try_into().unwrap();
    assert_eq!(
        (plugin.id.as_str(), plugin.enabled, plugin.version.as_deref()),
        ("capture", true, Some("0.0.1"))
    );
    assert!(plugin.triggers().any(|trigger| trigger == "Tag.Merge.Post"));
    let (_server, client) = stash(recorded("configuration")).await;
    let [source] = client.package_sources().await.unwrap().try_into().unwrap();
    assert_eq!(source.name.as_deref(), Some("Community (stable)"));
    assert_eq!(source.local_path.as_deref(), Some("community"));
}

#[tokio::test]
async fn a_job_that_stash_has_forgotten_has_ended() {
    for (job, ended) in [
        (r#"{"data":{"findJob":null}}"#, true),
        (r#"{"data":{"findJob":{"status":"FINISHED"}}}"#, true),
        (r#"{"data":{"findJob":{"status":"RUNNING"}}}"#, false),
        (r#"{"data":{"findJob":{"status":"READY"}}}"#, false),
    ] {
        let (_server, client) = stash(Reply::json(job)).await;
        assert_eq!(client.job_has_ended("7").await.unwrap(), ended, "{job}");
    }
}

#[tokio::test]
async fn a_plugin_that_cannot_be_started_is_a_failure_with_the_words_of_stash() {
    let said = r#"{"errors":[{"message":"error running plugin: fork/exec /p/x: exec format error","path":["runPluginOperation"]}],"data":{"runPluginOperation":null}}"#;
    let (_server, client) = stash(Reply::json(said)).await;
    let failure = client.run_plugin("x", &json!({})).await.unwrap_err();
    assert_eq!(failure.code, "resolver_error");
    assert!(failure.detail.contains("exec format error"), "{}", failure.detail);
}

#[tokio::test]
async fn what_is_sent_names_the_package_and_its_source() {
    let (server, client) = stash(Reply::json(r#"{"data":{"installPackages":"17"}}"#)).await;
    assert_eq!(client.install_package("plexsync-hook", "http://a/index.yml").await.unwrap(), "17");
    let body: Value = serde_json::from_str(&server.requests()[0].body).unwrap();
    let expected = json!([{ "id": "plexsync-hook", "sourceURL": "http://a/index.yml" }]);
    assert_eq!(body["variables"]["packages"], expected);
}
