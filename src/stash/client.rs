//! How is Stash asked for a scene, and for itself?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::error::Classifier;
use super::wire::{FoundScene, Introspection, Proof, WireAbout, WireSettings};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::ids::SceneId;
use crate::domain::scene::Scene;
use crate::http::{
    self, Credential, Download, HttpError, HttpOptions, Limits, NoAnswer, Undecodable, excerpt,
};

/// The first release of Stash that has all that is asked for and guards hooks against loops.
pub const OLDEST_STASH: &str = "0.25";

const FIND_SCENE: &str = include_str!("find_scene.graphql");
const INTROSPECT: &str =
    r#"query SceneFields { version { version } __type(name: "Scene") { fields { name } } }"#;
/// Counts the scenes, which takes the database, and asks for the schema with it.
const PROVE: &str = r#"query Prove {
  version { version }
  __type(name: "Scene") { fields { name } }
  findScenes(filter: { per_page: 0 }) { count }
}"#;
const ABOUT: &str = "query About { version { version } systemStatus { status } }";

/// The fields of a scene in [`FIND_SCENE`]. None can be left out when a Stash lacks it: what is missing here would
/// look empty, and emptiness is carried to Plex.
const SCENE_FIELDS: [&str; 12] = [
    "id",
    "title",
    "details",
    "date",
    "director",
    "rating100",
    "organized",
    "created_at",
    "studio",
    "tags",
    "performers",
    "files",
];

const GRAPHQL: &str = "graphql";

/// Far more than the longest description of a scene with all its performers and tags. It bounds the memory that an
/// answer without end can take, for each of the scenes in hand.
const BODY_CAP: usize = 4 << 20;

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
    http: reqwest::Client,
    /// Of its start page.
    url: Url,
    headers: HeaderMap,
    api_key: Credential,
    connect_timeout: Duration,
    read_timeout: Duration,
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
        let StashSettings { url, api_key, connect_timeout, read_timeout } = settings;
        let http = connections(&url, connect_timeout, read_timeout)?;
        let json = HeaderValue::from_static("application/json");
        // Without `Accept` Stash answers with another type, which it neither compresses nor gives the same statuses.
        let headers = HeaderMap::from_iter([(ACCEPT, json.clone()), (CONTENT_TYPE, json)]);
        let classify = Classifier::new(url.clone(), api_key.is_some());
        let api_key = Credential::new("stash.api_key", HeaderName::from_static("apikey"), api_key)?;
        let schema_fits = Arc::new(AtomicBool::new(false));
        Ok(Self { http, url, headers, api_key, connect_timeout, read_timeout, classify, schema_fits })
    }

    /// The same client with connections of its own. Connections are driven by the thread that opened them: if that
    /// hangs, so does every request of others that is sent through them.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        let http = connections(&self.url, self.connect_timeout, self.read_timeout)?;
        Ok(Self { http, ..self.clone() })
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

    /// Shows that Stash can work: that its database answers and that it has all that is asked for. One question.
    pub async fn prove(&self) -> Result<(), Failure> {
        let answer: Proof = self.query(PROVE, json!({})).await?;
        self.check(&answer.schema)?;
        self.schema_fits.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Uses another API key from now on. Returns whether it is another one.
    pub fn renew_key(&self, key: SecretString) -> Result<bool, HttpError> {
        self.api_key.exchange(key)
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
        let schema: Introspection = self.query(INTROSPECT, json!({})).await?;
        self.check(&schema)
    }

    fn check(&self, schema: &Introspection) -> Result<(), Failure> {
        let too_old = |what: &str| {
            let version = schema.version.version.as_deref().filter(|version| !version.is_empty());
            let version = version.unwrap_or("of an unknown version");
            let said = format!(
                "({version}) has no {what}; PlexSync needs Stash {OLDEST_STASH} or a newer one it knows"
            );
            self.classify.failure(FailureClass::Incompatible, "unsupported_schema", &said)
        };
        let Some(scene) = &schema.scene else { return Err(too_old("type Scene")) };
        let has = |name: &str| scene.fields.iter().any(|field| field.name == name);
        match SCENE_FIELDS.into_iter().find(|name| !has(name)) {
            Some(missing) => Err(too_old(&format!("field Scene.{missing}"))),
            None => Ok(()),
        }
    }

    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: Value,
    ) -> Result<T, Failure> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.post(http::below(&self.url, &[GRAPHQL])).headers(self.headers.clone());
        let answer = self.download(request.body(body), BODY_CAP).await;
        let answer = answer.map(|download| download.into_answer(self.api_key.secret().as_ref()));
        let answer = answer.map_err(|error| self.classify.no_answer(&error))?;
        let data = self.classify.data(&answer)?;
        serde_json::from_value(data)
            .map_err(|error| self.shape(&excerpt(&error.to_string())).with_answer(&answer.text))
    }

    /// What a question for `configuration { general { … } }` is answered with.
    pub(super) async fn general<T: DeserializeOwned>(&self, query: &str) -> Result<T, Failure> {
        let WireSettings { configuration } = self.query(query, json!({})).await?;
        Ok(configuration.general)
    }

    /// A request for something that is no answer to a question.
    pub(super) fn get(&self, segments: &[&str]) -> RequestBuilder {
        self.http.get(http::below(&self.url, segments))
    }

    /// Sends a request with the key, and receives what comes within the limits.
    pub(super) async fn download(&self, request: RequestBuilder, cap: usize) -> Result<Download, NoAnswer> {
        let request = match self.api_key.header() {
            Some((name, key)) => request.header(name, key),
            None => request,
        };
        http::download(request, Limits { total: 4 * self.read_timeout, body: cap }).await
    }

    pub(super) fn no_answer(&self, error: &NoAnswer) -> Failure {
        self.classify.no_answer(error)
    }

    pub(super) fn bad_status(&self, download: Download) -> Failure {
        self.classify.bad_status(&download.into_answer(self.api_key.secret().as_ref()))
    }

    fn shape(&self, detail: &str) -> Failure {
        self.classify.undecodable(&Undecodable::Shape { detail: detail.to_owned() })
    }
}

fn connections(
    url: &Url,
    connect_timeout: Duration,
    read_timeout: Duration,
) -> Result<reqwest::Client, HttpError> {
    http::client(&HttpOptions { url, verify_tls: true, connect_timeout, read_timeout })
}
