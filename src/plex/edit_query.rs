//! How is an edit written as a query? Without an id Plex edits the whole library, so a list of ids cannot be empty.

use crate::domain::edits::{Edit, Field};
use crate::domain::ids::RatingKey;

/// The items to edit: one at least, by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemIds {
    first: RatingKey,
    rest: Vec<RatingKey>,
}

impl ItemIds {
    pub fn one(first: RatingKey) -> Self {
        Self { first, rest: Vec::new() }
    }

    #[must_use]
    pub fn and(mut self, next: RatingKey) -> Self {
        self.rest.push(next);
        self
    }

    fn joined(&self) -> String {
        let all = std::iter::once(&self.first).chain(&self.rest);
        all.map(RatingKey::as_str).collect::<Vec<_>>().join(",")
    }
}

/// The parameters of `PUT /library/sections/{key}/all`, in order. `type=1` means movies.
pub fn edit_query(items: &ItemIds, edits: &[Edit]) -> Vec<(String, String)> {
    let mut query = vec![("type".to_owned(), "1".to_owned()), ("id".to_owned(), items.joined())];
    for edit in edits {
        let name = parameter(edit.field);
        if let Some(value) = &edit.value {
            query.push((format!("{name}.value"), value.clone()));
        }
        if let Some(locked) = edit.locked {
            query.push((format!("{name}.locked"), if locked { "1" } else { "0" }.to_owned()));
        }
    }
    query
}

/// What Plex calls a field, in parameters and in the list of locks alike.
pub(super) fn parameter(field: Field) -> &'static str {
    match field {
        Field::Title => "title",
        Field::Studio => "studio",
        Field::Summary => "summary",
        Field::Date => "originallyAvailableAt",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(number: u32) -> RatingKey {
        number.to_string().parse().unwrap()
    }

    proptest! {
        #[test]
        fn an_edit_always_names_the_items_it_is_for(
            ids in proptest::collection::vec(1_u32.., 1..5),
            values in proptest::collection::vec(proptest::option::of(any::<String>()), 0..4),
        ) {
            let mut ids = ids.into_iter();
            let items = ids.by_ref().take(1).map(key).next().map(ItemIds::one).unwrap();
            let items = ids.fold(items, |items, id| items.and(key(id)));
            let edits: Vec<_> = Field::ALL.into_iter().zip(values)
                .map(|(field, value)| Edit { field, value, locked: Some(true) }).collect();
            let query = edit_query(&items, &edits);
            let named: Vec<_> = query.iter().filter(|(name, _)| name == "id").collect();
            prop_assert_eq!(named.len(), 1);
            prop_assert!(named[0].1.split(',').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)));
        }
    }

    #[test]
    fn a_lock_alone_sends_no_value() {
        let edit = Edit { field: Field::Date, value: None, locked: Some(true) };
        let query = edit_query(&ItemIds::one(key(7)), &[edit]);
        let names: Vec<_> = query.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["type", "id", "originallyAvailableAt.locked"]);
    }
}
