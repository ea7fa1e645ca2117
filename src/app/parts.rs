//! What are the actors made from? The settings of each, the clients, and the links between them.

use std::sync::Arc;

use crate::actors::contents::Contents;
use crate::actors::dead_letter::DeadLetter;
use crate::actors::indexer::{Indexer, Walker};
use crate::actors::ingest::Ingest;
use crate::actors::matching::{Finder, Matching};
use crate::actors::persistence::{Persistence, PersistenceSettings};
use crate::actors::pipeline::RunPolicy;
use crate::actors::plex_events::{Listener, PlexEvents};
use crate::actors::plex_sync::{Editor, PlexSync};
use crate::actors::probes::{Probes, ReadAgain};
use crate::actors::scans::Scans;
use crate::actors::scheduler::{Dispatch, Scheduler};
use crate::actors::stages::ActorStages;
use crate::actors::{DEAD_LETTER, INDEXER, INGEST, MATCHING, PERSISTENCE, PLEX_EVENTS, PLEX_SYNC, SCHEDULER};
use crate::clock::Clock;
use crate::config::{Config, SecretSource};
use crate::domain::edits::{EditPolicy, Limits};
use crate::domain::job::Debounce;
use crate::domain::matching::{MatchPolicy, PathMap, PathRule};
use crate::domain::retry::RetryPolicy;
use crate::http::HttpError;
use crate::plex::{PlexClient, PlexSettings};
use crate::stash::{StashClient, StashSettings};
use crate::store::{Readers, settings};
use crate::supervision::{Child, Link, RestartPolicy, Watch};
use crate::telemetry::redact::PathStyle;

use super::ways::Ways;

/// The links between the actors.
pub(super) struct Links {
    pub(super) persistence: Link<Persistence>,
    dead_letter: Link<DeadLetter>,
    indexer: Link<Indexer>,
    matching: Link<Matching>,
    plex_sync: Link<PlexSync>,
    pub(super) scheduler: Link<Scheduler>,
    pub(super) ingest: Link<Ingest>,
    plex_events: Link<PlexEvents>,
}

impl Links {
    pub(super) fn new() -> Self {
        Self {
            persistence: Link::new(PERSISTENCE),
            dead_letter: Link::new(DEAD_LETTER),
            indexer: Link::new(INDEXER),
            matching: Link::new(MATCHING),
            plex_sync: Link::new(PLEX_SYNC),
            scheduler: Link::new(SCHEDULER),
            ingest: Link::new(INGEST),
            plex_events: Link::new(PLEX_EVENTS),
        }
    }
}

/// What the actors are made from.
pub(super) struct Parts {
    persistence: PersistenceSettings,
    finder: Finder,
    walker: Walker,
    listener: Listener,
    editor: Editor,
    pub(super) dispatch: Dispatch,
}

/// For commands, which are known to Plex by the name that the service has, if it ever ran.
pub(super) fn clients_as_known(
    config: &Config,
    readers: Option<&Readers>,
) -> anyhow::Result<(StashClient, PlexClient)> {
    let kept = |readers: &Readers| readers.with(|reader| settings::get(reader, settings::CLIENT_ID));
    let client_id = match &config.plex.client_id {
        Some(chosen) => Some(chosen.clone()),
        None => readers.map(kept).transpose()?.flatten(),
    };
    clients(config, client_id.unwrap_or_else(|| "plexsync".to_owned()))
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

pub(super) fn parts(
    config: &Config,
    clock: &Arc<dyn Clock>,
    seed: u64,
    client_id: String,
    readers: &Readers,
    links: &Links,
    ways: &Ways,
) -> anyhow::Result<Parts> {
    let (stash, plex) = clients(config, client_id)?;
    let probes = Probes {
        stash,
        plex: plex.clone(),
        readers: readers.clone(),
        stash_key: again(&config.secret_sources.stash_api_key),
        plex_token: again(&config.secret_sources.plex_token),
    };
    let paths = path_style(config);
    let map = Arc::new(path_map(config));
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
        finder: finder(config, clock, readers, links, &plex, &map),
        walker: Walker {
            plex: plex.clone(),
            libraries: config.plex.libraries.clone().into(),
            readers: readers.clone(),
            persistence: links.persistence.clone(),
            walk_every: config.reconcile.plex_index_every,
            circuits: ways.circuits.clone(),
            clock: Arc::clone(clock),
        },
        listener: Listener {
            plex: plex.clone(),
            follows_all: config.plex.libraries.is_empty(),
            readers: readers.clone(),
            persistence: links.persistence.clone(),
            indexer: links.indexer.clone(),
            circuits: ways.circuits.clone(),
            board: ways.channel.clone(),
            clock: Arc::clone(clock),
            seed,
        },
        editor: Editor {
            plex,
            stash: probes.stash.clone(),
            questions: Arc::clone(&ways.questions),
            readers: readers.clone(),
            persistence: links.persistence.clone(),
            policy: Arc::new(edits(config)),
            paths,
            writes: Arc::clone(&ways.writes),
            clock: Arc::clone(clock),
        },
        dispatch: dispatch(config, clock, readers, links, ways, probes, map),
    })
}

/// How paths stand in what people read.
pub(super) const fn path_style(config: &Config) -> PathStyle {
    PathStyle::obfuscated_if(config.log.obfuscate_paths)
}

fn finder(
    config: &Config,
    clock: &Arc<dyn Clock>,
    readers: &Readers,
    links: &Links,
    plex: &PlexClient,
    map: &Arc<PathMap>,
) -> Finder {
    let paths = path_style(config);
    Finder {
        contents: Contents::new(plex.clone(), links.persistence.clone()),
        scans: Scans::new(
            plex.clone(),
            config.matching.scan_missing,
            config.plex.libraries.clone().into(),
            paths,
            Arc::clone(clock),
        ),
        readers: readers.clone(),
        indexer: links.indexer.clone(),
        persistence: links.persistence.clone(),
        map: Arc::clone(map),
        paths,
        policy: matches(config),
        clock: Arc::clone(clock),
    }
}

fn dispatch(
    config: &Config,
    clock: &Arc<dyn Clock>,
    readers: &Readers,
    links: &Links,
    ways: &Ways,
    probes: Probes,
    map: Arc<PathMap>,
) -> Dispatch {
    let stages = ActorStages {
        stash: probes.stash.clone(),
        matching: links.matching.clone(),
        plex_sync: links.plex_sync.clone(),
        persistence: links.persistence.clone(),
        dead_letter: links.dead_letter.clone(),
        circuits: ways.circuits.clone(),
        questions: Arc::clone(&ways.questions),
        map,
        policy: RunPolicy { only_organized: config.sync.only_organized, on_delete: config.sync.on_delete },
        readers: readers.clone(),
        clock: Arc::clone(clock),
    };
    Dispatch {
        persistence: links.persistence.clone(),
        stages: Arc::new(stages),
        circuits: ways.circuits.clone(),
        probes: Arc::new(probes),
        clock: Arc::clone(clock),
        concurrency: config.queue.concurrency,
        only: None,
    }
}

/// Reads a secret from its file once more, for when the peer refuses the one that is in use.
fn again(source: &SecretSource) -> ReadAgain {
    let source = source.clone();
    Arc::new(move || {
        source.read_again().unwrap_or_else(|error| {
            tracing::debug!("a secret {error}");
            None
        })
    })
}

fn retries(config: &Config) -> RetryPolicy {
    RetryPolicy {
        first_delay: config.retry.first_delay,
        max_delay: config.retry.max_delay,
        adaptive: config.retry.adaptive,
        give_up_after: config.retry.give_up_after,
        min_attempts: config.retry.min_attempts,
        not_found_for: config.queue.not_found_for,
    }
}

pub(super) fn path_map(config: &Config) -> PathMap {
    let rule = |map: &crate::config::PathMap| PathRule { stash: map.stash.clone(), plex: map.plex.clone() };
    PathMap::new(config.path_map.iter().map(rule).collect())
}

pub(super) fn matches(config: &Config) -> MatchPolicy {
    MatchPolicy { auto: config.matching.auto_threshold, review: config.matching.review_threshold }
}

pub(super) fn edits(config: &Config) -> EditPolicy {
    EditPolicy {
        fields: config.sync.fields.clone(),
        hand_edits: config.sync.hand_edits,
        clear_empty: config.sync.clear_empty,
        ownership: config.sync.ownership,
        lock: config.sync.lock,
        content_rating: config.sync.content_rating.clone(),
        limits: Limits {
            title: config.sync.max_title,
            summary: config.sync.max_summary,
            tags: config.sync.max_tags,
            performers: config.sync.max_performers,
        },
    }
}

pub(super) fn restarts(config: &Config) -> RestartPolicy {
    RestartPolicy {
        max_restarts: config.supervision.max_restarts,
        within: config.supervision.within,
        first_pause: config.supervision.first_pause,
        max_pause: config.supervision.max_pause,
        heartbeat: config.supervision.heartbeat,
    }
}

/// How each actor is made, in the order in which they start: whoever is asked comes before whoever asks.
pub(super) fn children(parts: &Parts, links: &Links, clock: &Arc<dyn Clock>) -> Vec<Child> {
    /// An actor that needs nothing that could be missing.
    #[expect(clippy::unnecessary_wraps, reason = "a factory may fail, and most do not")]
    fn sure<A>(actor: A) -> Result<A, std::convert::Infallible> {
        Ok(actor)
    }
    let settings = parts.persistence.clone();
    let (walker, finder, editor) = (parts.walker.clone(), parts.finder.clone(), parts.editor.clone());
    let (dispatch, listener) = (parts.dispatch.clone(), parts.listener.clone());
    let ingest = (links.persistence.clone(), links.scheduler.clone(), Arc::clone(clock));
    // Work on one scene alone is over before Plex could tell of anything.
    let listens = parts.dispatch.only.is_none();
    let mut children = vec![
        Child::new(links.persistence.clone(), move |watch| Persistence::open(settings.clone(), watch)),
        Child::new(links.dead_letter.clone(), |watch: Watch| sure(DeadLetter { watch })),
        Child::new(links.indexer.clone(), move |watch| {
            Ok::<_, HttpError>(Indexer::new(walker.reconnected()?, watch))
        }),
        Child::new(links.matching.clone(), move |watch| {
            Ok::<_, HttpError>(Matching::new(finder.reconnected()?, watch))
        }),
        Child::new(links.plex_sync.clone(), move |watch| {
            let (plex, stash) = (editor.plex.reconnected()?, editor.stash.reconnected()?);
            let editor = Editor { plex, stash, ..editor.clone() };
            Ok::<_, HttpError>(PlexSync::new(editor, watch))
        }),
        Child::new(links.scheduler.clone(), move |watch| {
            Ok::<_, HttpError>(Scheduler::new(dispatch.reconnected()?, watch))
        }),
        Child::new(links.ingest.clone(), move |watch| {
            sure(Ingest::new(ingest.0.clone(), ingest.1.clone(), Arc::clone(&ingest.2), watch))
        }),
    ];
    if listens {
        children.push(Child::new(links.plex_events.clone(), move |watch| {
            Ok::<_, HttpError>(PlexEvents::new(listener.reconnected()?, watch))
        }));
    }
    children
}
