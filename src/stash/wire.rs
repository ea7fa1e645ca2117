//! How does Stash spell its answers? Only shapes: what they mean is said elsewhere.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::ids::{IdError, SceneId};
use crate::domain::scene::{Scene, SceneFile};

/// What every GraphQL answer is wrapped in.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    /// There is a difference between no `errors` and `null`: only the first says that the answer can be trusted.
    #[serde(default, deserialize_with = "present")]
    pub(super) errors: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) data: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphQlError {
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Extensions {
    #[serde(default)]
    pub(super) code: String,
}

// In the types below `Option::deserialize` keeps serde from taking a missing member for `null`: a value that Stash
// did not send must never be taken for one that is empty, as emptiness is carried to Plex.

#[derive(Debug, Deserialize)]
pub(super) struct FoundScene {
    #[serde(rename = "findScene", deserialize_with = "Option::deserialize")]
    pub(super) scene: Option<WireScene>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireScene {
    id: String,
    #[serde(deserialize_with = "Option::deserialize")]
    title: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    details: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    date: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    director: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    rating100: Option<i64>,
    organized: bool,
    created_at: String,
    #[serde(deserialize_with = "Option::deserialize")]
    studio: Option<WireNamed>,
    tags: Vec<WireNamed>,
    performers: Vec<WireNamed>,
    files: Vec<WireFile>,
}

#[derive(Debug, Deserialize)]
struct WireNamed {
    name: String,
}

#[derive(Debug, Deserialize)]
struct WireFile {
    path: String,
    #[serde(default)]
    size: Option<i64>,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    fingerprints: Vec<WireFingerprint>,
}

#[derive(Debug, Deserialize)]
struct WireFingerprint {
    r#type: String,
    /// A number for some types.
    value: Value,
}

impl WireScene {
    pub(super) fn into_scene(self) -> Result<Scene, IdError> {
        Ok(Scene {
            id: self.id.parse::<SceneId>()?,
            created_at: self.created_at,
            title: self.title.unwrap_or_default(),
            details: self.details.unwrap_or_default(),
            date: self.date.unwrap_or_default(),
            director: self.director.unwrap_or_default(),
            rating: self.rating100,
            studio: self.studio.map(|studio| studio.name).filter(|name| !name.is_empty()),
            tags: self.tags.into_iter().map(|tag| tag.name).collect(),
            performers: self.performers.into_iter().map(|performer| performer.name).collect(),
            organized: self.organized,
            files: self.files.into_iter().map(WireFile::into_file).collect(),
        })
    }
}

impl WireFile {
    fn into_file(self) -> SceneFile {
        let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let oshash = self.fingerprints.iter().find(|fingerprint| fingerprint.r#type == "oshash");
        let oshash = oshash.and_then(|fingerprint| fingerprint.value.as_str()).filter(|text| is_hash(text));
        let oshash = oshash.map(str::to_ascii_lowercase);
        SceneFile { path: self.path, size: self.size, duration: self.duration, oshash }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Introspection {
    #[serde(default)]
    pub(super) version: WireVersion,
    #[serde(rename = "__type", deserialize_with = "Option::deserialize")]
    pub(super) scene: Option<WireType>,
}

/// The schema, with something that only the database knows.
#[derive(Debug, Deserialize)]
pub(super) struct Proof {
    #[serde(flatten)]
    pub(super) schema: Introspection,
    #[serde(rename = "findScenes")]
    _found: WireCount,
}

#[derive(Debug, Deserialize)]
struct WireCount {
    #[serde(rename = "count")]
    _count: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireType {
    pub(super) fields: Vec<WireField>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireField {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireAbout {
    #[serde(default)]
    pub(super) version: WireVersion,
    #[serde(rename = "systemStatus")]
    pub(super) system_status: WireSystemStatus,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct WireVersion {
    /// Empty or null where somebody built Stash without it.
    #[serde(default)]
    pub(super) version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireSystemStatus {
    pub(super) status: String,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Settings of Stash, as far as they are asked for.
#[derive(Debug, Deserialize)]
pub(super) struct WireSettings<T> {
    pub(super) configuration: WireConfiguration<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireConfiguration<T> {
    pub(super) general: T,
}
