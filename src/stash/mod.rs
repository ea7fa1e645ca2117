//! How is Stash asked, and what do its answers mean?

mod client;
mod error;
mod wire;

pub use client::{StashAbout, StashClient, StashSettings};
