//! How are the values of the domain stored? Conversions that several tables share.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::StoreError;
use crate::domain::edits::{Field, Shape, Value};
use crate::domain::ids::{CorrelationId, MachineId, RatingKey, SceneId, SectionKey};

/// The only kind of job so far.
pub(super) const SCENE: &str = "scene";

/// Names the table whose rows are being read, for the error.
#[derive(Clone, Copy)]
pub(super) struct Table(pub(super) &'static str);

impl Table {
    pub(super) fn bad(self, problem: &impl ToString) -> StoreError {
        StoreError::bad_row(self.0, problem)
    }

    pub(super) fn time(self, millis: i64) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(millis).map_err(|error| self.bad(&error))
    }

    pub(super) fn opt_time(self, millis: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
        millis.map(|millis| self.time(millis)).transpose()
    }

    pub(super) fn wait(self, millis: i64) -> Result<Duration, StoreError> {
        u64::try_from(millis).map(Duration::from_millis).map_err(|error| self.bad(&error))
    }

    pub(super) fn count(self, number: i64) -> Result<u32, StoreError> {
        u32::try_from(number).map_err(|error| self.bad(&error))
    }

    pub(super) fn scene(self, id: i64) -> Result<SceneId, StoreError> {
        SceneId::try_from(id).map_err(|error| self.bad(&error))
    }

    pub(super) fn rating_key(self, key: String) -> Result<RatingKey, StoreError> {
        RatingKey::try_from(key).map_err(|error| self.bad(&error))
    }

    pub(super) fn section(self, key: String) -> Result<SectionKey, StoreError> {
        SectionKey::try_from(key).map_err(|error| self.bad(&error))
    }

    pub(super) fn correlation(self, id: String) -> Result<CorrelationId, StoreError> {
        CorrelationId::try_from(id).map_err(|error| self.bad(&error))
    }

    pub(super) fn field(self, word: &str) -> Result<Field, StoreError> {
        Field::from_word(word).ok_or_else(|| self.bad(&format!("no such field: {word:?}")))
    }

    /// See [`stored`].
    pub(super) fn value(self, field: Field, column: String) -> Result<Value, StoreError> {
        match field.shape() {
            Shape::Text | Shape::Rating | Shape::Image(_) => Ok(Value::Text(column)),
            Shape::List => serde_json::from_str(&column).map(Value::List).map_err(|error| self.bad(&error)),
        }
    }
}

/// A value as one column holds it: a text as it is, a list as JSON. Which of them it is follows from the field.
pub(super) fn stored(value: &Value) -> Result<String, StoreError> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::List(tags) => json(tags),
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Other(Box::new(error)))
}

/// An item of one Plex server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    pub machine: MachineId,
    pub rating_key: RatingKey,
}

pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(super) fn wait_millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

/// The moment before which a row is older than `keep`.
pub(super) fn cutoff(now: Timestamp, keep: Duration) -> i64 {
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    millis(now.saturating_sub(keep).unwrap_or(Timestamp::MIN))
}

/// A limit as SQLite takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
