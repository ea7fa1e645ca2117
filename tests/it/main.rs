//! Does the whole service keep its promises? One binary; one file for each behaviour.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what fails here is to fail the test"
)]

mod actors;
mod check;
mod clock;
mod corpus;
mod covers;
mod failures;
mod fields;
mod harm;
mod history;
mod hook;
mod identity;
mod limits;
mod lists;
mod matching;
mod matrix;
mod outages;
mod plex_events;
mod plugin;
mod plugin_source;
mod probe;
mod process;
mod python_hook;
mod review;
mod secrets;
mod seeded;
mod settings;
mod spool;
mod steer;
mod support;
mod sync;
mod tidy;
mod undo;
mod upgrade;
mod webhook;
