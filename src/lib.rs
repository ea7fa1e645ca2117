//! PlexSync carries metadata from Stash to Plex and keeps it there.

pub mod config;
pub mod domain;
pub mod plex;
pub mod sim;
pub mod stash;
pub mod store;
pub mod telemetry;
