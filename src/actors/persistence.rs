//! Who writes to the database? This actor alone, on a thread of its own, because a commit blocks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler};
use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::messages::{
    Accept, BeginWalk, ChangeIndex, ClaimDue, DatePlugin, NoteOutages, OpenIntent, ProveWritable, Prune,
    Rebase, RefuseUndo, Release, Settle, SettleEarlier, TakeBack, WatchFor,
};
use crate::clock::Clock;
use crate::domain::failure::FailureClass;
use crate::domain::job::Debounce;
use crate::domain::retry::{FailureRates, RetryPolicy};
use crate::store::intents::{self, Opening};
use crate::store::plex_parts::Changes;
use crate::store::queue::{AcceptedEvent, Claims};
use crate::store::settle::{self, Settled};
use crate::store::{
    Reader, StoreError, WriteTx, Writer, attempts, awaited, outages, own_paths, plex_index, plex_parts,
    plugin_dates, prune, queue, settings, undos,
};
use crate::supervision::Watch;

/// More rows at once would hold the writer up.
const PRUNED_AT_ONCE: usize = 10_000;

/// What the writer needs to know besides the messages.
#[derive(Clone)]
pub struct PersistenceSettings {
    pub path: PathBuf,
    pub debounce: Debounce,
    pub retry: RetryPolicy,
    /// How long history and closed dead letters are kept.
    pub keep_history: Duration,
    pub keep_dead: Duration,
    pub clock: Arc<dyn Clock>,
    /// Where jitter and tokens begin; each incarnation draws its own from it.
    pub seed: u64,
}

/// Owns the one writing connection.
pub struct Persistence {
    writer: Writer,
    settings: PersistenceSettings,
    rng: SmallRng,
    /// How often runs failed lately.
    rates: FailureRates,
    /// When the last of the scenes is due to whose paths items came, on the clock that never goes back.
    last_woken: Duration,
    _watch: Watch,
}

impl Persistence {
    pub fn open(settings: PersistenceSettings, watch: Watch) -> Result<Self, StoreError> {
        let opened = Writer::open(&settings.path).and_then(|writer| {
            let rates = attempts::failure_rates(&mut Reader::open(&settings.path)?)?;
            Ok((writer, rates))
        });
        let (writer, rates) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                watch.refuse();
                return Err(error);
            }
        };
        // A restarted writer must not hand out the tokens of the one before it.
        let start = settings.clock.now().as_nanosecond().unsigned_abs();
        let rng =
            SmallRng::seed_from_u64(settings.seed ^ u64::try_from(start & u128::from(u64::MAX)).unwrap_or(0));
        Ok(Self { writer, settings, rng, rates, last_woken: Duration::ZERO, _watch: watch })
    }

    fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }
}

impl Actor for Persistence {
    type Context = Context<Self>;
}

impl Handler<Accept> for Persistence {
    type Result = Result<Vec<AcceptedEvent>, StoreError>;

    fn handle(&mut self, Accept { events }: Accept, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::accept(tx, &events, &self.settings.debounce, now))
    }
}

impl Handler<ClaimDue> for Persistence {
    type Result = Result<Claims, StoreError>;

    fn handle(&mut self, claim: ClaimDue, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        let ClaimDue { limit, in_hand, only } = claim;
        self.writer.write(|tx| match only {
            Some(scene) => queue::claim_only(tx, scene, now, &mut self.rng),
            None => queue::claim_due(tx, limit, in_hand, now, &mut self.rng),
        })
    }
}

impl Handler<Settle> for Persistence {
    type Result = Result<Settled, StoreError>;

    fn handle(&mut self, Settle(report): Settle, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        let (retry, rates) = (&self.settings.retry, &self.rates);
        let settled =
            self.writer.write(|tx| settle::settle(tx, &report, retry, rates, now, &mut self.rng))?;
        let failure = report.outcome.as_ref().err().map(|failure| (failure.peer, failure.class));
        // An interruption says nothing about a peer.
        if failure.is_none_or(|(_, class)| class != FailureClass::Interrupted) {
            self.rates.learn(failure);
        }
        Ok(settled)
    }
}

impl Handler<TakeBack> for Persistence {
    type Result = Result<usize, StoreError>;

    fn handle(&mut self, TakeBack: TakeBack, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| {
            // Nobody saw whether the clock was set since the last times were recorded.
            queue::rebase(tx, SignedDuration::ZERO, now)?;
            queue::take_back(tx, now)
        })
    }
}

impl Handler<Release> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, Release(tokens): Release, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::release(tx, &tokens, now).map(drop))
    }
}

impl Handler<Rebase> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, Rebase(step): Rebase, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::rebase(tx, step, now).map(drop))
    }
}

impl Handler<OpenIntent> for Persistence {
    type Result = Result<Opening, StoreError>;

    fn handle(&mut self, OpenIntent { intent, token }: OpenIntent, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| intents::open_intent(tx, &intent, token, now))
    }
}

impl Handler<SettleEarlier> for Persistence {
    type Result = Result<bool, StoreError>;

    fn handle(&mut self, earlier: SettleEarlier, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        let SettleEarlier { token, link, passed_on_by, intent } = earlier;
        self.writer.write(|tx| settle::settle_earlier(tx, token, &link, passed_on_by, &intent, now))
    }
}

impl Handler<RefuseUndo> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, RefuseUndo { write, why }: RefuseUndo, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| undos::refuse(tx, write, &why, now))
    }
}

impl Handler<BeginWalk> for Persistence {
    type Result = Result<i64, StoreError>;

    fn handle(&mut self, BeginWalk { machine, library }: BeginWalk, _: &mut Context<Self>) -> Self::Result {
        self.writer.write(|tx| plex_index::begin_walk(tx, &machine, &library))
    }
}

impl Handler<ChangeIndex> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, change: ChangeIndex, _: &mut Context<Self>) -> Self::Result {
        let (now, moment) = self.settings.clock.both();
        let wait = self.last_woken.saturating_sub(moment);
        let woken = self.writer.write(|tx| change_index(tx, &change, wait, now))?;
        if woken > 0 {
            self.last_woken = moment + wait + own_paths::APART * woken;
        }
        Ok(())
    }
}

/// Returns how many done scenes have to be looked for again, of which the first is due after the wait.
fn change_index(
    tx: &mut WriteTx<'_>,
    change: &ChangeIndex,
    wait: Duration,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let changes = match change {
        ChangeIndex::Server(machine) => {
            plex_index::drop_all(tx)?;
            settings::put(tx, settings::MACHINE, &machine.0)?;
            Changes::default()
        }
        ChangeIndex::Follow(keys) => plex_index::follow(tx, keys)?,
        ChangeIndex::Forget(key) => plex_index::forget(tx, key)?,
        ChangeIndex::Items { items, parts } => plex_index::replace_items(tx, items, parts)?,
        ChangeIndex::Parts { parts, walk } => plex_parts::upsert_parts(tx, parts, *walk)?,
        ChangeIndex::Content(parts) => {
            plex_parts::note_content(tx, parts)?;
            Changes::default()
        }
        ChangeIndex::Walked { library, walk, ground } => {
            plex_index::finish_walk(tx, &library.key, *walk, *ground, library.content_changed_at, now)?
        }
        ChangeIndex::Known { library, ground } => {
            plex_index::note_progress(tx, &library.key, *ground, library.content_changed_at)?;
            Changes::default()
        }
    };
    let again = own_paths::wake(tx, &changes.arrived, wait, now)?;
    let woken = awaited::wake(tx, &changes.heralds, now)? + again;
    if woken > 0 {
        tracing::info!("{woken} scenes are looked for again, since files of Plex have changed");
    }
    Ok(again)
}

impl Handler<WatchFor> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, WatchFor { scene, keys }: WatchFor, _: &mut Context<Self>) -> Self::Result {
        self.writer.write(|tx| awaited::watch(tx, scene, &keys))
    }
}

impl Handler<NoteOutages> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, NoteOutages(notes): NoteOutages, _: &mut Context<Self>) -> Self::Result {
        self.writer.write(|tx| notes.iter().try_for_each(|note| outages::note(tx, note)))
    }
}

impl Handler<ProveWritable> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, ProveWritable: ProveWritable, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| settings::put(tx, "proved_writable_at", &now.to_string()))
    }
}

impl Handler<DatePlugin> for Persistence {
    type Result = Result<Timestamp, StoreError>;

    fn handle(&mut self, DatePlugin { variant, version }: DatePlugin, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| plugin_dates::date_of(tx, variant, &version, now))
    }
}

impl Handler<Prune> for Persistence {
    type Result = Result<prune::Pruned, StoreError>;

    fn handle(&mut self, Prune: Prune, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        let keep = (self.settings.keep_history, self.settings.keep_dead);
        self.writer.write(|tx| prune::prune(tx, now, keep.0, keep.1, PRUNED_AT_ONCE))
    }
}

crate::supervised!(Persistence);
