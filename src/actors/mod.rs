//! Who does what? Thin shells that take a message apart, make one call and answer. Everything worth arguing about is
//! decided in [`crate::domain`].

pub mod circuits;
pub mod contents;
mod covers;
pub mod dead_letter;
pub mod indexer;
pub mod ingest;
pub mod matching;
pub mod messages;
pub mod persistence;
pub mod pipeline;
pub mod plex_events;
pub mod plex_sync;
pub mod probes;
mod read_back;
pub mod scans;
pub mod scheduler;
mod stage;
pub mod stages;
pub mod turns;
mod undo;

use crate::supervision::supervisor::ActorName;

pub const INGEST: ActorName = ActorName("ingest");
pub const PERSISTENCE: ActorName = ActorName("persistence");
pub const SCHEDULER: ActorName = ActorName("scheduler");
pub const INDEXER: ActorName = ActorName("indexer");
pub const MATCHING: ActorName = ActorName("matching");
pub const PLEX_SYNC: ActorName = ActorName("plex_sync");
pub const PLEX_EVENTS: ActorName = ActorName("plex_events");
pub const DEAD_LETTER: ActorName = ActorName("dead_letter");

/// Every supervised actor, in the order in which they are started.
pub const ALL: [ActorName; 8] =
    [PERSISTENCE, DEAD_LETTER, INDEXER, MATCHING, PLEX_SYNC, SCHEDULER, INGEST, PLEX_EVENTS];
