//! What is carried over, and what wins?

use garde::Validate;

use super::bounds::from_to;
use super::reader::Reader;
use super::values::{self, Words};
use crate::domain::edits::{ClearEmpty, Field, HandEdits};

/// `[sync]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct SyncConfig {
    /// The fields that are carried, each once, in the order given.
    pub fields: Vec<Field>,
    /// What becomes of a field that was edited in Plex.
    pub hand_edits: HandEdits,
    /// What becomes of a field that is empty in Stash.
    pub clear_empty: ClearEmpty,
    /// Whether written fields are locked in Plex.
    pub lock: bool,
    /// Longest title in characters. Plex keeps titles in a column made for this many.
    #[garde(custom(from_to(1, 255)))]
    pub max_title: usize,
    /// Longest summary in characters. It travels in the request line, whose length servers limit.
    #[garde(custom(from_to(1, 10_000)))]
    pub max_summary: usize,
}

impl SyncConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            fields: reader.list("sync.fields", values::word),
            hand_edits: reader.word("sync.hand_edits"),
            clear_empty: reader.word("sync.clear_empty"),
            lock: reader.truth("sync.lock"),
            max_title: reader.whole("sync.max_title"),
            max_summary: reader.whole("sync.max_summary"),
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

impl Words for Field {
    const WORDS: &'static [(&'static str, Self)] =
        &[("title", Self::Title), ("studio", Self::Studio), ("summary", Self::Summary), ("date", Self::Date)];
}

impl Words for HandEdits {
    const WORDS: &'static [(&'static str, Self)] = &[("keep", Self::Keep), ("overwrite", Self::Overwrite)];
}

impl Words for ClearEmpty {
    const WORDS: &'static [(&'static str, Self)] =
        &[("own", Self::Own), ("always", Self::Always), ("never", Self::Never)];
}
