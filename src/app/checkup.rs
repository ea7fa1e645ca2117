//! Is everything in place? Asks both peers for what the service needs of them, and changes nothing anywhere.

use std::path::PathBuf;

use serde::Serialize;

use super::parts;
use crate::actors::indexer::chosen;
use crate::config::Config;
use crate::domain::failure::Failure;
use crate::domain::ids::SectionKey;
use crate::domain::item::Library;
use crate::domain::matching::{MappingReport, PathMap, examine};
use crate::plex::{ListingOrder, PlexClient};
use crate::stash::{StashClient, StashStatus};
use crate::store::{Readers, StoreError, plex_index};

/// So many files of Stash tell which mapping is right; more would only take longer.
const FILES_OF_STASH: usize = 20_000;
/// So many items of Plex are listed when nothing is indexed yet: two hundred requests.
const ITEMS_OF_PLEX: u32 = 100_000;
const PAGE: u32 = 500;

/// How good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    Ok,
    /// It works, and is to be known.
    Warning,
    /// It does not work as it should.
    Problem,
    /// A peer does not answer, or refuses.
    Unreachable,
    /// The configuration names what is not there.
    Misconfigured,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub subject: &'static str,
    pub grade: Grade,
    /// What was found, and what to do about it.
    pub text: String,
}

impl Finding {
    pub fn new(subject: &'static str, grade: Grade, text: impl Into<String>) -> Self {
        Self { subject, grade, text: text.into() }
    }
}

/// What there is to compare the paths of both servers with.
#[derive(Default)]
struct Paths {
    stash: Vec<String>,
    stash_roots: Vec<String>,
    plex: Vec<String>,
    plex_roots: Vec<String>,
}

/// Looks at everything but the plugin.
pub struct Checkup {
    stash: StashClient,
    plex: PlexClient,
    libraries: Vec<String>,
    database: PathBuf,
    readers: Result<Readers, StoreError>,
    map: PathMap,
}

impl Checkup {
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let readers = Readers::open(&config.storage.path);
        let (stash, plex) = parts::clients_as_known(config, readers.as_ref().ok())?;
        let (libraries, database) = (config.plex.libraries.clone(), config.storage.path.clone());
        Ok(Self { stash, plex, libraries, database, readers, map: parts::path_map(config) })
    }

    /// What was found, and what the paths say about the mapping if there is anything to compare. A peer that is away
    /// keeps nobody from looking at the other one.
    pub async fn look(&self) -> (Vec<Finding>, Option<MappingReport>) {
        let mut findings = Vec::new();
        let mut paths = Paths::default();
        findings.push(self.database());
        self.look_at_stash(&mut findings, &mut paths).await;
        self.look_at_plex(&mut findings, &mut paths).await;
        if paths.stash.is_empty() || paths.plex.is_empty() {
            return (findings, None);
        }
        let Paths { stash, stash_roots, plex, plex_roots } = paths;
        let report = examine(&stash, &plex, &self.map, &stash_roots, &plex_roots);
        (findings, Some(report))
    }

    fn database(&self) -> Finding {
        let shown = self.database.display();
        let (grade, text) = match &self.readers {
            Ok(_) => (Grade::Ok, format!("{shown} can be read")),
            Err(StoreError::Missing { .. }) => {
                (Grade::Warning, format!("{shown} does not exist yet; `plexsync run` makes it"))
            }
            Err(error) => (Grade::Problem, error.to_string()),
        };
        Finding::new("database", grade, text)
    }

    async fn look_at_stash(&self, findings: &mut Vec<Finding>, paths: &mut Paths) {
        let about = match self.stash.about().await {
            Ok(about) => about,
            Err(failure) => return findings.push(of_peer("Stash", &failure)),
        };
        let version = if about.version.is_empty() { "of an unknown version" } else { &about.version };
        let unready = match &about.status {
            StashStatus::Ok => None,
            StashStatus::Setup => Some("it waits for its first set-up: open it in a browser".to_owned()),
            StashStatus::NeedsMigration => {
                Some("it waits for its database to be migrated: open it in a browser and confirm".to_owned())
            }
            StashStatus::Other(word) => Some(format!("it says that its state is {word}")),
        };
        if let Some(why) = unready {
            let text = format!("Stash {version} answers, but {why}");
            return findings.push(Finding::new("Stash", Grade::Unreachable, text));
        }
        if let Err(failure) = self.stash.prove().await {
            return findings.push(of_peer("Stash", &failure));
        }
        findings.push(Finding::new("Stash", Grade::Ok, format!("{version} answers and takes the key")));
        match (self.stash.file_paths(FILES_OF_STASH).await, self.stash.roots().await) {
            (Ok(files), Ok(roots)) => {
                if files.is_empty() {
                    findings.push(Finding::new(
                        "Stash files",
                        Grade::Warning,
                        "Stash has no scenes with files yet",
                    ));
                }
                (paths.stash, paths.stash_roots) = (files, roots);
            }
            (Err(failure), _) | (_, Err(failure)) => findings.push(of_peer("Stash files", &failure)),
        }
    }

    async fn look_at_plex(&self, findings: &mut Vec<Finding>, paths: &mut Paths) {
        let identity = match self.plex.identity().await {
            Ok(identity) => identity,
            Err(failure) => return findings.push(of_peer("Plex", &failure)),
        };
        let all = match self.plex.libraries().await {
            Ok(all) => all,
            Err(failure) => return findings.push(of_peer("Plex", &failure)),
        };
        let text = format!("{} ({}) answers and takes the token", identity.version, identity.machine);
        findings.push(Finding::new("Plex", Grade::Ok, text));
        let libraries = match chosen(&self.libraries, all) {
            Ok(libraries) => libraries,
            Err(failure) => {
                return findings.push(Finding::new("libraries", Grade::Misconfigured, failure.detail));
            }
        };
        if libraries.is_empty() {
            let text = "Plex shows us no library of the movie type; is the token the owner's?";
            return findings.push(Finding::new("libraries", Grade::Problem, text));
        }
        match self.plex_paths(&libraries).await {
            Ok((files, how)) => {
                let titles: Vec<_> = libraries.iter().map(|library| format!("{:?}", library.title)).collect();
                let text = format!("{}: {} files {how}", titles.join(", "), files.len());
                let grade = if files.is_empty() { Grade::Warning } else { Grade::Ok };
                findings.push(Finding::new("libraries", grade, text));
                paths.plex = files;
                paths.plex_roots = libraries.into_iter().flat_map(|library| library.locations).collect();
            }
            Err(failure) => findings.push(of_peer("libraries", &failure)),
        }
    }

    /// From the index where every library has been walked, else from Plex.
    async fn plex_paths(&self, libraries: &[Library]) -> Result<(Vec<String>, &'static str), Failure> {
        let keys: Vec<SectionKey> = libraries.iter().map(|library| library.key.clone()).collect();
        let indexed = self.readers.as_ref().ok().and_then(|readers| {
            let walked = readers.with(|reader| plex_index::all_walked(reader, &keys)).ok()?;
            walked.then(|| readers.with(plex_index::paths).ok()).flatten()
        });
        if let Some(indexed) = indexed {
            return Ok((indexed, "in the index"));
        }
        let mut paths = Vec::new();
        for library in libraries {
            let mut start = 0;
            while start < ITEMS_OF_PLEX {
                let page = self.plex.listing(&library.key, ListingOrder::Stable, start, PAGE).await?;
                let items = u32::try_from(page.items).unwrap_or(PAGE);
                paths.extend(page.parts.into_iter().map(|part| part.path));
                start = start.saturating_add(items);
                if items == 0 || page.total.is_some_and(|total| start >= total) {
                    break;
                }
            }
        }
        Ok((paths, "listed; nothing is indexed yet"))
    }
}

fn of_peer(subject: &'static str, failure: &Failure) -> Finding {
    Finding::new(subject, Grade::Unreachable, failure.detail.clone())
}
