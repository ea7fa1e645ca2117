//! How is a case put together? Films, their files in Stash and their items in Plex.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::words;
use super::{Case, Corpus, CorpusFile, CorpusItem, CorpusScene, Family};

/// Where Stash keeps what the rules map, and where Plex sees it.
pub(super) const STASH: &str = "/data";
pub(super) const PLEX: &str = "/media";
/// Where either keeps what no rule maps.
pub(super) const STASH_ELSEWHERE: &str = "/srv/library";
pub(super) const PLEX_ELSEWHERE: &str = "/volume1/video";

/// A film, whatever it is called on either side.
#[derive(Debug, Clone)]
pub(super) struct Film {
    pub(super) studio: String,
    pub(super) title: String,
    /// Year, month, day.
    pub(super) date: (u16, u8, u8),
    pub(super) seconds: f64,
    pub(super) size: i64,
    pub(super) oshash: String,
}

impl Film {
    /// Its file, as Stash has it.
    pub(super) fn file(&self, path: String) -> CorpusFile {
        CorpusFile { path, size: self.size, duration: self.seconds, oshash: self.oshash.clone() }
    }
}

pub(super) struct Maker {
    pub(super) rng: SmallRng,
    pub(super) corpus: Corpus,
    studios: Vec<String>,
    next_key: u32,
    next_part: u32,
    next_scene: i64,
}

impl Maker {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let studios = (0..300).map(|_| words::studio(&mut rng)).collect();
        let rule = |stash: &str, plex: &str| (stash.to_owned(), plex.to_owned());
        let path_rules = vec![
            rule(STASH, PLEX),
            rule("/data/clips", "/mnt/clips"),
            rule("D:\\Videos", "/media/windows"),
            rule("/unix", "M:\\Films"),
            rule("\\\\NAS\\Films", "/media/share"),
        ];
        let corpus = Corpus { path_rules, ..Corpus::default() };
        Self { rng, corpus, studios, next_key: 1, next_part: 1, next_scene: 1 }
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    pub(super) fn pick(&mut self, from: &[&str]) -> String {
        from.choose(&mut self.rng).copied().unwrap_or_default().to_owned()
    }

    pub(super) fn film(&mut self) -> Film {
        let title = words::title(&mut self.rng);
        self.film_called(title)
    }

    pub(super) fn film_called(&mut self, title: String) -> Film {
        let studio = self.studios.choose(&mut self.rng).cloned().unwrap_or_default();
        let rng = &mut self.rng;
        let date = (rng.random_range(2005..2026), rng.random_range(1..=12), rng.random_range(1..=28));
        let seconds = f64::from(rng.random_range(60_000..7_200_000_u32)) / 1000.0;
        let size = rng.random_range(20_000_000..4_000_000_000_i64);
        let oshash = format!("{:016x}", rng.random::<u64>());
        Film { studio, title, date, seconds, size, oshash }
    }

    /// The same film in another encoding: about as long, and of another size.
    pub(super) fn encoded_anew(&mut self, film: &Film) -> Film {
        let size = film.size / 2 + self.rng.random_range(1..film.size / 3);
        let seconds = film.seconds + self.rng.random_range(-1.4..1.4);
        let oshash = format!("{:016x}", self.rng.random::<u64>());
        Film { seconds, size, oshash, ..film.clone() }
    }

    /// A name that somebody could give to the file of a film.
    pub(super) fn stem(&mut self, film: &Film) -> String {
        let (year, month, day) = film.date;
        match self.rng.random_range(0..4) {
            0 => film.title.clone(),
            1 => format!("{} - {}", film.studio, film.title),
            2 => format!("{} - {year}-{month:02}-{day:02} - {}", film.studio, film.title),
            _ => film.title.replace(' ', "."),
        }
    }

    /// Adds an item of the first library with one file, and returns its key.
    pub(super) fn item(&mut self, film: &Film, path: String) -> u32 {
        self.item_in("1", film, path)
    }

    pub(super) fn item_in(&mut self, section: &str, film: &Film, path: String) -> u32 {
        let rating_key = self.next_key;
        self.next_key += 1;
        self.part_of(rating_key, section, film, path);
        rating_key
    }

    /// Adds a file to an item. As for personal videos, titles mostly come from file names and dates from file times.
    pub(super) fn part_of(&mut self, rating_key: u32, section: &str, film: &Film, path: String) {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
        let synced = self.chance(0.3);
        let (year, month, day) = film.date;
        let of_file =
            format!("2023-{:02}-{:02}", self.rng.random_range(1..=12), self.rng.random_range(1..=28));
        let jitter = self.rng.random_range(-400..400);
        #[expect(clippy::cast_possible_truncation, reason = "a film of some hours is far from the limits")]
        let milliseconds = (film.seconds * 1000.0) as i64;
        self.corpus.items.push(CorpusItem {
            section: section.to_owned(),
            rating_key,
            part_id: self.next_part,
            path,
            size: Some(film.size),
            duration_ms: Some(milliseconds + jitter),
            title: if synced { film.title.clone() } else { stem },
            date: if synced { format!("{year}-{month:02}-{day:02}") } else { of_file },
            studio: if synced { film.studio.clone() } else { String::new() },
            content_hash: None,
        });
        self.next_part += 1;
    }

    /// Changes the item that was added last.
    pub(super) fn change_last(&mut self, change: impl FnOnce(&mut CorpusItem)) {
        if let Some(last) = self.corpus.items.last_mut() {
            change(last);
        }
    }

    pub(super) fn scene(&mut self, film: &Film, files: Vec<CorpusFile>) -> CorpusScene {
        let id = self.next_scene;
        self.next_scene += 1;
        let (year, month, day) = film.date;
        let date = if self.chance(0.8) { format!("{year}-{month:02}-{day:02}") } else { String::new() };
        let title = if self.chance(0.85) { film.title.clone() } else { String::new() };
        let studio = self.chance(0.8).then(|| film.studio.clone());
        CorpusScene { id, title, date, studio, files }
    }

    /// Adds a case with a scene of one file.
    pub(super) fn case(&mut self, family: Family, film: &Film, path: String, truth: &[u32], decidable: bool) {
        let scene = self.scene(film, vec![film.file(path)]);
        self.corpus.cases.push(Case { family, scene, truth: truth.to_vec(), decidable });
    }
}
