//! What should Plex show for a scene? Stash's values, made fit, checked, and remarks on what could not be kept.

use std::collections::BTreeMap;

use garde::Validate;
use jiff::civil::Date;

use super::sanitise::{cut, line, paragraphs};
use super::value::Names;
use super::{EditPolicy, Field, Note, Tag, Value, rating};
use crate::domain::scene::Scene;

/// The longest values that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Title and studio, in characters.
    pub title: usize,
    /// In characters.
    pub summary: usize,
    /// How many genres or labels.
    pub tags: usize,
    /// How many performers.
    pub performers: usize,
}

/// The longest name of a tag or a person, in characters: Plex's column is declared with as many.
const LONGEST_NAME: usize = 255;

/// The values that Plex should show, for the fields the user chose; an empty one means that Stash has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub values: BTreeMap<Field, Value>,
    pub notes: Vec<Note>,
}

/// What goes out is checked once more against what Plex takes, whatever the sanitising before it did.
#[derive(Debug, Validate)]
#[garde(context(Limits as ctx))]
struct Outgoing {
    #[garde(length(chars, max = ctx.title), custom(one_line))]
    title: String,
    #[garde(length(chars, max = ctx.title), custom(one_line))]
    studio: String,
    #[garde(length(chars, max = ctx.summary))]
    summary: String,
    #[garde(custom(calendar_date))]
    date: String,
    #[garde(range(min = 1, max = 100))]
    rating: Option<i64>,
    #[garde(length(chars, max = LONGEST_NAME), custom(one_line))]
    content_rating: String,
}

/// One element of a list on its way out.
#[derive(Debug, Validate)]
#[garde(context(Limits))]
struct OutgoingName {
    #[garde(length(chars, min = 1, max = LONGEST_NAME), custom(one_line))]
    name: String,
}

/// Works out what Plex should show. A field that cannot be made fit is left out and noted; the others go.
pub fn wanted(scene: &Scene, policy: &EditPolicy) -> Wanted {
    let mut notes = Vec::new();
    let mut values = texts(scene, policy, &mut notes);
    let limits = policy.limits;
    let director: Vec<String> = vec![scene.director.clone()];
    let collection: Vec<String> = scene.studio.iter().cloned().collect();
    // Tags go out as genres or as labels; whichever the user did not choose is dropped below.
    let lists = [
        (Field::Performers, &scene.performers, limits.performers),
        (Field::Directors, &director, 1),
        (Field::Genres, &scene.tags, limits.tags),
        (Field::Labels, &scene.tags, limits.tags),
        (Field::Collections, &collection, 1),
    ];
    for (field, given, most) in lists {
        values.insert(field, Value::List(names(field, given, most, &limits, &mut notes)));
    }
    values.retain(|field, _| policy.fields.contains(field));
    notes.retain(|note| policy.fields.contains(&note.field));
    if scene.is_bare() {
        // Nobody has looked at the scene yet, so that it says nothing is no reason to clear anything.
        values.retain(|_, value| !value.is_empty());
    }
    Wanted { values, notes }
}

fn texts(scene: &Scene, policy: &EditPolicy, notes: &mut Vec<Note>) -> BTreeMap<Field, Value> {
    let limits = policy.limits;
    let mut named = |field, text: &str| limited(field, line(text), limits.title, notes);
    let outgoing = Outgoing {
        title: named(Field::Title, &scene.title),
        studio: named(Field::Studio, scene.studio.as_deref().unwrap_or_default()),
        summary: limited(Field::Summary, paragraphs(&scene.details), limits.summary, notes),
        date: full_date(&scene.date, notes),
        rating: scene.rating,
        content_rating: limited(Field::ContentRating, line(&policy.content_rating), LONGEST_NAME, notes),
    };
    let problems = outgoing.validate_with(&limits).err();
    let stars = outgoing.rating.and_then(|hundredths| i32::try_from(hundredths).ok());
    let stars = stars.map(|hundredths| rating(f64::from(hundredths) / 10.0));
    let mut values = BTreeMap::from([
        (Field::Title, Value::Text(outgoing.title)),
        (Field::Studio, Value::Text(outgoing.studio)),
        (Field::Summary, Value::Text(outgoing.summary)),
        (Field::Date, Value::Text(outgoing.date)),
        (Field::Rating, Value::Text(stars.unwrap_or_default())),
        (Field::ContentRating, Value::Text(outgoing.content_rating)),
    ]);
    for (path, problem) in problems.iter().flat_map(garde::Report::iter) {
        if let Some(field) = Field::from_word(&path.to_string()) {
            values.remove(&field);
            notes.push(Note::new(field, format!("is left out: {problem}")));
        }
    }
    values
}

/// The elements of a list: each made fit, none twice, in an order that does not depend on Stash's, so that the same
/// ones are left out each time there are too many.
fn names(field: Field, given: &[String], most: usize, limits: &Limits, notes: &mut Vec<Note>) -> Vec<Tag> {
    let mut known = Names::of(field, []);
    let mut tags = Vec::new();
    for name in given {
        let whole = line(name);
        let tag = Tag::named(cut(&whole, LONGEST_NAME));
        if tag.name.len() < whole.len() {
            notes.push(Note::new(field, format!("hold a name that is cut to {LONGEST_NAME} characters")));
        }
        match (OutgoingName { name: tag.name.clone() }.validate_with(limits)) {
            Ok(()) if known.insert(&tag) => tags.push(tag),
            Ok(()) => {}
            // Nothing is left of a name of blanks, and nobody misses it.
            Err(_) if tag.name.is_empty() => {}
            Err(problem) => {
                notes.push(Note::new(field, format!("leave out {tag}: {}", problem.to_string().trim_end())));
            }
        }
    }
    tags.sort_by_cached_key(|tag| (tag.name.to_lowercase(), tag.name.clone()));
    if tags.len() > most {
        notes.push(Note::new(field, format!("are cut to {most} of {}", tags.len())));
        tags.truncate(most);
    }
    tags
}

fn limited(field: Field, text: String, limit: usize, notes: &mut Vec<Note>) -> String {
    let short = cut(&text, limit);
    if short.len() == text.len() {
        return text;
    }
    notes.push(Note::new(field, format!("is cut to {limit} characters")));
    short.to_owned()
}

/// Stash knows dates without a day or a month; Plex does not, so such a date becomes its first day.
fn full_date(date: &str, notes: &mut Vec<Note>) -> String {
    let date = date.trim();
    let full = match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => return date.to_owned(),
    };
    notes.push(Note::new(Field::Date, format!("{date} is written as its first day")));
    full
}

fn one_line(text: &str, _: &Limits) -> garde::Result {
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("holds control characters"));
    }
    Ok(())
}

fn calendar_date(text: &str, _: &Limits) -> garde::Result {
    let written_out = |date: &Date| date.to_string() == text && date.year() > 0;
    if text.is_empty() || text.parse::<Date>().is_ok_and(|date| written_out(&date)) {
        return Ok(());
    }
    Err(garde::Error::new(format!("{text:?} is not a calendar date such as 2024-05-31")))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::edits::tests::policy;
    use crate::domain::ids::SceneId;

    fn scene() -> Scene {
        Scene {
            id: SceneId::try_from(1).unwrap(),
            created_at: "2026-11-22T10:28:35-05:00".to_owned(),
            title: "Blue Harbor".to_owned(),
            details: "One\nTwo".to_owned(),
            date: "2021-05-06".to_owned(),
            studio: Some("Acme".to_owned()),
            rating: Some(85),
            director: "Jo Vogel".to_owned(),
            tags: vec!["Outdoor".to_owned(), "drama".to_owned()],
            performers: vec!["Ada Example".to_owned()],
            organized: true,
            files: Vec::new(),
        }
    }

    #[rstest]
    #[case("2024", Some("2024-01-01"))]
    #[case("2024-05", Some("2024-05-01"))]
    #[case("2024-05-31", Some("2024-05-31"))]
    #[case("", Some(""))]
    #[case("2024-13", None)]
    #[case("2024-02-30", None)]
    #[case("20240230", None)]
    #[case("soon", None)]
    #[case("31.05.2024", None)]
    fn a_date_is_whole_or_left_out(#[case] given: &str, #[case] expected: Option<&str>) {
        let wanted = wanted(&Scene { date: given.to_owned(), ..scene() }, &policy());
        assert_eq!(wanted.values.get(&Field::Date).map(Value::text), expected);
        assert_eq!(wanted.notes.is_empty(), given.is_empty() || given == "2024-05-31", "{:?}", wanted.notes);
        let others = Field::ALL.len() - "date, poster, background".split(' ').count();
        assert_eq!(wanted.values.len(), others + usize::from(expected.is_some()), "the other fields go");
    }

    #[test]
    fn a_long_title_is_cut_and_the_history_says_so() {
        let wanted = wanted(&Scene { title: "é".repeat(300), ..scene() }, &policy());
        assert_eq!(wanted.values[&Field::Title].text().chars().count(), 255);
        assert!(wanted.notes.iter().any(|note| note.field == Field::Title && note.text.contains("255")));
    }

    #[test]
    fn a_field_that_is_switched_off_is_not_wanted() {
        let policy = EditPolicy { fields: vec![Field::Title], ..policy() };
        let wanted = wanted(&scene(), &policy);
        assert_eq!(wanted.values.keys().collect::<Vec<_>>(), [&Field::Title]);
    }

    #[rstest]
    #[case(Some(85), Some("8.5"))]
    #[case(Some(100), Some("10"))]
    #[case(Some(1), Some("0.1"))]
    #[case(None, Some(""))]
    #[case(Some(0), None)]
    #[case(Some(101), None)]
    fn a_rating_is_carried_in_stars_or_left_out(#[case] given: Option<i64>, #[case] expected: Option<&str>) {
        let wanted = wanted(&Scene { rating: given, ..scene() }, &policy());
        assert_eq!(wanted.values.get(&Field::Rating).map(Value::text), expected);
        assert_eq!(wanted.notes.is_empty(), expected.is_some(), "{:?}", wanted.notes);
    }

    #[test]
    fn studio_and_director_are_lists_of_one() {
        let carried = wanted(&scene(), &policy());
        assert_eq!(carried.values[&Field::Collections], Value::names(["Acme"]));
        assert_eq!(carried.values[&Field::Directors], Value::names(["Jo Vogel"]));
        let without = Scene { studio: None, director: " ".to_owned(), ..scene() };
        let carried = wanted(&without, &policy());
        assert!(
            carried.values[&Field::Collections].is_empty() && carried.values[&Field::Directors].is_empty()
        );
    }

    #[test]
    fn a_scene_with_nothing_but_a_file_clears_nothing() {
        let bare = Scene {
            title: String::new(),
            details: String::new(),
            date: String::new(),
            director: String::new(),
            studio: None,
            rating: None,
            tags: Vec::new(),
            performers: Vec::new(),
            ..scene()
        };
        let carried = wanted(&bare, &policy());
        assert_eq!(carried.values, BTreeMap::from([(Field::ContentRating, "XXX".into())]));
        let titled = wanted(&Scene { title: "T".to_owned(), ..bare }, &policy());
        assert!(
            titled.values[&Field::Summary].is_empty(),
            "a title is something: now the rest counts as said"
        );
    }

    #[rstest]
    #[case::order_and_case(&["b", "A", "c", "a"], &["A", "b", "c"])]
    #[case::blanks_and_breaks(&[" one\ntwo ", "\u{0}", ""], &["one two"])]
    #[case::emoji_and_commas(&["👩‍👩‍👧, and more"], &["👩‍👩‍👧, and more"])]
    #[case::turned_text(&["a\u{202e}b"], &["ab"])]
    #[case::nothing(&[], &[])]
    fn names_are_made_fit_one_by_one(#[case] given: &[&str], #[case] expected: &[&str]) {
        let tags = given.iter().map(|&name| name.to_owned()).collect();
        let wanted = wanted(&Scene { tags, ..scene() }, &policy());
        for field in [Field::Genres, Field::Labels] {
            assert_eq!(wanted.values[&field], Value::names(expected.iter().copied()), "{field}");
        }
        assert_eq!(wanted.notes, []);
    }

    #[test]
    fn long_names_and_long_lists_are_cut_and_the_history_says_so() {
        let limits = Limits { tags: 2, performers: 1, ..policy().limits };
        let policy = EditPolicy { limits, ..policy() };
        let tags = vec!["c".to_owned(), "é".repeat(300), "b".to_owned(), "a".to_owned()];
        let performers = vec!["Ben".to_owned(), "Ada".to_owned()];
        let wanted = wanted(&Scene { tags, performers, ..scene() }, &policy);
        assert_eq!(wanted.values[&Field::Genres], Value::names(["a", "b"]));
        assert_eq!(wanted.values[&Field::Performers], Value::names(["Ada"]));
        let said: Vec<_> = wanted.notes.iter().map(|note| format!("{} {}", note.field, note.text)).collect();
        for note in [
            "genres hold a name that is cut to 255 characters",
            "genres are cut to 2 of 4",
            "performers are cut to 1 of 2",
        ] {
            assert!(said.iter().any(|said| said == note), "{note:?} in {said:?}");
        }
    }
}
