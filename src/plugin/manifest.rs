//! What does the plugin's manifest say? Stash refuses the whole plugin for one key that it does not know.

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{PROGRAM, SCRIPT, Target, Variant};

/// The changes that can show in Plex. Each costs a start of the plugin, so none is here for nothing.
const TRIGGERS: [&str; 10] = [
    "Scene.Create.Post",
    "Scene.Update.Post",
    "Scene.Destroy.Post",
    "Performer.Update.Post",
    "Performer.Destroy.Post",
    "Studio.Update.Post",
    "Studio.Destroy.Post",
    "Tag.Update.Post",
    "Tag.Destroy.Post",
    "Tag.Merge.Post",
];

/// The manifest as YAML.
pub(super) fn manifest(variant: Variant, target: &Target, version: &str) -> String {
    let exec = match variant {
        // With `./`, or Stash would take a program of that name from anywhere in its PATH.
        Variant::Program => vec![format!("./{PROGRAM}"), "hook".to_owned()],
        // `python` is replaced by the one that Stash is configured with; `-I -S` leaves out what is not needed.
        Variant::Python => {
            ["python", "-I", "-S", &format!("{{pluginDir}}/{SCRIPT}")].map(str::to_owned).to_vec()
        }
    };
    let (exec, triggers) = (list("  ", &exec), list("      ", &TRIGGERS));
    let (url, token) = (text(target.url.as_str()), text(target.token.expose_secret()));
    format!(
        "name: PlexSync hook\n\
         description: Tells the PlexSync service about changes, so that they show in Plex.\n\
         version: {version}\n\
         exec:\n{exec}\
         interface: raw\n\
         errLog: error\n\
         hooks:\n\
         \x20 - name: Tell PlexSync\n\
         \x20   description: Hands the change over, or keeps it until PlexSync is back\n\
         \x20   triggeredBy:\n{triggers}\
         \x20   defaultArgs:\n\
         \x20     url: {url}\n\
         \x20     token: {token}\n",
        version = text(version),
    )
}

/// A text as YAML: JSON is a part of it.
pub(super) fn text(text: &str) -> String {
    Value::from(text).to_string()
}

fn list(indent: &str, items: &[impl AsRef<str>]) -> String {
    items.iter().fold(String::new(), |list, item| format!("{list}{indent}- {}\n", text(item.as_ref())))
}
