//! Which known word did the user mean?

/// Below this share of letters in place, naming a word would be a guess.
const ALIKE: f64 = 0.6;

/// The known word nearest to `word`, if one is near enough. Letter case does not count.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (strsim::normalized_damerau_levenshtein(&word, &candidate.to_lowercase()), candidate)
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The known key nearest to the unknown `key`: the same name in another section, else the nearest of its own
/// section, else the nearest of all. Keys are dotted (`plex.url`).
pub(super) fn nearest_key<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let (section, name) = key.split_once('.')?;
    let same_name = |candidate: &&str| candidate.split_once('.').is_some_and(|(_, known)| known == name);
    let mut same = known.iter().copied().filter(|candidate| same_name(candidate));
    if let (Some(only), None) = (same.next(), same.next()) {
        return Some(only);
    }
    let prefix = format!("{section}.");
    let own = known.iter().filter_map(|candidate| candidate.strip_prefix(prefix.as_str()));
    if let Some(own) = nearest(name, own) {
        let whole = format!("{prefix}{own}");
        return known.iter().copied().find(|candidate| *candidate == whole);
    }
    nearest(key, known.iter().copied())
}
