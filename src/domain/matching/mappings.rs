//! Which path mapping do the files themselves ask for, and what is wrong with the one that is written?

use std::collections::{BTreeMap, HashMap, HashSet};

use super::paths::{PathMap, PathRule, components, folded, is_inside, join};

/// A proposed rule explains at least so many files, if there are so many: one alone may have been moved.
const FEWEST_FILES: usize = 2;
/// Beyond these nobody reads on, and a library with more roots is not known.
const MOST_PROPOSALS: usize = 10;
/// So many rules with the most votes are tried on all files.
const MOST_TRIED: usize = 40;
/// The ends of paths are compared up to so many parts.
const LONGEST_END: usize = 12;

/// What the paths of both servers say about the mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingReport {
    /// How many files of Stash were looked at.
    pub files: usize,
    /// How many of them Plex has under the mapped path.
    pub found: usize,
    /// Rules that are missing or would do better, the one with the most files first.
    pub proposals: Vec<Proposal>,
    /// What is wrong with the rules that are written, in their order.
    pub mistakes: Vec<Mistake>,
    /// Folders of Stash of whose files Plex has none, neither by the mapping nor by a proposal.
    pub unmatched_stash: Vec<String>,
    /// Folders of Plex of whose files Stash has none.
    pub unmatched_plex: Vec<String>,
}

/// A rule that the files ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub rule: PathRule,
    /// How many files, which no rule explains yet, Plex has under it.
    pub files: usize,
    /// What Plex has them under now, according to the rule that is written for the same beginning.
    pub instead_of: Option<String>,
}

/// A rule that is written and does no good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub rule: PathRule,
    pub why: Why,
}

/// Why a rule does no good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Stash has files under `plex`, and Plex under `stash`.
    Swapped,
    /// No path in Stash begins so; but one does in another case, as given.
    StashCase(String),
    /// No path in Stash begins so.
    NotInStash,
    /// No path in Plex begins so; but one does in another case, as given.
    PlexCase(String),
    /// No path in Plex begins so.
    NotInPlex,
    /// Both have paths that begin so, and none of that many files of Stash is in Plex under the mapped path.
    NoneFound(usize),
}

/// Compares the paths of both servers. The roots are the folders that each of them looks into.
pub fn examine(
    stash: &[String],
    plex: &[String],
    map: &PathMap,
    stash_roots: &[String],
    plex_roots: &[String],
) -> MappingReport {
    let known: HashSet<String> = plex.iter().map(|path| folded(path)).collect();
    let is_found = |path: &str| known.contains(&folded(&map.to_plex(path)));
    let (found, lost): (Vec<&str>, Vec<&str>) =
        stash.iter().map(String::as_str).partition(|path| is_found(path));
    let fewest = FEWEST_FILES.min(stash.len());
    let proposals = propose(&lost, plex, &known, map, fewest);
    let with_proposals = PathMap::new(proposals.iter().map(|proposal| proposal.rule.clone()).collect());
    let seen: HashSet<String> = found
        .iter()
        .map(|path| folded(&map.to_plex(path)))
        .chain(lost.iter().map(|path| folded(&with_proposals.to_plex(path))))
        .collect();
    let explained = |path: &str| is_found(path) || known.contains(&folded(&with_proposals.to_plex(path)));
    let unmatched = |roots: &[String], paths: &[String], explained: &dyn Fn(&str) -> bool| {
        let is_unmatched = |root: &&String| {
            let mut inside = paths.iter().filter(|path| is_inside(path, root)).peekable();
            inside.peek().is_some() && !inside.any(|path| explained(path))
        };
        roots.iter().filter(is_unmatched).cloned().collect()
    };
    MappingReport {
        files: stash.len(),
        found: found.len(),
        mistakes: map.rules().iter().filter_map(|rule| mistake(rule, stash, plex, map, &known)).collect(),
        unmatched_stash: unmatched(stash_roots, stash, &explained),
        unmatched_plex: unmatched(plex_roots, plex, &|path| seen.contains(&folded(path))),
        proposals,
    }
}

/// The rules that explain the most of the files that are lost, each counted without those of the ones before it.
fn propose(
    lost: &[&str],
    plex: &[String],
    known: &HashSet<String>,
    map: &PathMap,
    fewest: usize,
) -> Vec<Proposal> {
    let explains = |rule: PathRule| {
        let alone = PathMap::new(vec![rule.clone()]);
        let files = lost.iter().enumerate().filter(|(_, path)| maps_onto(&alone, path, known));
        let files: Vec<_> = files.map(|(place, _)| place).collect();
        (rule, files)
    };
    let mut candidates: Vec<_> = votes(lost, plex).into_iter().map(explains).collect();
    let mut proposals = Vec::new();
    while proposals.len() < MOST_PROPOSALS {
        // Of rules that explain as much the shorter one, which holds for what comes later as well.
        let rank = |(rule, files): &(PathRule, Vec<usize>)| {
            (files.len(), std::cmp::Reverse(components(&rule.stash).len()))
        };
        let best = candidates.iter().reduce(|best, next| if rank(next) > rank(best) { next } else { best });
        let Some((rule, files)) = best.cloned().filter(|(_, files)| files.len() >= fewest.max(1)) else {
            break;
        };
        for (_, others) in &mut candidates {
            others.retain(|file| files.binary_search(file).is_err());
        }
        let same_beginning = |written: &&PathRule| components(&written.stash) == components(&rule.stash);
        let instead_of = map.rules().iter().find(same_beginning).map(|written| written.plex.clone());
        proposals.push(Proposal { rule, files: files.len(), instead_of });
    }
    proposals
}

fn maps_onto(map: &PathMap, path: &str, known: &HashSet<String>) -> bool {
    map.rule_for(path).is_some() && known.contains(&folded(&map.to_plex(path)))
}

/// The beginnings that are left of a file of Stash and the one file of Plex that shares the longest end with it. Each
/// file has one vote; those with the most come first.
fn votes(lost: &[&str], plex: &[String]) -> Vec<PathRule> {
    let ends = Ends::of(plex);
    let mut votes: BTreeMap<(String, String), usize> = BTreeMap::new();
    for path in lost {
        let Some((other, shared)) = ends.longest(path) else { continue };
        let (left, right) = (beginning(path, shared), beginning(other, shared));
        if let (Some(left), Some(right)) = (left, right) {
            *votes.entry((left, right)).or_default() += 1;
        }
    }
    let mut ranked: Vec<_> = votes.into_iter().collect();
    ranked.sort_by_key(|(_, votes)| std::cmp::Reverse(*votes));
    ranked.into_iter().take(MOST_TRIED).map(|((stash, plex), _)| PathRule { stash, plex }).collect()
}

/// The path without its last parts, as it is spelt; `None` if nothing is left of it.
fn beginning(path: &str, shared: usize) -> Option<String> {
    let parts = components(path);
    let head = parts.get(..parts.len().checked_sub(shared)?)?;
    match head {
        [] => None,
        [""] => Some("/".to_owned()),
        head => {
            let separator = if path.contains('/') { "/" } else { "\\" };
            Some(head.join(separator))
        }
    }
}

/// Which paths end alike: by the folded end, how many paths have it and one of them.
struct Ends<'a> {
    by_end: HashMap<u64, (usize, &'a str)>,
}

impl<'a> Ends<'a> {
    fn of(paths: &'a [String]) -> Self {
        let mut by_end = HashMap::new();
        for path in paths {
            for end in ends(&folded(path)) {
                by_end.entry(end).or_insert((0, path.as_str())).0 += 1;
            }
        }
        Self { by_end }
    }

    /// The one path that shares the longest end, and how many parts long that is. None if several do.
    fn longest(&self, path: &str) -> Option<(&'a str, usize)> {
        let ends = ends(&folded(path));
        let found =
            ends.iter().enumerate().rev().find_map(|(place, end)| {
                self.by_end.get(end).map(|(paths, path)| (*paths, *path, place + 1))
            });
        found.filter(|(paths, ..)| *paths == 1).map(|(_, path, shared)| (path, shared))
    }
}

/// A number for each end of a folded path, the shortest first.
fn ends(folded: &str) -> Vec<u64> {
    let parts = folded.trim_end_matches('/').rsplit('/').filter(|part| !part.is_empty());
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    let number = |part: &str| {
        hash.update(part.as_bytes());
        hash.update(b"/");
        hash.digest()
    };
    parts.take(LONGEST_END).map(number).collect()
}

/// What is wrong with a rule that finds nothing.
fn mistake(
    rule: &PathRule,
    stash: &[String],
    plex: &[String],
    map: &PathMap,
    known: &HashSet<String>,
) -> Option<Mistake> {
    let alone = PathMap::new(vec![rule.clone()]);
    // Of several rules that fit the longest counts.
    let meant: Vec<_> = stash.iter().filter(|path| map.rule_for(path) == Some(rule)).collect();
    if stash.is_empty() || meant.iter().any(|path| maps_onto(&alone, path, known)) {
        return None;
    }
    let inside = |paths: &[String], folder: &str| paths.iter().any(|path| is_inside(path, folder));
    let why = if !inside(stash, &rule.stash) && inside(stash, &rule.plex) && inside(plex, &rule.stash) {
        Why::Swapped
    } else if !inside(stash, &rule.stash) {
        other_case(stash, &rule.stash).map_or(Why::NotInStash, Why::StashCase)
    } else if !inside(plex, &rule.plex) {
        other_case(plex, &rule.plex).map_or(Why::NotInPlex, Why::PlexCase)
    } else if meant.is_empty() {
        // Longer rules have all of its files.
        return None;
    } else {
        Why::NoneFound(meant.len())
    };
    Some(Mistake { rule: rule.clone(), why })
}

/// How the beginning is spelt in the paths, if it is but for case.
fn other_case(paths: &[String], beginning: &str) -> Option<String> {
    let parts = components(beginning).len();
    let fits = |path: &&String| is_inside(&folded(path), &folded(beginning));
    let path = paths.iter().find(fits)?;
    Some(join("", components(path).get(..parts)?))
}

#[cfg(test)]
mod tests;
