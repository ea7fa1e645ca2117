//! Which query writes these edits into these items, and never into any other?

use std::iter;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::edits::{Edit, Field};
use crate::domain::ids::RatingKey;

/// The items of an edit. There is no empty list: without ids Plex edits the whole library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemIds {
    first: RatingKey,
    rest: Vec<RatingKey>,
}

impl ItemIds {
    pub fn new(first: RatingKey, rest: Vec<RatingKey>) -> Self {
        Self { first, rest }
    }

    pub fn iter(&self) -> impl Iterator<Item = &RatingKey> {
        iter::once(&self.first).chain(&self.rest)
    }
}

impl From<RatingKey> for ItemIds {
    fn from(only: RatingKey) -> Self {
        Self::new(only, Vec::new())
    }
}

/// The percent-encoded query of an edit of movies.
pub fn edit_query(ids: &ItemIds, edits: &[Edit]) -> String {
    let ids: Vec<_> = ids.iter().map(RatingKey::as_str).collect();
    let mut pairs = vec![("type".to_owned(), "1".to_owned()), ("id".to_owned(), ids.join(","))];
    for edit in edits {
        let name = parameter(edit.field);
        if let Some(value) = &edit.value {
            pairs.push((format!("{name}.value"), value.clone()));
        }
        if let Some(locked) = edit.locked {
            pairs.push((format!("{name}.locked"), u8::from(locked).to_string()));
        }
    }
    encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Whether a query made from these would change anything.
pub(super) fn changes_something(edits: &[Edit]) -> bool {
    edits.iter().any(|edit| edit.value.is_some() || edit.locked.is_some())
}

/// What Plex calls a field, in edits and among an item's locks.
pub(super) fn parameter(field: Field) -> &'static str {
    match field {
        Field::Title => "title",
        Field::Studio => "studio",
        Field::Summary => "summary",
        Field::Date => "originallyAvailableAt",
    }
}

/// Joins names and values to a query. A blank becomes `%20`: Plex does not read `+` as one.
pub(super) fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    /// Whatever RFC 3986 does not call unreserved.
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let encoded = |text| utf8_percent_encode(text, ENCODED);
    let pairs: Vec<_> =
        pairs.into_iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> RatingKey {
        text.parse().unwrap()
    }

    /// Reads a query as a server does that takes `+` for a plus sign.
    fn read(query: &str) -> Vec<(String, String)> {
        let decoded = |text| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    }

    #[test]
    fn an_edit_reads_as_plex_expects_it() {
        let edits = [
            Edit { field: Field::Title, value: Some("A & B + C".to_owned()), locked: Some(true) },
            Edit { field: Field::Date, value: Some(String::new()), locked: Some(false) },
            Edit { field: Field::Studio, value: None, locked: Some(true) },
            Edit { field: Field::Summary, value: Some("x".to_owned()), locked: None },
        ];
        let query = edit_query(&ItemIds::new(key("1"), vec![key("22")]), &edits);
        assert_eq!(
            query,
            "type=1&id=1%2C22&title.value=A%20%26%20B%20%2B%20C&title.locked=1\
             &originallyAvailableAt.value=&originallyAvailableAt.locked=0&studio.locked=1&summary.value=x"
        );
    }

    #[test]
    fn an_edit_without_value_and_lock_changes_nothing() {
        let idle = Edit { field: Field::Title, value: None, locked: None };
        assert!(!changes_something(std::slice::from_ref(&idle)));
        assert!(changes_something(&[idle.clone(), Edit { locked: Some(false), ..idle.clone() }]));
        assert!(changes_something(&[Edit { value: Some(String::new()), ..idle }]));
    }

    fn any_edit() -> impl Strategy<Value = Edit> {
        let field = prop::sample::select(Field::ALL.to_vec());
        let value = prop::option::of(any::<String>());
        (field, value, any::<Option<bool>>()).prop_map(|(field, value, locked)| Edit { field, value, locked })
    }

    proptest! {
        #[test]
        fn an_edit_always_names_its_items_exactly_once(
            first in 0_u64..,
            rest in prop::collection::vec(0_u64.., 0..5),
            edits in prop::collection::vec(any_edit(), 0..6),
        ) {
            let keys: Vec<String> = std::iter::once(&first).chain(&rest).map(u64::to_string).collect();
            let rest = rest.iter().map(|id| key(&id.to_string())).collect();
            let pairs = read(&edit_query(&ItemIds::new(key(&first.to_string()), rest), &edits));
            let ids: Vec<_> = pairs.iter().filter(|(name, _)| name == "id").map(|(_, ids)| ids).collect();
            prop_assert_eq!(ids, [&keys.join(",")]);
            prop_assert_eq!(pairs.iter().filter(|(name, _)| name == "type").count(), 1);
        }

        #[test]
        fn every_value_arrives_as_it_was(value in any::<String>()) {
            let edit = Edit { field: Field::Summary, value: Some(value.clone()), locked: None };
            let query = edit_query(&key("7").into(), &[edit]);
            prop_assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+' && byte != b'#'));
            let pairs = read(&query);
            prop_assert_eq!(pairs.last(), Some(&("summary.value".to_owned(), value)));
        }
    }
}
