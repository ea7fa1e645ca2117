//! How does it all come together? From settings to a running service, and back: the only room that knows everything.

pub mod checkup;
mod parts;
pub mod preview;
pub mod trial;
mod ways;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use anyhow::Context as _;
use jiff::Timestamp;
use rand::{Rng, RngExt as _, SeedableRng as _, rngs::SmallRng};
use tokio::sync::oneshot;

use crate::actors::circuits::Circuits;
use crate::actors::messages::Drain;
use crate::actors::scheduler::Scheduler;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::ids::SceneId;
use crate::domain::job::Pause;
use crate::plugin::{Target, own_program};
use crate::store::counts::counts;
use crate::store::tokens::NarrowTokens;
use crate::store::{self, InstanceLock, ReadConn, Readers, StoreError, queue, settings, steer};
use crate::supervision::supervisor::{ActorName, GaveUp};
use crate::supervision::{Board, Fault, Link, Supervisor};
use crate::web::auth::Access;
use crate::web::plugin_source::PluginOffer;
use crate::web::server::serve;
use crate::web::{Gate, WebState};
use parts::{Links, children, parts, path_style, restarts};
use ways::Ways;

/// Writes in hand may take this long at the end; `docker stop` kills after ten seconds.
const LAST_WRITES: Duration = Duration::from_secs(8);
/// How often it is looked whether everything is done.
const IDLE_LOOK: Duration = Duration::from_millis(20);

/// Why nothing is started any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idle {
    /// Nothing is due.
    Done,
    /// Scenes are due, and the queue is paused.
    Paused(Pause),
    /// Scenes are due, and a peer does not work: which, and what it said last.
    Held(String),
}

/// A running service. It has to be started inside an actix system.
pub struct App {
    address: SocketAddr,
    supervisor: Supervisor,
    gave_up: Option<oneshot::Receiver<GaveUp>>,
    server: ServerHandle,
    scheduler: Link<Scheduler>,
    readers: Readers,
    circuits: Circuits,
    clock: Arc<dyn Clock>,
    draining: Arc<AtomicBool>,
    _lock: InstanceLock,
}

impl App {
    /// Opens the database, binds the port and starts the actors. Peers may be away; the service says so and waits.
    pub fn start(config: &Config, clock: Arc<dyn Clock>, seed: u64) -> anyhow::Result<Self> {
        Self::start_for(None, config, clock, seed)
    }

    /// The same, but for the work on one scene alone, as for a command while no service runs.
    pub fn start_only(
        scene: SceneId,
        config: &Config,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> anyhow::Result<Self> {
        Self::start_for(Some(scene), config, clock, seed)
    }

    fn start_for(
        only: Option<SceneId>,
        config: &Config,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let lock = InstanceLock::acquire(&config.storage.path, &owner(clock.as_ref()))?;
        let mut rng = SmallRng::seed_from_u64(seed);
        let kept = open_database(config, &mut rng)?;
        let readers = Readers::open(&config.storage.path)?;
        let listener = TcpListener::bind(config.server.listen).with_context(|| {
            format!("cannot listen on {}; is another PlexSync running?", config.server.listen)
        })?;
        listener.set_nonblocking(true).context("cannot set up the listening socket")?;
        let address = listener.local_addr().context("cannot tell the listening address")?;

        let links = Links::new();
        let ways = Ways::new(config, &readers, &clock)?;
        let mut parts = parts(config, &clock, rng.random(), kept.client_id, &readers, &links, &ways)?;
        parts.dispatch.only = only;
        let (supervisor, gave_up) =
            Supervisor::start(children(&parts, &links, &clock), restarts(config), Arc::clone(&clock));
        let draining = Arc::new(AtomicBool::new(false));
        let target = Target { url: config.server.reached_at(address), token: kept.tokens.hook.clone() };
        let web = WebState {
            access: Arc::new(Access::new(config.server.token.clone(), kept.tokens, &known_hosts(config))),
            plugin: PluginOffer::new(target, own_program()),
            ingest: links.ingest.clone(),
            persistence: links.persistence.clone(),
            gate: Gate::new(config.server.max_body, config.server.request_timeout),
            readers: readers.clone(),
            board: supervisor.board().clone(),
            circuits: ways.circuits.clone(),
            channel: ways.channel,
            writes: ways.writes,
            clock: Arc::clone(&clock),
            started_at: clock.now(),
            paths: path_style(config),
            request_timeout: config.server.request_timeout,
            draining: Arc::clone(&draining),
        };
        let (running, server) = serve(listener, web).context("cannot start the web server")?;
        actix::spawn(running);
        Ok(Self {
            address,
            supervisor,
            gave_up: Some(gave_up),
            server,
            scheduler: links.scheduler,
            readers,
            circuits: ways.circuits,
            clock,
            draining,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The state of the actors.
    pub fn board(&self) -> &Board {
        self.supervisor.board()
    }

    pub fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Makes an actor fail. For the demo and the tests; no route and no command leads here.
    pub fn strike(&self, actor: ActorName, fault: Fault) {
        self.supervisor.strike(actor, fault);
    }

    /// Ends when nothing is in hand and nothing will be started. It needs no hold on the service, only its database and
    /// what is known of the peers.
    pub fn until_idle(&self) -> impl Future<Output = Idle> + use<> {
        let (readers, clock) = (self.readers.clone(), Arc::clone(&self.clock));
        let circuits = self.circuits.clone();
        async move {
            loop {
                // A database that cannot be read just now says nothing about what is left to do.
                let idle = readers.with(|reader| idle(reader, &circuits, clock.now()));
                if let Some(idle) = idle.unwrap_or_default() {
                    return idle;
                }
                // Real time, as the work that is waited for runs in it whatever the clock of the service says.
                tokio::time::sleep(IDLE_LOOK).await;
            }
        }
    }

    /// Waits, once, until the actors have failed more often than they may; the text says which.
    pub fn gave_up(&mut self) -> impl Future<Output = String> + use<> {
        let gave_up = self.gave_up.take();
        async {
            match gave_up {
                Some(gave_up) => {
                    gave_up.await.map_or_else(|_| "the supervisor ended".to_owned(), |end| end.to_string())
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Ends in order: no new events, writes in hand to their end, then the actors. Whatever is left starts again later.
    pub async fn stop(self) {
        self.draining.store(true, Ordering::Relaxed);
        let drained =
            self.scheduler.ask(Drain { limit: LAST_WRITES }, LAST_WRITES + Duration::from_secs(1)).await;
        if let Err(error) = drained {
            tracing::warn!("the scheduler did not end in order: {error}");
        }
        self.server.stop(true).await;
        self.supervisor.stop().await;
    }
}

fn idle(reader: &mut impl ReadConn, circuits: &Circuits, now: Timestamp) -> Result<Option<Idle>, StoreError> {
    if queue::is_idle(reader, now)? {
        return Ok(Some(Idle::Done));
    }
    if counts(reader)?.running > 0 {
        return Ok(None);
    }
    let paused = steer::paused(reader)?.map(Idle::Paused);
    Ok(paused.or_else(|| circuits.held().map(Idle::Held)))
}

fn owner(clock: &dyn Clock) -> String {
    format!(
        "process {}, started at {}",
        std::process::id(),
        clock.now().round(jiff::Unit::Second).unwrap_or(clock.now())
    )
}

/// What the database keeps about this installation.
struct Kept {
    /// The id under which Plex knows it.
    client_id: String,
    tokens: NarrowTokens,
}

/// Makes the database ready.
#[expect(clippy::disallowed_methods, reason = "no secret follows from a seed that somebody could guess")]
fn open_database(config: &Config, rng: &mut impl Rng) -> anyhow::Result<Kept> {
    let fresh = crate::domain::ids::CorrelationId::random(rng).to_string();
    let mut writer = store::open(&config.storage.path)?;
    Ok(writer.write(|tx| {
        let client_id = match &config.plex.client_id {
            Some(chosen) => chosen.clone(),
            None => settings::get_or_put(tx, settings::CLIENT_ID, &fresh)?,
        };
        Ok(Kept { client_id, tokens: store::tokens::narrow(tx, &mut rand::rng())? })
    })?)
}

/// The names under which the service may be addressed while it has no token.
fn known_hosts(config: &Config) -> Vec<String> {
    let public = config.server.public_url.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
    config.server.allowed_hosts.iter().cloned().chain(public).collect()
}
