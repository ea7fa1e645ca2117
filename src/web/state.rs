//! What do the routes share?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

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

/// This many requests may wait for their commit. At the limit the answer is 503: nothing is queued that is not bounded.
const ADMITTED: usize = 1024;

/// Everything the routes need. Cheap to clone.
#[derive(Clone)]
pub struct WebState {
    pub access: Arc<Access>,
    pub plugin: PluginOffer,
    pub ingest: Link<Ingest>,
    pub persistence: Link<Persistence>,
    pub permits: Arc<Semaphore>,
    pub readers: Readers,
    pub board: Board,
    pub circuits: Circuits,
    pub channel: ChannelBoard,
    pub writes: Arc<Turns>,
    pub clock: Arc<dyn Clock>,
    pub started_at: Timestamp,
    /// How paths stand in what people read.
    pub paths: PathStyle,
    /// Bytes.
    pub max_body: usize,
    pub request_timeout: Duration,
    pub draining: Arc<AtomicBool>,
}

impl WebState {
    /// The permits for waiting requests.
    pub fn permits() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(ADMITTED))
    }

    /// How many requests wait for their commit.
    pub fn waiting_requests(&self) -> usize {
        ADMITTED.saturating_sub(self.permits.available_permits())
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
