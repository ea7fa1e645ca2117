//! How well and how fast does the matcher find the scenes of a corpus in an index on a file?

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use plexsync::domain::ids::{MachineId, SceneId, SectionKey};
use plexsync::domain::item::{ContentHash, IndexedPart, Library};
use plexsync::domain::matching::{Decision, MatchPolicy, PathMap, PathRule, decide};
use plexsync::domain::scene::{Scene, SceneFile, SceneIdentity};
use plexsync::sim::corpus::{Case, Corpus, CorpusFile, CorpusItem, CorpusScene, Family};
use plexsync::store::candidates::candidates;
use plexsync::store::{Readers, open, plex_index, plex_parts};

/// As in `config.example.toml`.
const POLICY: MatchPolicy = MatchPolicy { auto: 0.90, review: 0.50 };
/// As many as a page of a listing has.
const PAGE: usize = 500;

/// The items of a corpus in an index.
pub(crate) struct Shelf {
    pub(crate) readers: Readers,
    pub(crate) map: PathMap,
    database: PathBuf,
}

impl Shelf {
    pub(crate) fn fill(folder: &Path, corpus: &Corpus) -> anyhow::Result<Self> {
        let database = folder.join("index.db");
        let mut writer = open(&database)?;
        let machine = MachineId("corpus".to_owned());
        let sections: BTreeSet<_> = corpus.items.iter().map(|item| &item.section).collect();
        for key in sections {
            let key: SectionKey = key.parse()?;
            let library = Library {
                key: key.clone(),
                title: format!("Library {key}"),
                locations: Vec::new(),
                content_changed_at: None,
            };
            let walk = writer.write(|tx| plex_index::begin_walk(tx, &machine, &library))?;
            let of_section = corpus.items.iter().filter(|item| item.section == key.as_str());
            let parts = of_section.map(part).collect::<anyhow::Result<Vec<_>>>()?;
            for page in parts.chunks(PAGE) {
                writer.write(|tx| plex_parts::upsert_parts(tx, page, walk).map(drop))?;
            }
            let now = Timestamp::UNIX_EPOCH;
            writer.write(|tx| {
                plex_index::finish_walk(tx, &key, walk, plex_index::Ground::default(), None, now).map(drop)
            })?;
        }
        drop(writer);
        let rule = |(stash, plex): &(String, String)| PathRule { stash: stash.clone(), plex: plex.clone() };
        let map = PathMap::new(corpus.path_rules.iter().map(rule).collect());
        Ok(Self { readers: Readers::open(&database)?, map, database })
    }

    pub(crate) fn bytes(&self) -> anyhow::Result<u64> {
        Ok(std::fs::metadata(&self.database)?.len())
    }

    /// All that is done to find a scene once it is read from Stash.
    pub(crate) fn decide(&self, scene: &Scene) -> anyhow::Result<Decision> {
        let found = self.readers.with(|reader| candidates(reader, scene, &self.map))?;
        Ok(decide(scene, &found, &self.map, &POLICY))
    }

    /// The items that would be written.
    pub(crate) fn written(&self, scene: &Scene) -> anyhow::Result<Vec<u32>> {
        match self.decide(scene)? {
            Decision::Auto(items) => {
                let key = |key: &str| key.parse().with_context(|| format!("the rating key {key}"));
                items.iter().map(|item| key(item.rating_key.as_str())).collect()
            }
            Decision::Review { .. } | Decision::None => Ok(Vec::new()),
        }
    }
}

/// The matcher of the usual scripts: the one item whose file has the scene's file name, but for case.
pub(crate) struct ByFileName(HashMap<String, BTreeSet<u32>>);

impl ByFileName {
    pub(crate) fn new(corpus: &Corpus) -> Self {
        let mut items: HashMap<_, BTreeSet<u32>> = HashMap::new();
        for item in &corpus.items {
            items.entry(file_name(&item.path)).or_default().insert(item.rating_key);
        }
        Self(items)
    }

    pub(crate) fn written(&self, scene: &CorpusScene) -> Vec<u32> {
        let named = scene.files.iter().filter_map(|file| self.0.get(&file_name(&file.path)));
        let found: BTreeSet<u32> = named.flatten().copied().collect();
        if found.len() == 1 { found.into_iter().collect() } else { Vec::new() }
    }
}

fn file_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase()
}

/// How many cases of a kind ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) cases: usize,
    /// Cases that the evidence can decide, and how many of them were found.
    pub(crate) decidable: usize,
    pub(crate) decided: usize,
    /// Found, whether or not it had to be.
    pub(crate) matched: usize,
    /// There, and not written to: left to a person, or not found.
    pub(crate) missed: usize,
    /// Written to an item that the scene is not.
    pub(crate) wrong: usize,
}

impl Tally {
    pub(crate) fn count(&mut self, case: &Case, written: &[u32]) {
        self.cases += 1;
        self.decidable += usize::from(case.decidable);
        let right = !written.is_empty() && written.iter().all(|key| case.truth.contains(key));
        // Where the evidence decides, every item that is the scene has to be written.
        let all = !case.decidable || case.truth.iter().all(|key| written.contains(key));
        if written.iter().any(|key| !case.truth.contains(key)) {
            self.wrong += 1;
        } else if right && all {
            self.matched += 1;
            self.decided += usize::from(case.decidable);
        } else if !case.truth.is_empty() {
            self.missed += 1;
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.decidable += other.decidable;
        self.decided += other.decided;
        self.matched += other.matched;
        self.missed += other.missed;
        self.wrong += other.wrong;
    }
}

/// The tallies of each family.
pub(crate) type Table = BTreeMap<Family, Tally>;

pub(crate) fn total(table: &Table) -> Tally {
    let mut sum = Tally::default();
    for tally in table.values() {
        sum.add(*tally);
    }
    sum
}

pub(crate) fn scene(scene: &CorpusScene) -> anyhow::Result<Scene> {
    let file = |file: &CorpusFile| SceneFile {
        path: file.path.clone(),
        size: Some(file.size),
        duration: Some(file.duration),
        oshash: Some(file.oshash.clone()),
    };
    let nobody = SceneIdentity { created_at: String::new(), oshash: String::new() };
    Ok(Scene {
        title: scene.title.clone(),
        date: scene.date.clone(),
        studio: scene.studio.clone(),
        files: scene.files.iter().map(file).collect(),
        ..Scene::departed(SceneId::try_from(scene.id)?, &nobody)
    })
}

fn part(item: &CorpusItem) -> anyhow::Result<IndexedPart> {
    Ok(IndexedPart {
        section: item.section.parse().map_err(|error| anyhow!("library {}: {error}", item.section))?,
        rating_key: item.rating_key.to_string().parse()?,
        part_id: item.part_id.into(),
        path: item.path.clone(),
        size: item.size,
        duration_ms: item.duration_ms,
        title: item.title.clone(),
        date: item.date.clone(),
        studio: item.studio.clone(),
        content_hash: item.content_hash.as_deref().map(ContentHash::shown).unwrap_or_default(),
        added_at: 0,
        updated_at: 0,
    })
}
