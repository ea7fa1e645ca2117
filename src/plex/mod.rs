//! How does PlexSync talk to Plex? A client whose every failure is classified here and nowhere else.

mod client;
mod edit_query;
mod error;
mod files;
mod images;
mod listing;
mod notifications;
mod requests;
mod scan;
#[cfg(test)]
mod tests;
mod tree;
mod wire;

pub use client::{PlexClient, PlexIdentity, PlexSettings, Told};
pub use edit_query::{ItemIds, edit_query};
pub use files::FilesNow;
pub use images::ListedImage;
pub use listing::{ListingOrder, ListingPage};
pub use notifications::{Notice, Notices, Notifications};
