//! What does an edit request change?

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::item::{IMAGES, Item, SCALARS, TAGS, TagUse};
use super::state::State;

/// An edit as the query names it: the same for all items it is for.
#[derive(Debug, Default)]
pub(crate) struct Edit {
    scalars: Vec<(&'static str, String)>,
    locks: Vec<(String, bool)>,
    tags: BTreeMap<&'static str, TagEdit>,
}

#[derive(Debug, Default)]
struct TagEdit {
    clear: bool,
    remove: Vec<String>,
    /// By the index in the request: the order of the result.
    add: BTreeMap<u32, TagAdd>,
}

#[derive(Debug, Default)]
struct TagAdd {
    name: Option<String>,
    text: Option<String>,
    thumb: Option<String>,
}

/// Why an edit is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A field that does not exist, or not for this server: 400.
    UnknownField,
    /// A value that does not fit its field: 500, as a real server answers.
    InvalidValue,
}

impl Edit {
    /// Reads the edit out of a query; parameters that are no edits are passed over.
    pub(crate) fn parse(query: &[(String, String)]) -> Result<Self, Refusal> {
        let mut edit = Self::default();
        for (name, value) in query {
            if let Some((kind, rest)) = name.split_once('[') {
                edit.tag_parameter(kind, rest, value)?;
            } else if let Some(field) = name.strip_suffix(".value") {
                edit.scalar(field, value)?;
            } else if let Some(field) = name.strip_suffix(".locked") {
                edit.lock(field, value)?;
            }
        }
        Ok(edit)
    }

    fn scalar(&mut self, field: &str, value: &str) -> Result<(), Refusal> {
        let known = SCALARS.into_iter().find(|known| *known == field).ok_or(Refusal::UnknownField)?;
        let fits = match known {
            "originallyAvailableAt" => value.is_empty() || is_date(value),
            "rating" | "audienceRating" | "userRating" => value.is_empty() || value.parse::<f64>().is_ok(),
            "addedAt" => value.parse::<i64>().is_ok(),
            _ => true,
        };
        if !fits {
            return Err(Refusal::InvalidValue);
        }
        self.scalars.push((known, value.to_owned()));
        Ok(())
    }

    fn lock(&mut self, field: &str, value: &str) -> Result<(), Refusal> {
        let lockable = SCALARS.contains(&field)
            || IMAGES.contains(&field)
            || TAGS.iter().any(|(known, _)| *known == field);
        if !lockable {
            return Err(Refusal::UnknownField);
        }
        self.locks.push((field.to_owned(), value == "1" || value == "true"));
        Ok(())
    }

    /// `kind[index].what`, where `rest` is everything after the bracket.
    fn tag_parameter(&mut self, kind: &str, rest: &str, value: &str) -> Result<(), Refusal> {
        let known = TAGS.iter().find(|(known, _)| *known == kind);
        let (kind, _) = known.ok_or(Refusal::UnknownField)?;
        let (index, what) = rest.split_once("].").ok_or(Refusal::UnknownField)?;
        let edit = self.tags.entry(kind).or_default();
        match what {
            "tag" => edit.clear = true,
            // Names are encoded one by one and joined, and the whole is encoded again.
            "tag.tag-" => edit.remove.extend(
                value
                    .split(',')
                    .map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned())
                    .filter(|name| !name.is_empty()),
            ),
            "tag.tag" => edit.at(index)?.name = Some(value.to_owned()),
            "tag.thumb" => edit.at(index)?.thumb = Some(value.to_owned()),
            "tagging.text" => edit.at(index)?.text = Some(value.to_owned()),
            _ => return Err(Refusal::UnknownField),
        }
        Ok(())
    }

    /// Applies the edit to these items. Ids of items that are gone are passed over without complaint.
    pub(crate) fn apply(&self, state: &mut State, keys: &[i64]) {
        let merges = state.merges_tags();
        let tags: Vec<_> = self.tags.iter().map(|(kind, edit)| (*kind, edit.resolve(state, kind))).collect();
        let (mut any, mut changed_any) = (false, false);
        for key in keys {
            let changed = state.change(*key, |item| {
                let before = (item.scalars.clone(), item.locked.clone(), item.tags.clone());
                self.apply_scalars(item);
                for (kind, change) in &tags {
                    change.apply(item.tags.entry(kind).or_default(), merges);
                }
                before != (item.scalars.clone(), item.locked.clone(), item.tags.clone())
            });
            any |= changed.is_some();
            changed_any |= changed == Some(true);
        }
        state.needless_edits += usize::from(any && !changed_any);
    }

    fn apply_scalars(&self, item: &mut Item) {
        for (field, locked) in &self.locks {
            if *locked {
                item.locked.insert(field.clone());
            } else {
                item.locked.remove(field);
            }
        }
        let value_of =
            |wanted| self.scalars.iter().find(|(field, _)| *field == wanted).map(|(_, value)| value);
        let sort = value_of("titleSort");
        for (field, value) in &self.scalars {
            match *field {
                // An item cannot be without a title: an empty one keeps the old.
                "title" if value.is_empty() => {}
                "titleSort" => {}
                "addedAt" => item.added_at = value.parse().unwrap_or(item.added_at),
                field if value.is_empty() => {
                    item.scalars.remove(field);
                }
                field => {
                    item.scalars.insert(field, value.clone());
                }
            }
        }
        match (sort.filter(|value| !value.is_empty()), value_of("title")) {
            (Some(custom), _) => {
                item.scalars.insert("titleSort", custom.clone());
            }
            (None, Some(_)) => item.derive_title_sort(),
            // Blanked by itself it becomes the full title until the title changes.
            (None, None) if sort.is_some() => {
                let full = item.title().to_owned();
                item.scalars.insert("titleSort", full);
            }
            (None, None) => {}
        }
    }
}

impl TagEdit {
    fn at(&mut self, index: &str) -> Result<&mut TagAdd, Refusal> {
        let Ok(index) = index.parse() else { return Err(Refusal::UnknownField) };
        Ok(self.add.entry(index).or_default())
    }

    /// Turns names into the server's shared tags.
    fn resolve(&self, state: &mut State, kind: &'static str) -> TagChange {
        let mut add = Vec::new();
        for wanted in self.add.values() {
            let Some(name) = wanted.name.as_deref().filter(|name| !name.is_empty()) else { continue };
            let tag = state.tag_id(kind, name);
            if let Some(thumb) = &wanted.thumb
                && let Some(shared) = state.tags.iter_mut().find(|known| known.id == tag)
            {
                shared.thumb = Some(thumb.clone());
            }
            add.push(TagUse { tag, text: wanted.text.clone() });
        }
        let remove = self.remove.iter().map(|name| state.tag_id(kind, name)).collect();
        TagChange { clear: self.clear, remove, add }
    }
}

struct TagChange {
    clear: bool,
    remove: Vec<i64>,
    add: Vec<TagUse>,
}

impl TagChange {
    /// A name that is both added and removed stays.
    fn apply(&self, uses: &mut Vec<TagUse>, merges: bool) {
        if self.clear || (!merges && !self.add.is_empty()) {
            uses.clear();
        }
        uses.retain(|used| !self.remove.contains(&used.tag));
        for added in &self.add {
            match uses.iter_mut().find(|used| used.tag == added.tag) {
                Some(known) if added.text.is_some() => known.text.clone_from(&added.text),
                Some(_) => {}
                None => uses.push(added.clone()),
            }
        }
    }
}

fn is_date(value: &str) -> bool {
    value.parse::<jiff::civil::Date>().is_ok() && value.len() == "YYYY-MM-DD".len()
}
