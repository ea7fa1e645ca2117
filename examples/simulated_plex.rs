//! How does PlexSync's simulated Plex look to another client? Starts one with a small library, prints its address
//! and token on one line, and runs until standard input is closed.

use std::io::{self, Read};

use plexsync::sim::{NewItem, PlexOptions, SimPlex};

/// More than two pages of a hundred.
const VIDEOS: u32 = 250;

#[expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "whoever starts it reads the address from there"
)]
fn main() -> io::Result<()> {
    let plex = SimPlex::start(PlexOptions::default())?;
    plex.add_library("1", "Videos", &["/data/videos"]);
    plex.add_library("2", "Other Videos", &["/data/other"]);
    for number in 1..=VIDEOS {
        let path = format!("/data/videos/folder {}/Video {number:03}.mp4", number % 7);
        plex.add_item("1", NewItem::file(&path, 1_000_000 + u64::from(number)));
    }
    plex.add_item("2", NewItem::file("/data/other/Video 001.mp4", 7));
    plex.place_file("1", NewItem::file("/data/videos/new/Found by a scan.mp4", 8));
    println!("{} {}", plex.url(), plex.token());
    io::stdin().read_to_end(&mut Vec::new())?;
    plex.stop();
    Ok(())
}
