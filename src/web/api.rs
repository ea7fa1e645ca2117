//! What can be read about jobs, dead letters and what was written?

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::auth::Scope;
use super::error::WebError;
use super::state::WebState;
use crate::domain::ids::{IdError, SceneId};
use crate::domain::job::JobState;
use crate::store::dead_letters::{Letters, letters};
use crate::store::writes::writes_of;
use crate::store::{Reader, StoreError, jobs as stored};
use crate::web::letters::{LetterDetail, LetterLine};
use crate::web::status::{JobDetail, JobLine, WriteLine};

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
    state.access.check(&request, Scope::Everything)?;
    let Page { state: word, limit, after } = page.into_inner();
    let wanted = match word.as_deref() {
        None => None,
        Some(word) => Some(JobState::from_word(word).ok_or_else(|| unknown_state(word))?),
    };
    let limit = page_length(limit);
    let jobs = reading(&state, move |reader| stored::jobs(reader, wanted, after, limit)).await?;
    let next = next_page(&jobs, limit, |job| job.scene);
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
    state.access.check(&request, Scope::Everything)?;
    let scene = self::scene(&scene)?;
    let now = state.clock.now();
    let detail = reading(&state, move |reader| JobDetail::read(reader, scene, now)).await?;
    let unknown = || WebError::new(StatusCode::NOT_FOUND, format!("there is no job for scene {scene}"));
    Ok(HttpResponse::Ok().json(detail.ok_or_else(unknown)?))
}

#[derive(Deserialize)]
pub(super) struct WritePage {
    limit: Option<usize>,
    after: Option<i64>,
}

#[derive(Serialize)]
struct History {
    scene_id: SceneId,
    /// Newest first.
    writes: Vec<WriteLine>,
    /// Ask for the next page, of older writes, with this as `after`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// What was written for a scene, also for one whose job is gone.
pub(super) async fn history(
    request: HttpRequest,
    state: web::Data<WebState>,
    scene: web::Path<String>,
    page: web::Query<WritePage>,
) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::Everything)?;
    let scene_id = self::scene(&scene)?;
    let WritePage { limit, after } = page.into_inner();
    let limit = page_length(limit);
    let found = reading(&state, move |reader| writes_of(reader, scene_id, after, limit)).await?;
    let next = next_page(&found, limit, |write| write.id);
    let writes = found.into_iter().map(WriteLine::from).collect();
    Ok(HttpResponse::Ok().json(History { scene_id, writes, next }))
}

/// The scene that a path names.
pub(super) fn scene(word: &str) -> Result<SceneId, WebError> {
    let malformed = |error: IdError| WebError::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    word.parse().map_err(malformed)
}

/// What to ask the next page with: the last row's key, unless the page is short and so the last one.
pub(super) fn next_page<T, K>(rows: &[T], limit: usize, key: impl Fn(&T) -> K) -> Option<K> {
    rows.last().filter(|_| rows.len() == limit).map(key)
}

/// How many rows a page has.
pub(super) fn page_length(asked: Option<usize>) -> usize {
    asked.unwrap_or(USUAL_PAGE).clamp(1, LONGEST_PAGE)
}

#[derive(Deserialize)]
pub(super) struct LetterPage {
    code: Option<String>,
    limit: Option<usize>,
    after: Option<i64>,
}

#[derive(Serialize)]
struct DeadLetters {
    dead_letters: Vec<LetterLine>,
    /// Ask for the next page with this as `after`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// The open ones, the oldest first.
pub(super) async fn dead_letters(
    request: HttpRequest,
    state: web::Data<WebState>,
    page: web::Query<LetterPage>,
) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::Everything)?;
    let LetterPage { code, limit, after } = page.into_inner();
    let limit = page_length(limit);
    let read = move |reader: &mut Reader| {
        let which = code.as_deref().map_or(Letters::Open, Letters::OpenWithCode);
        letters(reader, which, after, limit)
    };
    let found = reading(&state, read).await?;
    let next = next_page(&found, limit, |letter| letter.id);
    let dead_letters = found.into_iter().map(LetterLine::from).collect();
    Ok(HttpResponse::Ok().json(DeadLetters { dead_letters, next }))
}

/// One, open or closed, with its history.
pub(super) async fn dead_letter(
    request: HttpRequest,
    state: web::Data<WebState>,
    id: web::Path<String>,
) -> Result<HttpResponse, WebError> {
    state.access.check(&request, Scope::Everything)?;
    let id: i64 = id.parse().map_err(|error: std::num::ParseIntError| {
        let text = format!("{:?} is not the id of a dead letter: {error}", id.as_str());
        WebError::new(StatusCode::UNPROCESSABLE_ENTITY, text)
    })?;
    let detail = reading(&state, move |reader| LetterDetail::read(reader, id)).await?;
    let unknown = || WebError::new(StatusCode::NOT_FOUND, format!("there is no dead letter {id}"));
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
