//! PlexSync carries metadata from Stash to Plex and keeps it there.

pub mod actors;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod hook;
pub mod http;
pub mod plex;
pub mod plugin;
pub mod sim;
pub mod stash;
pub mod store;
pub mod supervision;
pub mod telemetry;
pub mod web;
