//! How is Stash asked? GraphQL over one bounded client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::{error, wire};
use crate::domain::failure::{Failure, FailureClass, Peer};
use crate::domain::ids::SceneId;
use crate::domain::scene::{Scene, SceneFile};
use crate::http::{self, Answer, HttpError, HttpOptions, fetch};

const FIND_SCENE: &str = include_str!("find_scene.graphql");
/// The fields of a scene that the query asks for.
const NEEDED: [&str; 8] = ["id", "title", "details", "date", "organized", "created_at", "studio", "files"];
/// One scene is a few kilobytes; nothing that Stash can say about one is larger than this.
const LARGEST_ANSWER: usize = 16 << 20;
/// An answer may drip in, but not for longer than this many times the longest silence.
const SILENCES: u32 = 4;

/// Where Stash is and how it is asked.
#[derive(Debug, Clone)]
pub struct StashSettings {
    pub url: Url,
    pub api_key: Option<SecretString>,
    pub connect_timeout: Duration,
    /// The longest silence.
    pub read_timeout: Duration,
}

/// What Stash says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StashAbout {
    pub version: String,
    /// `OK`, `SETUP` or `NEEDS_MIGRATION`.
    pub status: String,
}

/// Asks Stash. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StashClient {
    client: reqwest::Client,
    settings: Arc<StashSettings>,
    /// Whether this Stash is known to have the fields that are needed.
    schema_known: Arc<AtomicBool>,
}

impl StashClient {
    pub fn new(settings: StashSettings) -> Result<Self, HttpError> {
        let client = http::client(&HttpOptions {
            connect_timeout: settings.connect_timeout,
            silence: settings.read_timeout,
            is_https: settings.url.scheme() == "https",
            verify_tls: true,
        })?;
        Ok(Self { client, settings: Arc::new(settings), schema_known: Arc::default() })
    }

    /// Reads a scene. A scene that Stash does not have is a failure of the class `gone`.
    pub async fn find_scene(&self, id: SceneId) -> Result<Scene, Failure> {
        self.learn_schema().await?;
        let found: Result<wire::FindScene, _> = self.ask(FIND_SCENE, &json!({ "id": id.to_string() })).await;
        if found.as_ref().is_err_and(|failure| failure.class == FailureClass::Incompatible) {
            // Stash may have been exchanged under us: look at its schema again next time.
            self.schema_known.store(false, Ordering::Relaxed);
        }
        let scene = found?.scene.ok_or_else(|| error::gone(id))?;
        parsed(scene, id)
    }

    /// Asks for the version and the state.
    pub async fn about(&self) -> Result<StashAbout, Failure> {
        let query = "{version{version} systemStatus{status}}";
        let about: wire::About = self.ask(query, &json!({})).await?;
        Ok(StashAbout { version: about.version.version.unwrap_or_default(), status: about.status.status })
    }

    /// Tells versions apart by what they can do, once.
    async fn learn_schema(&self) -> Result<(), Failure> {
        if self.schema_known.load(Ordering::Relaxed) {
            return Ok(());
        }
        let query = r#"{__type(name:"Scene"){fields{name}}}"#;
        let answer: wire::Introspection = self.ask(query, &json!({})).await?;
        let fields = answer.scene.map(|scene| scene.fields).unwrap_or_default();
        let lacks = |needed: &&&str| !fields.iter().any(|field| field.name == **needed);
        if let Some(missing) = NEEDED.iter().find(lacks) {
            return Err(error::too_old(missing));
        }
        self.schema_known.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: &serde_json::Value,
    ) -> Result<T, Failure> {
        let answer = self.post(query, variables).await?;
        if let Some(failure) = error::by_status(&answer) {
            return Err(failure);
        }
        // File names need not be UTF-8, and Stash sends them as they are.
        let text = String::from_utf8_lossy(&answer.body);
        let envelope: wire::Envelope<'_> =
            serde_json::from_str(&text).map_err(|error| error::not_graphql(&answer, &error))?;
        if let Some(errors) = envelope.errors {
            return Err(error::by_errors(&errors));
        }
        let data = envelope.data.map_or("null", serde_json::value::RawValue::get);
        serde_json::from_str(data).map_err(|error| error::undecodable(&error))
    }

    async fn post(&self, query: &str, variables: &serde_json::Value) -> Result<Answer, Failure> {
        let mut url = self.settings.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("graphql");
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        // With `*/*` Stash answers in another media type and does not compress.
        let mut request =
            self.client.post(url).header(ACCEPT, "application/json").header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.settings.api_key {
            // A key that Stash does not ask for is refused like a wrong one, so it is sent only when there is one.
            request = request.header("ApiKey", key.expose_secret());
        }
        let limit = self.settings.read_timeout * SILENCES;
        fetch(request.body(body), limit, LARGEST_ANSWER).await.map_err(|error| error::no_answer(&error))
    }
}

fn parsed(scene: wire::Scene, asked: SceneId) -> Result<Scene, Failure> {
    let id: SceneId = scene.id.parse().unwrap_or(asked);
    if id != asked || scene.id.parse::<SceneId>().is_err() {
        let text = format!("Stash was asked for scene {asked} and answered with {:?}", scene.id);
        return Err(Failure::new(FailureClass::Incompatible, Peer::Stash, "wrong_scene", text));
    }
    Ok(Scene {
        id,
        created_at: scene.created_at,
        title: scene.title.unwrap_or_default(),
        details: scene.details.unwrap_or_default(),
        date: scene.date.unwrap_or_default(),
        studio: scene.studio.map(|studio| studio.name),
        organized: scene.organized,
        files: scene.files.into_iter().map(file).collect(),
    })
}

fn file(file: wire::File) -> SceneFile {
    let oshash = file.fingerprints.into_iter().find(|print| print.kind == "oshash").map(|print| print.value);
    SceneFile { path: file.path, size: file.size.map(whole), duration: file.duration, oshash }
}

/// Exact up to nine petabytes, which is where `f64` begins to skip whole numbers.
#[expect(clippy::cast_possible_truncation, reason = "sizes of files are far below the limit of exactness")]
fn whole(size: f64) -> i64 {
    size as i64
}

#[cfg(test)]
mod tests;
