//! What is shown of dead letters?

use jiff::Timestamp;
use serde::Serialize;

use super::status::AttemptLine;
use crate::domain::explain::RUNS_TO_READ;
use crate::domain::ids::SceneId;
use crate::store::attempts::attempts_until;
use crate::store::dead_letters::{DeadLetter, letter};
use crate::store::{ReadConn, StoreError};

/// Why a job was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterLine {
    pub id: i64,
    pub scene_id: SceneId,
    /// `open`, or how it was closed: `superseded`, `retried` or `dropped`.
    pub state: &'static str,
    pub code: String,
    pub detail: String,
    /// The beginning of the peer's last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    pub attempts: u32,
    pub buried_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    pub correlation_id: String,
}

impl From<DeadLetter> for LetterLine {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            scene_id: letter.scene,
            state: letter.closed.map_or("open", |(_, closed)| closed.as_str()),
            code: letter.code,
            detail: letter.detail,
            answer: letter.answer,
            attempts: letter.attempts,
            buried_at: letter.buried_at,
            closed_at: letter.closed.map(|(at, _)| at),
            correlation_id: letter.correlation_id.into(),
        }
    }
}

/// A letter with the runs that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterDetail {
    #[serde(flatten)]
    pub letter: LetterLine,
    /// Newest first.
    pub history: Vec<AttemptLine>,
}

impl LetterDetail {
    /// One letter, open or closed.
    pub fn read(reader: &mut impl ReadConn, id: i64) -> Result<Option<Self>, StoreError> {
        letter(reader, id)?.map(|letter| Self::of(reader, letter)).transpose()
    }

    pub fn of(reader: &mut impl ReadConn, letter: DeadLetter) -> Result<Self, StoreError> {
        let runs = attempts_until(reader, letter.scene, letter.buried_at, RUNS_TO_READ)?;
        let history = runs.into_iter().map(AttemptLine::from).collect();
        Ok(Self { letter: LetterLine::from(letter), history })
    }
}
