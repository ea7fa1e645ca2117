//! Which peers can PlexSync be tried against without a real Stash or a real Plex?
//!
//! [`SimStash`] and [`SimPlex`] keep state, speak the real protocols over real HTTP on loopback, and have the
//! traps of the real servers as switches. [`Faults`] makes them misbehave on purpose. Both run on threads of
//! their own, so their handles work from plain tests, from async code and from actors alike.

#[cfg(test)]
pub(crate) mod client;
pub mod clock;
pub mod corpus;
pub mod faults;
pub mod net;
pub mod plex;
pub mod record;
pub mod stash;
pub mod world;

pub use clock::SimClock;
pub use faults::{Failing, Fault, FaultId, Faults};
pub use plex::{ItemView, NewItem, PlexOp, PlexOptions, SimPlex, TagAdds};
pub use record::Recorded;
pub use stash::{
    Cover, EntityKind, HangUp, Hook, HookCall, NewFile, NewScene, Scene as SimScene, SimStash, StashOp,
    StashOptions, SystemStatus,
};
