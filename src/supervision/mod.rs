//! How does a failed actor come back? Factories, drop guards, links that survive restarts, heartbeats and a limit.
//!
//! `actix::Supervisor` restarts on `ctx.stop()` only, never after a panic, keeps the old state and knows no pause; so
//! this folder does the work itself, and hides actix's addresses from everybody else.

pub mod board;
pub mod child;
pub mod link;
pub mod policy;
pub mod probe;
pub mod supervisor;
pub mod watch;

pub use board::{ActorStatus, Board};
pub use child::Child;
pub use link::{Link, LinkError};
pub use policy::{Restart, RestartPolicy};
pub use probe::{Beat, Fault};
pub use supervisor::Supervisor;
pub use watch::{Cause, Watch};
