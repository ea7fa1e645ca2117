//! Which item of Plex is this scene, how sure is that, and why?

mod paths;
mod score;

use std::collections::BTreeMap;

pub use paths::{PathMap, PathRule, folded, name_of};

use super::ids::{RatingKey, SectionKey};
use super::item::IndexedPart;
use super::scene::Scene;

/// The thresholds of the `[matching]` section, between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchPolicy {
    /// From here on a match is written.
    pub auto: f64,
    /// From here on a match is shown to a person.
    pub review: f64,
}

/// What the index offers for a scene.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates {
    /// Parts whose folded path is that of a mapped file of the scene.
    pub by_path: Vec<IndexedPart>,
    /// Parts whose folded file name is that of a file of the scene.
    pub by_name: Vec<IndexedPart>,
    /// Whether every library has been walked once. Evidence that rests on being unique counts only then.
    pub complete: bool,
}

/// An item with the evidence for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub section: SectionKey,
    pub rating_key: RatingKey,
    /// The part that matched, as the server sees it.
    pub path: String,
    pub confidence: f64,
    /// What speaks for it and against it, for a person.
    pub reasons: Vec<String>,
}

/// The verdict on a scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Write every one of these.
    Auto(Vec<Scored>),
    /// Show these to a person, best first.
    Review { code: &'static str, candidates: Vec<Scored> },
    /// Nothing fits.
    None,
}

/// Two candidates closer than this cannot be told apart.
const AMBIGUITY_MARGIN: f64 = 0.05;

/// Decides which items a scene is.
pub fn decide(scene: &Scene, candidates: &Candidates, map: &PathMap, policy: &MatchPolicy) -> Decision {
    let by_path = score::by_path(scene, &candidates.by_path, map);
    if !by_path.is_empty() {
        // A file that stands in several libraries is several items, and all of them are this scene.
        return Decision::Auto(best_per_item(by_path));
    }
    if !candidates.complete {
        return Decision::None;
    }
    let mut ranked = best_per_item(score::by_name(scene, &candidates.by_name));
    ranked.retain(|candidate| candidate.confidence >= policy.review);
    ranked.sort_by(|left, right| {
        right.confidence.total_cmp(&left.confidence).then_with(|| left.rating_key.cmp(&right.rating_key))
    });
    let Some(best) = ranked.first() else { return Decision::None };
    let rival = ranked.get(1).map_or(0.0, |second| second.confidence);
    if best.confidence - rival < AMBIGUITY_MARGIN {
        return Decision::Review { code: "ambiguous", candidates: ranked };
    }
    if best.confidence < policy.auto {
        return Decision::Review { code: "low_confidence", candidates: ranked };
    }
    ranked.truncate(1);
    Decision::Auto(ranked)
}

fn best_per_item(scored: Vec<Scored>) -> Vec<Scored> {
    let mut best: BTreeMap<RatingKey, Scored> = BTreeMap::new();
    for candidate in scored {
        match best.get(&candidate.rating_key) {
            Some(known) if known.confidence >= candidate.confidence => {}
            Some(_) | None => {
                best.insert(candidate.rating_key.clone(), candidate);
            }
        }
    }
    best.into_values().collect()
}

#[cfg(test)]
mod tests;
