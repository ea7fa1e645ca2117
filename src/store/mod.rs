//! What does the service remember, and how is it kept safe? Plain functions on one SQLite database.
//!
//! Writing functions take a [`WriteTx`], which only [`Writer::write`] hands out; reading ones take any [`ReadConn`].
//! What happens to a job is decided in [`crate::domain::job`]; here rows are loaded, saved and counted.

pub mod attempts;
pub mod awaited;
mod backup;
pub mod candidates;
mod connection;
pub mod counts;
pub mod covers;
pub mod dead_letters;
mod declined;
mod error;
pub mod intents;
pub mod jobs;
pub mod ledger;
mod lock;
mod migrations;
pub mod outages;
pub mod own_paths;
pub mod plex_index;
pub mod plex_parts;
pub mod plugin_dates;
pub mod prune;
pub mod queue;
mod readers;
pub mod reviews;
mod rows;
mod schema;
pub mod settings;
pub mod settle;
pub mod steer;
pub mod tokens;
pub mod undos;
pub mod writes;

pub use connection::{ReadConn, Reader, WriteTx, Writer, integrity, open};
pub use error::StoreError;
pub use lock::InstanceLock;
pub use readers::Readers;
pub use rows::ItemKey;

#[cfg(test)]
mod tests;
