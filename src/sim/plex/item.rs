//! What does the simulated Plex know about one video?

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

use super::images::Shelf;

/// Fields that hold one text; dates and numbers are kept as they were sent.
pub(crate) const SCALARS: [&str; 12] = [
    "title",
    "titleSort",
    "originalTitle",
    "studio",
    "summary",
    "tagline",
    "contentRating",
    "originallyAvailableAt",
    "rating",
    "audienceRating",
    "userRating",
    "addedAt",
];

/// Fields that hold tags, by the name they are edited by, with the name they are read by.
pub(crate) const TAGS: [(&str, &str); 8] = [
    ("genre", "Genre"),
    ("director", "Director"),
    ("writer", "Writer"),
    ("producer", "Producer"),
    ("country", "Country"),
    ("collection", "Collection"),
    ("label", "Label"),
    ("actor", "Role"),
];

/// Fields that can be locked but not set.
pub(crate) const IMAGES: [&str; 4] = ["thumb", "art", "theme", "clearLogo"];

/// A video to put into a simulated library.
#[derive(Clone, Debug, Default)]
pub struct NewItem {
    /// Empty: the name of the first file without its extension, as Plex does it for personal videos.
    pub title: String,
    /// Path as Plex sees it, and size in bytes. The first is the first version's only part, and so on.
    pub files: Vec<(String, u64)>,
    /// Hashes of the contents of the files, in the order of those. Missing or empty: not analysed yet.
    pub hashes: Vec<String>,
    pub duration_ms: u64,
    pub summary: String,
    pub studio: String,
    /// `YYYY-MM-DD`
    pub date: String,
    pub content_rating: String,
    pub genres: Vec<String>,
    pub labels: Vec<String>,
    pub collections: Vec<String>,
    pub actors: Vec<String>,
    pub directors: Vec<String>,
}

impl NewItem {
    /// A video with one file and a title made from its name.
    pub fn file(path: &str, size: u64) -> Self {
        Self { files: vec![(path.to_owned(), size)], ..Self::default() }
    }

    /// The same with another title.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }
}

/// A video as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemView {
    pub rating_key: String,
    pub section: String,
    pub title: String,
    pub title_sort: String,
    pub original_title: Option<String>,
    pub studio: Option<String>,
    pub summary: String,
    pub tagline: Option<String>,
    pub content_rating: Option<String>,
    pub originally_available_at: Option<String>,
    pub year: Option<i64>,
    pub user_rating: Option<String>,
    pub genres: Vec<String>,
    pub labels: Vec<String>,
    pub collections: Vec<String>,
    pub actors: Vec<String>,
    pub directors: Vec<String>,
    pub locked: BTreeSet<String>,
    pub files: Vec<String>,
    pub added_at: i64,
    pub updated_at: i64,
    /// Keys of the posters, the newest last.
    pub posters: Vec<String>,
    pub selected_poster: Option<String>,
    pub selected_art: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) id: i64,
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) hash: String,
}

/// A tag on an item: the shared tag's id and what only this item says about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TagUse {
    pub(crate) tag: i64,
    /// The part an actor plays.
    pub(crate) text: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) key: i64,
    pub(crate) section: String,
    /// Never empty values, except by an agent's wish; absent is empty.
    pub(crate) scalars: BTreeMap<&'static str, String>,
    pub(crate) tags: BTreeMap<&'static str, Vec<TagUse>>,
    pub(crate) locked: BTreeSet<String>,
    pub(crate) parts: Vec<Part>,
    pub(crate) duration_ms: u64,
    pub(crate) added_at: i64,
    pub(crate) updated_at: i64,
    /// By the name of their field.
    pub(crate) images: BTreeMap<&'static str, Shelf>,
    /// The sort title as it is compared; made once, because listings are sorted for every page.
    pub(crate) sort_key: String,
    /// What Plex's agent knows by itself and falls back to.
    pub(crate) by_agent: Facts,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) scalars: BTreeMap<&'static str, String>,
    pub(crate) tags: BTreeMap<&'static str, Vec<TagUse>>,
}

impl Item {
    pub(crate) fn scalar(&self, name: &str) -> Option<&str> {
        self.scalars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn title(&self) -> &str {
        self.scalar("title").unwrap_or_default()
    }

    pub(crate) fn title_sort(&self) -> &str {
        self.scalar("titleSort").unwrap_or_else(|| self.title())
    }

    /// The image that is shown.
    pub(crate) fn selected(&self, field: &str) -> Option<&str> {
        self.images.get(field)?.selected.as_deref()
    }

    pub(crate) fn year(&self) -> Option<i64> {
        self.scalar("originallyAvailableAt")?.split('-').next()?.parse().ok()
    }

    pub(crate) fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.size).sum()
    }

    /// What a refresh does: fields without a lock go back to what the agent knows.
    pub(crate) fn fall_back(&mut self) {
        for name in SCALARS.into_iter().filter(|name| !matches!(*name, "addedAt" | "userRating")) {
            if self.locked.contains(name) {
                continue;
            }
            match self.by_agent.scalars.get(name) {
                Some(value) => self.scalars.insert(name, value.clone()),
                None => self.scalars.remove(name),
            };
        }
        for (_, shelf) in self.images.iter_mut().filter(|(field, _)| !self.locked.contains(**field)) {
            shelf.selected = shelf.keys.iter().find(|key| !key.starts_with("upload://")).cloned();
        }
        for (name, _) in TAGS {
            if !self.locked.contains(name) {
                self.tags.insert(name, self.by_agent.tags.get(name).cloned().unwrap_or_default());
            }
        }
        self.derive_title_sort();
    }

    /// After a change of the title a sort title without a lock is made anew.
    pub(crate) fn derive_title_sort(&mut self) {
        if !self.locked.contains("titleSort") {
            let derived = sort_form(self.title());
            self.scalars.insert("titleSort", derived);
        }
    }
}

/// The sort title Plex derives: no leading symbols, no article, no accents.
pub(crate) fn sort_form(title: &str) -> String {
    let plain: String = title
        .trim_start_matches(|character: char| !character.is_alphanumeric() && !character.is_ascii())
        .nfd()
        .filter(|character| !unicode_normalization::char::is_combining_mark(*character))
        .collect();
    for article in ["the ", "das ", "der ", "an ", "el ", "la ", "a "] {
        let Some((head, rest)) = plain.split_at_checked(article.len()) else { continue };
        if head.eq_ignore_ascii_case(article) {
            return rest.to_owned();
        }
    }
    plain
}

/// The title of a video nobody has described: its file name without folder and extension.
pub(crate) fn title_of(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_title_loses_symbols_articles_and_accents() {
        assert_eq!(sort_form("✨ zz Probe"), " zz Probe");
        assert_eq!(sort_form("The Éclair"), "Eclair");
        assert_eq!(sort_form("Theatre"), "Theatre");
    }

    #[test]
    fn a_title_comes_from_the_file_name() {
        assert_eq!(title_of("/data/x/My.Film (2020).mp4"), "My.Film (2020)");
        assert_eq!(title_of("C:\\videos\\clip.mkv"), "clip");
    }
}
