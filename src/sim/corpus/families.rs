//! Which differences between the two sides are there that leave a scene to be found?

use rand::RngExt as _;
use unicode_normalization::UnicodeNormalization as _;

use super::maker::{Film, Maker, PLEX, PLEX_ELSEWHERE, STASH, STASH_ELSEWHERE};
use super::{Case, Family, traps, words};

/// Adds the next cases of a family.
pub(super) fn add(maker: &mut Maker, family: Family) {
    match family {
        Family::SamePath => same_path(maker),
        Family::OtherMount => other_mount(maker),
        Family::MovedFolder => moved_folder(maker),
        Family::Renamed => renamed(maker),
        Family::ReEncoded => re_encoded(maker),
        Family::Composition => composition(maker),
        Family::Case => case(maker),
        Family::Windows => windows(maker),
        Family::ReleaseTags => release_tags(maker),
        Family::Dates => dates(maker),
        Family::Parts => traps::parts(maker),
        Family::SameNames => traps::same_names(maker),
        Family::TwoLibraries => two_libraries(maker),
        Family::Copies => copies(maker),
        Family::SeveralFiles => several_files(maker),
        Family::WithoutSize => without_size(maker),
        Family::ByHash => by_hash(maker),
        Family::LookAlikes => traps::look_alikes(maker),
        Family::Missing => traps::missing(maker),
    }
}

/// A path below a root, in the studio's folder.
pub(super) fn at(root: &str, film: &Film, stem: &str) -> String {
    format!("{root}/{}/{stem}.mp4", film.studio)
}

fn same_path(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let (stash, plex) = match maker.rng.random_range(0..3) {
        0 => (STASH, PLEX),
        1 => ("/data/clips", "/mnt/clips"),
        _ => ("/same/on/both", "/same/on/both"),
    };
    let key = maker.item(&film, at(plex, &film, &stem));
    maker.case(Family::SamePath, &film, at(stash, &film, &stem), &[key], true);
}

fn other_mount(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let key = maker.item(&film, at(PLEX_ELSEWHERE, &film, &stem));
    maker.case(Family::OtherMount, &film, at(STASH_ELSEWHERE, &film, &stem), &[key], true);
}

fn moved_folder(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let folder = maker.pick(&["archive/2019", "New", "Sorted/A-M", "Season 1", "watched"]);
    let key = maker.item(&film, format!("{PLEX}/{folder}/{stem}.mp4"));
    maker.case(Family::MovedFolder, &film, at(STASH, &film, &stem), &[key], true);
}

fn renamed(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let number = maker.rng.random_range(1..9999);
    let other = match maker.rng.random_range(0..4) {
        0 => format!("VID_{number:04}"),
        1 => words::title(&mut maker.rng),
        2 => format!("{} {}", film.title, words::word(&mut maker.rng)),
        _ => film.title.to_lowercase().replace(' ', "_"),
    };
    let key = maker.item(&film, at(PLEX, &film, &other));
    maker.case(Family::Renamed, &film, at(STASH, &film, &stem), &[key], true);
}

fn re_encoded(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let anew = maker.encoded_anew(&film);
    let other = maker.stem(&film) + " 720p x265";
    let key = maker.item(&anew, at(PLEX, &film, &other));
    maker.case(Family::ReEncoded, &film, at(STASH, &film, &stem), &[key], false);
}

fn composition(maker: &mut Maker) {
    let title = words::accented_title(&mut maker.rng);
    let film = maker.film_called(title);
    let stem = maker.stem(&film);
    let decomposed: String = at(PLEX, &film, &stem).nfd().collect();
    if maker.chance(0.5) {
        let key = maker.item(&film, decomposed);
        maker.case(Family::Composition, &film, at(STASH, &film, &stem), &[key], true);
    } else {
        let key = maker.item(&film, at(PLEX, &film, &stem));
        let stash: String = at(STASH, &film, &stem).nfd().collect();
        maker.case(Family::Composition, &film, stash, &[key], true);
    }
}

fn case(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let shouted = at(PLEX, &film, &stem.to_uppercase());
    if maker.chance(0.5) {
        let key = maker.item(&film, shouted);
        maker.case(Family::Case, &film, at(STASH, &film, &stem), &[key], true);
        return;
    }
    // A file system that tells case apart holds both spellings, of two films.
    let other = maker.film();
    let twin = Film { size: film.size, seconds: film.seconds, ..other };
    maker.item(&twin, shouted);
    let key = maker.item(&film, at(PLEX, &film, &stem));
    if maker.chance(0.5) {
        maker.case(Family::Case, &film, at(STASH, &film, &stem), &[key], true);
    } else {
        maker.case(Family::Case, &film, at(STASH, &film, &stem.to_lowercase()), &[key], false);
        // Without capitals the spelling is the true one after all.
        if stem == stem.to_lowercase()
            && let Some(last) = maker.corpus.cases.last_mut()
        {
            last.decidable = true;
        }
    }
}

fn windows(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let (stash, plex) = match maker.rng.random_range(0..3) {
        0 => (format!("d:\\Videos\\{}\\{stem}.mp4", film.studio), at("/media/windows", &film, &stem)),
        1 => (at("/unix", &film, &stem), format!("M:\\Films\\{}\\{stem}.mp4", film.studio)),
        _ => (format!("\\\\nas\\films\\{}\\{stem}.mp4", film.studio), at("/media/share", &film, &stem)),
    };
    let key = maker.item(&film, plex);
    maker.case(Family::Windows, &film, stash, &[key], true);
}

fn release_tags(maker: &mut Maker) {
    let film = maker.film();
    let tags =
        maker.pick(&["1080p.WEB-DL.x264-KTR", "XXX.720p.HEVC", "2160p.x265", "BluRay.DTS", "WEBRip.AAC2.0"]);
    let other = format!("{}.{tags}", film.title.replace(' ', "."));
    let stem = film.title.clone();
    if maker.chance(0.7) {
        let key = maker.item(&film, at(PLEX, &film, &other));
        maker.case(Family::ReleaseTags, &film, at(STASH, &film, &stem), &[key], true);
    } else {
        let anew = maker.encoded_anew(&film);
        let key = maker.item(&anew, at(PLEX, &film, &other));
        maker.case(Family::ReleaseTags, &film, at(STASH, &film, &stem), &[key], false);
    }
}

/// The name of a file with the film's date, in one of the usual spellings.
fn dated(maker: &mut Maker, film: &Film) -> String {
    let (year, month, day) = film.date;
    let short = year % 100;
    match maker.rng.random_range(0..4) {
        0 => format!("{} {year}-{month:02}-{day:02}", film.title),
        1 => format!("{}.{short:02}.{month:02}.{day:02}.{}", film.studio, film.title).replace(' ', "."),
        2 => format!("{year}{month:02}{day:02} {}", film.title),
        _ => format!("{} ({day:02}.{month:02}.{year})", film.title),
    }
}

fn dates(maker: &mut Maker) {
    let film = maker.film();
    let (stem, other) = (dated(maker, &film), dated(maker, &film));
    if maker.chance(0.6) {
        let key = maker.item(&film, at(PLEX, &film, &other));
        maker.case(Family::Dates, &film, at(STASH, &film, &stem), &[key], true);
    } else {
        // The week before, under the same title and as long; the scene's own is not there.
        let (year, month, day) = film.date;
        let before = Film { date: (year - 1, month, day), ..maker.encoded_anew(&film) };
        let other = dated(maker, &before);
        maker.item(&before, at(PLEX, &film, &other));
        maker.case(Family::Dates, &film, at(STASH, &film, &stem), &[], false);
    }
}

fn two_libraries(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let path = at(PLEX, &film, &stem);
    let keys = [maker.item_in("1", &film, path.clone()), maker.item_in("2", &film, path)];
    maker.case(Family::TwoLibraries, &film, at(STASH, &film, &stem), &keys, true);
}

fn copies(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let keys = [
        maker.item(&film, at("/volume2/backup", &film, &stem)),
        maker.item(&film, at(PLEX_ELSEWHERE, &film, &stem)),
    ];
    // To Stash copies are one scene, so either item is right and neither is the one.
    maker.case(Family::Copies, &film, at(STASH_ELSEWHERE, &film, &stem), &keys, false);
}

fn several_files(maker: &mut Maker) {
    let film = maker.film();
    let anew = maker.encoded_anew(&film);
    let (stem, other) = (maker.stem(&film), format!("{} 720p", film.title));
    let files = vec![film.file(at(STASH, &film, &stem)), anew.file(at(STASH, &anew, &other))];
    let key = if maker.chance(0.5) {
        maker.item(&anew, at(PLEX, &anew, &other))
    } else {
        let third = maker.encoded_anew(&film);
        let key = maker.item(&third, at(PLEX_ELSEWHERE, &film, "third version"));
        maker.part_of(key, "1", &film, at(PLEX, &film, &stem));
        key
    };
    let scene = maker.scene(&film, files);
    maker.corpus.cases.push(Case { family: Family::SeveralFiles, scene, truth: vec![key], decidable: true });
}

fn without_size(maker: &mut Maker) {
    let film = maker.film();
    let stem = maker.stem(&film);
    let elsewhere = Film { studio: format!("{} too", film.studio), ..maker.film() };
    maker.item(&elsewhere, at(PLEX_ELSEWHERE, &elsewhere, &stem));
    maker.change_last(|item| item.size = None);
    let key = maker.item(&film, at(PLEX_ELSEWHERE, &film, &stem));
    maker.change_last(|item| item.size = None);
    maker.case(Family::WithoutSize, &film, at(STASH_ELSEWHERE, &film, &stem), &[key], true);
}

fn by_hash(maker: &mut Maker) {
    let film = maker.film();
    let (stem, other) = (maker.stem(&film), words::title(&mut maker.rng));
    let key = maker.item(&film, at(PLEX_ELSEWHERE, &film, &other));
    let oshash = film.oshash.clone();
    maker.change_last(|item| {
        item.duration_ms = None;
        item.content_hash = Some(oshash);
    });
    maker.case(Family::ByHash, &film, at(STASH_ELSEWHERE, &film, &stem), &[key], true);
}
