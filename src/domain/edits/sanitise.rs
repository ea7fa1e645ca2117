//! How is a text made fit for Plex? Plex takes Unicode: quotes, emoji and joined sequences stay as they are.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The canonical composed form (NFC).
pub(super) fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// One line: composed, line breaks and tabs as spaces, no characters that steer a terminal or turn the text around.
pub(super) fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if is_break(c) { ' ' } else { c }).collect();
    cleaned(&spaced).trim().to_owned()
}

/// Several lines: as [`line`], but line breaks and tabs stay, and each break is one `\n`.
pub(super) fn paragraphs(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    cleaned(&unix).trim().to_owned()
}

/// The longest beginning of at most `limit` characters that ends between two graphemes.
pub fn cut(text: &str, limit: usize) -> &str {
    let mut characters = 0;
    for (start, grapheme) in text.grapheme_indices(true) {
        characters += grapheme.chars().count();
        if characters > limit {
            return text.get(..start).unwrap_or_default().trim_end();
        }
    }
    text
}

fn cleaned(text: &str) -> String {
    text.nfc().filter(|&c| matches!(c, '\n' | '\t') || !(c.is_control() || turns_text(c))).collect()
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides and isolates of the bidirectional algorithm: they make a title read as another.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::smart_quotes("“Quote” – it’s", "“Quote” – it’s")]
    #[case::family_emoji("a 👩‍👩‍👧 b", "a 👩‍👩‍👧 b")]
    #[case::decomposed("Zazo\u{301}lc\u{301}", "Zazólć")]
    #[case::control("a\u{0}b\u{7}c\u{1b}[31m\u{9b}", "abc[31m")]
    #[case::override_("abc\u{202e}fed", "abcfed")]
    #[case::breaks("one\r\ntwo\tthree", "one  two three")]
    #[case::ends("  padded \n", "padded")]
    fn a_line_is_cleaned(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(line(given), expected);
    }

    #[rstest]
    #[case::paragraphs("one\n\ntwo", "one\n\ntwo")]
    #[case::windows("one\r\n\r\ntwo\rthree", "one\n\ntwo\nthree")]
    #[case::separators("one\u{2028}two\u{2029}three", "one\ntwo\nthree")]
    #[case::tab("a\tb", "a\tb")]
    #[case::control("a\u{8}b\nc", "ab\nc")]
    fn a_summary_keeps_its_line_breaks(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(paragraphs(given), expected);
    }

    #[test]
    fn a_cut_never_splits_what_a_reader_sees_as_one_character() {
        let family = "👩‍👩‍👧";
        assert_eq!(cut(&format!("ab{family}c"), 4), "ab");
        assert_eq!(cut(&format!("ab{family}c"), 7), format!("ab{family}"));
        assert_eq!(cut("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(text: String) {
            prop_assert_eq!(line(&line(&text)), line(&text));
            prop_assert_eq!(paragraphs(&paragraphs(&text)), paragraphs(&text));
        }

        #[test]
        fn a_cut_keeps_the_limit(text: String, limit in 0_usize..40) {
            prop_assert!(cut(&text, limit).chars().count() <= limit);
        }
    }
}
