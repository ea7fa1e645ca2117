//! What does the simulated Stash do with plugins? It installs, loads and runs them for real, and loses hooks as the real
//! one does.

mod config;
mod packages;
mod process;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Map, Value, json};

use super::HookCall;
use super::document::Root;
use config::Loaded;
use packages::{Packages, Source};
pub use process::HangUp;
use process::{Ended, Start};

/// The log keeps this many lines, the newest first.
const LOG_LINES: usize = 100;
/// What Stash has to begin with.
const COMMUNITY: &str = "https://stashapp.github.io/CommunityScripts/stable/index.yml";

/// The plugins of one Stash. Clones are the same.
#[derive(Clone)]
pub(crate) struct Plugins {
    folder: PathBuf,
    /// Where Stash looks for files, which it tells in one answer with its sources of plugins.
    roots: Vec<String>,
    known: Arc<Mutex<Known>>,
}

struct Known {
    /// In the order in which they were found, which is the order in which they are called.
    loaded: Vec<Loaded>,
    disabled: BTreeSet<String>,
    packages: Packages,
    /// Level and message, oldest first.
    log: Vec<(String, String)>,
    /// Whether each job has ended; its number is its place, from 1.
    jobs: Vec<bool>,
    machine: Machine,
}

/// What Stash runs on.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    /// Where Stash says that it listens.
    pub(crate) port: u16,
    pub(crate) runs_programs: bool,
    pub(crate) has_python: bool,
}

impl Plugins {
    /// The plugins in this folder, which is the caller's.
    pub(crate) fn new(folder: PathBuf, roots: Vec<String>) -> Self {
        let source = Source {
            name: Some("Community (stable)".to_owned()),
            url: COMMUNITY.to_owned(),
            local_path: Some("community".to_owned()),
        };
        let known = Known {
            loaded: Vec::new(),
            disabled: BTreeSet::new(),
            packages: Packages::new(source),
            log: Vec::new(),
            jobs: Vec::new(),
            machine: Machine { port: 9999, runs_programs: true, has_python: true },
        };
        Self { folder, roots, known: Arc::new(Mutex::new(known)) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn set_machine(&self, machine: Machine) {
        self.known().machine = machine;
    }

    pub(crate) fn log(&self) -> Vec<(String, String)> {
        self.known().log.clone()
    }

    /// Loads what lies in the folder. What cannot be loaded is in the log, and nowhere else.
    pub(crate) fn reload(&self) {
        let (loaded, problems) = config::load(self.folder());
        let mut known = self.known();
        known.loaded = loaded;
        for problem in problems {
            known.note("Error", problem);
        }
    }

    /// Runs the plugins that listen to this hook, one after another. One that cannot be started keeps all after it from
    /// being called; whoever hangs up kills the one that runs, and keeps all after it from being called too.
    pub(crate) fn run_hooks(&self, call: &HookCall, hang_up: &HangUp) {
        let (enabled, machine) = {
            let known = self.known();
            let enabled = known.loaded.iter().filter(|plugin| !known.disabled.contains(&plugin.id));
            (enabled.cloned().collect::<Vec<_>>(), known.machine)
        };
        for plugin in enabled {
            for hook in plugin.hooks_for(&call.kind) {
                let mut args = plugin.default_args(hook);
                args.insert("hookContext".to_owned(), context(call));
                match self.run(&plugin, &args, machine, hang_up) {
                    Err(problem) => {
                        return self.note("Error", format!("error executing post hooks: {problem}"));
                    }
                    Ok(Ended { cancelled: true, .. }) => {
                        return self
                            .note("Error", "error executing post hooks: operation cancelled".to_owned());
                    }
                    Ok(ended) => {
                        let name = format!("{} [{}]", call.kind, plugin.config.name);
                        match ended.result() {
                            Ok(output) => self.note("Debug", format!("{name}: returned: {output}")),
                            Err(error) => self.note("Error", format!("{name}: returned error: {error}")),
                        }
                    }
                }
            }
        }
    }

    fn run(
        &self,
        plugin: &Loaded,
        args: &Map<String, Value>,
        machine: Machine,
        hang_up: &HangUp,
    ) -> Result<Ended, String> {
        let (programs, arguments) = plugin.command(machine)?;
        let start = Start { programs, arguments, input: input(&plugin.folder, args, machine.port) };
        let ended = start.run(hang_up).map_err(|error| format!("error running plugin: {error}"))?;
        for (level, line) in ended.log_lines() {
            self.note(level, format!("[Plugin / {}] {line}", plugin.config.name));
        }
        Ok(ended)
    }

    fn note(&self, level: &str, message: String) {
        self.known().note(level, message);
    }

    /// Answers a field that is about plugins; nothing for every other field.
    pub(crate) fn resolve(&self, root: &Root) -> Option<Result<Value, String>> {
        let text = |name: &str| root.arguments.get(name).map(super::answer::text_of).unwrap_or_default();
        Some(match root.name.as_str() {
            "plugins" => Ok(self.known().listed()),
            "configuration" => Ok(json!({
                "general": {
                    "stashes": self.roots.iter().map(|path| json!({
                        "path": path, "excludeVideo": false, "excludeImage": true,
                    })).collect::<Vec<_>>(),
                    "pluginPackageSources": self.known().packages.sources,
                },
                "plugins": {},
            })),
            "configureGeneral" => self.configure(root.arguments.get("input")),
            "availablePackages" => self.available(&text("source")),
            "installedPackages" => Ok(packages::installed(self.folder(), &self.known().packages.sources)),
            "installPackages" => Ok(self.job(root, Self::install)),
            "uninstallPackages" => Ok(self.job(root, Self::uninstall)),
            "findJob" => Ok(self.found_job(root.arguments.get("input"))),
            "setPluginsEnabled" => {
                self.enable(root.arguments.get("enabledMap"));
                Ok(Value::Bool(true))
            }
            "reloadPlugins" => {
                self.reload();
                Ok(Value::Bool(true))
            }
            "runPluginOperation" => self.operate(&text("plugin_id"), root.arguments.get("args")),
            "logs" => Ok(self.known().told_log()),
            _ => return None,
        })
    }

    fn configure(&self, input: Option<&Value>) -> Result<Value, String> {
        if let Some(sources) = input.and_then(|input| input.get("pluginPackageSources")) {
            // The whole list, as the real one does: what is not sent is gone.
            self.known().packages.sources =
                serde_json::from_value(sources.clone()).map_err(|error| error.to_string())?;
        }
        Ok(json!({ "pluginPackageSources": self.known().packages.sources }))
    }

    fn available(&self, source: &str) -> Result<Value, String> {
        let mut cache = std::mem::take(&mut self.known().packages.cache);
        let listed = packages::list(&mut cache, source);
        self.known().packages.cache = cache;
        let listed = listed?.into_iter().map(|package| {
            json!({ "package_id": package.id, "name": package.name, "version": package.version,
                "date": package.date, "sourceURL": source })
        });
        Ok(listed.collect())
    }

    /// Starts a job, which ends well whatever becomes of its packages.
    fn job(&self, root: &Root, work: fn(&Self, &str, &str) -> Result<(), String>) -> Value {
        let specs = root.arguments.get("packages").and_then(Value::as_array).cloned().unwrap_or_default();
        let number = {
            let mut known = self.known();
            known.jobs.push(false);
            known.jobs.len()
        };
        let plugins = self.clone();
        thread::spawn(move || {
            for spec in specs {
                let of = |name: &str| spec.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                if let Err(problem) = work(&plugins, &of("id"), &of("sourceURL")) {
                    plugins.note("Error", format!("Error installing package {}: {problem}", of("id")));
                }
            }
            plugins.reload();
            if let Some(ended) = plugins.known().jobs.get_mut(number - 1) {
                *ended = true;
            }
        });
        Value::from(number.to_string())
    }

    fn install(&self, id: &str, source: &str) -> Result<(), String> {
        let sources = self.known().packages.sources.clone();
        let mut cache = std::mem::take(&mut self.known().packages.cache);
        let installed = packages::install(self.folder(), &sources, &mut cache, id, source);
        self.known().packages.cache = cache;
        installed
    }

    fn uninstall(&self, id: &str, source: &str) -> Result<(), String> {
        packages::uninstall(self.folder(), &self.known().packages.sources, id, source)
    }

    fn found_job(&self, input: Option<&Value>) -> Value {
        let id = input.and_then(|input| input.get("id")).map(super::answer::text_of).unwrap_or_default();
        let ended =
            id.parse::<usize>().ok().and_then(|id| self.known().jobs.get(id.checked_sub(1)?).copied());
        ended.map_or(
            Value::Null,
            |ended| json!({ "id": id, "status": if ended { "FINISHED" } else { "RUNNING" }, "error": null }),
        )
    }

    fn enable(&self, map: Option<&Value>) {
        let mut known = self.known();
        for (id, enabled) in map.and_then(Value::as_object).into_iter().flatten() {
            if enabled.as_bool() == Some(true) {
                known.disabled.remove(id);
            } else {
                known.disabled.insert(id.clone());
            }
        }
    }

    fn operate(&self, id: &str, args: Option<&Value>) -> Result<Value, String> {
        let (plugin, is_disabled, machine) = {
            let known = self.known();
            let plugin = known.loaded.iter().find(|plugin| plugin.id == id).cloned();
            (plugin, known.disabled.contains(id), known.machine)
        };
        if is_disabled {
            return Err(format!("plugin {id} is disabled"));
        }
        // The real one looks into nothing here.
        let plugin = plugin.ok_or_else(|| super::answer::NOT_OPEN.to_owned())?;
        let args = args.and_then(Value::as_object).cloned().unwrap_or_default();
        self.run(&plugin, &args, machine, &HangUp::default())?.result()
    }
}

impl Known {
    fn note(&mut self, level: &str, message: String) {
        self.log.push((level.to_owned(), message));
        let surplus = self.log.len().saturating_sub(LOG_LINES);
        self.log.drain(..surplus);
    }

    fn told_log(&self) -> Value {
        let line = |(level, message): &(String, String)| json!({ "time": "2026-01-11T07:07:53Z", "level": level, "message": message });
        self.log.iter().rev().map(line).collect()
    }

    fn listed(&self) -> Value {
        let one = |plugin: &Loaded| {
            let hooks: Vec<_> = plugin
                .config
                .hooks
                .iter()
                .map(|hook| json!({ "name": hook.name, "hooks": hook.triggered_by }))
                .collect();
            json!({
                "id": plugin.id,
                "name": plugin.config.name,
                "version": plugin.config.version,
                "enabled": !self.disabled.contains(&plugin.id),
                "hooks": hooks,
            })
        };
        self.loaded.iter().map(one).collect()
    }
}

fn context(call: &HookCall) -> Value {
    let mut context = Map::new();
    context.insert("id".to_owned(), call.id.into());
    context.insert("type".to_owned(), call.kind.clone().into());
    context.insert("input".to_owned(), call.input.clone());
    if let Some(fields) = &call.input_fields {
        context.insert("inputFields".to_owned(), fields.clone().into());
    }
    Value::Object(context)
}

/// As Go writes it: the names of the connection's members begin with capitals.
fn input(folder: &Path, args: &Map<String, Value>, port: u16) -> String {
    let stash: PathBuf = folder.ancestors().nth(2).unwrap_or(folder).to_owned();
    json!({
        "server_connection": {
            "Scheme": "http",
            "Host": "0.0.0.0",
            "Port": port,
            "SessionCookie": { "Name": "session", "Value": "not-a-real-cookie", "Path": "", "MaxAge": 0 },
            "Dir": stash,
            "PluginDir": folder,
        },
        "args": args,
    })
    .to_string()
}

#[cfg(test)]
mod tests;
