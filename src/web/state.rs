//! What do the routes share?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::admission::Gate;
use super::auth::Access;
use super::plugin_source::PluginOffer;
use crate::actors::circuits::Circuits;
use crate::actors::ingest::Ingest;
use crate::actors::persistence::Persistence;
use crate::actors::plex_events::ChannelBoard;
use crate::actors::turns::Turns;
use crate::clock::Clock;
use crate::store::Readers;
use crate::supervision::{Board, Link};
use crate::telemetry::PathStyle;

/// Everything the routes need. Cheap to clone.
#[derive(Clone)]
pub struct WebState {
    pub access: Arc<Access>,
    pub plugin: PluginOffer,
    pub ingest: Link<Ingest>,
    pub persistence: Link<Persistence>,
    pub gate: Gate,
    pub readers: Readers,
    pub board: Board,
    pub circuits: Circuits,
    pub channel: ChannelBoard,
    pub writes: Arc<Turns>,
    pub clock: Arc<dyn Clock>,
    pub started_at: Timestamp,
    /// How paths stand in what people read.
    pub paths: PathStyle,
    pub request_timeout: Duration,
    pub draining: Arc<AtomicBool>,
}

impl WebState {
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
