//! What is the life of one job? Read the scene, find its items, make them show it, settle.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::matching::question;
use super::messages::{Applied, Buried, Found, NotDone, Target, Unmatched, Wish};
use crate::domain::edits::OnDelete;
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::{MachineId, RatingKey, SceneId};
use crate::domain::matching::{is_rivalled, let_go};
use crate::domain::scene::Scene;
use crate::store::ItemKey;
use crate::store::covers::SeenCovers;
use crate::store::intents::SettledIntent;
use crate::store::ledger::Link;
use crate::store::own_paths::OwnPaths;
use crate::store::queue::ClaimedJob;
use crate::store::reviews::NewReview;
use crate::store::settle::{RunReport, Settled};
use crate::store::writes::{RecordedWrite, WriteOutcome};

/// Which scenes are carried, and what becomes of those that are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPolicy {
    /// Whether only those that are marked as organized in Stash.
    pub only_organized: bool,
    pub on_delete: OnDelete,
}

/// The stations of a job: the actors behind their links, or plain functions in a simulation.
pub trait Stages {
    fn policy(&self) -> RunPolicy;
    fn now(&self) -> Timestamp;
    fn read_scene(&self, scene: SceneId) -> impl Future<Output = Result<Scene, Failure>>;
    fn find_match(
        &self,
        scene: &Arc<Scene>,
        distrust: &[RatingKey],
    ) -> impl Future<Output = Result<Found, Unmatched>>;
    /// The keys of the files in Plex by which a scene without an item would have to hear of them.
    fn awaited(&self, scene: &Scene) -> BTreeSet<i64>;
    /// Has the run be followed by another one if what has one of these keys comes before its end.
    fn watch_for(&self, scene: SceneId, keys: BTreeSet<i64>) -> impl Future<Output = Result<(), Failure>>;
    /// The items on the server as it is that the scene holds.
    fn held(&self, scene: SceneId) -> impl Future<Output = Result<Vec<Link>, Failure>>;
    fn apply(
        &self,
        wish: Wish,
        scene: &Arc<Scene>,
        machine: &MachineId,
        target: &Target,
        job: &ClaimedJob,
    ) -> impl Future<Output = Result<Applied, NotDone>>;
    /// The writes that a person wants taken back.
    fn undos(&self, scene: SceneId) -> impl Future<Output = Result<Vec<RecordedWrite>, Failure>>;
    fn refuse_undo(&self, write: i64, why: String) -> impl Future<Output = Result<(), Failure>>;
    /// Returns only when the verdict is stored or another run has taken the job over.
    fn settle(&self, report: RunReport) -> impl Future<Output = Settled>;
    fn buried(&self, buried: Buried) -> impl Future<Output = ()>;
}

/// Stands in the history of a scene that `sync.only_organized` leaves out.
const NOT_ORGANIZED: &str = "left alone, as it is not organized in Stash (sync.only_organized)";

/// What a run has to show besides its outcome.
#[derive(Debug, Default)]
struct Done {
    intents: Vec<SettledIntent>,
    links: Vec<Link>,
    passed_on: BTreeMap<ItemKey, SceneId>,
    covers: Vec<(ItemKey, SeenCovers)>,
    unlinked: Vec<ItemKey>,
    remark: Option<&'static str>,
    awaits: BTreeSet<i64>,
    own_paths: OwnPaths,
    review: Option<NewReview>,
}

impl Done {
    /// Keeps what a person could say, and goes on with the failure.
    fn unmatched(&mut self, Unmatched { failure, review }: Unmatched) -> Failure {
        self.review = review.map(|review| *review);
        failure
    }
}

/// How many fields show what was written.
pub(super) fn applied_count(intent: &SettledIntent) -> usize {
    intent.fields.iter().filter(|field| field.outcome == WriteOutcome::Applied).count()
}

/// That the scene is the item, as it is kept.
pub(super) fn link(machine: &MachineId, target: &Target, scene: &Scene, now: Timestamp) -> Link {
    let Target { scored, reasons, identity, .. } = target;
    Link {
        item: ItemKey { machine: machine.clone(), rating_key: scored.rating_key.clone() },
        scene: scene.id,
        identity: identity.clone(),
        section: scored.section.clone(),
        part_path: scored.path.clone(),
        evidence: reasons.clone(),
        confidence: scored.confidence,
        linked_at: now,
    }
}

/// Runs one job from claim to verdict.
pub async fn run_job(job: ClaimedJob, stages: &impl Stages) {
    let started_at = stages.now();
    let scene = job.job().scene;
    let mut done = Done::default();
    // The inner net: a panic is this job's own failure, and its neighbours see nothing of it.
    let outcome = AssertUnwindSafe(carry(&job, stages, &mut done)).catch_unwind().await;
    let outcome =
        outcome.unwrap_or_else(|_| Err(Failure::bug("panic", "our own code panicked on this scene")));
    match &outcome {
        Ok(()) => {
            let fields: usize = done.intents.iter().map(applied_count).sum();
            let remark = done.remark.map_or_else(String::new, |remark| format!(": {remark}"));
            tracing::info!("synced scene {scene}: {fields} fields written{remark}");
        }
        // Whether it is news is known when it is stored.
        Err(_) if done.review.is_some() => {}
        // Said once when it begins; what goes on can be seen in the queue.
        Err(failure) if job.job().class == Some(failure.class) => {
            tracing::debug!(class = %failure.class, code = failure.code, "scene {scene}: {}", failure.detail);
        }
        Err(failure) => {
            tracing::warn!(class = %failure.class, code = failure.code, "scene {scene}: {}", failure.detail);
        }
    }
    let report = RunReport {
        token: job.token(),
        scene,
        started_at,
        correlation_id: job.job().correlation_id.clone(),
        outcome,
        remark: done.remark,
        intents: done.intents,
        links: done.links,
        passed_on: done.passed_on,
        covers: done.covers,
        unlinked: done.unlinked,
        awaits: done.awaits,
        own_paths: done.own_paths,
        review: done.review,
    };
    let undecided = report.outcome.clone().err().filter(|_| report.review.is_some());
    let settled = stages.settle(report).await;
    let Settled::Recorded(recorded) = settled else {
        tracing::warn!("scene {scene}: another run has taken over, this one changes nothing");
        return;
    };
    if let Some(failure) = undecided {
        tell_of_review(scene, &failure, recorded.to_review);
    }
    tracing::debug!(state = %recorded.state, "scene {scene}: {}", recorded.next);
    if let Some(letter) = recorded.buried {
        let correlation_id = job.job().correlation_id.clone();
        let (letter, code, detail) = (letter.id, letter.code, letter.detail);
        stages.buried(Buried { scene, letter, code, detail, correlation_id }).await;
    }
}

/// Says once that a person is asked. The same question again is no news.
fn tell_of_review(scene: SceneId, failure: &Failure, is_news: bool) {
    let Failure { class, code, detail, .. } = failure;
    if is_news {
        tracing::warn!(%class, code, "scene {scene}: {detail}; `plexsync review show {scene}` asks which it is");
    } else {
        tracing::debug!(%class, code, "scene {scene}: {detail}");
    }
}

async fn carry(job: &ClaimedJob, stages: &impl Stages, done: &mut Done) -> Result<(), Failure> {
    undo_writes(job, stages).await?;
    let scene = match stages.read_scene(job.job().scene).await {
        Ok(scene) => Arc::new(scene),
        Err(failure) if failure.class == FailureClass::Gone => {
            take_back(job, stages, done).await?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    if stages.policy().only_organized && !scene.organized {
        done.remark = Some(NOT_ORGANIZED);
        return Ok(());
    }
    done.awaits = stages.awaited(&scene);
    let mut distrust = Vec::new();
    let found = stages.find_match(&scene, &distrust).await.map_err(|unmatched| done.unmatched(unmatched))?;
    done.own_paths.clone_from(&found.own_paths);
    match apply_all(job, stages, &scene, &found, done).await {
        Err((stale, failure)) if failure.class == FailureClass::StaleMatch => {
            // What the index remembered is gone: match again in the same attempt, once.
            tracing::info!("scene {}: {}; matching again", scene.id, failure.detail);
            done.unlinked.push(ItemKey { machine: found.machine.clone(), rating_key: stale.clone() });
            distrust.push(stale);
            let found = stages.find_match(&scene, &distrust).await;
            let found = found.map_err(|unmatched| done.unmatched(unmatched))?;
            done.own_paths.clone_from(&found.own_paths);
            apply_all(job, stages, &scene, &found, done).await.map_err(|(_, failure)| failure)
        }
        Err((_, failure)) => Err(failure),
        Ok(()) => Ok(()),
    }
}

/// Writes every item that the scene is. The first that fails ends the run; the others are looked at again in the next.
async fn apply_all(
    job: &ClaimedJob,
    stages: &impl Stages,
    scene: &Arc<Scene>,
    found: &Found,
    done: &mut Done,
) -> Result<(), (RatingKey, Failure)> {
    for target in &found.targets {
        let key = &target.scored.rating_key;
        if target.held_by.is_some() {
            done.awaits.insert(let_go(&found.machine, key));
        }
        let claimed = claim_item(stages, scene, &found.machine, target).await;
        claimed.map_err(|unclaimed| (key.clone(), done.unmatched(unclaimed)))?;
        if let Some(holder) = target.held_by {
            let item = ItemKey { machine: found.machine.clone(), rating_key: key.clone() };
            done.passed_on.insert(item, holder);
        }
        match stages.apply(Wish::Show, scene, &found.machine, target, job).await {
            Ok(applied) => {
                for note in &applied.notes {
                    tracing::info!(plex.rating_key = %key, "scene {}: {note}", scene.id);
                }
                done.intents.extend(applied.intent);
                let link = link(&found.machine, target, scene, stages.now());
                done.covers.push((link.item.clone(), applied.covers));
                done.links.push(link);
            }
            Err(NotDone { failure, intent }) => {
                // What was written counts only for the scene that holds the item.
                if intent.is_some() && failure.class != FailureClass::StaleMatch {
                    done.links.push(link(&found.machine, target, scene, stages.now()));
                }
                done.intents.extend(intent);
                return Err((key.clone(), failure));
            }
        }
    }
    Ok(())
}

/// Takes writes back before anything new is planned, so that they are kept. It needs neither Stash nor a match: the item
/// is the one that was written.
async fn undo_writes(job: &ClaimedJob, stages: &impl Stages) -> Result<(), Failure> {
    let scene = job.job().scene;
    let undos = stages.undos(scene).await?;
    if undos.is_empty() {
        return Ok(());
    }
    let held = stages.held(scene).await?;
    for RecordedWrite { id, write, .. } in undos {
        let Some(link) = held.iter().find(|link| link.item == write.item).cloned() else {
            let key = &write.item.rating_key;
            stages.refuse_undo(id, format!("item {key} is not scene {scene} any more")).await?;
            continue;
        };
        let scene = Arc::new(Scene::departed(link.scene, &link.identity));
        let machine = link.item.machine.clone();
        match stages.apply(Wish::Undo(id), &scene, &machine, &Target::from(link), job).await {
            Ok(applied) => applied.notes.iter().for_each(|note| tracing::info!("scene {}: {note}", scene.id)),
            Err(NotDone { failure, .. }) if failure.class == FailureClass::StaleMatch => {
                stages.refuse_undo(id, failure.detail).await?;
            }
            Err(NotDone { failure, .. }) => return Err(failure),
        }
    }
    Ok(())
}

/// Clears what was written for a scene that Stash does not have any more, where the user wants that.
async fn take_back(job: &ClaimedJob, stages: &impl Stages, done: &mut Done) -> Result<(), Failure> {
    let wanted = match stages.policy().on_delete {
        OnDelete::Keep => false,
        OnDelete::Clear => job.job().believes_that_it_is_gone(stages.now()),
    };
    if !wanted {
        return Ok(());
    }
    for link in stages.held(job.job().scene).await? {
        let scene = Arc::new(Scene::departed(link.scene, &link.identity));
        let machine = link.item.machine.clone();
        match stages.apply(Wish::TakeBack, &scene, &machine, &Target::from(link), job).await {
            Ok(applied) => {
                let fields = applied.intent.as_ref().map_or(0, applied_count);
                tracing::info!(
                    "scene {}: is gone from Stash, {fields} fields were cleared in Plex",
                    scene.id
                );
                done.intents.extend(applied.intent);
            }
            // The item is gone as well.
            Err(NotDone { failure, .. }) if failure.class == FailureClass::StaleMatch => {}
            Err(NotDone { failure, intent }) => {
                done.intents.extend(intent);
                return Err(failure);
            }
        }
    }
    Ok(())
}

/// One item belongs to one scene. When another scene holds it, Stash is asked whether that one still exists, and the
/// index whether it still is that item; if not, the claim passes on.
async fn claim_item(
    stages: &impl Stages,
    scene: &Arc<Scene>,
    machine: &MachineId,
    target: &Target,
) -> Result<(), Unmatched> {
    let Some(holder) = target.held_by.filter(|holder| *holder != scene.id) else { return Ok(()) };
    if target.scored.is_accepted() {
        // A person knew of the other scene.
        return Ok(());
    }
    let key = &target.scored.rating_key;
    // The other scene may be in hand, and let the item go after it was looked at.
    stages.watch_for(scene.id, BTreeSet::from([let_go(machine, key)])).await?;
    let other = match stages.read_scene(holder).await {
        Ok(other) => Arc::new(other),
        Err(failure) if failure.class == FailureClass::Gone => return Ok(()),
        Err(failure) => return Err(failure.into()),
    };
    let still_holds = match stages.find_match(&other, &[]).await {
        Ok(found) => found.targets.iter().any(|other| other.scored.rating_key == *key),
        Err(Unmatched { failure, .. }) if failure.class == FailureClass::NotInPlex => false,
        // Two scenes that both could be the item are for a person to tell apart, if one could be it as well as the other.
        Err(Unmatched { failure, review }) if failure.class == FailureClass::Ambiguous => {
            let item = ItemKey { machine: machine.clone(), rating_key: key.clone() };
            review.is_none_or(|review| {
                let other = review.candidate(&item);
                other.is_some_and(|other| is_rivalled(target.scored.confidence, other.confidence))
            })
        }
        Err(Unmatched { failure, .. }) => return Err(failure.into()),
    };
    if !still_holds {
        return Ok(());
    }
    let detail = format!("scene {holder} already is item {key} in Plex, and so would be scene {}", scene.id);
    let failure = Failure::new(FailureClass::Ambiguous, Peer::PlexSync, "conflict", detail);
    let review = question(scene, machine, std::slice::from_ref(target));
    Err(Unmatched { failure, review: Some(Box::new(review)) })
}
