//! How is Plex asked and written to, and what do its answers mean?

mod client;
mod edit_query;
mod error;
mod wire;

pub use client::{ListingOrder, ListingPage, PlexClient, PlexIdentity, PlexSettings};
pub use edit_query::{ItemIds, edit_query};
