//! Which item of Plex is this scene, how sure is that, and why?

mod dates;
mod evidence;
mod keys;
mod mappings;
mod names;
mod paths;
mod review;
mod score;
mod similar;
mod tags;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

pub use evidence::{Evidence, Witness};
pub use keys::{FileKeys, awaited_heralds, bands_of_part, bands_of_scene, heralds, let_go, own_paths};
pub use mappings::{MappingReport, Mistake, Proposal, Why, examine};
pub use paths::{Likeness, PathMap, PathRule, folded, folder_of, is_inside, name_of};
pub use review::{Reason, Reviewed};

use self::evidence::MOST_BY_LIKENESS;
use self::score::{LookAtNames, Subject};
use super::ids::{RatingKey, SectionKey};
use super::item::{ContentHash, IndexedPart};
use super::scene::{Scene, SceneFile};

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
    /// In any order, each once. Those that have nothing in common with the scene do no harm.
    pub parts: Vec<IndexedPart>,
    /// Whether every library has been walked once. Evidence that rests on being unique counts only then.
    pub complete: bool,
    /// There are more parts with the end of a file's path than are offered, so who is the only one cannot be told.
    pub crowded_tails: bool,
    /// The same of the size of a file.
    pub crowded_sizes: bool,
    /// What a person said about items of this scene. An accepted one is among the parts, if Plex still has it.
    pub reviewed: Reviewed,
}

/// An item with the evidence for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub section: SectionKey,
    pub rating_key: RatingKey,
    /// The part that matched, as the server sees it.
    pub path: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// What speaks for it and against it.
    pub evidence: Vec<Evidence>,
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

/// Whether a match of this confidence is no surer than another one of that confidence, so that neither outdoes the other.
pub fn is_rivalled(confidence: f64, other: f64) -> bool {
    confidence - other < AMBIGUITY_MARGIN
}

/// Decides which items a scene is.
pub fn decide(scene: &Scene, candidates: &Candidates, map: &PathMap, policy: &MatchPolicy) -> Decision {
    let accepted = candidates.accepted();
    if !accepted.is_empty() {
        return Decision::Auto(accepted);
    }
    let subject = Subject::new(scene, map);
    let reviewed = &candidates.reviewed;
    let by_path = reviewed.without_rejected(best_per_item(subject.by_path(&candidates.parts)));
    if !by_path.is_empty() {
        // A file that stands in several libraries is several items, and all of them are this scene.
        return Decision::Auto(by_path);
    }
    if !candidates.complete {
        return Decision::None;
    }
    let ranked = best_per_item(subject.by_other_evidence(candidates, LookAtNames::Yes));
    let mut ranked = reviewed.without_rejected(ranked);
    ranked.sort_by(best_first);
    let Some(best) = ranked.first().filter(|best| best.confidence >= policy.review && best.confidence > 0.0)
    else {
        return Decision::None;
    };
    let (confidence, needs_a_person) = (best.confidence, best.needs_a_person());
    let is_rival = |other: &Scored| is_rivalled(confidence, other.confidence);
    if ranked.get(1).is_some_and(is_rival) {
        ranked.retain(|candidate| candidate.confidence >= policy.review || is_rival(candidate));
        return Decision::Review { code: "ambiguous", candidates: ranked };
    }
    ranked.retain(|candidate| candidate.confidence >= policy.review);
    if confidence < policy.auto || needs_a_person {
        return Decision::Review { code: "low_confidence", candidates: ranked };
    }
    ranked.truncate(1);
    Decision::Auto(ranked)
}

/// Every candidate with what speaks for it and against it, best first, whatever a person said about it.
pub fn weigh(scene: &Scene, candidates: &Candidates, map: &PathMap) -> Vec<Scored> {
    let subject = Subject::new(scene, map);
    let mut scored = candidates.accepted();
    scored.extend(subject.by_path(&candidates.parts));
    scored.extend(subject.by_other_evidence(candidates, LookAtNames::Yes));
    let mut ranked = best_per_item(scored);
    ranked.sort_by(best_first);
    ranked
}

/// Whether items whose names are like the scene's could change what exact evidence says. They are the costliest to
/// find, and mostly need not be looked for.
pub fn likeness_matters(scene: &Scene, exact: &Candidates, map: &PathMap) -> bool {
    if !exact.complete || !exact.accepted().is_empty() {
        return false;
    }
    let subject = Subject::new(scene, map);
    if !exact.reviewed.without_rejected(subject.by_path(&exact.parts)).is_empty() {
        return false;
    }
    let scored = exact.reviewed.without_rejected(subject.by_other_evidence(exact, LookAtNames::No));
    let best = scored.iter().map(|candidate| candidate.confidence).fold(0.0, f64::max);
    best - MOST_BY_LIKENESS < AMBIGUITY_MARGIN
}

/// The items whose content tells more than is known of them, if the server shows a hash of it. Where a path is equal
/// none is asked for; nor where the size differs, which the hash covers.
pub fn content_matters(scene: &Scene, candidates: &Candidates, map: &PathMap) -> BTreeSet<RatingKey> {
    if !candidates.complete || !Subject::new(scene, map).by_path(&candidates.parts).is_empty() {
        return BTreeSet::new();
    }
    let could_be = |part: &IndexedPart, file: &SceneFile| {
        let sizes = file.size.zip(part.size);
        file.oshash.is_some() && sizes.is_none_or(|(left, right)| left == right)
    };
    let matters = |part: &&IndexedPart| {
        part.content_hash == ContentHash::NotAsked && scene.files.iter().any(|file| could_be(part, file))
    };
    candidates.parts.iter().filter(matters).map(|part| part.rating_key.clone()).collect()
}

impl Scored {
    fn new(part: &IndexedPart, mut evidence: Vec<Evidence>) -> Self {
        evidence.sort_by(|left, right| right.weight().total_cmp(&left.weight()));
        let strongest = evidence.first().map_or(0.0, |evidence| evidence.weight().max(0.0));
        let against: f64 = evidence.iter().map(|evidence| evidence.weight().min(0.0)).sum();
        Self {
            section: part.section.clone(),
            rating_key: part.rating_key.clone(),
            path: part.path.clone(),
            confidence: (strongest + against).clamp(0.0, 1.0),
            evidence,
        }
    }

    /// The evidence in words, the strongest first.
    pub fn reasons(&self) -> String {
        let reasons: Vec<_> = self.evidence.iter().map(ToString::to_string).collect();
        reasons.join("; ")
    }

    /// Whether its best evidence is such that only a person may decide on it.
    fn needs_a_person(&self) -> bool {
        self.evidence.first().is_some_and(|evidence| evidence.needs_a_person())
    }
}

fn best_first(left: &Scored, right: &Scored) -> Ordering {
    right.confidence.total_cmp(&left.confidence).then_with(|| left.rating_key.cmp(&right.rating_key))
}

/// The best pair of a file and a part for each item, in the order of the items.
fn best_per_item(scored: Vec<Scored>) -> Vec<Scored> {
    let mut best: BTreeMap<RatingKey, Scored> = BTreeMap::new();
    for candidate in scored {
        let is_better = best.get(&candidate.rating_key).is_none_or(|known| {
            let by_confidence = candidate.confidence.total_cmp(&known.confidence);
            by_confidence.then_with(|| known.path.cmp(&candidate.path)).is_gt()
        });
        if is_better {
            best.insert(candidate.rating_key.clone(), candidate);
        }
    }
    best.into_values().collect()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
