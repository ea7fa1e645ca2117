//! Does Plex know of the folder? Has it look into folders of files that it does not have, each once an hour.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::failure::Failure;
use crate::domain::item::Library;
use crate::domain::matching::{PathMap, folder_of, is_inside};
use crate::domain::scene::Scene;
use crate::http::HttpError;
use crate::plex::PlexClient;
use crate::telemetry::redact::PathStyle;

/// A scan that found nothing finds nothing a minute later; many scans make Plex slow.
const AGAIN_AFTER: Duration = Duration::from_hours(1);

/// Asks for scans, unless the user does not want that.
#[derive(Clone)]
pub struct Scans {
    plex: PlexClient,
    wanted: bool,
    /// The libraries to follow by their titles; empty means all.
    libraries: Arc<[String]>,
    paths: PathStyle,
    clock: Arc<dyn Clock>,
    /// The folders that were asked for, and when (monotonic).
    asked: Arc<Mutex<BTreeMap<String, Duration>>>,
}

impl Scans {
    pub fn new(
        plex: PlexClient,
        wanted: bool,
        libraries: Arc<[String]>,
        paths: PathStyle,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { plex, wanted, libraries, paths, clock, asked: Arc::default() }
    }

    /// The same with connections of its own.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        Ok(Self { plex: self.plex.reconnected()?, ..self.clone() })
    }

    /// Has Plex look into the folders of the scene's files. That it cannot is no reason to treat the scene otherwise.
    pub(super) async fn ask_for(&self, scene: &Scene, map: &PathMap) {
        if !self.wanted {
            return;
        }
        let mapped: Vec<_> = scene.files.iter().map(|file| map.to_plex(&file.path)).collect();
        let folders = self.new_ones(mapped.iter().filter_map(|path| folder_of(path)).collect());
        if folders.is_empty() {
            return;
        }
        if let Err(failure) = self.scan(scene, &folders).await {
            tracing::debug!("scene {}: no scan could be asked for: {}", scene.id, failure.detail);
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.retain(|folder, _| !folders.contains(folder));
        }
    }

    /// Those that were not asked for within the hour; from now on they were.
    fn new_ones(&self, folders: BTreeSet<&str>) -> Vec<String> {
        let now = self.clock.monotonic();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| now.saturating_sub(*at) < AGAIN_AFTER);
        let new: Vec<String> =
            folders.into_iter().filter(|folder| !asked.contains_key(*folder)).map(str::to_owned).collect();
        asked.extend(new.iter().map(|folder| (folder.clone(), now)));
        new
    }

    async fn scan(&self, scene: &Scene, folders: &[String]) -> Result<(), Failure> {
        let libraries = self.plex.libraries().await?;
        let followed =
            |library: &&Library| self.libraries.is_empty() || self.libraries.contains(&library.title);
        for library in libraries.iter().filter(followed) {
            for folder in folders {
                // A folder elsewhere would be taken without complaint, or for the whole library.
                if library.locations.iter().any(|location| is_inside(folder, location)) {
                    self.plex.scan(&library.key, folder).await?;
                    let shown = self.paths.show(folder);
                    tracing::info!("scene {}: had Plex look into {shown:?} for its file", scene.id);
                }
            }
        }
        Ok(())
    }
}
