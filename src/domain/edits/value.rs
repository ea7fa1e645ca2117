//! What does a field hold, and when are two values the same to Plex?

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::field::{Field, ImageSlot, Shape};
use super::sanitise::composed;

/// What a field holds, in Plex or by the wish of Stash. Empty and absent are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Text(String),
    List(Vec<Tag>),
}

/// One element of a list: Plex knows genres, labels and people as tags that all items of a server share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub name: String,
    /// The part a performer plays in this item. Stash knows none; one that stands in Plex is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl Tag {
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), role: None }
    }
}

impl Value {
    /// A list of names without roles.
    pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::List(names.into_iter().map(Tag::named).collect())
    }

    /// The text; of a list there is none.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::List(_) => "",
        }
    }

    /// The elements; a text has none.
    pub fn tags(&self) -> &[Tag] {
        match self {
            Self::Text(_) => &[],
            Self::List(tags) => tags,
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(tags) => tags.is_empty(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(tags) => {
                let shown: Vec<_> = tags.iter().map(Tag::to_string).collect();
                write!(f, "[{}]", shown.join(", "))
            }
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)?;
        self.role.as_ref().map_or(Ok(()), |role| write!(f, " as {role:?}"))
    }
}

/// Whether two texts are the same once Plex has stored them: it trims, and may compose characters.
pub fn same(left: &str, right: &str) -> bool {
    left == right || composed(left.trim()) == composed(right.trim())
}

/// Whether two values of a field that is no list are the same to Plex.
pub fn same_value(field: Field, left: &str, right: &str) -> bool {
    match field.shape() {
        Shape::Image(_) => left == right || uploaded(left).is_some_and(|hash| uploaded(right) == Some(hash)),
        Shape::Text | Shape::Rating | Shape::List => same(left, right),
    }
}

/// What Plex calls an image that is uploaded, by the SHA-1 of its bytes in hexadecimal digits.
pub fn upload_key(slot: ImageSlot, sha1: &str) -> String {
    match slot {
        ImageSlot::Poster => format!("{UPLOADED}posters/{sha1}"),
        ImageSlot::Background => format!("{UPLOADED}art/{sha1}"),
    }
}

const UPLOADED: &str = "upload://";

/// The hash in the name of an uploaded image. What stands before it differs from one kind of image to another.
fn uploaded(key: &str) -> Option<&str> {
    key.strip_prefix(UPLOADED)?.rsplit('/').next().filter(|hash| !hash.is_empty())
}

/// A rating as it is written and compared: at most two decimals, which is more than anybody rates with, and less than
/// servers add when they keep numbers in half the precision.
pub fn rating(stars: f64) -> String {
    ((stars * 100.0).round() / 100.0).to_string()
}

/// The names of a list as Plex tells them apart.
#[derive(Debug)]
pub(super) struct Names {
    field: Field,
    keys: BTreeSet<String>,
}

impl Names {
    pub(super) fn of<'a>(field: Field, tags: impl IntoIterator<Item = &'a Tag>) -> Self {
        Self { field, keys: tags.into_iter().map(|tag| key(field, &tag.name)).collect() }
    }

    pub(super) fn has(&self, tag: &Tag) -> bool {
        self.keys.contains(&key(self.field, &tag.name))
    }

    /// Whether the name was not there before.
    pub(super) fn insert(&mut self, tag: &Tag) -> bool {
        self.keys.insert(key(self.field, &tag.name))
    }
}

/// What two spellings of one tag have in common. A server has one spelling for each tag, the first it was told, and
/// tells spellings apart by what is more than the case of an ASCII letter. Labels get a capital.
fn key(field: Field, name: &str) -> String {
    let name = composed(name.trim());
    let name = if field == Field::Labels { capitalised(&name) } else { name };
    name.to_ascii_lowercase()
}

fn capitalised(name: &str) -> String {
    let mut rest = name.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn texts_that_differ_in_composition_or_padding_alone_are_the_same() {
        assert!(same("Zażółć", "Zaz\u{307}o\u{301}łc\u{301}"));
        assert!(same(" a ", "a"));
        assert!(!same("a", "A"));
    }

    #[rstest]
    #[case("upload://posters/ab12", "upload://posters/ab12", true)]
    #[case("upload://posters/ab12", "upload://thumb/ab12", true)]
    #[case("upload://posters/ab12", "upload://posters/cd34", false)]
    #[case("metadata://posters/ab12", "upload://posters/ab12", false)]
    #[case("upload://", "upload://posters/", false)]
    fn an_uploaded_image_is_known_by_its_hash(#[case] left: &str, #[case] right: &str, #[case] alike: bool) {
        assert_eq!(same_value(Field::Poster, left, right), alike);
        assert_eq!(same_value(Field::Title, left, right), left == right);
    }

    #[rstest]
    #[case(8.0, "8")]
    #[case(8.5, "8.5")]
    #[case(f64::from(8.1_f32), "8.1")]
    #[case(7.25, "7.25")]
    #[case(10.0, "10")]
    fn a_rating_is_a_short_number(#[case] stars: f64, #[case] text: &str) {
        assert_eq!(rating(stars), text);
    }

    #[rstest]
    #[case::ascii_case(Field::Genres, "Outdoor", "outDOOR", true)]
    #[case::other_case(Field::Genres, "élan", "Élan", false)]
    #[case::composition(Field::Genres, "e\u{301}lan", "élan", true)]
    #[case::padding(Field::Genres, "a ", "a", true)]
    #[case::capital_of_a_label(Field::Labels, "élan", "Élan", true)]
    #[case::inner_letter_of_a_label(Field::Labels, "aé", "AÉ", false)]
    #[case::another(Field::Performers, "Ada", "Ida", false)]
    fn a_server_has_one_spelling_for_each_tag(
        #[case] field: Field,
        #[case] left: &str,
        #[case] right: &str,
        #[case] same: bool,
    ) {
        assert_eq!(Names::of(field, &[Tag::named(left)]).has(&Tag::named(right)), same);
    }

    #[test]
    fn a_value_is_stored_as_a_text_or_a_list() {
        let role = Some("Captain".to_owned());
        let list = Value::List(vec![Tag::named("Ada"), Tag { role, ..Tag::named("Ben") }]);
        let stored = serde_json::to_string(&list).unwrap();
        assert_eq!(stored, r#"[{"name":"Ada"},{"name":"Ben","role":"Captain"}]"#);
        assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), list);
        assert_eq!(serde_json::from_str::<Value>(r#""x""#).unwrap(), Value::from("x"));
        assert_eq!(list.to_string(), r#"["Ada", "Ben" as "Captain"]"#);
    }
}
