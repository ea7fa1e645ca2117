//! Which items is a scene? Looks the candidates up, lets the domain decide, and asks for a fresh index before it says no.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, ResponseFuture};

use super::contents::Contents;
use super::indexer::Indexer;
use super::messages::{ChangeIndex, FindMatch, Found, Refresh, Target, Unmatched, WatchFor};
use super::persistence::Persistence;
use super::scans::Scans;
use super::stage::{caught, restarted, storage, stored};
use crate::clock::Clock;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::{MachineId, RatingKey};
use crate::domain::matching::{
    Decision, MatchPolicy, PathMap, Reason, Scored, awaited_heralds, decide, own_paths,
};
use crate::domain::scene::Scene;
use crate::http::HttpError;
use crate::store::candidates::{candidates, items_at};
use crate::store::own_paths::OwnPaths;
use crate::store::reviews::{Candidate, NewReview};
use crate::store::{ItemKey, Readers, intents, ledger, settings};
use crate::supervision::{Link, Watch};
use crate::telemetry::redact::PathStyle;

/// The first walk of a large library takes its time.
const REFRESH_LIMIT: Duration = Duration::from_mins(10);
const STORE_LIMIT: Duration = Duration::from_secs(30);
/// A refresh that began this shortly before the question is fresh enough: many misses at once share it.
const FRESH_ENOUGH: Duration = Duration::from_secs(2);

/// Finds the items of a scene.
pub struct Matching {
    pub finder: Finder,
    pub watch: Watch,
}

/// What a search needs.
#[derive(Clone)]
pub struct Finder {
    pub readers: Readers,
    pub contents: Contents,
    pub scans: Scans,
    pub indexer: Link<Indexer>,
    pub persistence: Link<Persistence>,
    pub map: Arc<PathMap>,
    pub policy: MatchPolicy,
    /// How paths stand in what people read.
    pub paths: PathStyle,
    pub clock: Arc<dyn Clock>,
}

impl Matching {
    pub fn new(finder: Finder, watch: Watch) -> Self {
        Self { finder, watch }
    }
}

impl Actor for Matching {
    type Context = Context<Self>;
}

impl Handler<FindMatch> for Matching {
    type Result = ResponseFuture<Result<Found, Unmatched>>;

    fn handle(&mut self, FindMatch { scene, distrust }: FindMatch, _: &mut Context<Self>) -> Self::Result {
        let finder = self.finder.clone();
        caught(async move { finder.find(&scene, &distrust).await })
    }
}

crate::supervised!(Matching);

impl Finder {
    /// The same with connections of its own.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        let (contents, scans) = (self.contents.reconnected()?, self.scans.reconnected()?);
        Ok(Self { contents, scans, ..self.clone() })
    }

    async fn find(&self, scene: &Scene, distrust: &[RatingKey]) -> Result<Found, Unmatched> {
        if scene.files.is_empty() {
            let detail = format!("scene {} has no file in Stash, so nothing in Plex can be it", scene.id);
            return Err(Failure::new(FailureClass::NotInPlex, Peer::Stash, "no_file", detail).into());
        }
        let asked = self.clock.monotonic();
        if distrust.is_empty()
            && let (own_paths, Decision::Auto(items)) = self.look_up(scene).await?
        {
            return Ok(self.found(scene, own_paths, items)?);
        }
        for key in distrust {
            let forget = ChangeIndex::Forget(key.clone());
            stored(self.persistence.ask(forget, STORE_LIMIT).await)?;
        }
        let refresh = match distrust {
            [] => Refresh::Since(asked.saturating_sub(FRESH_ENOUGH)),
            // What was forgotten may be there all the same.
            [_, ..] => Refresh::Anew,
        };
        self.indexer.ask(refresh, REFRESH_LIMIT).await.map_err(restarted)??;
        // What others find from here on would be missed.
        let watch = WatchFor { scene: scene.id, keys: awaited_heralds(scene, &self.map) };
        stored(self.persistence.ask(watch, STORE_LIMIT).await)?;
        let (own_paths, decision) = self.look_up(scene).await?;
        match decision {
            Decision::Auto(items) => Ok(self.found(scene, own_paths, items)?),
            Decision::Review { code, candidates } => {
                let failure = self.for_review(scene, code, &candidates);
                let Found { machine, targets, .. } = self.found(scene, own_paths, candidates)?;
                Err(Unmatched { failure, review: Some(Box::new(question(scene, &machine, &targets))) })
            }
            Decision::None => {
                self.scans.ask_for(scene, &self.map).await;
                Err(self.not_in_plex(scene).into())
            }
        }
    }

    /// What is seen at the scene's own paths is read first: what comes later is news.
    async fn look_up(&self, scene: &Scene) -> Result<(OwnPaths, Decision), Failure> {
        let keys = own_paths(scene, &self.map);
        let items = self.readers.with(|reader| items_at(reader, &keys)).map_err(storage)?;
        let offer = || self.readers.with(|reader| candidates(reader, scene, &self.map)).map_err(storage);
        let mut found = offer()?;
        if self.contents.learn(scene, &found, &self.map).await? {
            found = offer()?;
        }
        Ok((OwnPaths { keys, items }, decide(scene, &found, &self.map, &self.policy)))
    }

    fn found(&self, scene: &Scene, own_paths: OwnPaths, items: Vec<Scored>) -> Result<Found, Failure> {
        let found = self.readers.with(|reader| {
            let Some(machine) = settings::get(reader, settings::MACHINE)?.map(MachineId) else {
                return Ok(None);
            };
            let mut targets = Vec::with_capacity(items.len());
            for scored in items {
                let key = ItemKey { machine: machine.clone(), rating_key: scored.rating_key.clone() };
                let holder = ledger::holder(reader, &key)?;
                let ours = holder.as_ref().filter(|link| link.scene == scene.id && scene.is(&link.identity));
                let identity = ours.map_or_else(|| scene.identity(), |link| link.identity.clone());
                // A scene that has begun to write to the item may come to hold it.
                let others = holder.map(|link| link.scene).into_iter().chain(intents::writers(reader, &key)?);
                let held_by = others.into_iter().find(|other| *other != scene.id);
                let reasons = scored.reasons();
                targets.push(Target { scored, reasons, held_by, identity });
            }
            Ok(Some(Found { machine, targets, own_paths }))
        });
        let detail = "the path index belongs to no server";
        found.map_err(storage)?.ok_or_else(|| Failure::interrupted("index_without_server", detail))
    }

    fn for_review(&self, scene: &Scene, code: &'static str, candidates: &[Scored]) -> Failure {
        let shown = candidates.iter().take(5).map(|candidate| {
            format!(
                "item {} ({:.2}: {}) {:?}",
                candidate.rating_key,
                candidate.confidence,
                candidate.reasons(),
                self.paths.show(&candidate.path)
            )
        });
        let shown: Vec<_> = shown.collect();
        let detail = match code {
            "low_confidence" => format!(
                "the best match for scene {} is too uncertain to be written: {}",
                scene.id,
                shown.join("; ")
            ),
            _ => format!("several items could be scene {}: {}", scene.id, shown.join("; ")),
        };
        Failure::new(FailureClass::Ambiguous, Peer::Plex, code, detail)
    }

    fn not_in_plex(&self, scene: &Scene) -> Failure {
        let looked_for: Vec<_> = scene
            .files
            .iter()
            .take(3)
            .map(|file| format!("{:?}", self.paths.show(&self.map.to_plex(&file.path))))
            .collect();
        let detail = format!("Plex has no item with the path {}", looked_for.join(" or "));
        Failure::new(FailureClass::NotInPlex, Peer::Plex, "no_candidate", detail)
    }
}

/// What a person is asked about a scene that could be these items.
pub(super) fn question(scene: &Scene, machine: &MachineId, targets: &[Target]) -> NewReview {
    let candidate = |target: &Target| {
        let Scored { section, rating_key, path, confidence, evidence } = target.scored.clone();
        let reasons = evidence.iter().map(Reason::from).collect();
        Candidate { rating_key, section, path, confidence, reasons, held_by: target.held_by }
    };
    NewReview {
        machine: machine.clone(),
        identity: scene.identity(),
        title: scene.title.clone(),
        path: scene.files.first().map(|file| file.path.clone()).unwrap_or_default(),
        candidates: targets.iter().map(candidate).collect(),
    }
}
