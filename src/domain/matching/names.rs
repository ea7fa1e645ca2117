//! What does a name say, apart from how its file was released? Words, numbers and days, each to be compared in its way.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::dates::{Day, Piece, day_at, year_of};
use super::tags::release_tags;

/// A title, or a file's name without its extension, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// In lower case and without accents. Numbers, days, years and release tags are no words.
    pub(super) words: Vec<String>,
    /// As they stand: the parts, episodes and discs of one work differ in nothing else.
    pub(super) numbers: Vec<u64>,
    pub(super) days: BTreeSet<Day>,
    pub(super) years: BTreeSet<u16>,
}

/// How the numbers of two names stand to one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    Same,
    /// One name has all the numbers of the other and some more, as `Film` and `Film 2`.
    OneHasMore,
    Differ,
}

impl Name {
    pub(super) fn read(text: &str) -> Self {
        let folded: String =
            text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
        let pieces = pieces(&folded);
        let words: Vec<&str> = pieces.iter().map(|piece| piece.text).collect();
        let tags = release_tags(&words);
        let end = without_group(&pieces, &tags);
        let mut name = Self::default();
        let mut place = 0;
        while let Some(piece) = pieces.get(place).filter(|_| place < end) {
            if tags.get(place).copied().unwrap_or_default() {
                place += 1;
            } else if let Some((days, taken)) = pieces.get(place..).and_then(day_at) {
                name.days.extend(days);
                place += taken;
            } else {
                let begins_day = pieces.get(place + 1..).is_some_and(|rest| day_at(rest).is_some());
                let next = words.get(place + 1).copied().filter(|_| !begins_day);
                place += name.take(piece.text, next);
            }
        }
        name
    }

    /// The name of a file without its extension.
    pub(super) fn of_file(path: &str) -> Self {
        Self::read(stem(super::name_of(path)))
    }

    pub(super) fn compare_numbers(&self, other: &Self) -> Numbers {
        let (less, more) = if self.numbers.len() <= other.numbers.len() {
            (&self.numbers, &other.numbers)
        } else {
            (&other.numbers, &self.numbers)
        };
        let mut rest = more.iter();
        if less == more {
            Numbers::Same
        } else if less.iter().all(|number| rest.any(|other| other == number)) {
            Numbers::OneHasMore
        } else {
            Numbers::Differ
        }
    }

    /// Whether both speak of a day, or both of a year, and of no common one.
    pub(super) fn differs_in_date(&self, other: &Self) -> bool {
        let apart = !self.days.is_empty() && !other.days.is_empty() && self.days.is_disjoint(&other.days);
        let years = !self.years.is_empty() && !other.years.is_empty() && self.years.is_disjoint(&other.years);
        apart || years
    }

    /// Takes the word at hand, with the one after it if the two belong together. Returns how many it took.
    fn take(&mut self, word: &str, next: Option<&str>) -> usize {
        if let Some(numbers) = episode(word) {
            self.numbers.extend(numbers);
            return 1;
        }
        if COUNTED.contains(&word)
            && let Some(number) = next.and_then(counted)
        {
            self.numbers.push(number);
            return 2;
        }
        let (letters, digits) = word.split_at(word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len()));
        match digits.parse::<u64>() {
            Ok(number) if letters.is_empty() => match year_of(number) {
                Some(year) => drop(self.years.insert(year)),
                None => self.numbers.push(number),
            },
            Ok(number) => {
                self.numbers.push(number);
                if !COUNTED.contains(&letters) {
                    self.words.push(letters.to_owned());
                }
            }
            Err(_) => match ROMAN.iter().find(|(roman, _)| *roman == word) {
                Some((_, number)) => self.numbers.push(*number),
                None => self.words.push(word.to_owned()),
            },
        }
        1
    }
}

/// What is counted with the number after it.
const COUNTED: [&str; 17] = [
    "part", "pt", "episode", "ep", "e", "volume", "vol", "cd", "dvd", "disc", "disk", "chapter", "ch",
    "scene", "season", "no", "nr",
];

/// Roman numbers that are no words. `i`, `v` and `x` may be, and count only after what is counted.
const ROMAN: [(&str, u64); 8] =
    [("ii", 2), ("iii", 3), ("iv", 4), ("vi", 6), ("vii", 7), ("viii", 8), ("ix", 9), ("xi", 11)];

const SPELLED: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// The number after `part` and the like: digits, Roman, spelled out, or a letter from a to h.
fn counted(word: &str) -> Option<u64> {
    if let Ok(number) = word.parse::<u64>() {
        return Some(number);
    }
    let more = [("i", 1), ("v", 5), ("x", 10)];
    let roman = ROMAN.iter().chain(&more).find(|(roman, _)| *roman == word).map(|(_, number)| *number);
    let letter = || ["a", "b", "c", "d", "e", "f", "g", "h"].iter().position(|letter| *letter == word);
    let place = || SPELLED.iter().position(|spelled| *spelled == word).or_else(letter);
    roman.or_else(|| u64::try_from(place()? + 1).ok())
}

/// Season and episode of `s01e02` or `1x02`.
fn episode(word: &str) -> Option<[u64; 2]> {
    let (season, episode) =
        word.strip_prefix('s').and_then(|rest| rest.split_once('e')).or_else(|| word.split_once('x'))?;
    let number = |text: &str| (1..=4).contains(&text.len()).then(|| text.parse::<u64>().ok()).flatten();
    Some([number(season)?, number(episode)?])
}

fn pieces(folded: &str) -> Vec<Piece<'_>> {
    let mut before = ' ';
    let mut found = Vec::new();
    // An apostrophe belongs to its word: `don't` is one.
    let separator = |c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’');
    for part in folded.split_inclusive(separator) {
        let text = part.trim_end_matches(separator);
        if !text.is_empty() {
            found.push(Piece { before, text });
        }
        if let Some(last) = part.chars().last().filter(|last| separator(*last)) {
            before = if text.is_empty() && before == '-' { before } else { last };
        }
    }
    found
}

/// Where the name ends when a group has signed it, as in `Film.1080p.x264-GROUP`.
fn without_group(pieces: &[Piece<'_>], tags: &[bool]) -> usize {
    match (pieces, tags) {
        ([.., last], [.., true, false]) if last.before == '-' => pieces.len() - 1,
        _ => pieces.len(),
    }
}

/// A file's name without its extension.
pub(super) fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && (1..=5).contains(&extension.len()) => stem,
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn words(name: &str) -> String {
        Name::read(name).words.join(" ")
    }

    #[rstest]
    #[case("My Adventure Day", "my adventure day")]
    #[case("Some.Film.2024.1080p.WEB-DL.x264-KTR", "some film")]
    #[case("Studio - 2024-05-31 - Zażółć gęślą", "studio zazołc gesla")]
    #[case("studio.24.05.31.anna.title.part.2.xxx.720p", "studio anna title")]
    #[case("Don't Look - Back", "don't look back")]
    fn a_name_is_its_words_without_numbers_days_and_tags(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(words(name), expected);
    }

    #[rstest]
    #[case("Film Part 1", "Film Part 2", Numbers::Differ)]
    #[case("01", "02", Numbers::Differ)]
    #[case("1", "01", Numbers::Same)]
    #[case("Film Part II", "Film pt.2", Numbers::Same)]
    #[case("Film Part Two", "Film CD2", Numbers::Same)]
    #[case("Film Part A", "Film Part B", Numbers::Differ)]
    #[case("Show S01E02", "Show 1x02", Numbers::Same)]
    #[case("Show S01E02", "Show S02E01", Numbers::Differ)]
    #[case("Show Ep 3", "Show Episode 3", Numbers::Same)]
    #[case("Film", "Film 2", Numbers::OneHasMore)]
    #[case("Film 2", "Film 2 Part 3", Numbers::OneHasMore)]
    #[case("Film 2 Part 1", "Film 2 Part 2", Numbers::Differ)]
    #[case("Film II", "Film III", Numbers::Differ)]
    #[case("Scene10", "Scene1", Numbers::Differ)]
    #[case("Film 1080p", "Film 720p", Numbers::Same)]
    #[case("Film 2024-05-31", "Film", Numbers::Same)]
    #[case("The Last Part 2024-05-31", "The Last Part", Numbers::Same)]
    fn numbers_are_compared_as_numbers(#[case] left: &str, #[case] right: &str, #[case] expected: Numbers) {
        assert_eq!(Name::read(left).compare_numbers(&Name::read(right)), expected);
        assert_eq!(Name::read(right).compare_numbers(&Name::read(left)), expected);
    }

    #[rstest]
    #[case("Film 2024-05-31", "Film 24.05.31", false)]
    #[case("Film 2024-05-31", "Film 2024-06-01", true)]
    #[case("Film (2008)", "Film (2010)", true)]
    #[case("Film (2008)", "Film", false)]
    fn days_and_years_differ_when_both_names_have_one(
        #[case] left: &str,
        #[case] right: &str,
        #[case] differ: bool,
    ) {
        assert_eq!(Name::read(left).differs_in_date(&Name::read(right)), differ);
    }
}
