//! What does a small household look like? A Stash and a Plex that see the same films under different roots.

use std::io;

use super::{NewFile, NewItem, NewScene, PlexOptions, SimPlex, SimStash, StashOptions};

/// A Stash that sees its files under `/data`, and a Plex that sees them under `/media`.
pub struct World {
    pub stash: SimStash,
    pub plex: SimPlex,
    /// Each scene and the item that it is.
    pub pairs: Vec<Pair>,
}

/// A scene and its item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub scene: i64,
    pub rating_key: String,
}

/// The key of the one library.
pub const LIBRARY: &str = "1";

impl World {
    /// Starts both peers with so many scenes, each in a folder of its own.
    pub fn start(scenes: usize) -> io::Result<Self> {
        Self::start_with(scenes, StashOptions::default(), PlexOptions::default())
    }

    /// The same with peers of other habits.
    pub fn start_with(scenes: usize, stash: StashOptions, plex: PlexOptions) -> io::Result<Self> {
        let stash = SimStash::start(stash)?;
        let plex = SimPlex::start(plex)?;
        plex.add_library(LIBRARY, "Films", &["/media"]);
        let mut world = Self { stash, plex, pairs: Vec::new() };
        for number in 1..=scenes {
            world.add(&format!("Film {number}"), &format!("Studio {}/Part {number}/video.mp4", number % 7));
        }
        Ok(world)
    }

    /// Adds a scene to Stash and the item that it is to Plex.
    pub fn add(&mut self, title: &str, path: &str) -> Pair {
        let size = 1_000_000 + self.pairs.len() as u64;
        let scene = self.stash.add_scene(NewScene {
            title: title.to_owned(),
            details: format!("What happens in {title}.\n\nAnd how it ends."),
            date: Some("2024-05-31".to_owned()),
            studio: Some(format!("Studio of {title}")),
            tags: vec!["Outdoor".to_owned(), format!("Tag of {title}, and more")],
            performers: vec!["Ada Example".to_owned(), format!("Actor of {title}")],
            director: format!("Director of {title}"),
            organized: true,
            files: vec![NewFile { size, duration: 60.0, ..NewFile::at(&format!("/data/{path}")) }],
            ..NewScene::default()
        });
        let rating_key = self.plex.add_item(LIBRARY, NewItem::file(&format!("/media/{path}"), size));
        let pair = Pair { scene, rating_key };
        self.pairs.push(pair.clone());
        pair
    }

    /// Whether the item shows the scene's title, studio (also as a collection), summary, date, rating, performers,
    /// director and, as genres, tags.
    pub fn is_synced(&self, pair: &Pair) -> bool {
        let (Some(scene), Some(item)) = (self.stash.scene(pair.scene), self.plex.item(&pair.rating_key))
        else {
            return false;
        };
        item.title == scene.title
            && item.summary == scene.details
            && item.studio == scene.studio
            && item.originally_available_at == scene.date
            && item.user_rating == scene.rating100.map(|rating| (f64::from(rating) / 10.0).to_string())
            && all_in(&scene.performers, &item.actors)
            && (scene.director.is_empty() || item.directors.contains(&scene.director))
            && scene.studio.iter().all(|studio| item.collections.contains(studio))
            && all_in(&scene.tags, &item.genres)
    }

    /// How many scenes are shown as they are.
    pub fn synced(&self) -> usize {
        self.pairs.iter().filter(|pair| self.is_synced(pair)).count()
    }

    /// The settings of a service between the two, as TOML.
    pub fn settings(&self, database: &std::path::Path) -> String {
        format!(
            "server.listen = \"127.0.0.1:0\"\nstorage.path = {:?}\nstash.url = {:?}\nplex.url = {:?}\nplex.token = {:?}\n\
             [[path_map]]\nstash = \"/data\"\nplex = \"/media\"\n",
            database.display().to_string(),
            self.stash.url(),
            self.plex.url(),
            self.plex.token()
        )
    }
}

fn all_in(wanted: &[String], shown: &[String]) -> bool {
    wanted.iter().all(|name| shown.iter().any(|shown| shown.eq_ignore_ascii_case(name)))
}
