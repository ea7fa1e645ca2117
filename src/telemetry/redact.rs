//! How is a path shown to people who should not learn the names in it?
//!
//! It concerns what people read: the log, messages that are kept with a job, commands and routes. What is compared is
//! kept as it is: the index, links, and the candidates of a review, whose paths are hidden when they are shown.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// How paths are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathStyle {
    /// As they are.
    #[default]
    Plain,
    /// Each name replaced by a short code that stays the same from run to run, so that two lines about one file can
    /// still be told to be so. The codes hide names from a reader, not from somebody who can guess and try a name.
    Obfuscated,
}

/// A path, shown in its style.
#[derive(Clone, Copy)]
pub struct ShownPath<'a> {
    path: &'a str,
    style: PathStyle,
}

impl PathStyle {
    /// The style for `log.obfuscate_paths`.
    pub const fn obfuscated_if(obfuscate: bool) -> Self {
        if obfuscate { Self::Obfuscated } else { Self::Plain }
    }

    /// `path` as something to log or print.
    pub const fn show(self, path: &str) -> ShownPath<'_> {
        ShownPath { path, style: self }
    }
}

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.style {
            PathStyle::Plain => f.write_str(self.path),
            PathStyle::Obfuscated => obfuscate(self.path, f),
        }
    }
}

/// The same as `Display`, so that `?path` in a log line gives away no more than `%path`.
impl fmt::Debug for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Keeps the separators of both worlds and the extension of the last name.
fn obfuscate(path: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let names = path.split_inclusive(['/', '\\']);
    for name in names {
        let (name, separator) = match name.strip_suffix(['/', '\\']) {
            Some(bare) => (bare, name.get(bare.len()..).unwrap_or_default()),
            None => (name, ""),
        };
        let (stem, extension) = match separator {
            "" => split_extension(name),
            _ => (name, ""),
        };
        if !stem.is_empty() {
            // 24 bits: short to read, and two names of one library seldom meet.
            write!(f, "{:06x}", xxh3_64(stem.as_bytes()) & 0x00ff_ffff)?;
        }
        write!(f, "{extension}{separator}")?;
    }
    Ok(())
}

/// The name and its extension with the dot. What is longer than any video's extension is part of a name.
fn split_extension(name: &str) -> (&str, &str) {
    const LONGEST: usize = 4;
    let fits = |extension: &str| {
        (1..=LONGEST).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && fits(extension) => {
            (stem, name.get(stem.len()..).unwrap_or_default())
        }
        Some(_) | None => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn obfuscated(path: &str) -> String {
        PathStyle::Obfuscated.show(path).to_string()
    }

    #[test]
    fn a_plain_path_is_shown_as_it_is() {
        assert_eq!(PathStyle::Plain.show("/data/Some Film.mp4").to_string(), "/data/Some Film.mp4");
    }

    #[test]
    fn codes_stay_the_same_from_release_to_release() {
        // People compare logs across updates.
        assert_eq!(obfuscated("/data/Some Film.mp4"), "/7d5d1e/2d6ba1.mp4");
    }

    #[test]
    fn separators_of_windows_are_kept_too() {
        let shown = obfuscated(r"D:\media\film.mkv");
        assert_eq!(shown.matches('\\').count(), 2, "{shown}");
        assert!(!shown.contains("media") && !shown.contains("film"), "{shown}");
    }

    #[test]
    fn a_long_ending_is_part_of_the_name() {
        let shown = obfuscated("/data/My.Holiday");
        assert!(!shown.contains("Holiday"), "{shown}");
    }

    #[test]
    fn a_hidden_file_has_no_extension() {
        assert!(!obfuscated("/data/.nfo").contains("nfo"));
    }

    #[test]
    fn debug_gives_away_no_more_than_display() {
        let shown = PathStyle::Obfuscated.show("/data/film.mp4");
        assert_eq!(format!("{shown:?}"), shown.to_string());
    }

    proptest! {
        #[test]
        fn no_name_survives(names in proptest::collection::vec("[g-z]{3,12}", 1..6)) {
            let shown = obfuscated(&format!("/{}/x.mp4", names.join("/")));
            for name in names {
                prop_assert!(!shown.contains(&name), "{} is in {}", name, shown);
            }
        }

        #[test]
        fn equal_names_get_equal_codes(name in "\\PC{1,30}", a in "[a-z]{1,5}", b in "[a-z]{1,5}") {
            prop_assume!(!name.contains(['/', '\\']));
            let last = |path: String| obfuscated(&path).rsplit('/').next().map(str::to_owned);
            prop_assert_eq!(last(format!("/{a}/{name}")), last(format!("/{b}/{name}")));
        }
    }
}
