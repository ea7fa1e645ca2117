//! What can be read about jobs?

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::error::WebError;
use super::state::WebState;
use crate::domain::ids::SceneId;
use crate::domain::job::JobState;
use crate::store::{Reader, StoreError, jobs as stored};
use crate::web::status::{JobDetail, JobLine};

/// One page of a list, however many are asked for.
const LONGEST_PAGE: usize = 1000;
const USUAL_PAGE: usize = 100;

#[derive(Deserialize)]
pub(super) struct Page {
    state: Option<String>,
    limit: Option<usize>,
    after: Option<SceneId>,
}

#[derive(Serialize)]
struct Jobs {
    jobs: Vec<JobLine>,
    /// Ask for the next page with this as `after`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<SceneId>,
}

pub(super) async fn jobs(
    request: HttpRequest,
    state: web::Data<WebState>,
    page: web::Query<Page>,
) -> Result<HttpResponse, WebError> {
    state.access.check(request.method(), request.headers())?;
    let Page { state: word, limit, after } = page.into_inner();
    let wanted = match word.as_deref() {
        None => None,
        Some(word) => Some(JobState::from_word(word).ok_or_else(|| unknown_state(word))?),
    };
    let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, LONGEST_PAGE);
    let jobs = reading(&state, move |reader| stored::jobs(reader, wanted, after, limit)).await?;
    let next = jobs.last().filter(|_| jobs.len() == limit).map(|job| job.scene);
    Ok(HttpResponse::Ok().json(Jobs { jobs: jobs.iter().map(JobLine::from).collect(), next }))
}

fn unknown_state(word: &str) -> WebError {
    let known = JobState::ALL.map(JobState::as_str).join(", ");
    WebError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("state {word:?} is not one of {known}"))
}

pub(super) async fn job(
    request: HttpRequest,
    state: web::Data<WebState>,
    scene: web::Path<String>,
) -> Result<HttpResponse, WebError> {
    state.access.check(request.method(), request.headers())?;
    let scene: SceneId = scene.parse().map_err(|error: crate::domain::ids::IdError| {
        WebError::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
    })?;
    let detail = reading(&state, move |reader| JobDetail::read(reader, scene)).await?;
    let unknown = || WebError::new(StatusCode::NOT_FOUND, format!("there is no job for scene {scene}"));
    Ok(HttpResponse::Ok().json(detail.ok_or_else(unknown)?))
}

/// Reads from the database beside the worker's loop.
pub(super) async fn reading<T: Send + 'static>(
    state: &WebState,
    read: impl FnOnce(&mut Reader) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, WebError> {
    let readers = state.readers.clone();
    let answer = web::block(move || readers.with(read)).await;
    let answer = answer.map_err(|error| WebError::later(error.to_string()))?;
    answer.map_err(|error| WebError::later(format!("the database cannot be read: {error}")))
}
