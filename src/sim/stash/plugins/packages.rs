//! How does a package get into the plugins' folder? From the index of a source and the zip it names, checked by its sum.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST: u64 = 512 << 20;
/// Written beside a package's files: where it came from, and which files are its own.
const MANIFEST: &str = "manifest";

/// Where packages come from.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Source {
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) url: String,
    #[serde(default)]
    pub(super) local_path: Option<String>,
}

pub(super) struct Packages {
    pub(super) sources: Vec<Source>,
    pub(super) cache: Cache,
}

/// Each index with the time at which it was changed last, as its server said.
pub(super) type Cache = BTreeMap<String, (Option<String>, Vec<Listed>)>;

/// A package in an index.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) date: String,
    path: String,
    sha256: String,
}

#[derive(Deserialize, Serialize)]
struct Manifest {
    id: String,
    name: String,
    version: String,
    date: String,
    source_repository: String,
    files: Vec<String>,
}

impl Packages {
    pub(super) fn new(source: Source) -> Self {
        Self { sources: vec![source], cache: Cache::new() }
    }
}

/// What an index lists. One that has not changed since is not fetched again.
pub(super) fn list(cache: &mut Cache, source: &str) -> Result<Vec<Listed>, String> {
    if let Some((Some(known), listed)) = cache.get(source) {
        let head = request(source, true)?;
        if head.0.is_some_and(|changed| changed == *known) {
            return Ok(listed.clone());
        }
    }
    let (changed, text) = request(source, false)?;
    let listed: Vec<Listed> = serde_saphyr::from_str(&String::from_utf8_lossy(&text))
        .map_err(|error| format!("reading package list: {error}"))?;
    cache.insert(source.to_owned(), (changed, listed.clone()));
    Ok(listed)
}

/// Fetches, checks and unpacks a package. What was there of it before is removed, but for files of somebody else.
pub(super) fn install(
    folder: &Path,
    sources: &[Source],
    cache: &mut Cache,
    id: &str,
    source: &str,
) -> Result<(), String> {
    let listed = list(cache, source)?;
    let package = listed.into_iter().find(|package| package.id == id).ok_or("package not found")?;
    // A path of its own, with the query of the index.
    let mut url = Url::parse(source).map_err(|error| error.to_string())?;
    let query = url.query().map(str::to_owned);
    url = url.join(&package.path).map_err(|error| error.to_string())?;
    url.set_query(query.as_deref());
    let (_, zip) = request(url.as_str(), false)?;
    let sum = sum_of(&zip);
    if sum != package.sha256 {
        return Err(format!("package data ({sum}) does not match expected SHA256 ({})", package.sha256));
    }
    let at = store(folder, sources, source).join(id);
    if at.join(MANIFEST).exists() {
        remove(&at)?;
    }
    let files = unpack(&zip, &at).map_err(|error| format!("installing package: {error}"))?;
    let Listed { id, name, version, date, .. } = package;
    let manifest = Manifest { id, name, version, date, source_repository: source.to_owned(), files };
    let text = serde_json::to_string(&manifest).map_err(|error| error.to_string())?;
    fs::write(at.join(MANIFEST), text).map_err(|error| error.to_string())
}

pub(super) fn uninstall(folder: &Path, sources: &[Source], id: &str, source: &str) -> Result<(), String> {
    let at = store(folder, sources, source).join(id);
    remove(&at)?;
    // Only an empty one: others may have left something there.
    drop(fs::remove_dir(at));
    Ok(())
}

/// What is installed from the sources that are known.
pub(super) fn installed(folder: &Path, sources: &[Source]) -> Value {
    let stores = sources.iter().map(|source| store(folder, sources, &source.url));
    let folders = stores.filter_map(|store| fs::read_dir(store).ok()).flatten().filter_map(Result::ok);
    let manifests = folders.filter_map(|entry| fs::read_to_string(entry.path().join(MANIFEST)).ok());
    let manifests = manifests.filter_map(|text| serde_json::from_str::<Manifest>(&text).ok());
    let package = |it: Manifest| {
        json!({ "package_id": it.id, "name": it.name, "version": it.version, "date": it.date,
            "sourceURL": it.source_repository })
    };
    manifests.map(package).collect()
}

/// The folder for what comes from a source; that of all plugins for a source that is not known.
fn store(folder: &Path, sources: &[Source], url: &str) -> PathBuf {
    let source = sources.iter().find(|source| source.url == url);
    source
        .and_then(|source| source.local_path.as_deref())
        .map_or_else(|| folder.to_owned(), |path| folder.join(path))
}

fn remove(package: &Path) -> Result<(), String> {
    let text =
        fs::read_to_string(package.join(MANIFEST)).map_err(|error| format!("getting manifest: {error}"))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    for file in manifest.files.iter().map(String::as_str).chain([MANIFEST]) {
        drop(fs::remove_file(package.join(file)));
    }
    Ok(())
}

/// Each file gets the mode that the zip says, so that a program can be run.
fn unpack(zip: &[u8], into: &Path) -> io::Result<Vec<String>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip))?;
    let mut files = Vec::new();
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place)?;
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        if entry.is_dir() || !Path::new(&name).components().all(|part| matches!(part, Component::Normal(_))) {
            continue;
        }
        let path = into.join(&name);
        fs::create_dir_all(path.parent().unwrap_or(into))?;
        let mode = entry.unix_mode().unwrap_or(0o644);
        let mut file: File =
            File::options().write(true).create(true).truncate(true).mode(mode & 0o777).open(path)?;
        io::copy(&mut entry, &mut file)?;
        file.flush()?;
        files.push(name);
    }
    Ok(files)
}

/// SHA-256 as hexadecimal digits.
pub(super) fn sum_of(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// When it was changed, and the body, which is empty for a HEAD.
fn request(url: &str, head: bool) -> Result<(Option<String>, Vec<u8>), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let method = if head { "Head" } else { "Get" };
    let sent = if head { agent.head(url).call() } else { agent.get(url).call() };
    let mut answer =
        sent.map_err(|error| format!("failed to get remote file: {method} \"{url}\": {error}"))?;
    if answer.status().as_u16() >= 400 {
        return Err(format!("failed to get remote file: {}", answer.status()));
    }
    let changed =
        answer.headers().get("last-modified").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec();
    Ok((changed, body.map_err(|error| error.to_string())?))
}
