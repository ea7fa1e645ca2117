//! What do Stash's answers look like? serde only; nothing is decided here.

use serde::Deserialize;

/// Any GraphQL answer. The data is kept as it came until it is known that there are no errors.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(default)]
    pub(super) errors: Option<Vec<GraphqlError>>,
    #[serde(borrow, default)]
    pub(super) data: Option<&'a serde_json::value::RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GraphqlError {
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) extensions: Option<Extensions>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Extensions {
    #[serde(default)]
    pub(super) code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FindScene {
    /// A missing member is an answer to another question; null means that Stash has no such scene.
    #[serde(rename = "findScene", deserialize_with = "present")]
    pub(super) scene: Option<Scene>,
}

/// Makes an optional member required: it may be null, but it has to be there.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

#[derive(Debug, Deserialize)]
pub(super) struct Scene {
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) details: Option<String>,
    #[serde(default)]
    pub(super) date: Option<String>,
    #[serde(default)]
    pub(super) organized: bool,
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) studio: Option<Studio>,
    pub(super) files: Vec<File>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Studio {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) path: String,
    /// Stash prints large whole numbers as `1.468018745e+09`.
    #[serde(default)]
    pub(super) size: Option<f64>,
    #[serde(default)]
    pub(super) duration: Option<f64>,
    #[serde(default)]
    pub(super) fingerprints: Vec<Fingerprint>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Fingerprint {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Introspection {
    #[serde(rename = "__type")]
    pub(super) scene: Option<Type>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Type {
    pub(super) fields: Vec<TypeField>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TypeField {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct About {
    pub(super) version: Version,
    #[serde(rename = "systemStatus")]
    pub(super) status: SystemStatus,
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    #[serde(default)]
    pub(super) version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SystemStatus {
    pub(super) status: String,
}
