//! What is shown of matches that wait for a person's word?

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::api::{self, reading};
use super::auth::Scope;
use super::error::WebError;
use super::state::WebState;
use crate::domain::ids::SceneId;
use crate::store::reviews::{Candidate, Review, open_reviews, review};
use crate::telemetry::PathStyle;

/// A scene whose items a person has to tell, with the items that it could be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReviewDetail {
    pub scene_id: SceneId,
    /// `low_confidence`, `ambiguous`, or `conflict` when another scene holds the item.
    pub code: String,
    pub detail: String,
    pub title: String,
    /// Of the scene's first file, as Stash sees it; empty without files.
    pub path: String,
    pub opened_at: Timestamp,
    pub correlation_id: String,
    /// Best first.
    pub candidates: Vec<Candidate>,
}

impl ReviewDetail {
    /// With its paths in that style.
    pub fn of(review: Review, paths: PathStyle) -> Self {
        let shown = |path: &str| paths.show(path).to_string();
        let candidate = |candidate: Candidate| Candidate { path: shown(&candidate.path), ..candidate };
        Self {
            scene_id: review.scene,
            code: review.code,
            detail: review.detail,
            title: review.asked.title,
            path: shown(&review.asked.path),
            opened_at: review.opened_at,
            correlation_id: review.correlation_id.into(),
            candidates: review.asked.candidates.into_iter().map(candidate).collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ReviewPage {
    limit: Option<usize>,
    after: Option<SceneId>,
}

#[derive(Serialize)]
struct Reviews {
    reviews: Vec<ReviewDetail>,
    /// Ask for the next page with this as `after`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<SceneId>,
}

/// The open ones, in the order of their scenes.
pub(super) async fn list(
    request: HttpRequest,
    state: web::Data<WebState>,
    page: web::Query<ReviewPage>,
) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::Everything)?;
    let ReviewPage { limit, after } = page.into_inner();
    let limit = api::page_length(limit);
    let found = reading(&state, move |reader| open_reviews(reader, after, limit)).await?;
    let next = api::next_page(&found, limit, |review| review.scene);
    let reviews = found.into_iter().map(|review| ReviewDetail::of(review, state.paths)).collect();
    Ok(HttpResponse::Ok().json(Reviews { reviews, next }))
}

/// The one of a scene.
pub(super) async fn one(
    request: HttpRequest,
    state: web::Data<WebState>,
    scene: web::Path<String>,
) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::Everything)?;
    let scene = api::scene(&scene)?;
    let found = reading(&state, move |reader| review(reader, scene)).await?;
    let unknown =
        || WebError::new(StatusCode::NOT_FOUND, format!("scene {scene} waits for nobody's decision"));
    Ok(HttpResponse::Ok().json(ReviewDetail::of(found.ok_or_else(unknown)?, state.paths)))
}
