//! Which cases lead a matcher astray? Works in parts, names that stand everywhere, and look-alikes of what is not there.

use rand::RngExt as _;

use super::families::at;
use super::maker::{Film, Maker, PLEX, PLEX_ELSEWHERE, STASH, STASH_ELSEWHERE};
use super::{Family, words};

/// A work in parts, some of which Plex lacks. Only the number tells them apart.
pub(super) fn parts(maker: &mut Maker) {
    let whole = maker.film();
    let (count, kind) = (maker.rng.random_range(3..=9), maker.rng.random_range(0..4));
    let spelling = maker.pick(&["Pt.{}", "CD{}", "- 0{}", "part-{}", "[Disc {}]"]);
    for number in 1..=count {
        let mut film = Film { title: format!("{} Part {number}", whole.title), ..maker.encoded_anew(&whole) };
        film.seconds = whole.seconds;
        if kind == 3 {
            // A constant bit rate and a fixed length: even the sizes are equal.
            film.size = whole.size;
        }
        let stem = film.title.clone();
        let here = !maker.chance(0.3);
        let other = format!("{} {}", whole.title, spelling.replace("{}", &number.to_string()));
        let key = here.then(|| match kind {
            0 => maker.item(&film, at(PLEX_ELSEWHERE, &film, &stem)),
            1 | 3 => maker.item(&film, at(PLEX_ELSEWHERE, &film, &other)),
            _ => {
                let anew = maker.encoded_anew(&film);
                maker.item(&anew, at("/volume3/new", &film, &other))
            }
        });
        let truth: Vec<u32> = key.into_iter().collect();
        maker.case(Family::Parts, &film, at(STASH_ELSEWHERE, &film, &stem), &truth, here && kind != 2);
    }
}

/// Six folders with the same file names, below roots that no rule maps. In some houses even the sizes are the same, or
/// Plex does not tell them; then the folder is all there is.
pub(super) fn same_names(maker: &mut Maker) {
    let show = maker.film();
    let (kind, seasons) = (maker.rng.random_range(0..3), maker.chance(0.5));
    let name = maker.pick(&["01", "1", "video", "scene", "clip 01"]);
    for number in 1..=6 {
        let mut film = maker.film();
        if kind == 1 {
            (film.size, film.seconds) = (show.size, show.seconds);
        }
        let folder = if seasons {
            format!("{}/{}/Season {number}", show.studio, show.title)
        } else {
            format!("{}/{}", show.studio, words::title(&mut maker.rng))
        };
        let here = !maker.chance(0.15);
        let key = here.then(|| maker.item(&film, format!("{PLEX_ELSEWHERE}/{folder}/{name}.mp4")));
        if here && kind == 2 {
            maker.change_last(|item| item.size = None);
        }
        let truth: Vec<u32> = key.into_iter().collect();
        maker.case(Family::SameNames, &film, format!("{STASH_ELSEWHERE}/{folder}/{name}.mp4"), &truth, here);
    }
}

/// Sequels, remakes and cuts of a film, all of one studio and equally long. The film itself may be missing.
pub(super) fn look_alikes(maker: &mut Maker) {
    let film = maker.film();
    let others = [
        format!("{} 2", film.title),
        format!("{} Redux", film.title),
        format!("{} (2008)", film.title),
        format!("The {}", film.title),
        format!("{} Behind the Scenes", film.title),
    ];
    for title in others {
        let anew = maker.encoded_anew(&film);
        let like = Film { title, seconds: film.seconds, ..anew };
        let stem = like.title.clone();
        maker.item(&like, at(PLEX, &film, &stem));
    }
    let stem = film.title.clone();
    match maker.rng.random_range(0..3) {
        0 => {
            let key = maker.item(&film, at(PLEX, &film, &stem));
            maker.case(Family::LookAlikes, &film, at(STASH, &film, &stem), &[key], true);
        }
        1 => {
            let anew = maker.encoded_anew(&film);
            let key = maker.item(&anew, at("/volume3/new", &film, &(stem.clone() + " 480p")));
            maker.case(Family::LookAlikes, &film, at(STASH, &film, &stem), &[key], false);
        }
        _ => maker.case(Family::LookAlikes, &film, at(STASH, &film, &stem), &[], false),
    }
}

/// Scenes that Plex does not have, though it has something that is nearly the same.
pub(super) fn missing(maker: &mut Maker) {
    let film = maker.film();
    let stem = film.title.clone();
    let other = Film { studio: format!("{} too", film.studio), ..maker.film() };
    match maker.rng.random_range(0..8) {
        // The same name in another studio's folder.
        0 => drop(maker.item(&other, at(PLEX, &other, &stem))),
        // The same size by chance, and another length.
        1 => {
            let like = Film { size: film.size, seconds: film.seconds + 5.0, ..other };
            maker.item(&like, at(PLEX, &like, &like.title));
        }
        // The same length, studio and date.
        2 => {
            let like = Film { studio: film.studio.clone(), date: film.date, seconds: film.seconds, ..other };
            maker.item(&like, at(PLEX, &film, &like.title));
        }
        // The other half, encoded to the same size and length.
        3 => {
            let half = Film { title: format!("{stem} Part 2"), ..film.clone() };
            maker.item(&half, at(PLEX, &half, &half.title));
            let first = Film { title: format!("{stem} Part 1"), ..film.clone() };
            maker.case(Family::Missing, &first, at(STASH, &first, &first.title), &[], false);
            return;
        }
        // The same name and size, reserved for a download: what is inside differs.
        4 => {
            maker.item(&film, at("/downloads", &film, &stem));
            maker.change_last(|item| item.content_hash = Some("0123456789abcdef".to_owned()));
        }
        // The same name in a folder that is called as folders are, of a size that Plex does not tell.
        5 => {
            maker.item(&other, format!("{PLEX}/{}/Season 1/01.mp4", other.studio));
            maker.change_last(|item| item.size = None);
            let path = format!("{STASH_ELSEWHERE}/{}/Season 1/01.mp4", film.studio);
            maker.case(Family::Missing, &film, path, &[], false);
            return;
        }
        // Another cut under the same name and in the same folder.
        6 => {
            let cut = Film { seconds: film.seconds * 1.3, ..maker.encoded_anew(&film) };
            maker.item(&cut, at(PLEX_ELSEWHERE, &film, &stem));
            maker.case(Family::Missing, &film, at(STASH_ELSEWHERE, &film, &stem), &[], false);
            return;
        }
        // Nothing like it.
        _ => {}
    }
    maker.case(Family::Missing, &film, at(STASH, &film, &stem), &[], false);
}
