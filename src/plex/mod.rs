//! How does PlexSync talk to Plex? A client whose every failure is classified here and nowhere else.

mod client;
mod edit_query;
mod error;
mod images;
mod listing;
mod requests;
mod scan;
#[cfg(test)]
mod tests;
mod tree;
mod wire;

pub use client::{PlexClient, PlexIdentity, PlexSettings};
pub use edit_query::{ItemIds, edit_query};
pub use images::ListedImage;
pub use listing::{ListingOrder, ListingPage};
