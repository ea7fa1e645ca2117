//! How are films, studios and folders called? Words that sound like words.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

const STARTS: [&str; 24] = [
    "b", "br", "c", "ch", "d", "f", "fl", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "r", "s", "sh", "st",
    "t", "tr", "v", "w",
];
const MIDDLES: [&str; 12] = ["a", "e", "i", "o", "u", "ai", "ea", "ou", "y", "oo", "ie", "au"];
const ENDS: [&str; 14] = ["", "", "n", "r", "s", "t", "l", "m", "nd", "st", "ck", "ng", "rt", "x"];
const ACCENTED: [&str; 8] = ["é", "ü", "ñ", "ż", "å", "ô", "č", "ï"];
/// Frequent words, so that titles have something in common.
const COMMON: [&str; 14] = [
    "the",
    "of",
    "my",
    "day",
    "night",
    "in",
    "adventure",
    "a",
    "new",
    "first",
    "summer",
    "with",
    "house",
    "at",
];

pub(super) fn word(rng: &mut SmallRng) -> String {
    let syllables = rng.random_range(1..=3);
    let one = |list: &[&str], rng: &mut SmallRng| list.choose(rng).copied().unwrap_or_default().to_owned();
    let text: String =
        (0..syllables).map(|_| one(&STARTS, rng) + &one(&MIDDLES, rng) + &one(&ENDS, rng)).collect();
    capitalised(&text)
}

/// Three to six words, some of them frequent ones. At least two are not.
pub(super) fn title(rng: &mut SmallRng) -> String {
    let mut words: Vec<String> = (0..rng.random_range(2..=3)).map(|_| word(rng)).collect();
    for _ in 0..rng.random_range(1..=3) {
        let place = rng.random_range(0..=words.len());
        words.insert(place, capitalised(COMMON.choose(rng).copied().unwrap_or_default()));
    }
    words.join(" ")
}

/// A title with accents, composed.
pub(super) fn accented_title(rng: &mut SmallRng) -> String {
    let accent = |rng: &mut SmallRng| ACCENTED.choose(rng).copied().unwrap_or_default();
    let (first, last) = (accent(rng), accent(rng));
    format!("{}{first}{} {}{last}", word(rng), word(rng).to_lowercase(), title(rng))
}

pub(super) fn studio(rng: &mut SmallRng) -> String {
    format!("{} {}", word(rng), word(rng))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
