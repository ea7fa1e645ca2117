//! Which query writes these edits into these items, and never into any other?

use std::iter;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::edits::{Change, Edit, Field, ListChange, Shape, Tag};
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
        match &edit.value {
            // An image is sent and chosen otherwise; only its lock is set here.
            Some(Change::Text(_)) if matches!(edit.field.shape(), Shape::Image(_)) => {}
            Some(Change::Text(text)) => pairs.push((format!("{name}.value"), text.clone())),
            Some(Change::List(list)) => list_parameters(name, list, &mut pairs),
            None => {}
        }
        if let Some(locked) = edit.locked {
            pairs.push((format!("{name}.locked"), u8::from(locked).to_string()));
        }
    }
    encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Every element that shall stand, numbered, and those that go by their names. So it ends in the same state on a server
/// that adds what is sent to what is there as on one that takes it for all there is.
fn list_parameters(name: &str, list: &ListChange, pairs: &mut Vec<(String, String)>) {
    for (place, tag) in list.all().enumerate() {
        pairs.push((format!("{name}[{place}].tag.tag"), tag.name.clone()));
        // A part that is not sent again would be lost.
        if let Some(role) = &tag.role {
            pairs.push((format!("{name}[{place}].tagging.text"), role.clone()));
        }
    }
    if !list.remove.is_empty() {
        // Each name is encoded by itself, so that a comma in it is none between names; then the whole once more.
        let encoded = |tag: &Tag| utf8_percent_encode(&tag.name, ENCODED).to_string();
        let names: Vec<_> = list.remove.iter().map(encoded).collect();
        pairs.push((format!("{name}[].tag.tag-"), names.join(",")));
    }
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
        Field::Rating => "userRating",
        Field::ContentRating => "contentRating",
        Field::Performers => "actor",
        Field::Directors => "director",
        Field::Genres => "genre",
        Field::Labels => "label",
        Field::Collections => "collection",
        Field::Poster => "thumb",
        Field::Background => "art",
    }
}

/// Whatever RFC 3986 does not call unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Joins names and values to a query. A blank becomes `%20`: Plex does not read `+` as one.
pub(super) fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
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

    fn text(text: &str) -> Change {
        Change::Text(text.to_owned())
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
            Edit { field: Field::Title, value: Some(text("A & B + C")), locked: Some(true) },
            Edit { field: Field::Date, value: Some(text("")), locked: Some(false) },
            Edit { field: Field::Studio, value: None, locked: Some(true) },
            Edit { field: Field::Summary, value: Some(text("x")), locked: None },
        ];
        let query = edit_query(&ItemIds::new(key("1"), vec![key("22")]), &edits);
        assert_eq!(
            query,
            "type=1&id=1%2C22&title.value=A%20%26%20B%20%2B%20C&title.locked=1\
             &originallyAvailableAt.value=&originallyAvailableAt.locked=0&studio.locked=1&summary.value=x"
        );
    }

    #[test]
    fn a_list_names_all_that_shall_stand_and_what_goes() {
        let captain = Tag { role: Some("Captain & cook".to_owned()), ..Tag::named("Ada") };
        let list = ListChange {
            stay: vec![captain],
            add: vec![Tag::named("Ben, the second")],
            remove: vec![Tag::named("Cy, the third"), Tag::named("100%")],
            ours: Vec::new(),
        };
        let value = Some(Change::List(list));
        let query =
            edit_query(&key("7").into(), &[Edit { field: Field::Performers, value, locked: Some(true) }]);
        let expected = [
            ("type", "1"),
            ("id", "7"),
            ("actor[0].tag.tag", "Ada"),
            ("actor[0].tagging.text", "Captain & cook"),
            ("actor[1].tag.tag", "Ben, the second"),
            ("actor[].tag.tag-", "Cy%2C%20the%20third,100%25"),
            ("actor.locked", "1"),
        ];
        assert_eq!(read(&query), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_edit_without_value_and_lock_changes_nothing() {
        let idle = Edit { field: Field::Title, value: None, locked: None };
        assert!(!changes_something(std::slice::from_ref(&idle)));
        assert!(changes_something(&[idle.clone(), Edit { locked: Some(false), ..idle.clone() }]));
        assert!(changes_something(&[Edit { value: Some(text("")), ..idle }]));
    }

    fn any_edit() -> impl Strategy<Value = Edit> {
        let field = prop::sample::select(Field::ALL.to_vec());
        let tags = || prop::collection::vec(any::<String>().prop_map(Tag::named), 0..4);
        let lists = (tags(), tags(), tags());
        let lists = lists.prop_map(|(stay, add, remove)| ListChange { stay, add, remove, ours: Vec::new() });
        let value = prop_oneof![any::<String>().prop_map(Change::Text), lists.prop_map(Change::List)];
        (field, prop::option::of(value), any::<Option<bool>>()).prop_map(|(field, value, locked)| Edit {
            field,
            value,
            locked,
        })
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
            let edit = Edit { field: Field::Summary, value: Some(text(&value)), locked: None };
            let query = edit_query(&key("7").into(), &[edit]);
            prop_assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+' && byte != b'#'));
            let pairs = read(&query);
            prop_assert_eq!(pairs.last(), Some(&("summary.value".to_owned(), value)));
        }
    }
}
