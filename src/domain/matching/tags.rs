//! Which words of a file's name tell how it was released and not what it is?
//!
//! Whole words only: what merely contains a tag is a word like any other.

/// Words that are a tag wherever they stand.
const TAGS: [&str; 44] = [
    "4k",
    "8k",
    "uhd",
    "fhd",
    "x264",
    "x265",
    "h264",
    "h265",
    "hevc",
    "xvid",
    "divx",
    "av1",
    "vp9",
    "bluray",
    "bdrip",
    "brrip",
    "webrip",
    "webdl",
    "dvdrip",
    "hdtv",
    "hdrip",
    "vodrip",
    "dlmux",
    "hdr10",
    "hdr10plus",
    "10bit",
    "8bit",
    "aac",
    "aac2",
    "ac3",
    "eac3",
    "dts",
    "dtshd",
    "truehd",
    "ddp",
    "ddp2",
    "ddp5",
    "dd5",
    "mp3",
    "24fps",
    "25fps",
    "30fps",
    "50fps",
    "60fps",
];

/// Pairs of words that are a tag together.
const PAIRS: [(&str, &str); 13] = [
    ("web", "dl"),
    ("web", "rip"),
    ("blu", "ray"),
    ("h", "264"),
    ("h", "265"),
    ("x", "264"),
    ("x", "265"),
    ("dvd", "rip"),
    ("aac2", "0"),
    ("ddp2", "0"),
    ("ddp5", "1"),
    ("dd5", "1"),
    ("dts", "hd"),
];

/// Words that are a tag only beside another: alone they may belong to a title.
const COMPANIONS: [&str; 21] = [
    "web", "hd", "sd", "hq", "hdr", "sdr", "dv", "avc", "rip", "dvd", "remux", "proper", "repack",
    "internal", "atmos", "flac", "mp4", "mkv", "avi", "wmv", "xxx",
];

/// Marks the words of a name that are release tags. `words` are folded.
pub(super) fn release_tags(words: &[&str]) -> Vec<bool> {
    let mut is_tag: Vec<bool> = words.iter().map(|word| TAGS.contains(word) || is_resolution(word)).collect();
    for (place, pair) in words.windows(2).enumerate() {
        if matches!(pair, [left, right] if PAIRS.contains(&(left, right))) {
            is_tag.iter_mut().skip(place).take(2).for_each(|tag| *tag = true);
        }
    }
    spread(words, &mut is_tag, |place| place.checked_sub(1));
    spread(words, &mut is_tag, |place| Some(place + 1));
    is_tag
}

/// Carries the mark to companions, one neighbour after the other.
fn spread(words: &[&str], is_tag: &mut [bool], neighbour: impl Fn(usize) -> Option<usize>) {
    let forwards = neighbour(1) == Some(0);
    let places: Vec<usize> =
        if forwards { (0..words.len()).collect() } else { (0..words.len()).rev().collect() };
    for place in places {
        let beside = neighbour(place).and_then(|place| is_tag.get(place)).copied().unwrap_or_default();
        let companion = words.get(place).is_some_and(|word| COMPANIONS.contains(word));
        if let Some(tag) = is_tag.get_mut(place).filter(|_| beside && companion) {
            *tag = true;
        }
    }
}

/// `1080p`, `720i`, `1920x1080`.
fn is_resolution(word: &str) -> bool {
    let lines = |text: &str| {
        matches!(text.parse::<u32>(), Ok(lines) if (240..=8192).contains(&lines)) && !text.starts_with('+')
    };
    let by_lines = word.strip_suffix(['p', 'i']).is_some_and(lines);
    by_lines || word.split_once('x').is_some_and(|(width, height)| lines(width) && lines(height))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("my adventure day", "my adventure day")]
    #[case("the web of the dvd", "the web of the dvd")]
    #[case("some film 1080p web dl x264", "some film")]
    #[case("some film xxx 720p hevc", "some film")]
    #[case("some film 1920x1080", "some film")]
    #[case("some film web dl aac2 0", "some film")]
    #[case("some film part 1 1080p", "some film part 1")]
    #[case("hdtvs and 4kids", "hdtvs and 4kids")]
    fn only_whole_words_are_tags(#[case] name: &str, #[case] left: &str) {
        let words: Vec<_> = name.split(' ').collect();
        let tags = release_tags(&words);
        let kept: Vec<_> = words.iter().zip(&tags).filter(|(_, tag)| !**tag).map(|(word, _)| *word).collect();
        assert_eq!(kept.join(" "), left);
    }
}
