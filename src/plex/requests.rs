//! How are the edits of an item laid out over requests that servers take, and what is too long for any?

use crate::domain::edits::{Change, Edit, Field, Note, Shape, Value, Wanted, cut};

/// Cuts texts that one request cannot carry, so that what is wanted can be compared with what is there from then on.
/// Only a summary can be so long.
pub(super) fn fitted(mut wanted: Wanted, fits: impl Fn(&Edit) -> bool) -> Wanted {
    for (&field, value) in &mut wanted.values {
        let Value::Text(text) = value else { continue };
        let can_carry = |text: &str| {
            fits(&Edit { field, value: Some(Change::Text(text.to_owned())), locked: Some(true) })
        };
        if can_carry(text) {
            continue;
        }
        let (mut carried, mut refused) = (0, text.chars().count());
        while refused - carried > 1 {
            let middle = carried.midpoint(refused);
            *(if can_carry(cut(text, middle)) { &mut carried } else { &mut refused }) = middle;
        }
        let short = cut(text, carried).to_owned();
        let kept = short.chars().count();
        wanted.notes.push(Note::new(
            field,
            format!("is cut to {kept} characters: a request to Plex can carry no longer text"),
        ));
        *text = short;
    }
    wanted
}

/// Cuts lists that one request cannot carry. A list cannot go out in parts: a server that takes what is sent for all
/// there is would be left with the last part. So what would be added is cut to what fits, and a list whose elements
/// in Plex are too many already is left alone.
pub(super) fn shortened(edits: Vec<Edit>, fits: impl Fn(&[Edit]) -> bool) -> (Vec<Edit>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut kept = Vec::new();
    for mut edit in edits {
        if edit.field.shape() != Shape::List || fits(std::slice::from_ref(&edit)) {
            kept.push(edit);
            continue;
        }
        let mut left_out = 0;
        while !fits(std::slice::from_ref(&edit)) && adds_one_less(&mut edit) {
            left_out += 1;
        }
        if fits(std::slice::from_ref(&edit)) && changes_its_list(&edit) {
            notes.push(note(edit.field, &format!("lack {left_out} more")));
            kept.push(edit);
        } else {
            notes.push(note(edit.field, "are left alone"));
        }
    }
    (kept, notes)
}

/// One edit query for all, as each with tags costs a large library many seconds. Where that is too long texts go first
/// and lists second, as many together as fit. A rating is a request of its own, and the last.
pub(super) fn requests(edits: &[Edit], fits: impl Fn(&[Edit]) -> bool) -> Vec<Vec<Edit>> {
    let of =
        |shape| edits.iter().filter(move |edit| edit.field.shape() == shape).cloned().collect::<Vec<_>>();
    let (texts, lists, ratings) = (of(Shape::Text), of(Shape::List), of(Shape::Rating));
    let together: Vec<_> = edits.iter().filter(|edit| edit.field.shape() != Shape::Rating).cloned().collect();
    let queries = if together.is_empty() {
        Vec::new()
    } else if fits(&together) {
        vec![together]
    } else {
        [texts, lists].into_iter().flat_map(|edits| packed(edits, &fits)).collect()
    };
    queries.into_iter().chain(ratings.into_iter().map(|edit| vec![edit])).collect()
}

fn packed(edits: Vec<Edit>, fits: impl Fn(&[Edit]) -> bool) -> Vec<Vec<Edit>> {
    let mut packed: Vec<Vec<Edit>> = Vec::new();
    for edit in edits {
        if let Some(last) = packed.last_mut() {
            last.push(edit.clone());
            if fits(last) {
                continue;
            }
            last.pop();
        }
        packed.push(vec![edit]);
    }
    packed
}

fn adds_one_less(edit: &mut Edit) -> bool {
    match &mut edit.value {
        Some(Change::List(list)) => list.add_one_less(),
        Some(Change::Text(_)) | None => false,
    }
}

fn changes_its_list(edit: &Edit) -> bool {
    match &edit.value {
        Some(Change::List(list)) => list.changes_something(),
        Some(Change::Text(_)) | None => false,
    }
}

fn note(field: Field, what: &str) -> Note {
    Note::new(field, format!("{what}: a request to Plex can carry no longer list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::edits::{ListChange, Tag};

    fn text(field: Field, text: &str) -> Edit {
        Edit { field, value: Some(Change::Text(text.to_owned())), locked: None }
    }

    fn tags(names: &[&str]) -> Vec<Tag> {
        names.iter().copied().map(Tag::named).collect()
    }

    fn list(stay: &[&str], add: &[&str], remove: &[&str]) -> Edit {
        let list = ListChange { stay: tags(stay), add: tags(add), remove: tags(remove), ours: tags(add) };
        Edit { field: Field::Genres, value: Some(Change::List(list)), locked: Some(true) }
    }

    /// As if every letter of a value took a byte of the request line and nothing else did.
    fn letters(most: usize) -> impl Fn(&[Edit]) -> bool {
        move |edits| {
            let of_tags = |tags: &[Tag]| tags.iter().map(|tag| tag.name.len()).sum::<usize>();
            let letters = edits.iter().map(|edit| match &edit.value {
                Some(Change::Text(text)) => text.len(),
                Some(Change::List(list)) => of_tags(&list.stay) + of_tags(&list.add) + of_tags(&list.remove),
                None => 0,
            });
            letters.sum::<usize>() <= most
        }
    }

    #[test]
    fn one_request_carries_all_if_it_can() {
        let edits = [list(&[], &["a"], &[]), text(Field::Title, "t"), text(Field::Summary, "s")];
        assert_eq!(requests(&edits, letters(3)), [edits.to_vec()]);
    }

    #[test]
    fn otherwise_texts_go_first_and_lists_second() {
        let (genres, title, summary) =
            (list(&[], &["a"], &[]), text(Field::Title, "t"), text(Field::Summary, "ss"));
        let edits = [genres.clone(), title.clone(), summary.clone()];
        assert_eq!(
            requests(&edits, letters(3)),
            [vec![title.clone(), summary.clone()], vec![genres.clone()]]
        );
        assert_eq!(
            requests(&edits, letters(2)),
            [vec![title.clone()], vec![summary.clone()], vec![genres.clone()]]
        );
        assert_eq!(
            requests(&edits, letters(0)),
            [vec![title], vec![summary], vec![genres]],
            "each alone at least"
        );
    }

    #[test]
    fn a_rating_is_a_request_of_its_own() {
        let (rating, title) = (text(Field::Rating, "8"), text(Field::Title, "t"));
        let both = [rating.clone(), title.clone()];
        assert_eq!(requests(&both, letters(9)), [vec![title], vec![rating.clone()]]);
        assert_eq!(requests(std::slice::from_ref(&rating), letters(9)), [vec![rating]]);
    }

    #[test]
    fn a_text_is_cut_to_what_one_request_carries() {
        let wanted =
            |text: &str| Wanted { values: [(Field::Summary, text.into())].into(), notes: Vec::new() };
        let fits = |edit: &Edit| letters(9)(std::slice::from_ref(edit));
        let cut = fitted(wanted("ab👩‍👩‍👧 cd"), fits);
        assert_eq!(cut.values[&Field::Summary].text(), "ab", "at the border of what one reads as a letter");
        assert!(cut.notes[0].text.starts_with("is cut to 2 characters"), "{:?}", cut.notes);
        assert_eq!(fitted(wanted("nine byte"), fits), wanted("nine byte"));
        assert_eq!(fitted(wanted("nine bytes"), fits).values[&Field::Summary].text(), "nine byte");
    }

    #[test]
    fn a_list_is_cut_to_what_one_request_carries() {
        let (cut, notes) = shortened(vec![list(&["x"], &["a", "b", "c"], &["o"])], letters(4));
        assert_eq!(cut, [list(&["x"], &["a", "b"], &["o"])], "what is not sent is not ours either");
        assert_eq!(notes[0].text, "lack 1 more: a request to Plex can carry no longer list");
        let (untouched, notes) = shortened(vec![list(&["x"], &["a"], &[])], letters(2));
        assert_eq!((untouched, notes), (vec![list(&["x"], &["a"], &[])], vec![]));
    }

    #[test]
    fn a_list_without_room_for_one_more_is_left_alone() {
        for edit in [list(&["xx"], &["a"], &[]), list(&["xxx"], &["a"], &["o"])] {
            let (left, notes) = shortened(vec![edit], letters(2));
            assert_eq!(left, []);
            assert!(notes[0].text.starts_with("are left alone"), "{notes:?}");
        }
    }

    #[test]
    fn a_text_is_never_cut_here() {
        let long = text(Field::Summary, "sss");
        assert_eq!(shortened(vec![long.clone()], letters(1)), (vec![long], vec![]));
    }
}
