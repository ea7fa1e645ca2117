//! What did Stash report, and does it matter to us?

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::ids::{CorrelationId, SceneId};

/// The kinds of object that Stash fires hooks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entity {
    Scene,
    SceneMarker,
    Image,
    Gallery,
    GalleryChapter,
    /// Twin of [`Entity::Group`]: Stash fires both for one edit.
    Movie,
    Group,
    Performer,
    Studio,
    Tag,
}

impl Entity {
    const ALL: [Self; 10] = [
        Self::Scene,
        Self::SceneMarker,
        Self::Image,
        Self::Gallery,
        Self::GalleryChapter,
        Self::Movie,
        Self::Group,
        Self::Performer,
        Self::Studio,
        Self::Tag,
    ];

    /// The word Stash uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scene => "Scene",
            Self::SceneMarker => "SceneMarker",
            Self::Image => "Image",
            Self::Gallery => "Gallery",
            Self::GalleryChapter => "GalleryChapter",
            Self::Movie => "Movie",
            Self::Group => "Group",
            Self::Performer => "Performer",
            Self::Studio => "Studio",
            Self::Tag => "Tag",
        }
    }
}

/// What happened to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Create,
    Update,
    Destroy,
    Merge,
}

impl Action {
    const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Destroy, Self::Merge];

    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Destroy => "Destroy",
            Self::Merge => "Merge",
        }
    }
}

/// The type of a hook, such as `Scene.Update.Post`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventType {
    pub entity: Entity,
    pub action: Action,
}

/// A text that is not the type of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is not a hook type of Stash, such as \"Scene.Update.Post\": {0:?}")]
pub struct UnknownEventType(pub String);

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, UnknownEventType> {
        let unknown = || UnknownEventType(text.chars().take(80).collect());
        let (entity, rest) = text.split_once('.').ok_or_else(unknown)?;
        let action = rest.strip_suffix(".Post").ok_or_else(unknown)?;
        let entity = Entity::ALL.into_iter().find(|known| known.as_str() == entity).ok_or_else(unknown)?;
        let action = Action::ALL.into_iter().find(|known| known.as_str() == action).ok_or_else(unknown)?;
        Ok(Self { entity, action })
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.Post", self.entity.as_str(), self.action.as_str())
    }
}

/// What follows from an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relevance {
    /// The scene has to be read again.
    Sync(SceneId, Trigger),
    /// Nothing does, for the reason given.
    Ignored(&'static str),
}

/// Why a scene has to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Stash made the scene. It has neither cover nor details yet, and may even turn out not to exist, because Stash
    /// runs this hook also when its own commit has failed.
    Created,
    Updated,
    Destroyed,
    /// A person asked for it; Stash has reported nothing.
    Asked,
}

/// One event of Stash, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StashEvent {
    pub kind: EventType,
    pub id: SceneId,
    pub correlation_id: CorrelationId,
}

impl StashEvent {
    /// Does this event matter, and to which scene?
    pub fn relevance(&self) -> Relevance {
        let trigger = match self.kind.action {
            Action::Create => Trigger::Created,
            Action::Update => Trigger::Updated,
            Action::Destroy => Trigger::Destroyed,
            Action::Merge => return Relevance::Ignored("merges are not followed by this version"),
        };
        match self.kind.entity {
            Entity::Scene => Relevance::Sync(self.id, trigger),
            Entity::Performer => Relevance::Ignored("changes of performers are not followed by this version"),
            Entity::Studio => Relevance::Ignored("changes of studios are not followed by this version"),
            Entity::Tag => Relevance::Ignored("changes of tags are not followed by this version"),
            Entity::Group | Entity::Movie => Relevance::Ignored("groups are not shown in Plex"),
            Entity::SceneMarker => Relevance::Ignored("markers are not shown in Plex"),
            Entity::Image => Relevance::Ignored("images are not shown in Plex"),
            Entity::Gallery | Entity::GalleryChapter => Relevance::Ignored("galleries are not shown in Plex"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str) -> StashEvent {
        let correlation_id = CorrelationId::try_from("c".to_owned()).unwrap();
        StashEvent { kind: kind.parse().unwrap(), id: SceneId::try_from(7).unwrap(), correlation_id }
    }

    #[test]
    fn every_hook_type_is_read_back_as_it_was_written() {
        for entity in Entity::ALL {
            for action in Action::ALL {
                let kind = EventType { entity, action };
                assert_eq!(kind.to_string().parse(), Ok(kind));
            }
        }
    }

    #[test]
    fn a_text_that_is_no_hook_type_is_named_in_the_error() {
        for bad in [
            "",
            "Scene",
            "Scene.Update",
            "Scene.Update.Pre",
            "scene.update.post",
            "Scene.Paint.Post",
            "X.Update.Post",
        ] {
            let error = bad.parse::<EventType>().unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?}")), "{error}");
        }
    }

    #[test]
    fn only_scene_events_are_work_and_every_other_says_why_it_is_not() {
        assert_eq!(
            event("Scene.Create.Post").relevance(),
            Relevance::Sync(event("Scene.Create.Post").id, Trigger::Created)
        );
        for entity in Entity::ALL.into_iter().filter(|entity| *entity != Entity::Scene) {
            let kind = format!("{}.Update.Post", entity.as_str());
            assert!(
                matches!(event(&kind).relevance(), Relevance::Ignored(reason) if !reason.is_empty()),
                "{kind}"
            );
        }
    }
}
