//! Does the simulated Stash install, load and run plugins with the habits and traps of the real one?

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::canned::{CannedServer, Reply};
use crate::sim::client::{request, sent};
use crate::sim::{NewScene, SimStash, StashOptions};

fn stash() -> SimStash {
    SimStash::start(StashOptions::default()).unwrap()
}

async fn ask(stash: &SimStash, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request =
        request("POST", &format!("{}/graphql", stash.url())).header("Content-Type", "application/json");
    sent(request.body(body)).await.unwrap().json()
}

/// Puts a plugin into the folder: a shell script with a hook for edited scenes.
fn put(stash: &SimStash, id: &str, script: &str) {
    let folder = stash.plugins_folder().join(id);
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("run.sh");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    manifest(stash, id, "./run.sh", "");
}

fn manifest(stash: &SimStash, id: &str, exec: &str, more: &str) {
    let folder = stash.plugins_folder().join(id);
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "name: {id}\nversion: 1\nexec: [{exec:?}]\n{more}hooks:\n  - name: x\n    triggeredBy: [Scene.Update.Post]\n    \
         defaultArgs: {{greeting: hello}}\n"
    );
    std::fs::write(folder.join(format!("{id}.yml")), text.replace("version: 1", "version: \"1\"")).unwrap();
    stash.reload_plugins();
}

fn edit(stash: &SimStash) -> i64 {
    let id = stash.add_scene(NewScene::titled("A", "/data/a.mp4"));
    stash.update_scene(id, |scene| "B".clone_into(&mut scene.title));
    id
}

fn log(stash: &SimStash) -> String {
    stash.log().iter().fold(String::new(), |text, (level, line)| format!("{text}{level} {line}\n"))
}

#[test]
fn a_hook_gets_its_call_on_standard_input_and_its_answer_is_logged() {
    let stash = stash();
    put(
        &stash,
        "echo",
        "cat > \"$(dirname \"$0\")/got\"; printf '\\001w\\002careful\\n' >&2; echo '{\"output\":\"fine\"}'",
    );
    let id = edit(&stash);
    let got = std::fs::read_to_string(stash.plugins_folder().join("echo/got")).unwrap();
    let got: Value = serde_json::from_str(&got).unwrap();
    assert_eq!(got["args"]["greeting"], "hello");
    assert_eq!(got["args"]["hookContext"]["id"], id);
    assert_eq!(got["args"]["hookContext"]["type"], "Scene.Update.Post");
    assert!(got["server_connection"]["PluginDir"].as_str().unwrap().ends_with("/echo"));
    let log = log(&stash);
    assert!(log.contains("Warning [Plugin / echo] careful"), "{log}");
    assert!(log.contains("Debug Scene.Update.Post [echo]: returned: \"fine\""), "{log}");
}

#[test]
fn a_plugin_that_cannot_be_started_keeps_those_after_it_from_being_called_and_one_that_fails_does_not() {
    let stash = stash();
    put(&stash, "b_second", "touch \"$(dirname \"$0\")/called\"");
    let called = stash.plugins_folder().join("b_second/called");
    put(&stash, "a_first", "exit 3");
    edit(&stash);
    assert!(called.exists());
    assert!(log(&stash).contains("returned error: exit status 3"));
    std::fs::remove_file(&called).unwrap();
    manifest(&stash, "a_first", "./missing.sh", "");
    edit(&stash);
    assert!(!called.exists());
    assert!(
        log(&stash).contains("error executing post hooks: error running plugin: fork/exec"),
        "{}",
        log(&stash)
    );
}

#[test]
fn one_unknown_key_and_a_name_that_is_taken_keep_a_plugin_from_being_loaded() {
    let stash = stash();
    manifest(&stash, "strict", "true", "requires: [x]\n");
    assert!(log(&stash).contains("Error loading plugin"), "{}", log(&stash));
    manifest(&stash, "twin", "true", "");
    std::fs::create_dir_all(stash.plugins_folder().join("z")).unwrap();
    let twin = stash.plugins_folder().join("twin/twin.yml");
    std::fs::copy(twin, stash.plugins_folder().join("z/TWIN.yml")).unwrap();
    stash.reload_plugins();
    assert!(log(&stash).contains("plugin ID TWIN already exists"), "{}", log(&stash));
}

#[actix_rt::test]
async fn the_folder_is_put_into_arguments_but_not_into_the_program() {
    let stash = stash();
    manifest(&stash, "brace", "{pluginDir}/run.sh", "");
    let run = "mutation($id:ID!){runPluginOperation(plugin_id:$id,args:{mode:\"x\"})}";
    let answer = ask(&stash, run, json!({ "id": "brace" })).await;
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("{pluginDir}/run.sh: no such file or directory"), "{message}");
    let unknown = ask(&stash, run, json!({ "id": "nobody" })).await;
    assert!(unknown["errors"][0]["message"].as_str().unwrap().starts_with("Internal system error"));
}

#[actix_rt::test]
async fn an_operation_runs_at_once_and_gives_back_its_output() {
    let stash = stash();
    put(&stash, "op", "printf '{\"output\":'; sed 's/.*\"args\"://; s/.$//'; printf '}'");
    let answer =
        ask(&stash, "mutation{runPluginOperation(plugin_id:\"op\",args:{mode:\"x\"})}", json!({})).await;
    assert_eq!(answer["data"]["runPluginOperation"], json!({ "mode": "x" }), "{answer} {}", log(&stash));
    put(&stash, "loud", "echo hello; exit 0");
    let answer = ask(&stash, "mutation{runPluginOperation(plugin_id:\"loud\")}", json!({})).await;
    assert_eq!(answer["data"]["runPluginOperation"], "hello\n");
}

/// A source with one package, whose zip has one program.
async fn source(sum: Option<&str>, changed: &'static str) -> CannedServer {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    for (name, text) in
        [("run.sh", "#!/bin/sh\n"), ("pack.yml", "name: pack\nversion: \"2\"\nexec: [./run.sh]\n")]
    {
        zip.start_file(name, options).unwrap();
        std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let own = super::packages::sum_of(&zip);
    let sum = sum.unwrap_or(&own);
    let index = format!(
        "- id: pack\n  name: Pack\n  version: \"2\"\n  date: \"2026-01-11 07:07:53\"\n  path: pack.zip\n  sha256: {sum}\n"
    );
    CannedServer::start(move |request| {
        assert!(request.line.ends_with("?k=v"), "the query is kept: {}", request.line);
        if request.line.contains("pack.zip") {
            Reply::new(200, "", &zip)
        } else {
            let body = if request.line.starts_with("HEAD") { "" } else { &index };
            Reply::new(200, changed, body)
        }
    })
    .await
}

async fn install(stash: &SimStash, url: &str) -> String {
    let packages = json!({ "p": [{ "id": "pack", "sourceURL": url }] });
    let install = "mutation($p:[PackageSpecInput!]!){installPackages(type:Plugin,packages:$p)}";
    let job = ask(stash, install, packages).await["data"]["installPackages"].as_str().unwrap().to_owned();
    loop {
        let find = "query($id:ID!){findJob(input:{id:$id}){status error}}";
        let found = ask(stash, find, json!({ "id": job })).await;
        if found["data"]["findJob"]["status"] == "FINISHED" {
            return found["data"]["findJob"].to_string();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn plugins(stash: &SimStash) -> Value {
    ask(stash, "{plugins{id version enabled}}", json!({})).await["data"]["plugins"].clone()
}

#[actix_rt::test]
async fn a_package_is_unpacked_with_its_modes_and_a_wrong_sum_ends_as_well_as_a_right_one() {
    let stash = stash();
    let bad = source(Some("00"), "").await;
    assert!(install(&stash, &format!("{}index.yml?k=v", bad.url)).await.contains("\"error\":null"));
    assert_eq!(plugins(&stash).await, json!([]));
    assert!(log(&stash).contains("does not match expected SHA256"), "{}", log(&stash));
    let good = source(None, "").await;
    install(&stash, &format!("{}index.yml?k=v", good.url)).await;
    assert_eq!(plugins(&stash).await, json!([{ "id": "pack", "version": "2", "enabled": true }]));
    let program = stash.plugins_folder().join("pack/run.sh");
    assert_eq!(std::fs::metadata(program).unwrap().permissions().mode() & 0o777, 0o755);
}

#[actix_rt::test]
async fn only_a_package_of_a_known_source_is_listed_and_its_own_files_alone_are_removed() {
    let stash = stash();
    let server = source(None, "").await;
    let url = format!("{}index.yml?k=v", server.url);
    install(&stash, &url).await;
    let listed = "{installedPackages(type:Plugin){package_id sourceURL}}";
    assert_eq!(ask(&stash, listed, json!({})).await["data"]["installedPackages"], json!([]));
    let sources =
        json!({ "i": { "pluginPackageSources": [{ "name": "Ours", "url": url, "local_path": "ours" }] } });
    let set = "mutation($i:ConfigGeneralInput!){configureGeneral(input:$i){pluginPackageSources{url}}}";
    let left = ask(&stash, set, sources).await["data"]["configureGeneral"]["pluginPackageSources"].clone();
    assert_eq!(left, json!([{ "url": url }]), "the whole list was replaced");
    install(&stash, &url).await;
    let installed = ask(&stash, listed, json!({})).await["data"]["installedPackages"].clone();
    assert_eq!(installed, json!([{ "package_id": "pack", "sourceURL": url }]));
    let folder = stash.plugins_folder().join("ours/pack");
    std::fs::write(folder.join("kept"), "somebody's").unwrap();
    install(&stash, &url).await;
    assert!(folder.join("kept").exists() && folder.join("run.sh").exists());
    let uninstall = "mutation($p:[PackageSpecInput!]!){uninstallPackages(type:Plugin,packages:$p)}";
    ask(&stash, uninstall, json!({ "p": [{ "id": "pack", "sourceURL": url }] })).await;
    while folder.join("run.sh").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(folder.join("kept").exists());
}

#[actix_rt::test]
async fn an_index_that_says_it_has_not_changed_is_not_fetched_again() {
    let stash = stash();
    let available = "query($s:String!){availablePackages(type:Plugin,source:$s){package_id version}}";
    for (changed, gets) in [("last-modified: Sun, 11 Jan 2026 07:07:53 GMT\r\n", 1), ("", 2)] {
        let server = source(None, changed).await;
        let url = format!("{}index.yml?k=v", server.url);
        for _ in 0..2 {
            let found = ask(&stash, available, json!({ "s": url })).await;
            assert_eq!(found["data"]["availablePackages"][0]["package_id"], "pack", "{found}");
        }
        let fetched = server.requests().iter().filter(|request| request.line.starts_with("GET")).count();
        assert_eq!(fetched, gets, "{changed:?}");
    }
    let away = ask(&stash, available, json!({ "s": "http://127.0.0.1:1/index.yml" })).await;
    assert!(away["errors"][0]["message"].as_str().unwrap().contains("127.0.0.1:1"), "{away}");
}

#[test]
fn the_folder_is_gone_as_soon_as_the_server_is() {
    for _ in 0..50 {
        let stash = stash();
        put(&stash, "one", "exit 0");
        let folder = stash.plugins_folder().to_owned();
        drop(stash);
        assert!(!folder.exists(), "{}", folder.display());
    }
}
