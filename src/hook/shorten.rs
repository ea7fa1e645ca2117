//! How does a cover image of megabytes pass through at the speed of memory? Cuts the long texts of a JSON document while
//! it is read; the rest stays as it is.

use std::io::{self, BufRead, Read};

/// Texts up to this many bytes are never cut.
const LONGEST: usize = 8 << 10;
/// A text is cut only after so many plain ASCII characters in a row: no escape is as long (`\ud83d\ude00`), so that none
/// is cut through, and no letter outside of ASCII either.
const PLAIN: usize = 12;

/// A JSON document with its long texts cut. What is no JSON comes out as some other thing that is none.
pub(super) struct Shortened<R> {
    from: R,
    at: At,
}

/// Where in the document the next byte stands.
#[derive(Clone, Copy)]
enum At {
    Outside,
    /// Inside of a text: how many bytes of it came, how many plain ones in a row, and whether the last one was a backslash.
    Inside {
        length: usize,
        plain: usize,
        escaped: bool,
    },
    /// In the part of a text that is left out.
    Cut {
        escaped: bool,
    },
}

impl<R: BufRead> Shortened<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, at: At::Outside }
    }
}

impl At {
    /// Where the byte after `byte` stands, and whether `byte` itself is passed on.
    fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Outside, b'"') => (Self::Inside { length: 0, plain: 0, escaped: false }, true),
            (Self::Inside { length, escaped: true, .. }, _) => {
                (Self::Inside { length: length + 1, plain: 0, escaped: false }, true)
            }
            (Self::Inside { .. } | Self::Cut { escaped: false }, b'"') | (Self::Outside, _) => {
                (Self::Outside, true)
            }
            (Self::Inside { length, .. }, b'\\') => {
                (Self::Inside { length: length + 1, plain: 0, escaped: true }, true)
            }
            (Self::Inside { length, plain, .. }, _)
                if length >= LONGEST && plain >= PLAIN && byte.is_ascii() =>
            {
                (Self::Cut { escaped: false }, false)
            }
            (Self::Inside { length, plain, .. }, _) => {
                let plain = if byte.is_ascii() { plain + 1 } else { 0 };
                (Self::Inside { length: length + 1, plain, escaped: false }, true)
            }
            (Self::Cut { escaped: false }, b'\\') => (Self::Cut { escaped: true }, false),
            (Self::Cut { .. }, _) => (Self::Cut { escaped: false }, false),
        }
    }
}

impl<R: BufRead> Read for Shortened<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let chunk = self.from.fill_buf()?;
            if chunk.is_empty() || into.is_empty() {
                return Ok(0);
            }
            let (used, written) = self.at.copy(chunk, into);
            self.from.consume(used);
            // Nothing would mean the end.
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

impl At {
    /// Copies what is passed on, as far as there is room, and tells how much was used and how much written.
    fn copy(&mut self, chunk: &[u8], into: &mut [u8]) -> (usize, usize) {
        let (mut used, mut written) = (0, 0);
        while let (Some(byte), Some(slot)) = (chunk.get(used), into.get_mut(written)) {
            if matches!(self, Self::Cut { escaped: false }) {
                let ahead = chunk.get(used..).unwrap_or_default();
                let jump = memchr::memchr2(b'"', b'\\', ahead).unwrap_or(ahead.len());
                if jump > 0 {
                    used += jump;
                    continue;
                }
            }
            let (next, passed) = self.after(*byte);
            *self = next;
            used += 1;
            if passed {
                *slot = *byte;
                written += 1;
            }
        }
        (used, written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn shortened(document: &str, chunk: usize) -> String {
        let mut text = String::new();
        let from = io::BufReader::with_capacity(chunk, document.as_bytes());
        Shortened::new(from).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_cover_is_cut_and_what_stands_around_it_is_not() {
        let cover = "iVBORw0KGgo".repeat(100_000);
        let document = format!(r#"{{"a":1,"cover":"data:image/png;base64,{cover}\"","b":["x"]}}"#);
        let short = shortened(&document, 64 << 10);
        assert!(short.len() < LONGEST + 200, "{}", short.len());
        let value: Value = serde_json::from_str(&short).unwrap();
        assert_eq!((&value["a"], &value["b"][0]), (&1.into(), &"x".into()));
        assert!(
            cover.starts_with(value["cover"].as_str().unwrap().trim_start_matches("data:image/png;base64,"))
        );
    }

    /// A document whose texts are long, of every kind of letter, and cut wherever a chunk may end.
    fn parts() -> impl Strategy<Value = Vec<String>> {
        let letters = prop::sample::select(vec!["a", "é", "😀", "\"", "\\", "\n", "\u{1}", "0"]);
        prop::collection::vec((letters, 1_usize..4000).prop_map(|(letter, times)| letter.repeat(times)), 1..6)
    }

    fn escaped(c: char) -> String {
        if c.is_ascii() {
            return c.to_string();
        }
        c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_comes_out_is_json_again_with_the_beginnings_of_the_same_texts(
            texts in prop::collection::vec(parts(), 1..4),
            chunk in 1_usize..300,
            ascii in any::<bool>(),
        ) {
            let texts: Vec<String> = texts.into_iter().map(|parts| parts.concat()).collect();
            let mut document = serde_json::to_string(&texts).unwrap();
            if ascii {
                document = document.chars().map(escaped).collect();
            }
            let read: Vec<String> = serde_json::from_str(&shortened(&document, chunk)).unwrap();
            prop_assert_eq!(read.len(), texts.len());
            for (short, text) in read.iter().zip(&texts) {
                prop_assert!(text.starts_with(short.as_str()));
                prop_assert!(short == text || short.len() >= LONGEST / 6, "{} of {}", short.len(), text.len());
            }
        }
    }
}
