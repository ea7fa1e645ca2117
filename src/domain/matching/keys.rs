//! Under which keys are the files that could be a scene's found? Each kind of evidence has its key; none needs a walk
//! through the library.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::PathMap;
use super::names::Name;
use super::paths::{folded, name_of, telling_tail};
use crate::domain::ids::{MachineId, RatingKey};
use crate::domain::scene::{Scene, SceneFile};

/// The keys of one file. They are stored, so equal names have to give equal keys in every release; a change of how
/// they are made has to empty the index. Two different files can have the same key: a hit is compared again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKeys {
    /// Of the whole path.
    pub path: i64,
    /// Of the file's name.
    pub name: i64,
    /// Of the path from the nearest folder on that tells something; `None` without one.
    pub tail: Option<i64>,
}

impl FileKeys {
    pub fn of(path: &str) -> Self {
        let folded = folded(path);
        let tail = telling_tail(&folded).map(hashed);
        Self { path: hashed(&folded), name: hashed(name_of(&folded)), tail }
    }

    /// Of a file of a scene, as Plex would see it.
    pub fn of_scene_file(file: &SceneFile, map: &PathMap) -> Self {
        Self::of(&map.to_plex(&file.path))
    }
}

/// The keys by which a scene without an item hears of a file in Plex that could be its own: path, file name, end of the
/// path, folder and size. Of different kinds they never are the same.
pub fn heralds(path: &str, size: Option<i64>) -> BTreeSet<i64> {
    let folded = folded(path);
    let of_kind = |kind: u64, text: &str| xxh3_64_with_seed(text.as_bytes(), kind).cast_signed();
    let tail = telling_tail(&folded).map(|tail| of_kind(3, tail));
    let parent = folded.rsplit_once('/').map(|(parent, _)| of_kind(4, parent));
    let size = size.filter(|size| *size > 0).map(|size| of_kind(5, &size.to_string()));
    let always = [of_kind(1, &folded), of_kind(2, name_of(&folded))];
    always.into_iter().chain(tail).chain(parent).chain(size).collect()
}

/// The keys by which a scene that has its item hears of another one at the path of a file of its own: in a second
/// library, or in place of the first, as when Plex has added a file anew.
pub fn own_paths(scene: &Scene, map: &PathMap) -> BTreeSet<i64> {
    scene.files.iter().map(|file| FileKeys::of_scene_file(file, map).path).collect()
}

/// The key by which a scene hears that another one may not hold an item any more. No file has it.
pub fn let_go(machine: &MachineId, item: &RatingKey) -> i64 {
    xxh3_64_with_seed(format!("{machine}/{item}").as_bytes(), 6).cast_signed()
}

/// Those of all files of a scene, as Plex would see them.
pub fn awaited_heralds(scene: &Scene, map: &PathMap) -> BTreeSet<i64> {
    scene.files.iter().flat_map(|file| heralds(&map.to_plex(&file.path), file.size)).collect()
}

/// How many keys a name has for names that are like it.
const BANDS: u64 = 10;
/// How many marks two names must share for one key. With more, only close likeness is found; with fewer, every name
/// finds a good part of the library.
const MARKS_A_BAND: u64 = 2;

/// The keys that names like this one share, for the most part: of two names that have the share `s` of their groups of
/// three letters in common, some key is the same with a chance of 1 - (1 - s²)^10, which is 0.94 at a half (`MinHash`
/// with bands).
fn bands(title: &str) -> Vec<i64> {
    bands_of(&Name::read(title))
}

/// Those of an item: of its title and of its file's name, which often are the same.
pub fn bands_of_part(path: &str, title: &str) -> BTreeSet<i64> {
    let (file, title) = (Name::of_file(path), Name::read(title));
    let mut found: BTreeSet<i64> = bands_of(&file).into_iter().collect();
    if title.words != file.words {
        found.extend(bands_of(&title));
    }
    found
}

/// Those of a scene.
pub fn bands_of_scene(scene: &Scene) -> BTreeSet<i64> {
    let files = scene.files.iter().flat_map(|file| bands_of(&Name::of_file(&file.path)));
    files.chain(bands(&scene.title)).collect()
}

fn bands_of(name: &Name) -> Vec<i64> {
    let grams: Vec<u64> = name.words.iter().flat_map(|word| grams(word)).collect();
    if grams.is_empty() {
        return Vec::new();
    }
    let least = |mark: u64| grams.iter().map(|gram| mixed(*gram, mark)).min().unwrap_or_default();
    (0..BANDS)
        .map(|band| {
            let marks = (0..MARKS_A_BAND).map(|mark| least(band * MARKS_A_BAND + mark));
            let band = marks.fold(band, mixed);
            // Half of the bits keep the index small, and a name that shares a key by chance is only compared in vain.
            i64::from(u32::try_from(band >> 32).unwrap_or_default())
        })
        .collect()
}

/// The groups of three letters of a word, with its beginning and its end.
fn grams(word: &str) -> Vec<u64> {
    let letters: Vec<char> = std::iter::once(' ').chain(word.chars()).chain(std::iter::once(' ')).collect();
    letters.windows(3).map(|gram| xxh3_64(gram.iter().collect::<String>().as_bytes())).collect()
}

fn mixed(value: u64, seed: u64) -> u64 {
    xxh3_64_with_seed(&value.to_le_bytes(), seed)
}

fn hashed(text: &str) -> i64 {
    xxh3_64(text.as_bytes()).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_equal_but_for_spelling_have_the_same_keys() {
        let keys = FileKeys::of("/Media/Studio/Zażółć.mp4");
        assert_eq!(keys, FileKeys::of("\\media\\studio\\Zaz\u{307}o\u{301}łc\u{301}.MP4"));
        let elsewhere = FileKeys::of("/other/studio/Zażółć.mp4");
        assert_eq!((keys.name, keys.tail), (elsewhere.name, elsewhere.tail));
        assert_ne!(keys.path, elsewhere.path);
        assert_eq!(FileKeys::of("Zażółć.mp4").tail, None);
    }

    #[test]
    fn a_file_heralds_itself_to_those_that_share_its_folder_name_or_size_and_to_no_others() {
        let mine = heralds("/media/Acme/One.mp4", Some(5));
        let hears = |path: &str, size| heralds(path, size).intersection(&mine).next().is_some();
        assert!(hears("/media/acme/Another.mkv", None), "the folder");
        assert!(hears("/elsewhere/ONE.mp4", Some(6)), "the name");
        assert!(hears("/elsewhere/Two.mp4", Some(5)), "the size");
        assert!(!hears("/elsewhere/Two.mp4", Some(6)));
        assert!(!hears("/elsewhere/5", None), "a name is no size");
        assert!(!hears("/media/Two.mp4", Some(0)), "a folder above is another one");
    }

    #[test]
    fn names_that_are_alike_share_keys_and_others_do_not() {
        let shared = |left: &str, right: &str| {
            let right = bands(right);
            bands(left).iter().filter(|band| right.contains(band)).count()
        };
        assert_eq!(shared("The Long Way Home", "home.way.the.LONG.1080p"), 10);
        assert!(shared("The Long Way Home Again", "The Long Way Home") > 0);
        assert!(shared("The Long Way Home", "The Lonk Way Home") > 0);
        assert_eq!(shared("The Long Way Home", "Something Entirely Different"), 0);
        assert_eq!(bands("01"), Vec::<i64>::new());
    }

    #[test]
    fn an_item_that_is_called_like_its_file_has_keys_once() {
        assert_eq!(bands_of_part("/a/Some Film.mp4", "Some Film").len(), 10);
        assert!(bands_of_part("/a/VID_0023.mp4", "Some Film").len() > 10);
    }
}
