//! Which files does Plex have? Fills and refreshes the path index, one run at a time.

mod walker;

use std::time::Duration;

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, Context, Handler, ResponseFuture, WrapFuture as _,
};
use tokio::sync::oneshot;

use super::messages::Refresh;
use super::stage::caught;
use crate::domain::failure::Failure;
use crate::supervision::Watch;

use self::walker::Trust;
pub use self::walker::{Walker, chosen};

/// How often Plex is looked at while a scene waits for a file: a request for its name, one for its libraries, and one or
/// more for each library that has changed.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Fills and refreshes the path index.
pub struct Indexer {
    walker: Walker,
    /// When the run in hand began, if there is one (monotonic).
    running_since: Option<Duration>,
    /// When the last good run began (monotonic).
    fresh_since: Option<Duration>,
    /// How many runs have begun.
    runs: u64,
    waiting: Vec<(Need, oneshot::Sender<Result<(), Failure>>)>,
    _watch: Watch,
}

/// Which run serves whoever waits.
#[derive(Debug, Clone, Copy)]
struct Need {
    not_before: Duration,
    /// The first that does, by its number.
    run: u64,
}

impl Need {
    fn is_met(self, began: Duration, run: u64) -> bool {
        self.not_before <= began && self.run <= run
    }
}

impl Indexer {
    pub fn new(walker: Walker, watch: Watch) -> Self {
        Self { walker, running_since: None, fresh_since: None, runs: 0, waiting: Vec::new(), _watch: watch }
    }

    /// Looks in a minute, and every minute from then on; not while a run is in hand, which sees the same.
    fn look_later(&mut self, context: &mut Context<Self>) {
        let minute = self.walker.clock.sleep(LOOK_EVERY);
        context.spawn(minute.into_actor(self).map(|(), indexer, context| {
            if indexer.running_since.is_some() {
                return indexer.look_later(context);
            }
            // A run that is asked for meanwhile waits for its turn, or both would walk at once.
            indexer.running_since = Some(indexer.walker.clock.monotonic());
            let walker = indexer.walker.clone();
            let look = caught(async move { walker.look().await });
            context.spawn(look.into_actor(indexer).map(|looked, indexer, context| {
                if let Err(failure) = looked {
                    tracing::debug!("cannot look for new files in Plex: {}", failure.detail);
                }
                indexer.running_since = None;
                indexer.run(context);
                indexer.look_later(context);
            }));
        }));
    }

    fn run(&mut self, context: &mut Context<Self>) {
        if self.running_since.is_some() || self.waiting.is_empty() {
            return;
        }
        let began = self.walker.clock.monotonic();
        self.running_since = Some(began);
        self.runs += 1;
        let number = self.runs;
        let walker = self.walker.clone();
        let run = caught(async move { walker.refresh(Trust::Nothing).await });
        context.spawn(run.into_actor(self).map(move |outcome, indexer, context| {
            indexer.running_since = None;
            if outcome.is_ok() {
                indexer.fresh_since = Some(began);
            }
            // Whoever asked for a later start than this run had is served by the next one.
            let (served, waiting) =
                indexer.waiting.drain(..).partition(|(need, _)| need.is_met(began, number));
            indexer.waiting = waiting;
            for (_, reply) in served {
                drop(reply.send(outcome.clone()));
            }
            indexer.run(context);
        }));
    }
}

impl Actor for Indexer {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        self.look_later(context);
    }
}

impl Handler<Refresh> for Indexer {
    type Result = ResponseFuture<Result<(), Failure>>;

    fn handle(&mut self, refresh: Refresh, context: &mut Context<Self>) -> Self::Result {
        let need = match refresh {
            Refresh::Since(not_before) if self.fresh_since.is_some_and(|since| since >= not_before) => {
                return Box::pin(std::future::ready(Ok(())));
            }
            Refresh::Since(not_before) => Need { not_before, run: 0 },
            // By number and not by time: a run may have begun at this very moment.
            Refresh::Anew => Need { not_before: Duration::ZERO, run: self.runs + 1 },
        };
        let (reply, replied) = oneshot::channel();
        self.waiting.push((need, reply));
        self.run(context);
        let ended = || Failure::interrupted("stage_restarted", "the indexer ended before it answered");
        Box::pin(async move { replied.await.unwrap_or_else(|_| Err(ended())) })
    }
}

crate::supervised!(Indexer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_has_begun_does_not_serve_whoever_wants_one_anew_however_little_time_has_passed() {
        let (moment, begun) = (Duration::from_secs(7), 3);
        let anew = Need { not_before: Duration::ZERO, run: begun + 1 };
        assert!(!anew.is_met(moment, begun) && anew.is_met(moment, begun + 1));
        let since = Need { not_before: moment, run: 0 };
        assert!(since.is_met(moment, begun) && !since.is_met(Duration::from_secs(6), begun));
    }
}
