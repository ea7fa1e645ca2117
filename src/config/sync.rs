//! What is carried over, and what wins?

use garde::Validate;
use toml::Value;

use super::bounds::from_to;
use super::reader::Reader;
use super::values::{self, Words};
use crate::domain::edits::{ClearEmpty, Field, HandEdits, OnDelete, Ownership};

/// `[sync]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct SyncConfig {
    /// The fields that are carried, each once.
    pub fields: Vec<Field>,
    /// What becomes of a field that was edited in Plex.
    pub hand_edits: HandEdits,
    /// What becomes of a field that is empty in Stash.
    pub clear_empty: ClearEmpty,
    /// Which elements of lists may be removed.
    pub ownership: Ownership,
    /// Whether written fields are locked in Plex.
    pub lock: bool,
    /// The content rating of every matched item. Empty: it is left alone; else it is among the fields.
    pub content_rating: String,
    /// Whether scenes that are not marked as organized in Stash are left out.
    pub only_organized: bool,
    /// What becomes of the item of a scene that is deleted in Stash.
    pub on_delete: OnDelete,
    /// Longest title in characters. Plex keeps titles in a column made for this many.
    #[garde(custom(from_to(1, 255)))]
    pub max_title: usize,
    /// Longest summary in characters. It travels in the request line, whose length servers limit.
    #[garde(custom(from_to(1, 10_000)))]
    pub max_summary: usize,
    /// Most tags of a scene that are carried.
    #[garde(custom(from_to(1, 1000)))]
    pub max_tags: usize,
    /// Most performers of a scene that are carried.
    #[garde(custom(from_to(1, 1000)))]
    pub max_performers: usize,
}

/// What a tag of Stash becomes in Plex.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TagsAs {
    Genre,
    Label,
}

/// Which collection an item is put in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CollectionOf {
    Studio,
    None,
}

impl SyncConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let tags_as: TagsAs = reader.word("sync.tags_as");
        let mut fields: Vec<Field> = reader.list("sync.fields", values::word);
        if tags_as == TagsAs::Label {
            fields.iter_mut().filter(|field| **field == Field::Genres).for_each(|tags| *tags = Field::Labels);
        }
        if reader.word::<CollectionOf>("sync.collection") == CollectionOf::None {
            fields.retain(|field| *field != Field::Collections);
        }
        let content_rating = reader.read("sync.content_rating", content_rating);
        if !content_rating.is_empty() {
            fields.push(Field::ContentRating);
        }
        let section = Self {
            fields,
            content_rating,
            on_delete: reader.word("sync.on_delete"),
            only_organized: reader.truth("sync.only_organized"),
            hand_edits: reader.word("sync.hand_edits"),
            clear_empty: reader.word("sync.clear_empty"),
            ownership: reader.word("sync.ownership"),
            lock: reader.truth("sync.lock"),
            max_title: reader.whole("sync.max_title"),
            max_summary: reader.whole("sync.max_summary"),
            max_tags: reader.whole("sync.max_tags"),
            max_performers: reader.whole("sync.max_performers"),
        };
        reader.check("sync", &section);
        if section.fields.is_empty() {
            let all = Field::WORDS.iter().map(|(word, _)| format!("{word:?}")).collect::<Vec<_>>().join(", ");
            reader
                .complain("sync.fields", format!("is empty, so that nothing would be synced (any of {all})"));
        }
        section
    }
}

/// Plex keeps it in a column made for 255 characters.
fn content_rating(value: &Value) -> Result<String, String> {
    let written = values::text(value)?.trim();
    if written.chars().any(char::is_control) || written.chars().count() > 255 {
        return Err(format!("is not a content rating: {written:?} (write a word, for example \"XXX\")"));
    }
    Ok(written.to_owned())
}

/// As the user names them. Tags are genres until it is known that they shall be labels.
impl Words for Field {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("title", Self::Title),
        ("studio", Self::Studio),
        ("summary", Self::Summary),
        ("date", Self::Date),
        ("rating", Self::Rating),
        ("performers", Self::Performers),
        ("director", Self::Directors),
        ("tags", Self::Genres),
        ("collection", Self::Collections),
        ("poster", Self::Poster),
        ("background", Self::Background),
    ];
}

impl Words for TagsAs {
    const WORDS: &'static [(&'static str, Self)] = &[("genre", Self::Genre), ("label", Self::Label)];
}

impl Words for CollectionOf {
    const WORDS: &'static [(&'static str, Self)] = &[("studio", Self::Studio), ("none", Self::None)];
}

impl Words for OnDelete {
    const WORDS: &'static [(&'static str, Self)] = &[("keep", Self::Keep), ("clear", Self::Clear)];
}

impl Words for Ownership {
    const WORDS: &'static [(&'static str, Self)] =
        &[("own", Self::Own), ("mirror", Self::Mirror), ("add", Self::Add)];
}

impl Words for HandEdits {
    const WORDS: &'static [(&'static str, Self)] = &[("keep", Self::Keep), ("overwrite", Self::Overwrite)];
}

impl Words for ClearEmpty {
    const WORDS: &'static [(&'static str, Self)] =
        &[("own", Self::Own), ("always", Self::Always), ("never", Self::Never)];
}
