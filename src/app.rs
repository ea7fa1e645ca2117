//! How does it all come together? From settings to a running service, and back: the only file that knows everything.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use anyhow::Context as _;
use rand::{Rng, RngExt as _, SeedableRng as _, rngs::SmallRng};
use tokio::sync::{Semaphore, oneshot};

use crate::actors::dead_letter::DeadLetter;
use crate::actors::indexer::{Indexer, Walker};
use crate::actors::ingest::Ingest;
use crate::actors::matching::{Finder, Matching};
use crate::actors::messages::Drain;
use crate::actors::peers::Peers;
use crate::actors::persistence::{Persistence, PersistenceSettings};
use crate::actors::plex_sync::{Editor, PlexSync};
use crate::actors::scheduler::Scheduler;
use crate::actors::stages::ActorStages;
use crate::actors::{DEAD_LETTER, INDEXER, INGEST, MATCHING, PERSISTENCE, PLEX_SYNC, SCHEDULER};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::edits::{EditPolicy, Limits};
use crate::domain::job::Debounce;
use crate::domain::matching::{MatchPolicy, PathMap, PathRule};
use crate::domain::retry::RetryPolicy;
use crate::plex::{PlexClient, PlexSettings};
use crate::stash::{StashClient, StashSettings};
use crate::store::counts::counts;
use crate::store::{self, InstanceLock, Readers, StoreError, queue, settings};
use crate::supervision::supervisor::{ActorName, GaveUp};
use crate::supervision::{Board, Child, Fault, Link, RestartPolicy, Supervisor, Watch};
use crate::telemetry::redact::PathStyle;
use crate::web::WebState;
use crate::web::auth::Access;
use crate::web::server::serve;

/// Writes in hand may take this long at the end; `docker stop` kills after ten seconds.
const LAST_WRITES: Duration = Duration::from_secs(8);

/// A running service. It has to be started inside an actix system.
pub struct App {
    address: SocketAddr,
    supervisor: Supervisor,
    gave_up: Option<oneshot::Receiver<GaveUp>>,
    server: ServerHandle,
    scheduler: Link<Scheduler>,
    readers: Readers,
    clock: Arc<dyn Clock>,
    draining: Arc<AtomicBool>,
    _lock: InstanceLock,
}

/// The links between the actors.
struct Links {
    persistence: Link<Persistence>,
    dead_letter: Link<DeadLetter>,
    indexer: Link<Indexer>,
    matching: Link<Matching>,
    plex_sync: Link<PlexSync>,
    scheduler: Link<Scheduler>,
    ingest: Link<Ingest>,
}

impl Links {
    fn new() -> Self {
        Self {
            persistence: Link::new(PERSISTENCE),
            dead_letter: Link::new(DEAD_LETTER),
            indexer: Link::new(INDEXER),
            matching: Link::new(MATCHING),
            plex_sync: Link::new(PLEX_SYNC),
            scheduler: Link::new(SCHEDULER),
            ingest: Link::new(INGEST),
        }
    }
}

/// What the actors are made from.
struct Parts {
    persistence: PersistenceSettings,
    finder: Finder,
    walker: Walker,
    editor: Editor,
    stages: Arc<ActorStages>,
    concurrency: usize,
}

impl App {
    /// Opens the database, binds the port and starts the actors. Peers may be away; the service says so and waits.
    pub fn start(config: &Config, clock: Arc<dyn Clock>, seed: u64) -> anyhow::Result<Self> {
        let lock = InstanceLock::acquire(&config.storage.path, &owner(clock.as_ref()))?;
        let mut rng = SmallRng::seed_from_u64(seed);
        let client_id = open_database(config, &mut rng)?;
        let readers = Readers::open(&config.storage.path)?;
        let listener = TcpListener::bind(config.server.listen).with_context(|| {
            format!("cannot listen on {}; is another PlexSync running?", config.server.listen)
        })?;
        listener.set_nonblocking(true).context("cannot set up the listening socket")?;
        let address = listener.local_addr().context("cannot tell the listening address")?;

        let links = Links::new();
        let peers = Peers::default();
        let parts = parts(config, &clock, rng.random(), client_id, &readers, &links, &peers)?;
        let (supervisor, gave_up) =
            Supervisor::start(children(&parts, &links, &clock), restarts(config), Arc::clone(&clock));
        let draining = Arc::new(AtomicBool::new(false));
        let web = WebState {
            access: Arc::new(Access::new(config.server.token.clone(), &config.server.allowed_hosts)),
            ingest: links.ingest.clone(),
            persistence: links.persistence.clone(),
            permits: WebState::permits(),
            readers: readers.clone(),
            board: supervisor.board().clone(),
            peers,
            clock: Arc::clone(&clock),
            started_at: clock.now(),
            max_body: config.server.max_body,
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

    /// Whether nothing is due and nothing in hand.
    pub fn is_idle(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.readers.with(|reader| {
            let in_hand = counts(reader)?.running;
            Ok(in_hand == 0 && queue::next_due(reader)?.is_none_or(|due| due > now))
        })
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

fn owner(clock: &dyn Clock) -> String {
    format!(
        "process {}, started at {}",
        std::process::id(),
        clock.now().round(jiff::Unit::Second).unwrap_or(clock.now())
    )
}

/// Makes the database ready and returns the id under which Plex knows this installation.
fn open_database(config: &Config, rng: &mut impl Rng) -> anyhow::Result<String> {
    let mut writer = store::open(&config.storage.path)?;
    if let Some(chosen) = &config.plex.client_id {
        return Ok(chosen.clone());
    }
    let fresh = crate::domain::ids::CorrelationId::random(rng).to_string();
    Ok(writer.write(|tx| match settings::get(tx, settings::CLIENT_ID)? {
        Some(known) => Ok(known),
        None => settings::put(tx, settings::CLIENT_ID, &fresh).map(|()| fresh),
    })?)
}

fn clients(config: &Config, client_id: String) -> anyhow::Result<(StashClient, PlexClient)> {
    let stash = StashClient::new(StashSettings {
        url: config.stash.url.clone(),
        api_key: config.stash.api_key.clone(),
        connect_timeout: config.stash.connect_timeout,
        read_timeout: config.stash.read_timeout,
    })?;
    let plex = PlexClient::new(PlexSettings {
        url: config.plex.url.clone(),
        token: config.plex.token.clone().unwrap_or_default(),
        client_id,
        verify_tls: config.plex.verify_tls,
        connect_timeout: config.plex.connect_timeout,
        read_timeout: config.plex.read_timeout,
        write_timeout: config.plex.write_timeout,
    })?;
    Ok((stash, plex))
}

fn parts(
    config: &Config,
    clock: &Arc<dyn Clock>,
    seed: u64,
    client_id: String,
    readers: &Readers,
    links: &Links,
    peers: &Peers,
) -> anyhow::Result<Parts> {
    let (stash, plex) = clients(config, client_id)?;
    let paths = PathStyle::obfuscated_if(config.log.obfuscate_paths);
    let rule = |map: &crate::config::PathMap| PathRule { stash: map.stash.clone(), plex: map.plex.clone() };
    let map = Arc::new(PathMap::new(config.path_map.iter().map(rule).collect()));
    Ok(Parts {
        persistence: PersistenceSettings {
            path: config.storage.path.clone(),
            debounce: Debounce { quiet: config.queue.debounce, created: config.queue.create_delay },
            retry: retries(config),
            keep_history: config.storage.keep_history,
            keep_dead: config.storage.keep_dead,
            clock: Arc::clone(clock),
            seed,
        },
        finder: Finder {
            readers: readers.clone(),
            indexer: links.indexer.clone(),
            persistence: links.persistence.clone(),
            map,
            paths,
            policy: MatchPolicy {
                auto: config.matching.auto_threshold,
                review: config.matching.review_threshold,
            },
            clock: Arc::clone(clock),
        },
        walker: Walker {
            plex: plex.clone(),
            libraries: config.plex.libraries.clone().into(),
            readers: readers.clone(),
            persistence: links.persistence.clone(),
            clock: Arc::clone(clock),
        },
        editor: Editor {
            plex,
            readers: readers.clone(),
            persistence: links.persistence.clone(),
            policy: Arc::new(edits(config)),
            paths,
            one_write: Arc::new(Semaphore::new(1)),
            clock: Arc::clone(clock),
        },
        stages: Arc::new(ActorStages {
            stash,
            matching: links.matching.clone(),
            plex_sync: links.plex_sync.clone(),
            persistence: links.persistence.clone(),
            dead_letter: links.dead_letter.clone(),
            peers: peers.clone(),
            clock: Arc::clone(clock),
        }),
        concurrency: config.queue.concurrency,
    })
}

fn retries(config: &Config) -> RetryPolicy {
    RetryPolicy {
        first_delay: config.retry.first_delay,
        max_delay: config.retry.max_delay,
        give_up_after: config.retry.give_up_after,
        min_attempts: config.retry.min_attempts,
        not_found_for: config.queue.not_found_for,
    }
}

fn edits(config: &Config) -> EditPolicy {
    EditPolicy {
        fields: config.sync.fields.clone(),
        hand_edits: config.sync.hand_edits,
        clear_empty: config.sync.clear_empty,
        lock: config.sync.lock,
        limits: Limits { title: config.sync.max_title, summary: config.sync.max_summary },
    }
}

fn restarts(config: &Config) -> RestartPolicy {
    RestartPolicy {
        max_restarts: config.supervision.max_restarts,
        within: config.supervision.within,
        first_pause: config.supervision.first_pause,
        max_pause: config.supervision.max_pause,
        heartbeat: config.supervision.heartbeat,
    }
}

/// How each actor is made, in the order in which they start: whoever is asked comes before whoever asks.
fn children(parts: &Parts, links: &Links, clock: &Arc<dyn Clock>) -> Vec<Child> {
    /// An actor that needs nothing that could be missing.
    #[expect(clippy::unnecessary_wraps, reason = "a factory may fail, and most do not")]
    fn sure<A>(actor: A) -> Result<A, std::convert::Infallible> {
        Ok(actor)
    }
    let settings = parts.persistence.clone();
    let (walker, finder, editor) = (parts.walker.clone(), parts.finder.clone(), parts.editor.clone());
    let (persistence, stages) = (links.persistence.clone(), Arc::clone(&parts.stages));
    let (concurrency, clock) = (parts.concurrency, Arc::clone(clock));
    let ingest = (links.persistence.clone(), links.scheduler.clone(), Arc::clone(&clock));
    vec![
        Child::new(links.persistence.clone(), move |watch| Persistence::open(settings.clone(), watch)),
        Child::new(links.dead_letter.clone(), |watch: Watch| sure(DeadLetter { watch })),
        Child::new(links.indexer.clone(), move |watch| sure(Indexer::new(walker.clone(), watch))),
        Child::new(links.matching.clone(), move |watch| sure(Matching::new(finder.clone(), watch))),
        Child::new(links.plex_sync.clone(), move |watch| sure(PlexSync::new(editor.clone(), watch))),
        Child::new(links.scheduler.clone(), move |watch| {
            sure(Scheduler::new(
                persistence.clone(),
                Arc::clone(&stages),
                Arc::clone(&clock),
                concurrency,
                watch,
            ))
        }),
        Child::new(links.ingest.clone(), move |watch| {
            sure(Ingest::new(ingest.0.clone(), ingest.1.clone(), Arc::clone(&ingest.2), watch))
        }),
    ]
}
