//! Which item would a run find for a scene, and why? Every step, with what was weighed.

use serde::Serialize;

use super::{Preview, ScenePreview, storage};
use crate::domain::failure::Failure;
use crate::domain::ids::{RatingKey, SceneId};
use crate::domain::matching::{Candidates, Decision, Reason, Scored, content_matters, decide, weigh};
use crate::domain::scene::{Scene, SceneFile};
use crate::store::candidates::candidates;
use crate::store::{ItemKey, ledger, plex_index};

/// More candidates than this tell nobody more; the best come first.
const MOST_CANDIDATES: usize = 10;

/// The steps of a scene.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Walkthrough {
    pub scene_id: SceneId,
    pub title: String,
    pub organized: bool,
    pub files: Vec<WalkedFile>,
    /// The best first.
    pub candidates: Vec<WalkedCandidate>,
    /// What is to be known about the steps.
    pub remarks: Vec<String>,
    pub decision: String,
    /// What would be written; absent when Plex could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<ScenePreview>,
}

/// A file of the scene.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WalkedFile {
    pub path: String,
    /// Where Plex would see it.
    pub mapped: String,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oshash: Option<String>,
}

/// An item that something speaks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WalkedCandidate {
    pub rating_key: RatingKey,
    pub path: String,
    /// From 0 to 1.
    pub confidence: f64,
    pub reasons: Vec<Reason>,
    /// What a person said about it: `accepted` or `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<&'static str>,
    /// The scene that is the item already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<SceneId>,
}

impl Preview {
    /// Walks a scene through every step, as far as Stash and the index know it. What would be written is told apart,
    /// by [`Self::of`], as Plex has to be asked for it.
    pub async fn walk(&self, id: SceneId) -> Result<Walkthrough, Failure> {
        let scene = self.stash.find_scene(id).await?;
        let read = |error| storage(&error);
        let offered = self.readers.with(|reader| candidates(reader, &scene, &self.map)).map_err(read)?;
        let mut weighed = Vec::new();
        for scored in weigh(&scene, &offered, &self.map).into_iter().take(MOST_CANDIDATES) {
            weighed.push(self.candidate(scored, &offered)?);
        }
        let decision = decide(&scene, &offered, &self.map, &self.matches);
        let indexed = self.readers.with(plex_index::count).map_err(read)?;
        Ok(Walkthrough {
            scene_id: id,
            title: scene.title.clone(),
            organized: scene.organized,
            files: scene.files.iter().map(|file| self.file(file)).collect(),
            candidates: weighed,
            remarks: self.remarks(&scene, &offered, indexed),
            decision: in_words(&decision),
            preview: None,
        })
    }

    fn file(&self, file: &SceneFile) -> WalkedFile {
        let mapped = self.map.to_plex(&file.path);
        let (path, mapped) = (self.paths.show(&file.path).to_string(), self.paths.show(&mapped).to_string());
        WalkedFile { path, mapped, size: file.size, duration: file.duration, oshash: file.oshash.clone() }
    }

    fn candidate(&self, scored: Scored, offered: &Candidates) -> Result<WalkedCandidate, Failure> {
        let key = ItemKey { machine: self.machine.clone(), rating_key: scored.rating_key.clone() };
        let holder =
            self.readers.with(|reader| ledger::holder(reader, &key)).map_err(|error| storage(&error))?;
        let rejected = offered.reviewed.rejected.contains(&scored.rating_key);
        Ok(WalkedCandidate {
            said: match (scored.is_accepted(), rejected) {
                (true, _) => Some("accepted"),
                (false, true) => Some("rejected"),
                (false, false) => None,
            },
            path: self.paths.show(&scored.path).to_string(),
            confidence: scored.confidence,
            reasons: scored.evidence.iter().map(Reason::from).collect(),
            held_by: holder.map(|link| link.scene),
            rating_key: scored.rating_key,
        })
    }

    fn remarks(&self, scene: &Scene, offered: &Candidates, indexed: i64) -> Vec<String> {
        let mut remarks = Vec::new();
        if scene.files.is_empty() {
            remarks.push("the scene has no file in Stash, so nothing in Plex can be it".to_owned());
        }
        if self.only_organized && !scene.organized {
            remarks.push("it is not organized in Stash, and sync.only_organized leaves it alone".to_owned());
        }
        if indexed == 0 {
            remarks.push("no file of Plex is indexed yet; `plexsync run` reads the libraries".to_owned());
        } else if !offered.complete {
            remarks.push(
                "not every library has been read once; until then only an equal path counts".to_owned(),
            );
        }
        let asked = content_matters(scene, offered, &self.map);
        if !asked.is_empty() {
            let keys: Vec<_> = asked.iter().map(RatingKey::as_str).collect();
            let text =
                format!("Plex was not asked for the hashes of item {}; a run would ask", keys.join(", "));
            remarks.push(text);
        }
        remarks
    }
}

fn in_words(decision: &Decision) -> String {
    let keys = |items: &[Scored]| {
        let keys: Vec<_> = items.iter().map(|item| item.rating_key.as_str()).collect();
        keys.join(", ")
    };
    match decision {
        Decision::Auto(items) => format!("the scene is item {}", keys(items)),
        Decision::Review { code, candidates } => {
            format!("a person has to say which it is ({code}): {}", keys(candidates))
        }
        Decision::None => {
            "no item fits; a run would look into Plex again, and then wait for the file".to_owned()
        }
    }
}
