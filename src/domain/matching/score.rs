//! How much does each piece of evidence weigh? The only place with weights.

use super::paths::{Likeness, likeness};
use super::{PathMap, Scored, name_of};
use crate::domain::item::IndexedPart;
use crate::domain::scene::{Scene, SceneFile};

const PATH_EQUAL: f64 = 1.0;
const NAME_AND_SIZE: f64 = 0.97;
const NAME_ALONE: f64 = 0.70;
/// Taken off when the sizes of two files with one name differ: they are two files.
const SIZE_DIFFERS: f64 = 0.30;

/// The parts that have the mapped path of a file of the scene. The closest likeness counts; short of an equal path it
/// counts only when all hits have one path, since a file system may hold several spellings.
pub(super) fn by_path(scene: &Scene, parts: &[IndexedPart], map: &PathMap) -> Vec<Scored> {
    let alike = |file: &SceneFile| {
        let mapped = map.to_plex(&file.path);
        parts.iter().filter_map(move |part| likeness(&mapped, &part.path).map(|likeness| (likeness, part)))
    };
    let mut found: Vec<_> = scene.files.iter().flat_map(alike).collect();
    let closest = found.iter().map(|(likeness, _)| *likeness).min();
    found.retain(|(likeness, _)| Some(*likeness) == closest);
    let one_path = found.windows(2).all(|pair| match pair {
        [(_, left), (_, right)] => left.path == right.path,
        _ => true,
    });
    if closest != Some(Likeness::Equal) && !one_path {
        return Vec::new();
    }
    found.into_iter().map(|(likeness, part)| scored(part, PATH_EQUAL, path_reason(likeness))).collect()
}

fn path_reason(likeness: Likeness) -> Vec<String> {
    let reason = match likeness {
        Likeness::Equal => "the mapped path is equal",
        Likeness::Composed => "the mapped path is equal in composed characters",
        Likeness::Folded => "the mapped path is equal but for case, and no other file has it",
    };
    vec![reason.to_owned()]
}

/// The parts that have the name of a file of the scene.
pub(super) fn by_name(scene: &Scene, parts: &[IndexedPart]) -> Vec<Scored> {
    let pairs = scene.files.iter().flat_map(|file| parts.iter().map(move |part| (file, part)));
    pairs
        .filter(|(file, part)| likeness(name_of(&file.path), name_of(&part.path)).is_some())
        .map(|(file, part)| {
            let (confidence, size) = match (file.size, part.size) {
                (Some(have), Some(want)) if have == want => (NAME_AND_SIZE, "the size is equal"),
                (Some(_), Some(_)) => (NAME_ALONE - SIZE_DIFFERS, "the size differs"),
                (None, _) | (_, None) => (NAME_ALONE, "the size is not known"),
            };
            scored(part, confidence, vec!["the file name is equal".to_owned(), size.to_owned()])
        })
        .collect()
}

fn scored(part: &IndexedPart, confidence: f64, reasons: Vec<String>) -> Scored {
    Scored {
        section: part.section.clone(),
        rating_key: part.rating_key.clone(),
        path: part.path.clone(),
        confidence,
        reasons,
    }
}
