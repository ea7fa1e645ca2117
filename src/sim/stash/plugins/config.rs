//! Which plugins lie in the folder, and what does each start? Strict: one key that is not known, and it is not loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Machine;

/// A plugin's manifest. What is not simulated is read and left alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a key that is named here is one that is known")]
pub(super) struct Config {
    pub(super) name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    exec: Vec<String>,
    #[serde(default)]
    interface: Option<String>,
    #[serde(rename = "errLog", default)]
    err_log: Option<String>,
    #[serde(default)]
    pub(super) hooks: Vec<HookConfig>,
    #[serde(default)]
    tasks: Vec<Value>,
    #[serde(default)]
    settings: Option<Value>,
    #[serde(default)]
    ui: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a key that is named here is one that is known")]
pub(super) struct HookConfig {
    pub(super) name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(rename = "execArgs", default)]
    exec_args: Vec<String>,
    #[serde(rename = "defaultArgs", default)]
    default_args: BTreeMap<String, String>,
    #[serde(rename = "triggeredBy", default)]
    pub(super) triggered_by: Vec<String>,
}

/// A plugin that is ready to be run.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// The manifest's file name without its ending.
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) config: Config,
}

impl Loaded {
    pub(super) fn hooks_for<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a HookConfig> {
        self.config.hooks.iter().filter(move |hook| hook.triggered_by.iter().any(|trigger| trigger == kind))
    }

    #[expect(clippy::unused_self, reason = "a hook's arguments belong to its plugin")]
    pub(super) fn default_args(&self, hook: &HookConfig) -> Map<String, Value> {
        hook.default_args.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
    }

    /// The programs to try and the arguments. A program is looked for in PATH first, then in the plugin's folder; only in
    /// the arguments is the folder put in.
    pub(super) fn command(&self, machine: Machine) -> Result<(Vec<PathBuf>, Vec<String>), String> {
        let (program, arguments) = self.config.exec.split_first().ok_or("empty exec value")?;
        let folder = self.folder.display().to_string();
        let own = self.folder.join(program);
        let programs = match program.as_str() {
            "python" | "python3" if machine.has_python => vec!["python3".into(), "python".into()],
            "python" | "python3" => {
                return Err(
                    "error running plugin: exec: \"python\": executable file not found in $PATH".to_owned()
                );
            }
            _ if own.is_file() && !machine.runs_programs => {
                return Err(format!("error running plugin: fork/exec {}: exec format error", own.display()));
            }
            other => vec![other.into(), own],
        };
        Ok((programs, arguments.iter().map(|argument| argument.replace("{pluginDir}", &folder)).collect()))
    }
}

/// All plugins below the folder in the order of their paths, and why others are not among them.
pub(super) fn load(folder: &Path) -> (Vec<Loaded>, Vec<String>) {
    let mut manifests = Vec::new();
    walk(folder, &mut manifests);
    let (mut loaded, mut problems, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
    for path in manifests {
        let refuse = |why: String| format!("Error loading plugin {}: {why}", path.display());
        let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let text = fs::read_to_string(&path).unwrap_or_default();
        match serde_saphyr::from_str::<Config>(&text) {
            Err(error) => problems.push(refuse(error.to_string())),
            Ok(_) if !ids.insert(id.to_lowercase()) => {
                problems.push(refuse(format!("plugin ID {id} already exists")));
            }
            Ok(config) => {
                let folder = path.parent().unwrap_or(folder).to_owned();
                loaded.push(Loaded { id, folder, config });
            }
        }
    }
    (loaded, problems)
}

fn walk(folder: &Path, manifests: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, manifests);
        } else if path.extension().is_some_and(|ending| ending == "yml") {
            manifests.push(path);
        }
    }
}
