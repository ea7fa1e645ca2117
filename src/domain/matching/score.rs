//! Which evidence is there that a file of a scene is a file of Plex?

use std::collections::BTreeSet;

use super::dates::{Day, day_of_field};
use super::evidence::{Evidence, LEAST_SIMILARITY, MOST_BY_LIKENESS, Witness};
use super::names::{Name, Numbers};
use super::paths::{Likeness, common_tail, folded, likeness, name_of, telling_tail};
use super::similar::{Sorted, similarity};
use super::{Candidates, PathMap, Scored};
use crate::domain::item::IndexedPart;
use crate::domain::scene::{Scene, SceneFile};

/// Sizes are told in bytes, durations are rounded in different ways by different programs.
const SAME_DURATION_SECS: f64 = 1.0;
const NEAR_DURATION_SECS: f64 = 2.0;
/// Beyond this share of its length a film is another cut.
const DURATION_TOLERANCE: f64 = 0.02;

/// A scene, made ready to be compared with many parts.
pub(super) struct Subject<'a> {
    scene: &'a Scene,
    files: Vec<File<'a>>,
    title: Named,
    days: BTreeSet<Day>,
}

/// Whether names that are not equal are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookAtNames {
    Yes,
    No,
}

struct File<'a> {
    seen: &'a SceneFile,
    /// As Plex would see it.
    mapped: String,
    folded: String,
    name: Named,
}

struct Named {
    name: Name,
    sorted: Sorted,
}

/// How a part stands to the longest end of a file's path that one item alone has.
#[derive(Clone, Copy)]
enum Tail {
    /// It has it, so many parts of a path long.
    Own(usize),
    Outdone,
}

impl Named {
    fn new(name: Name) -> Self {
        Self { sorted: Sorted::of(&name), name }
    }
}

impl<'a> Subject<'a> {
    pub(super) fn new(scene: &'a Scene, map: &PathMap) -> Self {
        let file = |file: &'a SceneFile| {
            let mapped = map.to_plex(&file.path);
            File { seen: file, folded: folded(&mapped), mapped, name: Named::new(Name::of_file(&file.path)) }
        };
        let files: Vec<_> = scene.files.iter().map(file).collect();
        let title = Named::new(Name::read(&scene.title));
        let names = files.iter().map(|file| &file.name).chain([&title]);
        let mut days: BTreeSet<Day> = names.flat_map(|named| named.name.days.iter().copied()).collect();
        days.extend(day_of_field(&scene.date));
        Self { scene, files, title, days }
    }

    /// The parts that have the mapped path of a file of the scene. The closest likeness counts; short of an equal path
    /// it counts only when all hits have one path, since a file system may hold several spellings.
    pub(super) fn by_path(&self, parts: &[IndexedPart]) -> Vec<Scored> {
        self.files.iter().flat_map(|file| file.by_path(parts)).collect()
    }

    /// What else speaks for and against each part, for each file of the scene. Without a look at names it costs far
    /// less, and the score of what names cannot outdo is the same.
    pub(super) fn by_other_evidence(&self, candidates: &Candidates, names: LookAtNames) -> Vec<Scored> {
        let mut found = Vec::new();
        for file in &self.files {
            let tails = file.tails(&candidates.parts);
            let longest = if candidates.crowded_tails { None } else { file.own_tail(&tails) };
            for (length, part) in tails {
                let tail =
                    longest.map(|longest| if length == longest { Tail::Own(length) } else { Tail::Outdone });
                let pair = Pair::new(file.seen, part);
                let mut evidence = weigh(&pair, tail, candidates.crowded_sizes);
                if names == LookAtNames::Yes && pair.same_content != Some(true) {
                    self.compare_names(file, part, &pair, &mut evidence);
                }
                if evidence.iter().any(|evidence| evidence.speaks_for()) {
                    found.push(Scored::new(part, evidence));
                }
            }
        }
        found
    }

    /// Names decide nothing where exact evidence does, but a renamed file must not have got another number or date.
    fn compare_names(&self, file: &File<'_>, part: &IndexedPart, pair: &Pair, found: &mut Vec<Evidence>) {
        let strongest = found.iter().map(|evidence| evidence.weight()).fold(0.0, f64::max);
        let renamed = found.contains(&Evidence::SizeAndDurationEqual);
        if strongest >= MOST_BY_LIKENESS && !renamed {
            return;
        }
        let stem = Named::new(Name::of_file(&part.path));
        let title = Named::new(Name::read(&part.title));
        let pairs = [(&self.title, &title), (&file.name, &stem), (&file.name, &title), (&self.title, &stem)];
        let mut comparable = vec![(&file.name, &stem), (&self.title, &title)];
        let alike = pairs.map(|(left, right)| (similarity(&left.sorted, &right.sorted), left, right));
        // The first of the best, so that equal pairs always give the same.
        let best = alike.into_iter().reduce(|best, next| if next.0 > best.0 { next } else { best });
        let best = best.filter(|(similarity, ..)| *similarity >= LEAST_SIMILARITY && !renamed);
        if let Some((similarity, left, right)) = best {
            let witness = self.witness(part, pair, &[&stem, &title]);
            found.push(Evidence::Similar { similarity, witness });
            comparable.push((left, right));
            let days = (day_of_field(&self.scene.date), day_of_field(&part.date));
            let other_day = matches!(days, (Some(left), Some(right)) if left != right);
            found.extend((other_day && witness != Some(Witness::Date)).then_some(Evidence::DateDiffers));
        } else if !renamed {
            return;
        } else {
            comparable.truncate(1);
        }
        found.extend(numbers(&comparable, !renamed));
        let other_date = comparable.iter().any(|(left, right)| left.name.differs_in_date(&right.name));
        found
            .extend((other_date && !found.contains(&Evidence::DateDiffers)).then_some(Evidence::DateDiffers));
    }

    fn witness(&self, part: &IndexedPart, pair: &Pair, names: &[&Named]) -> Option<Witness> {
        let mut days =
            names.iter().flat_map(|named| named.name.days.iter().copied()).chain(day_of_field(&part.date));
        let studio = self.scene.studio.as_deref().map(folded).filter(|studio| !studio.is_empty());
        if days.any(|day| self.days.contains(&day)) {
            Some(Witness::Date)
        } else if pair.apart.is_some_and(|apart| apart <= NEAR_DURATION_SECS) {
            Some(Witness::Duration)
        } else if pair.same_size == Some(true) {
            Some(Witness::Size)
        } else if studio.is_some_and(|studio| studio == folded(&part.studio)) {
            Some(Witness::Studio)
        } else {
            None
        }
    }
}

/// What can be said without reading names.
fn weigh(pair: &Pair, tail: Option<Tail>, crowded_sizes: bool) -> Vec<Evidence> {
    let mut found = Vec::new();
    found.extend(pair.same_content.map(
        |same| {
            if same { Evidence::ContentEqual } else { Evidence::ContentDiffers }
        },
    ));
    if let Some(Tail::Own(parts)) = tail
        && pair.same_size != Some(false)
    {
        found.push(Evidence::TailEqual(parts));
    }
    if pair.same_name {
        found.push(match pair.same_size {
            Some(true) => Evidence::NameAndSizeEqual,
            Some(false) | None => Evidence::NameEqual,
        });
        found.extend((pair.same_size == Some(false)).then_some(Evidence::SizeDiffers));
        found.extend(matches!(tail, Some(Tail::Outdone)).then_some(Evidence::TailOutdone));
    } else if pair.same_size == Some(true) && pair.same_duration() && !crowded_sizes {
        found.push(Evidence::SizeAndDurationEqual);
    }
    if pair.same_content != Some(true) {
        found.extend(pair.other_duration().then_some(Evidence::DurationDiffers));
    }
    found
}

/// What the numbers of names that can be compared have to say.
fn numbers(pairs: &[(&Named, &Named)], missing_counts: bool) -> Option<Evidence> {
    let comparable = |(left, right): &&(&Named, &Named)| {
        let no_words = left.sorted.is_empty() && right.sorted.is_empty();
        // Names of different things have numbers that mean different things.
        no_words || similarity(&left.sorted, &right.sorted) > 0.0
    };
    let found: Vec<_> =
        pairs.iter().filter(comparable).map(|(left, right)| left.name.compare_numbers(&right.name)).collect();
    if found.contains(&Numbers::Differ) {
        Some(Evidence::NumbersDiffer)
    } else {
        (missing_counts && found.contains(&Numbers::OneHasMore)).then_some(Evidence::NumberMissing)
    }
}

impl File<'_> {
    fn by_path<'p>(&self, parts: &'p [IndexedPart]) -> Vec<Scored> {
        let alike =
            |part: &'p IndexedPart| likeness(&self.mapped, &part.path).map(|likeness| (likeness, part));
        let mut found: Vec<_> = parts.iter().filter_map(alike).collect();
        let closest = found.iter().map(|(likeness, _)| *likeness).min();
        found.retain(|(likeness, _)| Some(*likeness) == closest);
        let one_path = found.windows(2).all(|pair| match pair {
            [(_, left), (_, right)] => left.path == right.path,
            _ => true,
        });
        if closest != Some(Likeness::Equal) && !one_path {
            return Vec::new();
        }
        found
            .into_iter()
            .map(|(likeness, part)| Scored::new(part, vec![Evidence::PathEqual(likeness)]))
            .collect()
    }

    fn tails<'p>(&self, parts: &'p [IndexedPart]) -> Vec<(usize, &'p IndexedPart)> {
        parts.iter().map(|part| (common_tail(&self.folded, &folded(&part.path)), part)).collect()
    }

    /// The length of the longest end of the path that one item alone has. It must hold a folder that tells
    /// something.
    fn own_tail(&self, tails: &[(usize, &IndexedPart)]) -> Option<usize> {
        let longest = tails.iter().map(|(length, _)| *length).max()?;
        let mut owners =
            tails.iter().filter(|(length, _)| *length == longest).map(|(_, part)| &part.rating_key);
        let owner = owners.next()?;
        let alone = owners.all(|other| other == owner);
        let telling = telling_tail(&self.folded)?.split('/').count();
        (alone && longest >= telling).then_some(longest)
    }
}

/// What can be measured about a file and a part.
struct Pair {
    same_name: bool,
    same_size: Option<bool>,
    same_content: Option<bool>,
    /// Seconds between the durations.
    apart: Option<f64>,
    /// Seconds of the longer one.
    length: f64,
}

impl Pair {
    fn new(file: &SceneFile, part: &IndexedPart) -> Self {
        let known = |size: Option<i64>| size.filter(|size| *size > 0);
        let size = known(file.size).zip(known(part.size));
        let hash = file.oshash.as_deref().zip(part.content_hash.known());
        let seconds = |ms: i64| std::time::Duration::from_millis(ms.unsigned_abs()).as_secs_f64();
        let duration = file.duration.zip(part.duration_ms.map(seconds));
        let duration = duration.filter(|(left, right)| *left > 0.0 && *right > 0.0);
        Self {
            same_name: likeness(name_of(&file.path), name_of(&part.path)).is_some(),
            same_size: size.map(|(left, right)| left == right),
            same_content: hash.map(|(left, right)| left == right),
            apart: duration.map(|(left, right)| (left - right).abs()),
            length: duration.map_or(0.0, |(left, right)| left.max(right)),
        }
    }

    fn same_duration(&self) -> bool {
        self.apart.is_some_and(|apart| apart <= SAME_DURATION_SECS)
    }

    fn other_duration(&self) -> bool {
        let most = SAME_DURATION_SECS.max(self.length * DURATION_TOLERANCE);
        self.apart.is_some_and(|apart| apart > most)
    }
}
