//! How are the edits of an item laid out over requests that servers take?

use crate::domain::edits::{Change, Edit, Field, Note, Shape};

/// Cuts lists that one request cannot carry. A list cannot go out in parts: a server that takes what is sent for all
/// there is would be left with the last part. So what would be added is cut to what fits, and a list whose elements
/// in Plex are too many already is left alone.
pub(super) fn shortened(edits: Vec<Edit>, fits: impl Fn(&[Edit]) -> bool) -> (Vec<Edit>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut kept = Vec::new();
    for mut edit in edits {
        if edit.field.shape() == Shape::Text || fits(std::slice::from_ref(&edit)) {
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

/// All in one, as each request with tags costs a large library many seconds. Where that is too long texts go first and
/// lists second, as many together as fit.
pub(super) fn requests(edits: &[Edit], fits: impl Fn(&[Edit]) -> bool) -> Vec<Vec<Edit>> {
    if edits.is_empty() || fits(edits) {
        return vec![edits.to_vec()];
    }
    let (texts, lists): (Vec<_>, Vec<_>) =
        edits.iter().cloned().partition(|edit| edit.field.shape() == Shape::Text);
    [texts, lists].into_iter().flat_map(|edits| packed(edits, &fits)).collect()
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
