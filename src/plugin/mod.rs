//! What does Stash get to start for each change? The plugin: its manifest, what runs, the zip and the index that names it.

mod manifest;
mod package;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use package::{Package, index};

/// The plugin's name among all plugins. Stash takes it without regard to case, and `PlexSync` is somebody else's.
pub const ID: &str = "plexsync-hook";
/// The name of the source in Stash's list of sources, and the folder below Stash's plugins for what comes from it.
pub const SOURCE_NAME: &str = "PlexSync";
pub const SOURCE_FOLDER: &str = "plexsync";
/// Where the service offers the plugin, below its address.
pub const INDEX_PATH: &str = "stash-plugin/index.yml";
/// The file that the index names, beside it. Stash keeps the index's query when it asks for this.
pub const ZIP_NAME: &str = "plexsync-hook.zip";

const PROGRAM: &str = "plexsync-hook";
const SCRIPT: &str = "plexsync_hook.py";

/// What Stash starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// The service's own program; it has to suit the machine on which Stash runs.
    Program,
    /// A script for Python's standard library: runs wherever Stash has a Python, and takes some ten times as long.
    Python,
}

impl Variant {
    pub const ALL: [Self; 2] = [Self::Program, Self::Python];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Python => "python",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is neither \"program\" nor \"python\": {0:?}")]
pub struct UnknownVariant(String);

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(text: &str) -> Result<Self, UnknownVariant> {
        let found = Self::ALL.into_iter().find(|variant| variant.as_str() == text);
        found.ok_or_else(|| UnknownVariant(text.chars().take(40).collect()))
    }
}

/// Where the plugin sends events, and what lets them in.
#[derive(Debug, Clone)]
pub struct Target {
    /// The service as Stash reaches it; the path ends in `/`.
    pub url: Url,
    pub token: SecretString,
}

/// One file of the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFile {
    pub name: &'static str,
    /// Unix permissions.
    pub mode: u32,
    pub content: Vec<u8>,
}

/// The plugin for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// That of the service, and a part that differs when anything else in the plugin does.
    pub version: String,
    /// The manifest first.
    pub files: Vec<PluginFile>,
}

impl Plugin {
    /// Makes the plugin. `program` is the service's own program, which is read whole.
    pub fn make(variant: Variant, target: &Target, program: &Path) -> io::Result<Self> {
        let runs = match variant {
            Variant::Program => PluginFile { name: PROGRAM, mode: 0o755, content: fs::read(program)? },
            Variant::Python => PluginFile { name: SCRIPT, mode: 0o644, content: script().into_bytes() },
        };
        let version = package::version(&runs.content, target);
        let manifest = manifest::manifest(variant, target, &version).into_bytes();
        let manifest = PluginFile { name: "plexsync-hook.yml", mode: 0o644, content: manifest };
        Ok(Self { version, files: vec![manifest, runs] })
    }
}

/// The program that runs now. It stays what it is when a newer one takes its place on the disk.
pub fn own_program() -> PathBuf {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return running.to_owned();
    }
    // In a root without `/proc` only the caller's word is left. If that is wrong, only the plugin cannot be made.
    std::env::current_exe().unwrap_or_else(|_| std::env::args_os().next().unwrap_or_default().into())
}

fn script() -> String {
    let version = format!("VERSION = \"{}\"", env!("CARGO_PKG_VERSION"));
    include_str!("plexsync_hook.py").replacen("VERSION = \"0\"", &version, 1)
}

/// The address of the index for Stash. Its query is the one thing that Stash sends along, so the token stands there.
pub fn source_url(service: &Url, token: &SecretString, variant: Variant) -> Url {
    let mut url = service.join(INDEX_PATH).unwrap_or_else(|_| service.clone());
    url.query_pairs_mut()
        .append_pair("token", token.expose_secret())
        .append_pair("variant", variant.as_str());
    url
}

/// Whether an address among Stash's sources is one of ours, whatever service and token it was for.
pub fn is_source(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.path().ends_with(&format!("/{INDEX_PATH}")))
}

#[cfg(test)]
mod tests;
