//! Decisions: pure functions and the types they speak of. No file here knows an actor, a database, a socket, a clock
//! or a source of chance; time and randomness come in as arguments.

pub mod breaker;
pub mod circuit;
pub mod edits;
pub mod event;
pub mod explain;
pub mod failure;
pub mod ids;
pub mod image;
pub mod item;
pub mod job;
pub mod matching;
pub mod pace;
pub mod pending;
pub mod retry;
pub mod scene;
