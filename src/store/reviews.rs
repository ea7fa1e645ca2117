//! Which matches wait for a person's word, and what did people say?

use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{ItemKey, SCENE, Table, json, limit, millis};
use super::schema::{jobs, reviewed_pairs as pairs, reviews};
use super::{StoreError, settings, steer};

use crate::domain::failure::Failure;
use crate::domain::ids::{CorrelationId, MachineId, RatingKey, SceneId, SectionKey};
use crate::domain::job::{Job, JobState};
use crate::domain::matching::{Reason, Reviewed};
use crate::domain::scene::{Scene, SceneIdentity};

/// An item that a scene could be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub rating_key: RatingKey,
    pub section: SectionKey,
    /// The part that fits best, as the Plex server sees it.
    pub path: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// What speaks for it and against it, the strongest first.
    pub reasons: Vec<Reason>,
    /// Another scene that holds the item.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub held_by: Option<SceneId>,
}

/// What a run leaves to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReview {
    pub machine: MachineId,
    /// What the answer will be bound to.
    pub identity: SceneIdentity,
    pub title: String,
    /// Of the first file, as Stash sees it; empty without files.
    pub path: String,
    /// Best first.
    pub candidates: Vec<Candidate>,
}

impl NewReview {
    /// The item, if it is one of the candidates.
    pub fn candidate(&self, item: &ItemKey) -> Option<&Candidate> {
        let here = self.machine == item.machine;
        self.candidates.iter().find(|candidate| here && candidate.rating_key == item.rating_key)
    }
}

/// A match that waits for a person's word.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    pub scene: SceneId,
    pub code: String,
    pub detail: String,
    pub asked: NewReview,
    pub opened_at: Timestamp,
    pub correlation_id: CorrelationId,
}

/// The open review of a scene. A job that was set going again has none.
pub fn review(conn: &mut impl ReadConn, scene: SceneId) -> Result<Option<Review>, StoreError> {
    let row = reviews::table
        .filter(reviews::scene_id.eq(scene.get()).and(exists(parked_job())))
        .select(ReviewRow::as_select())
        .get_result(conn.connection());
    row.optional()?.map(Review::try_from).transpose()
}

/// Up to `rows` open reviews in the order of their scenes, after the one given.
pub fn open_reviews(
    conn: &mut impl ReadConn,
    after: Option<SceneId>,
    rows: usize,
) -> Result<Vec<Review>, StoreError> {
    let found = reviews::table
        .filter(reviews::scene_id.gt(after.map_or(0, SceneId::get)).and(exists(parked_job())))
        .order(reviews::scene_id.asc())
        .limit(limit(rows))
        .select(ReviewRow::as_select())
        .load(conn.connection())?;
    found.into_iter().map(Review::try_from).collect()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn parked_job() -> _ {
    let (kind, parked): (&'static str, &'static str) = (SCENE, JobState::Parked.as_str());
    jobs::table.filter(jobs::kind.eq(kind).and(jobs::id.eq(reviews::scene_id)).and(jobs::state.eq(parked)))
}

/// Keeps what a run leaves to a person, or drops what an earlier one left. Returns whether there is something new to
/// decide on; the same candidates again are not.
pub(super) fn renew(
    tx: &mut WriteTx<'_>,
    job: &Job,
    outcome: Result<(), &Failure>,
    asked: Option<&NewReview>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (Some(asked), Err(failure), JobState::Parked) = (asked, outcome, job.state) else {
        forget(tx, job.scene)?;
        return Ok(false);
    };
    let row = ReviewRow::new(job, failure, asked, now)?;
    let before = reviews::table.find(row.scene_id).select(ReviewRow::as_select());
    let before: Option<ReviewRow> = before.get_result(tx.connection()).optional()?;
    if before.is_some_and(|before| before.asks_the_same(&row)) {
        return Ok(false);
    }
    diesel::replace_into(reviews::table).values(&row).execute(tx.connection())?;
    Ok(true)
}

/// Drops the candidates of a scene.
pub(super) fn forget(tx: &mut WriteTx<'_>, scene: SceneId) -> Result<(), StoreError> {
    diesel::delete(reviews::table.find(scene.get())).execute(tx.connection())?;
    Ok(())
}

/// Forgets what people said about a scene that is gone.
pub(super) fn forget_answers(tx: &mut WriteTx<'_>, scene: SceneId) -> Result<(), StoreError> {
    diesel::delete(pairs::table.filter(pairs::scene_id.eq(scene.get()))).execute(tx.connection())?;
    Ok(())
}

/// What came of accepting an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The scene is this item from now on, and its job is due. Another scene may have held it.
    Ready { held_by: Option<SceneId> },
    /// The items that could be accepted.
    NotACandidate(Vec<RatingKey>),
    /// The scene waits for no word.
    NothingToReview,
}

/// Remembers that the scene is the item, in place of any other that was accepted for either, and starts its job.
pub fn accept(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    key: &RatingKey,
    now: Timestamp,
) -> Result<Accepted, StoreError> {
    let Some(review) = review(tx, scene)? else { return Ok(Accepted::NothingToReview) };
    let candidates = &review.asked.candidates;
    let Some(candidate) = candidates.iter().find(|candidate| candidate.rating_key == *key) else {
        let keys = candidates.iter().map(|candidate| candidate.rating_key.clone());
        return Ok(Accepted::NotACandidate(keys.collect()));
    };
    let accepted = pairs::answer.eq(ACCEPTED);
    let of_item = pairs::machine_id.eq(&review.asked.machine.0).and(pairs::rating_key.eq(key.as_str()));
    diesel::delete(pairs::table.filter(of_item.and(accepted))).execute(tx.connection())?;
    diesel::delete(pairs::table.filter(pairs::scene_id.eq(scene.get()).and(accepted)))
        .execute(tx.connection())?;
    answer(tx, &review, candidate, ACCEPTED, now)?;
    go_on(tx, scene, now)?;
    Ok(Accepted::Ready { held_by: candidate.held_by })
}

/// Remembers that the scene is none of its candidates, and has the rest judged again. Returns the items; `None` when
/// the scene waits for no word.
pub fn reject(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    now: Timestamp,
) -> Result<Option<Vec<RatingKey>>, StoreError> {
    let Some(review) = review(tx, scene)? else { return Ok(None) };
    for candidate in &review.asked.candidates {
        answer(tx, &review, candidate, REJECTED, now)?;
    }
    go_on(tx, scene, now)?;
    let keys = review.asked.candidates.into_iter().map(|candidate| candidate.rating_key);
    Ok(Some(keys.collect()))
}

const ACCEPTED: &str = "accepted";
const REJECTED: &str = "rejected";

fn go_on(tx: &mut WriteTx<'_>, scene: SceneId, now: Timestamp) -> Result<(), StoreError> {
    steer::retry(tx, scene, now)?;
    forget(tx, scene)
}

fn answer(
    tx: &mut WriteTx<'_>,
    review: &Review,
    candidate: &Candidate,
    answer: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::replace_into(pairs::table)
        .values((
            pairs::machine_id.eq(&review.asked.machine.0),
            pairs::rating_key.eq(candidate.rating_key.as_str()),
            pairs::scene_id.eq(review.scene.get()),
            pairs::answer.eq(answer),
            pairs::section_key.eq(candidate.section.as_str()),
            pairs::part_path.eq(&candidate.path),
            pairs::created_at.eq(&review.asked.identity.created_at),
            pairs::oshash.eq(&review.asked.identity.oshash),
            pairs::answered_at.eq(millis(now)),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// What people said about a scene that is still the same, on the server as it is.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) accepted: Vec<AcceptedItem>,
    rejected: Vec<RatingKey>,
}

#[derive(Debug)]
pub(super) struct AcceptedItem {
    pub(super) section: SectionKey,
    pub(super) rating_key: RatingKey,
    path: String,
}

impl From<Answers> for Reviewed {
    fn from(answers: Answers) -> Self {
        let accepted = answers.accepted.into_iter().map(|item| (item.rating_key, item.path));
        Self { accepted: accepted.collect(), rejected: answers.rejected }
    }
}

pub(super) fn answers(conn: &mut impl ReadConn, scene: &Scene) -> Result<Answers, StoreError> {
    let rows = pairs::table
        .filter(pairs::scene_id.eq(scene.id.get()))
        .select(PairRow::as_select())
        .load(conn.connection())?;
    let mut found = Answers::default();
    if rows.is_empty() {
        return Ok(found);
    }
    let machine = settings::get(conn, settings::MACHINE)?;
    let table = Table("reviewed_pairs");
    for row in rows {
        let identity = SceneIdentity { created_at: row.created_at, oshash: row.oshash };
        if machine.as_ref() != Some(&row.machine_id) || !scene.is(&identity) {
            continue;
        }
        let rating_key = table.rating_key(row.rating_key)?;
        match row.answer.as_str() {
            ACCEPTED => {
                let section = table.section(row.section_key)?;
                found.accepted.push(AcceptedItem { section, rating_key, path: row.part_path });
            }
            REJECTED => found.rejected.push(rating_key),
            word => return Err(table.bad(&format!("no such answer: {word:?}"))),
        }
    }
    Ok(found)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = pairs)]
struct PairRow {
    machine_id: String,
    rating_key: String,
    answer: String,
    section_key: String,
    part_path: String,
    created_at: String,
    oshash: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = reviews)]
struct ReviewRow {
    scene_id: i64,
    machine_id: String,
    code: String,
    detail: String,
    title: String,
    path: String,
    created_at: String,
    oshash: String,
    candidates: String,
    opened_at: i64,
    correlation_id: String,
}

impl ReviewRow {
    fn new(job: &Job, failure: &Failure, asked: &NewReview, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            scene_id: job.scene.get(),
            machine_id: asked.machine.0.clone(),
            code: failure.code.to_owned(),
            detail: failure.detail.clone(),
            title: asked.title.clone(),
            path: asked.path.clone(),
            created_at: asked.identity.created_at.clone(),
            oshash: asked.identity.oshash.clone(),
            candidates: json(&asked.candidates)?,
            opened_at: millis(now),
            correlation_id: job.correlation_id.as_str().to_owned(),
        })
    }

    fn asks_the_same(&self, other: &Self) -> bool {
        let asks = |row: &Self| {
            let texts = [&row.machine_id, &row.code, &row.created_at, &row.oshash, &row.candidates];
            texts.map(Clone::clone)
        };
        asks(self) == asks(other)
    }
}

impl TryFrom<ReviewRow> for Review {
    type Error = StoreError;

    fn try_from(row: ReviewRow) -> Result<Self, StoreError> {
        let table = Table("reviews");
        let candidates = serde_json::from_str(&row.candidates).map_err(|error| table.bad(&error))?;
        Ok(Self {
            scene: table.scene(row.scene_id)?,
            code: row.code,
            detail: row.detail,
            asked: NewReview {
                machine: MachineId(row.machine_id),
                identity: SceneIdentity { created_at: row.created_at, oshash: row.oshash },
                title: row.title,
                path: row.path,
                candidates,
            },
            opened_at: table.time(row.opened_at)?,
            correlation_id: table.correlation(row.correlation_id)?,
        })
    }
}

#[cfg(test)]
pub(in crate::store) mod tests;
