//! Where does Plex see a file that Stash sees elsewhere, and when are two paths the same?

use unicode_normalization::UnicodeNormalization;

use super::names::Name;

/// One rule of `[[path_map]]`: this beginning in Stash is that beginning in Plex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRule {
    pub stash: String,
    pub plex: String,
}

/// The rules, longest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathMap {
    rules: Vec<PathRule>,
}

impl PathMap {
    pub fn new(mut rules: Vec<PathRule>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(components(&rule.stash).len()));
        Self { rules }
    }

    /// The path under which Plex sees a file of Stash. Without a rule that fits, both see the same path.
    pub fn to_plex(&self, path: &str) -> String {
        let parts = components(path);
        let Some(rule) = self.rule_for(path) else { return join("", &parts) };
        join(&rule.plex, parts.get(components(&rule.stash).len()..).unwrap_or_default())
    }

    /// The rule that holds for a file of Stash.
    pub fn rule_for(&self, path: &str) -> Option<&PathRule> {
        self.rules.iter().find(|rule| is_inside(path, &rule.stash))
    }

    /// The rules, those for the longest beginnings first.
    pub fn rules(&self) -> &[PathRule] {
        &self.rules
    }
}

/// Whether a file or folder lies in a folder, or is it. `/data/films` does not hold `/data/films-old/a.mp4`.
pub fn is_inside(path: &str, folder: &str) -> bool {
    let (path, folder) = (components(path), components(folder));
    path.split_at_checked(folder.len()).is_some_and(|(head, _)| same_beginning(head, &folder))
}

/// The folder of a file, as it is spelt; `None` for a bare name.
pub fn folder_of(path: &str) -> Option<&str> {
    path.rfind(['/', '\\']).and_then(|end| path.get(..end)).filter(|folder| !folder.is_empty())
}

/// Appends components to a prefix, with the separator that the prefix uses.
pub(super) fn join(prefix: &str, rest: &[&str]) -> String {
    let windows = prefix.contains('\\') && !prefix.contains('/');
    let separator = if windows { "\\" } else { "/" };
    let base = prefix.trim_end_matches(['/', '\\']);
    let rest = rest.join(separator);
    if prefix.is_empty() {
        rest
    } else if rest.is_empty() {
        prefix.to_owned()
    } else {
        format!("{base}{separator}{rest}")
    }
}

/// The parts of a path; the first is empty for an absolute Unix path.
pub(super) fn components(path: &str) -> Vec<&str> {
    let trimmed = path.trim_end_matches(['/', '\\']);
    trimmed.split(['/', '\\']).collect()
}

/// Whether two beginnings of a path are the same. A drive letter, and the server and share of a Windows network path
/// (`\\\\server\\share`), are so in either case; folders are not.
fn same_beginning(left: &[&str], right: &[&str]) -> bool {
    let is_network = matches!(right, ["", "", ..]);
    let is_drive = |text: &str| text.len() == 2 && text.ends_with(':');
    left.iter().zip(right).enumerate().all(|(place, (left, right))| {
        let either_case = (is_network && place < 4) || is_drive(left);
        left == right || (either_case && left.to_lowercase() == right.to_lowercase())
    })
}

/// The form under which a path is looked up: composed, in lower case, with `/` between its parts. Two different files
/// can have the same one, so a hit is compared again, letter by letter.
pub fn folded(path: &str) -> String {
    path.replace('\\', "/").nfc().flat_map(char::to_lowercase).collect()
}

/// The last part of a path.
pub fn name_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The end of a folded path from the nearest folder on that tells something; `None` when none does. A `Season 1`
/// stands in every second library.
pub(super) fn telling_tail(folded: &str) -> Option<&str> {
    let mut end = folded.rfind('/')?;
    loop {
        let start = folded.get(..end)?.rfind('/').map_or(0, |slash| slash + 1);
        if tells_something(folded.get(start..end)?) {
            return folded.get(start..);
        }
        end = start.checked_sub(1)?;
    }
}

/// Words that folders of any library have.
const COMMON_FOLDERS: [&str; 36] = [
    "season",
    "series",
    "staffel",
    "disc",
    "disk",
    "cd",
    "dvd",
    "part",
    "vol",
    "volume",
    "video",
    "videos",
    "movie",
    "movies",
    "film",
    "films",
    "clip",
    "clips",
    "scene",
    "scenes",
    "extra",
    "extras",
    "bonus",
    "trailer",
    "trailers",
    "file",
    "files",
    "media",
    "download",
    "downloads",
    "new",
    "old",
    "other",
    "misc",
    "unsorted",
    "complete",
];

fn tells_something(folder: &str) -> bool {
    let words = Name::read(folder).words;
    words.iter().any(|word| word.chars().count() > 1 && !COMMON_FOLDERS.contains(&word.as_str()))
}

/// How many of their last parts two folded paths have in common.
pub(super) fn common_tail(left: &str, right: &str) -> usize {
    let parts = |path| str::rsplit(path, '/').filter(|part: &&str| !part.is_empty());
    parts(left).zip(parts(right)).take_while(|(left, right)| left == right).count()
}

/// How alike two paths are, the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    Equal,
    /// Equal once composed (NFC): a Mac and a Linux machine write `é` differently.
    Composed,
    /// Equal but for case.
    Folded,
}

/// Compares two paths in stages; `None` when they differ.
pub(super) fn likeness(left: &str, right: &str) -> Option<Likeness> {
    let (left, right) = (left.replace('\\', "/"), right.replace('\\', "/"));
    if left == right {
        Some(Likeness::Equal)
    } else if left.nfc().eq(right.nfc()) {
        Some(Likeness::Composed)
    } else if folded(&left) == folded(&right) {
        Some(Likeness::Folded)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn map(rules: &[(&str, &str)]) -> PathMap {
        let rule =
            |(stash, plex): &(&str, &str)| PathRule { stash: (*stash).to_owned(), plex: (*plex).to_owned() };
        PathMap::new(rules.iter().map(rule).collect())
    }

    #[rstest]
    #[case::prefix("/data/films/a.mp4", "/media/films/a.mp4")]
    #[case::longest_rule_wins("/data/clips/a.mp4", "/mnt/clips/a.mp4")]
    #[case::no_half_component("/database/a.mp4", "/database/a.mp4")]
    #[case::no_rule("/other/a.mp4", "/other/a.mp4")]
    #[case::the_folder_itself("/data", "/media")]
    fn a_prefix_is_replaced_on_component_borders(#[case] path: &str, #[case] expected: &str) {
        let map = map(&[("/data", "/media"), ("/data/clips/", "/mnt/clips")]);
        assert_eq!(map.to_plex(path), expected);
    }

    #[rstest]
    #[case(("D:\\Videos", "/media"), "d:\\Videos\\a\\b.mp4", "/media/a/b.mp4")]
    #[case(("/data", "M:\\Films"), "/data/a/b.mp4", "M:\\Films\\a\\b.mp4")]
    #[case(("/data/", "/"), "/data/a.mp4", "/a.mp4")]
    #[case(("/", "/media"), "/a.mp4", "/media/a.mp4")]
    #[case(("\\\\NAS\\Films", "/media"), "\\\\nas\\films\\A\\b.mp4", "/media/A/b.mp4")]
    #[case(("\\\\NAS\\Films\\New", "/media"), "\\\\nas\\films\\new\\b.mp4", "//nas/films/new/b.mp4")]
    #[case(("/data", "\\\\NAS\\Films"), "/data/a/b.mp4", "\\\\NAS\\Films\\a\\b.mp4")]
    fn windows_and_unix_paths_map_onto_one_another(
        #[case] rule: (&str, &str),
        #[case] path: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(map(&[rule]).to_plex(path), expected);
    }

    #[rstest]
    #[case("/a/b.mp4", "\\a\\b.mp4", Some(Likeness::Equal))]
    #[case("/a/Zażółć.mp4", "/a/Zaz\u{307}o\u{301}łc\u{301}.mp4", Some(Likeness::Composed))]
    #[case("/a/B.mp4", "/A/b.mp4", Some(Likeness::Folded))]
    #[case("/a/b.mp4", "/a/c.mp4", None)]
    fn paths_are_compared_in_stages(
        #[case] left: &str,
        #[case] right: &str,
        #[case] expected: Option<Likeness>,
    ) {
        assert_eq!(likeness(left, right), expected);
    }

    #[rstest]
    #[case("/data/acme/c.mp4", Some("acme/c.mp4"))]
    #[case("acme/c.mp4", Some("acme/c.mp4"))]
    #[case("/acme/season 1/02/c.mp4", Some("acme/season 1/02/c.mp4"))]
    #[case("/media/films/2024/c.mp4", None)]
    #[case("/c.mp4", None)]
    #[case("c.mp4", None)]
    fn a_tail_begins_with_a_folder_that_tells_something(#[case] path: &str, #[case] tail: Option<&str>) {
        assert_eq!(telling_tail(path), tail);
    }

    #[rstest]
    #[case("/a/b/c.mp4", "/x/b/c.mp4", 2)]
    #[case("/a/b/c.mp4", "/a/b/c.mp4", 3)]
    #[case("/a/b/c.mp4", "/a/b/d.mp4", 0)]
    #[case("/ab/c.mp4", "/b/c.mp4", 1)]
    fn tails_are_compared_part_by_part(#[case] left: &str, #[case] right: &str, #[case] expected: usize) {
        assert_eq!(common_tail(left, right), expected);
    }
}
