//! Which plugins does Stash have, and how does it get ours? Stash's own package manager does the work.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::StashClient;
use crate::domain::failure::Failure;

const PLUGINS: &str = "query Plugins { plugins { id name version enabled hooks { hooks } } }";
const SOURCES: &str =
    "query Sources { configuration { general { pluginPackageSources { name url local_path } } } }";
const SET_SOURCES: &str = "mutation SetSources($input: ConfigGeneralInput!) \
    { configureGeneral(input: $input) { pluginPackageSources { url } } }";
const AVAILABLE: &str = "query Available($source: String!) \
    { availablePackages(type: Plugin, source: $source) { package_id version } }";
const INSTALLED: &str = "query Installed { installedPackages(type: Plugin) { package_id sourceURL } }";
const INSTALL: &str = "mutation Install($packages: [PackageSpecInput!]!) \
    { installPackages(type: Plugin, packages: $packages) }";
const UNINSTALL: &str = "mutation Uninstall($packages: [PackageSpecInput!]!) \
    { uninstallPackages(type: Plugin, packages: $packages) }";
const JOB: &str = "query Job($id: ID!) { findJob(input: { id: $id }) { status } }";
const ENABLE: &str = "mutation Enable($map: BoolMap!) { setPluginsEnabled(enabledMap: $map) }";
const RUN: &str = "mutation Run($id: ID!, $args: Map) { runPluginOperation(plugin_id: $id, args: $args) }";
const LOG: &str = "query Log { logs { level message } }";

/// A plugin that Stash has loaded. The order is that in which they are called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StashPlugin {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub version: Option<String>,
    pub enabled: bool,
    #[serde(default)]
    hooks: Option<Vec<WireHook>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct WireHook {
    #[serde(default)]
    hooks: Option<Vec<String>>,
}

impl StashPlugin {
    /// The changes it is called for.
    pub fn triggers(&self) -> impl Iterator<Item = &str> {
        self.hooks.iter().flatten().flat_map(|hook| hook.hooks.iter().flatten()).map(String::as_str)
    }
}

/// Where Stash gets packages from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct PackageSource {
    #[serde(default)]
    pub name: Option<String>,
    pub url: String,
    /// The folder below Stash's plugins.
    #[serde(default)]
    pub local_path: Option<String>,
}

/// A package and the source it came from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstalledPackage {
    #[serde(rename = "package_id")]
    pub id: String,
    #[serde(rename = "sourceURL")]
    pub source: String,
}

/// One line of Stash's log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    /// Such as `Error`.
    pub level: String,
    pub message: String,
}

#[derive(Deserialize)]
struct Plugins {
    plugins: Option<Vec<StashPlugin>>,
}

#[derive(Deserialize)]
struct Sources {
    #[serde(rename = "pluginPackageSources")]
    sources: Vec<PackageSource>,
}

#[derive(Deserialize)]
struct Available {
    #[serde(rename = "availablePackages")]
    packages: Vec<AvailablePackage>,
}

#[derive(Deserialize)]
struct AvailablePackage {
    package_id: String,
    #[serde(default)]
    version: Option<String>,
}

#[derive(Deserialize)]
struct Installed {
    #[serde(rename = "installedPackages")]
    packages: Vec<InstalledPackage>,
}

#[derive(Deserialize)]
struct FoundJob {
    #[serde(rename = "findJob")]
    job: Option<Job>,
}

#[derive(Deserialize)]
struct Job {
    status: String,
}

#[derive(Deserialize)]
struct Log {
    logs: Vec<LogLine>,
}

impl StashClient {
    pub async fn plugins(&self) -> Result<Vec<StashPlugin>, Failure> {
        Ok(self.query::<Plugins>(PLUGINS, json!({})).await?.plugins.unwrap_or_default())
    }

    pub async fn package_sources(&self) -> Result<Vec<PackageSource>, Failure> {
        Ok(self.general::<Sources>(SOURCES).await?.sources)
    }

    /// Puts this list in place of the one that Stash has.
    pub async fn set_package_sources(&self, sources: &[PackageSource]) -> Result<(), Failure> {
        let input = json!({ "input": { "pluginPackageSources": sources } });
        self.query::<Value>(SET_SOURCES, input).await.map(drop)
    }

    /// The version of a package at its source, which Stash fetches now; nothing if it is not there.
    pub async fn available_version(&self, id: &str, source: &str) -> Result<Option<String>, Failure> {
        let available: Available = self.query(AVAILABLE, json!({ "source": source })).await?;
        let found = available.packages.into_iter().find(|package| package.package_id == id);
        Ok(found.and_then(|package| package.version))
    }

    pub async fn installed_packages(&self) -> Result<Vec<InstalledPackage>, Failure> {
        Ok(self.query::<Installed>(INSTALLED, json!({})).await?.packages)
    }

    /// Begins a job, which ends well even when the package is not installed: look at [`Self::plugins`] afterwards.
    pub async fn install_package(&self, id: &str, source: &str) -> Result<String, Failure> {
        self.package_job(INSTALL, "installPackages", id, source).await
    }

    /// Begins a job, with the same trap.
    pub async fn uninstall_package(&self, id: &str, source: &str) -> Result<String, Failure> {
        self.package_job(UNINSTALL, "uninstallPackages", id, source).await
    }

    async fn package_job(&self, query: &str, name: &str, id: &str, source: &str) -> Result<String, Failure> {
        let packages = json!({ "packages": [{ "id": id, "sourceURL": source }] });
        let answer: Value = self.query(query, packages).await?;
        Ok(answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Whether a job has ended. Stash forgets jobs soon after their end.
    pub async fn job_has_ended(&self, job: &str) -> Result<bool, Failure> {
        let found: FoundJob = self.query(JOB, json!({ "id": job })).await?;
        Ok(found.job.is_none_or(|job| matches!(job.status.as_str(), "FINISHED" | "CANCELLED" | "FAILED")))
    }

    pub async fn enable_plugin(&self, id: &str) -> Result<(), Failure> {
        self.query::<Value>(ENABLE, json!({ "map": { id: true } })).await.map(drop)
    }

    /// Runs a plugin on Stash's machine and returns what it gives back. An error says that it cannot be started, or what
    /// went wrong in it.
    pub async fn run_plugin(&self, id: &str, args: &Value) -> Result<Value, Failure> {
        let answer: Value = self.query(RUN, json!({ "id": id, "args": args })).await?;
        Ok(answer.get("runPluginOperation").cloned().unwrap_or_default())
    }

    /// The newest lines of Stash's log, newest first.
    pub async fn log(&self) -> Result<Vec<LogLine>, Failure> {
        Ok(self.query::<Log>(LOG, json!({})).await?.logs)
    }
}

#[cfg(test)]
mod tests;
