//! Which cases must a matcher tell apart? Libraries with known truth, made from a seed.
//!
//! What is true, and what the evidence can decide, follows from how a case was made. Nothing here knows how a matcher
//! works.

mod families;
mod maker;
mod traps;
mod words;

use maker::Maker;

/// Scenes of Stash and the Plex libraries in which they are to be found.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// Beginnings of paths: as Stash has them, and as Plex does.
    pub path_rules: Vec<(String, String)>,
    pub items: Vec<CorpusItem>,
    pub cases: Vec<Case>,
}

/// A media part of an item of Plex.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusItem {
    pub section: String,
    pub rating_key: u32,
    pub part_id: u32,
    pub path: String,
    /// Bytes.
    pub size: Option<i64>,
    pub duration_ms: Option<i64>,
    pub title: String,
    /// `YYYY-MM-DD`, or empty.
    pub date: String,
    /// Empty when unset.
    pub studio: String,
    /// Sixteen hexadecimal digits.
    pub content_hash: Option<String>,
}

/// A scene of Stash.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusScene {
    pub id: i64,
    pub title: String,
    /// `YYYY-MM-DD`, or empty.
    pub date: String,
    pub studio: Option<String>,
    pub files: Vec<CorpusFile>,
}

/// A file of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusFile {
    pub path: String,
    /// Bytes.
    pub size: i64,
    /// Seconds.
    pub duration: f64,
    /// Sixteen hexadecimal digits.
    pub oshash: String,
}

/// One question, and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub family: Family,
    pub scene: CorpusScene,
    /// The items that are the scene; none when Plex does not have it.
    pub truth: Vec<u32>,
    /// Whether whoever sees all the evidence can be sure. Of a scene that Plex does not have, nobody can.
    pub decidable: bool,
}

/// What makes the cases of a kind hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    SamePath,
    OtherMount,
    MovedFolder,
    Renamed,
    ReEncoded,
    Composition,
    Case,
    Windows,
    ReleaseTags,
    Dates,
    Parts,
    SameNames,
    TwoLibraries,
    Copies,
    SeveralFiles,
    WithoutSize,
    ByHash,
    LookAlikes,
    Missing,
}

impl Family {
    pub const ALL: [Self; 19] = [
        Self::SamePath,
        Self::OtherMount,
        Self::MovedFolder,
        Self::Renamed,
        Self::ReEncoded,
        Self::Composition,
        Self::Case,
        Self::Windows,
        Self::ReleaseTags,
        Self::Dates,
        Self::Parts,
        Self::SameNames,
        Self::TwoLibraries,
        Self::Copies,
        Self::SeveralFiles,
        Self::WithoutSize,
        Self::ByHash,
        Self::LookAlikes,
        Self::Missing,
    ];

    /// What the family is about, for a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::SamePath => "same path, or mapped by a rule",
            Self::OtherMount => "mounted elsewhere, no rule",
            Self::MovedFolder => "moved to another folder",
            Self::Renamed => "renamed",
            Self::ReEncoded => "renamed and encoded anew",
            Self::Composition => "accents composed (NFC) and decomposed (NFD)",
            Self::Case => "upper and lower case",
            Self::Windows => "Windows paths and network shares",
            Self::ReleaseTags => "release tags (`1080p`, `WEB-DL`)",
            Self::Dates => "dates in the name",
            Self::Parts => "`Part 1` … `Part N`",
            Self::SameNames => "six folders, each with `01.mp4`",
            Self::TwoLibraries => "one file in two libraries",
            Self::Copies => "copies in two folders",
            Self::SeveralFiles => "several files a scene, several parts an item",
            Self::WithoutSize => "Plex tells no size",
            Self::ByHash => "renamed, only the content hash is left",
            Self::LookAlikes => "titles that look alike",
            Self::Missing => "not in Plex, but something like it is",
        }
    }
}

impl Corpus {
    /// Makes at least so many cases, each family in turn. The same seed makes the same corpus.
    pub fn generate(seed: u64, cases: usize) -> Self {
        let mut maker = Maker::new(seed);
        while maker.corpus.cases.len() < cases {
            for family in Family::ALL {
                families::add(&mut maker, family);
            }
        }
        maker.corpus
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_makes_one_corpus_and_another_seed_another() {
        let (first, again, other) =
            (Corpus::generate(1, 200), Corpus::generate(1, 200), Corpus::generate(2, 200));
        assert_eq!((&first.items, &first.cases), (&again.items, &again.cases));
        assert_ne!(first.cases, other.cases);
    }

    #[test]
    fn each_family_has_cases_and_every_truth_is_an_item() {
        let corpus = Corpus::generate(3, 500);
        let keys: BTreeSet<_> = corpus.items.iter().map(|item| item.rating_key).collect();
        assert!(corpus.cases.iter().flat_map(|case| &case.truth).all(|key| keys.contains(key)));
        let families: BTreeSet<_> = corpus.cases.iter().map(|case| case.family).collect();
        assert_eq!(families.len(), Family::ALL.len());
        assert!(corpus.cases.iter().all(|case| !case.decidable || !case.truth.is_empty()));
        let ids: BTreeSet<_> = corpus.cases.iter().map(|case| case.scene.id).collect();
        assert_eq!(ids.len(), corpus.cases.len());
    }
}
