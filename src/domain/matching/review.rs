//! What did a person say about a scene and items, and what is shown to ask for it?

use serde::{Deserialize, Serialize};

use super::{Candidates, Evidence, Scored};
use crate::domain::ids::RatingKey;

/// What a person said about the items of one scene.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// The items that the scene is, whatever the evidence, each with the path that was accepted.
    pub accepted: Vec<(RatingKey, String)>,
    /// The items that it is not, whatever the evidence.
    pub rejected: Vec<RatingKey>,
}

/// One piece of evidence, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Below zero it speaks against the item.
    pub weight: f64,
    pub text: String,
}

impl From<&Evidence> for Reason {
    fn from(evidence: &Evidence) -> Self {
        Self { weight: evidence.weight(), text: evidence.to_string() }
    }
}

impl Reviewed {
    /// Leaves out what was rejected. It is scored all the same, so that what is left does not look the better for it.
    pub(super) fn without_rejected(&self, mut scored: Vec<Scored>) -> Vec<Scored> {
        scored.retain(|candidate| !self.rejected.contains(&candidate.rating_key));
        scored
    }
}

impl Candidates {
    /// The accepted items that Plex still has. One that has several parts is taken by the part that was accepted.
    pub(super) fn accepted(&self) -> Vec<Scored> {
        let part = |(key, path): &(RatingKey, String)| {
            let mut of_item: Vec<_> = self.parts.iter().filter(|part| part.rating_key == *key).collect();
            of_item.sort_by(|left, right| {
                (left.path != *path, &left.path).cmp(&(right.path != *path, &right.path))
            });
            of_item.first().map(|part| Scored::new(part, vec![Evidence::Accepted]))
        };
        self.reviewed.accepted.iter().filter_map(part).collect()
    }
}

impl Scored {
    /// Whether a person said so.
    pub fn is_accepted(&self) -> bool {
        self.evidence.contains(&Evidence::Accepted)
    }
}
