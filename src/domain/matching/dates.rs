//! Which days does a name speak of?

use std::collections::BTreeSet;

/// Year, month, day.
pub(super) type Day = (u16, u8, u8);

/// A run of characters of a name, and the separator before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) before: char,
    pub(super) text: &'a str,
}

/// Reads the days that three pieces of a name, or one of eight digits, spell. Returns every reading, and how many
/// pieces they take; a day that can be read in two ways is both.
pub(super) fn day_at(pieces: &[Piece<'_>]) -> Option<(BTreeSet<Day>, usize)> {
    if let [only, ..] = pieces
        && only.text.len() == 8
    {
        let (year, rest) = only.text.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        return Some((BTreeSet::from([day_of(year, month, day)?]), 1));
    }
    let [first, second, third, ..] = pieces else { return None };
    if second.before != third.before || second.text.len() != 2 {
        return None;
    }
    let readings = match (first.text.len(), third.text.len()) {
        (4 | 2, 2) => vec![day_of(first.text, second.text, third.text)],
        (2, 4) => {
            vec![day_of(third.text, second.text, first.text), day_of(third.text, first.text, second.text)]
        }
        _ => Vec::new(),
    };
    let days: BTreeSet<Day> = readings.into_iter().flatten().collect();
    (!days.is_empty()).then_some((days, 3))
}

/// The day of a metadata field (`YYYY-MM-DD`). One that is not told to the day is none.
pub(super) fn day_of_field(text: &str) -> Option<Day> {
    let mut parts = text.get(..10)?.split('-');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day), None) => day_of(year, month, day),
        _ => None,
    }
}

/// The year that a number of a name is.
pub(super) fn year_of(number: u64) -> Option<u16> {
    u16::try_from(number).ok().filter(|year| (1900..2100).contains(year))
}

fn day_of(year: &str, month: &str, day: &str) -> Option<Day> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year) || !digits(month) || !digits(day) {
        return None;
    }
    let short = year.len() == 2;
    let year: u64 = year.parse().ok()?;
    let year = year_of(if short { 2000 + year } else { year })?;
    let (month, day): (u8, u8) = (month.parse().ok()?, day.parse().ok()?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn pieces(name: &str) -> Vec<Piece<'_>> {
        let mut before = ' ';
        let mut found = Vec::new();
        for part in name.split_inclusive(['.', '-', ' ', '_']) {
            let text = part.trim_end_matches(['.', '-', ' ', '_']);
            found.push(Piece { before, text });
            before = part.chars().last().unwrap();
        }
        found
    }

    #[rstest]
    #[case("2024-05-31", &[(2024, 5, 31)])]
    #[case("2024.05.31", &[(2024, 5, 31)])]
    #[case("24.05.31", &[(2024, 5, 31)])]
    #[case("31.05.2024", &[(2024, 5, 31)])]
    #[case("20240531", &[(2024, 5, 31)])]
    #[case("03.04.2024", &[(2024, 3, 4), (2024, 4, 3)])]
    #[case("2024.05-31", &[])]
    #[case("2024-13-31", &[])]
    #[case("2024-5", &[])]
    #[case("12345678", &[])]
    fn days_are_read_in_the_usual_spellings(#[case] name: &str, #[case] days: &[Day]) {
        let read = day_at(&pieces(name)).map(|(days, _)| days).unwrap_or_default();
        assert_eq!(read.into_iter().collect::<Vec<_>>(), days);
    }

    #[rstest]
    #[case("2024-05-31", Some((2024, 5, 31)))]
    #[case("2024-05", None)]
    #[case("2024", None)]
    #[case("", None)]
    fn a_field_is_a_day_only_when_it_is_told_to_the_day(#[case] text: &str, #[case] day: Option<Day>) {
        assert_eq!(day_of_field(text), day);
    }
}
