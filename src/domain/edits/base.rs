//! What is remembered of a field of an item, between one run and the next?

use std::collections::BTreeMap;

use super::field::Field;
use super::value::Value;

/// What `PlexSync` last wrote into the item and saw applied, by field, and what a person took back of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    values: BTreeMap<Field, Value>,
    declined: BTreeMap<Field, Value>,
}

impl Base {
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written. Of a list these are the elements that are ours.
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.values.get(&field)
    }

    /// What Stash says and is not to be written, until Stash says something else: a text, or elements of a list.
    pub fn declined(&self, field: Field) -> Option<&Value> {
        self.declined.get(&field)
    }

    pub fn decline(&mut self, field: Field, value: Value) {
        self.declined.insert(field, value);
    }

    /// The fields that were written.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.values.keys().copied()
    }
}

impl FromIterator<(Field, Value)> for Base {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(values: I) -> Self {
        Self { values: values.into_iter().collect(), declined: BTreeMap::new() }
    }
}

impl<const N: usize> From<[(Field, Value); N]> for Base {
    fn from(values: [(Field, Value); N]) -> Self {
        values.into_iter().collect()
    }
}
