//! How is Stash asked for a scene, and for itself?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::error::Classifier;
use super::wire::{FoundScene, Introspection, WireAbout};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::SceneId;
use crate::domain::scene::Scene;
use crate::http::{self, HttpError, HttpOptions, Limits, Undecodable, excerpt};

/// The first release of Stash that has all that is asked for and guards hooks against loops.
pub const OLDEST_STASH: &str = "0.25";

const FIND_SCENE: &str = include_str!("find_scene.graphql");
const INTROSPECT: &str =
    r#"query SceneFields { version { version } __type(name: "Scene") { fields { name } } }"#;
const ABOUT: &str = "query About { version { version } systemStatus { status } }";

/// The fields of a scene in [`FIND_SCENE`]. None can be left out when a Stash lacks it: what is missing here would
/// look empty, and emptiness is carried to Plex.
const SCENE_FIELDS: [&str; 10] =
    ["id", "title", "details", "date", "organized", "created_at", "studio", "tags", "performers", "files"];

/// Far more than the longest description of a scene.
const BODY_CAP: usize = 16 << 20;

/// Where Stash is, and how long it may take.
#[derive(Debug, Clone)]
pub struct StashSettings {
    /// The address of its start page; a path before `/graphql` is kept.
    pub url: Url,
    /// Sent only when set: a Stash that has no key refuses every one.
    pub api_key: Option<SecretString>,
    pub connect_timeout: Duration,
    /// The longest silence. A call may take four times as long in all.
    pub read_timeout: Duration,
}

/// A client for one Stash. Clones share their connections.
#[derive(Debug, Clone)]
pub struct StashClient {
    settings: StashSettings,
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    api_key: Option<SecretString>,
    limits: Limits,
    classify: Classifier,
    /// Whether Stash has said that its scenes have all the fields that are asked for.
    schema_fits: Arc<AtomicBool>,
}

/// What Stash says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StashAbout {
    /// Such as `v0.30.1`; empty when somebody built it without.
    pub version: String,
    pub status: StashStatus,
}

/// Whether Stash can work. Scenes can be read only when it is `Ok`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StashStatus {
    Ok,
    /// Its first start: somebody has to fill in the form.
    Setup,
    /// After an upgrade: somebody has to confirm the migration.
    NeedsMigration,
    /// A word that this version of PlexSync does not know.
    Other(String),
}

impl StashClient {
    pub fn new(settings: StashSettings) -> Result<Self, HttpError> {
        let StashSettings { url, api_key, connect_timeout, read_timeout } = settings.clone();
        let options = HttpOptions { url: &url, verify_tls: true, connect_timeout, read_timeout };
        let http = http::client(&options)?;
        let url = http::below(&url, &["graphql"]);
        let json = HeaderValue::from_static("application/json");
        // Without `Accept` Stash answers with another type, which it neither compresses nor gives the same statuses.
        let mut headers = HeaderMap::from_iter([(ACCEPT, json.clone()), (CONTENT_TYPE, json)]);
        if let Some(key) = &api_key {
            headers.insert(HeaderName::from_static("apikey"), http::secret_header("stash.api_key", key)?);
        }
        let classify = Classifier::new(url.clone(), api_key.is_some());
        let limits = Limits { total: 4 * read_timeout, body: BODY_CAP };
        let schema_fits = Arc::new(AtomicBool::new(false));
        Ok(Self { settings, http, url, headers, api_key, limits, classify, schema_fits })
    }

    /// The same client with connections of its own. Connections are driven by the thread that opened them: if that
    /// hangs, so does every request of others that is sent through them.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        Ok(Self { schema_fits: Arc::clone(&self.schema_fits), ..Self::new(self.settings.clone())? })
    }

    /// Reads one scene. Before the first one Stash is asked whether it has all the fields; a failure of the class
    /// `incompatible` makes that be asked again. `gone` is said only when Stash certainly does not have the scene.
    pub async fn find_scene(&self, id: SceneId) -> Result<Scene, Failure> {
        if !self.schema_fits.load(Ordering::Relaxed) {
            self.check_schema().await?;
            self.schema_fits.store(true, Ordering::Relaxed);
        }
        let found = self.read_scene(id).await;
        if found.as_ref().is_err_and(|failure| failure.class == FailureClass::Incompatible) {
            self.schema_fits.store(false, Ordering::Relaxed);
        }
        found
    }

    /// Asks Stash for its version and whether it can work. It answers this also when its database is not open.
    pub async fn about(&self) -> Result<StashAbout, Failure> {
        let about: WireAbout = self.query(ABOUT, json!({})).await?;
        let status = match about.system_status.status.as_str() {
            "OK" => StashStatus::Ok,
            "SETUP" => StashStatus::Setup,
            "NEEDS_MIGRATION" => StashStatus::NeedsMigration,
            other => StashStatus::Other(excerpt(other)),
        };
        Ok(StashAbout { version: about.version.version.unwrap_or_default(), status })
    }

    async fn read_scene(&self, id: SceneId) -> Result<Scene, Failure> {
        let found: FoundScene = self.query(FIND_SCENE, json!({ "id": id.to_string() })).await?;
        let Some(scene) = found.scene else {
            let said = format!("does not have scene {id}");
            return Err(self.classify.failure(FailureClass::Gone, "scene_gone", &said));
        };
        let scene = scene.into_scene().map_err(|error| self.shape(&error.to_string()))?;
        if scene.id == id {
            Ok(scene)
        } else {
            Err(self.shape(&format!("scene {} was sent for scene {id}", scene.id)))
        }
    }

    async fn check_schema(&self) -> Result<(), Failure> {
        let answer: Introspection = self.query(INTROSPECT, json!({})).await?;
        let too_old = |what: &str| {
            let version = answer.version.version.as_deref().filter(|version| !version.is_empty());
            let version = version.unwrap_or("of an unknown version");
            let said = format!(
                "({version}) has no {what}; PlexSync needs Stash {OLDEST_STASH} or a newer one it knows"
            );
            self.classify.failure(FailureClass::Incompatible, "unsupported_schema", &said)
        };
        let Some(scene) = &answer.scene else { return Err(too_old("type Scene")) };
        let has = |name: &str| scene.fields.iter().any(|field| field.name == name);
        match SCENE_FIELDS.into_iter().find(|name| !has(name)) {
            Some(missing) => Err(too_old(&format!("field Scene.{missing}"))),
            None => Ok(()),
        }
    }

    async fn query<T: DeserializeOwned>(&self, query: &str, variables: Value) -> Result<T, Failure> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.post(self.url.clone()).headers(self.headers.clone()).body(body);
        let answer = http::exchange(request, self.limits, self.api_key.as_ref()).await;
        let answer = answer.map_err(|error| self.classify.no_answer(&error))?;
        let data = self.classify.data(&answer)?;
        serde_json::from_value(data)
            .map_err(|error| self.shape(&excerpt(&error.to_string())).with_answer(&answer.text))
    }

    fn shape(&self, detail: &str) -> Failure {
        self.classify.undecodable(&Undecodable::Shape { detail: detail.to_owned() })
    }
}
