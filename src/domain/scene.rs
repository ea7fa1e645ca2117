//! What does Stash say about a scene?

use serde::{Deserialize, Serialize};

use super::ids::SceneId;

/// A scene as Stash has it, parsed but not yet made fit for Plex (see [`super::edits`] for that).
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub id: SceneId,
    /// As Stash prints it: RFC 3339 with the offset of Stash's own zone. Compared as text, never ordered.
    pub created_at: String,
    /// Empty in Stash means empty here.
    pub title: String,
    pub details: String,
    /// `YYYY-MM-DD`, from Stash 0.30 also `YYYY-MM` and `YYYY`; empty when unset.
    pub date: String,
    pub studio: Option<String>,
    /// From 1 to 100, as Stash has it.
    pub rating: Option<i64>,
    /// Empty in Stash means empty here.
    pub director: String,
    /// Names, in an order that means nothing.
    pub tags: Vec<String>,
    /// Names, in an order that means nothing.
    pub performers: Vec<String>,
    pub organized: bool,
    /// The primary file first. A scene can be without files.
    pub files: Vec<SceneFile>,
}

/// One video file of a scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneFile {
    /// Absolute, with the separators of Stash's machine. Bytes that are not UTF-8 came in as U+FFFD.
    pub path: String,
    /// Bytes; `None` when Stash did not say.
    pub size: Option<i64>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Sixteen hexadecimal digits.
    pub oshash: Option<String>,
}

impl Scene {
    /// What is left of a scene that Stash does not have any more: it says nothing, and is known by what it was.
    pub fn departed(id: SceneId, identity: &SceneIdentity) -> Self {
        let oshash = Some(identity.oshash.clone()).filter(|oshash| !oshash.is_empty());
        let file = oshash.map(|oshash| SceneFile {
            path: String::new(),
            size: None,
            duration: None,
            oshash: Some(oshash),
        });
        Self {
            id,
            created_at: identity.created_at.clone(),
            title: String::new(),
            details: String::new(),
            date: String::new(),
            studio: None,
            rating: None,
            director: String::new(),
            tags: Vec::new(),
            performers: Vec::new(),
            organized: false,
            files: file.into_iter().collect(),
        }
    }

    /// What a remembered match is bound to, so that an id which Stash gave out again inherits nothing.
    pub fn identity(&self) -> SceneIdentity {
        let oshash = self.files.first().and_then(|file| file.oshash.clone()).unwrap_or_default();
        SceneIdentity { created_at: self.created_at.clone(), oshash }
    }

    /// Whether nobody has said anything about it yet: so does a scene look between a scan and its identification.
    pub fn is_bare(&self) -> bool {
        let texts = [&self.title, &self.details, &self.date, &self.director];
        texts.into_iter().all(|text| text.trim().is_empty())
            && self.studio.is_none()
            && self.rating.is_none()
            && self.tags.is_empty()
            && self.performers.is_empty()
    }

    /// Whether a remembered identity is still this scene: created at the same moment, and still holding that file.
    pub fn is(&self, identity: &SceneIdentity) -> bool {
        let holds_it = |file: &SceneFile| file.oshash.as_deref().unwrap_or_default() == identity.oshash;
        self.created_at == identity.created_at
            && (self.files.iter().any(holds_it) || (self.files.is_empty() && identity.oshash.is_empty()))
    }
}

/// What tells one scene from another that got the same id after an import or a restore of Stash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneIdentity {
    pub created_at: String,
    pub oshash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_scene_is_known_by_what_it_was() {
        for oshash in ["", "0123456789abcdef"] {
            let identity = SceneIdentity { created_at: "t".to_owned(), oshash: oshash.to_owned() };
            let departed = Scene::departed(SceneId::try_from(1).unwrap(), &identity);
            assert!(departed.is(&identity) && departed.is_bare());
            assert_eq!(departed.identity(), identity);
        }
    }
}
