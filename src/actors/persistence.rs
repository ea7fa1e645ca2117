//! Who writes to the database? This actor alone, on a thread of its own, because a commit blocks.

use std::path::PathBuf;
use std::sync::Arc;

use actix::{Actor, Context, Handler};
use jiff::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::messages::{
    Accept, ChangeIndex, ClaimDue, OpenIntent, ProveWritable, Prune, RebaseDue, Release, Settle,
    SettleIntent, TakeBack,
};
use crate::clock::Clock;
use crate::domain::job::Debounce;
use crate::domain::retry::RetryPolicy;
use crate::store::ledger::OpenedIntent;
use crate::store::queue::{AcceptedEvent, Claims, Settled};
use crate::store::{StoreError, Writer, ledger, plex_index, prune, queue, settings};
use crate::supervision::Watch;

/// What the writer needs to know besides the messages.
#[derive(Clone)]
pub struct PersistenceSettings {
    pub path: PathBuf,
    pub debounce: Debounce,
    pub retry: RetryPolicy,
    pub retention: prune::Retention,
    pub clock: Arc<dyn Clock>,
    /// Where jitter and tokens begin; each incarnation draws its own from it.
    pub seed: u64,
}

/// Owns the one writing connection.
pub struct Persistence {
    writer: Writer,
    settings: PersistenceSettings,
    rng: SmallRng,
    _watch: Watch,
}

impl Persistence {
    pub fn open(settings: PersistenceSettings, watch: Watch) -> Result<Self, StoreError> {
        let writer = match Writer::open(&settings.path) {
            Ok(writer) => writer,
            Err(error) => {
                watch.refuse();
                return Err(error);
            }
        };
        // A restarted writer must not hand out the tokens of the one before it.
        let start = settings.clock.now().as_nanosecond().unsigned_abs();
        let rng =
            SmallRng::seed_from_u64(settings.seed ^ u64::try_from(start & u128::from(u64::MAX)).unwrap_or(0));
        Ok(Self { writer, settings, rng, _watch: watch })
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
        self.writer.write(|tx| queue::accept(tx, events, &self.settings.debounce, now))
    }
}

impl Handler<ClaimDue> for Persistence {
    type Result = Result<Claims, StoreError>;

    fn handle(&mut self, ClaimDue { limit, in_hand }: ClaimDue, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::claim_due(tx, limit, in_hand, now, &mut self.rng))
    }
}

impl Handler<Settle> for Persistence {
    type Result = Result<Settled, StoreError>;

    fn handle(&mut self, Settle(report): Settle, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::settle(tx, &report, &self.settings.retry, now, &mut self.rng))
    }
}

impl Handler<TakeBack> for Persistence {
    type Result = Result<usize, StoreError>;

    fn handle(&mut self, TakeBack: TakeBack, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::take_back(tx, now))
    }
}

impl Handler<Release> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, Release(tokens): Release, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::release(tx, &tokens, now))
    }
}

impl Handler<RebaseDue> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, RebaseDue: RebaseDue, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| queue::rebase_due(tx, now))
    }
}

impl Handler<OpenIntent> for Persistence {
    type Result = Result<OpenedIntent, StoreError>;

    fn handle(&mut self, OpenIntent { intent, token }: OpenIntent, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| ledger::open_intent(tx, &intent, token, now))
    }
}

impl Handler<SettleIntent> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, SettleIntent(intent): SettleIntent, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| ledger::settle_intent(tx, &intent, now))
    }
}

impl Handler<ChangeIndex> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, ChangeIndex(change): ChangeIndex, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| plex_index::change(tx, &change, now))
    }
}

impl Handler<ProveWritable> for Persistence {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, ProveWritable: ProveWritable, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| settings::put(tx, "proved_writable_at", &now.to_string()))
    }
}

impl Handler<Prune> for Persistence {
    type Result = Result<prune::Pruned, StoreError>;

    fn handle(&mut self, Prune: Prune, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        self.writer.write(|tx| prune::prune(tx, &self.settings.retention, now))
    }
}

crate::supervised!(Persistence);
