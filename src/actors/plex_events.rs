//! What does Plex tell of its libraries? Listens to its notifications, and reads again what they are about.

mod channel_status;
mod ear;
mod reader;
mod told;

use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, AsyncContext as _, Context, WrapFuture as _};

use super::circuits::Circuits;
use super::indexer::Indexer;
use super::persistence::Persistence;
use crate::clock::Clock;
use crate::http::HttpError;
use crate::plex::PlexClient;
use crate::store::Readers;
use crate::supervision::{Link, Watch};

pub use channel_status::{ChannelBoard, ChannelStatus};
use told::Told;

/// What listening needs.
#[derive(Clone)]
pub struct Listener {
    pub plex: PlexClient,
    /// Whether every library of movies is followed, also one that is not known yet.
    pub follows_all: bool,
    pub readers: Readers,
    pub persistence: Link<Persistence>,
    pub indexer: Link<Indexer>,
    pub circuits: Circuits,
    pub board: ChannelBoard,
    pub clock: Arc<dyn Clock>,
    /// Where chance begins.
    pub seed: u64,
}

impl Listener {
    /// The same with connections of its own.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        Ok(Self { plex: self.plex.reconnected()?, ..self.clone() })
    }
}

/// Keeps the path index fresh between walks. Nothing depends on it: what it misses, a look or a walk finds.
pub struct PlexEvents {
    listener: Listener,
    _watch: Watch,
}

impl PlexEvents {
    pub fn new(listener: Listener, watch: Watch) -> Self {
        Self { listener, _watch: watch }
    }
}

impl Actor for PlexEvents {
    type Context = Context<Self>;

    /// Listening goes on while something is read, or a slow answer would end the channel.
    fn started(&mut self, context: &mut Context<Self>) {
        let told = Rc::new(Told::default());
        context.spawn(ear::listen(self.listener.clone(), Rc::clone(&told)).into_actor(self));
        context.spawn(reader::read(self.listener.clone(), told).into_actor(self));
    }
}

crate::supervised!(PlexEvents);
