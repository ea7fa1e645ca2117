//! How alike are two names that are not the same?

use super::names::Name;

/// Names less alike than this have nothing to do with one another, and their likeness is told as 0.
pub(super) const LEAST: f64 = 0.60;

/// How alike the words of two names are, from 0 to 1, whatever their order. Two measures with different weaknesses: on
/// single pairs of letters one is misled by short words, the other by long insertions.
pub(super) fn similarity(left: &Sorted, right: &Sorted) -> f64 {
    if left.0.is_empty() || right.0.is_empty() {
        return 0.0;
    }
    if left.0 == right.0 {
        return 1.0;
    }
    let dice = strsim::sorensen_dice(&left.0, &right.0);
    // The other measure is the costlier one, and could not make up for this.
    if dice < 2.0 * LEAST - 1.0 {
        return 0.0;
    }
    let mean = f64::midpoint(dice, strsim::normalized_levenshtein(&left.0, &right.0));
    if mean < LEAST { 0.0 } else { mean }
}

/// The words of a name in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sorted(String);

impl Sorted {
    pub(super) fn of(name: &Name) -> Self {
        let mut words = name.words.clone();
        words.sort_unstable();
        Self(words.join(" "))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("The Long Way Home", "Home, the long way", 1.0, 1.0)]
    #[case("The Long Way Home", "The Lonk Way Home", 0.85, 0.99)]
    #[case("The Long Way Home", "Something Else Entirely", 0.0, 0.0)]
    #[case("12", "13", 0.0, 0.0)]
    fn likeness_is_by_words_and_not_by_their_order(
        #[case] left: &str,
        #[case] right: &str,
        #[case] least: f64,
        #[case] most: f64,
    ) {
        let sorted = |text| Sorted::of(&Name::read(text));
        let found = similarity(&sorted(left), &sorted(right));
        assert!((least..=most).contains(&found), "{found}");
    }
}
