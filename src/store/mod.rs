//! How is the queue kept? diesel on one SQLite file: plain functions, no actor.
//!
//! Every write goes through [`Writer::write`], which is the only way to a [`WriteTx`]. Outside a transaction an
//! `INSERT … RETURNING` can report a row that is not stored: SQLite commits inside the reset of the statement, and the
//! error of that commit is dropped by whoever read the row and stopped. There is no `ANALYZE` and no `PRAGMA optimize`:
//! statistics would make SQLite plan every range query anew.

pub mod attempts;
pub mod connection;
pub mod counts;
pub mod dead_letters;
pub mod error;
pub mod ledger;
pub mod lock;
pub mod plex_index;
pub mod prune;
pub mod queue;
mod rows;
pub mod schema;
pub mod settings;

pub use connection::{ReadConnection, Readers, WriteTx, Writer};
pub use error::StoreError;
pub use lock::InstanceLock;
