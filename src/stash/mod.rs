//! How does PlexSync ask Stash? A GraphQL client whose every failure is classified here and nowhere else.

mod client;
mod cover;
mod error;
mod library;
mod plugins;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{OLDEST_STASH, StashAbout, StashClient, StashSettings, StashStatus};
pub use cover::Cover;
pub use plugins::{InstalledPackage, LogLine, PackageSource, StashPlugin};
