//! What does the scheduler look after besides the queue? The peers, the clock and what is too old to be kept.

use std::sync::Arc;
use std::time::Duration;

use actix::{ActorFutureExt as _, AsyncContext as _, Context, WrapFuture as _};

use super::{Dispatch, SHORTEST_SLEEP, STORE_LIMIT, Scheduler};
use crate::actors::messages::{NoteOutages, Prune, Rebase};
use crate::actors::stage::{caught, stored};

/// Wall clock and monotonic clock that part by more than this mean that somebody has set the clock.
const CLOCK_STEP: Duration = Duration::from_secs(5);
const PRUNE_EVERY: Duration = Duration::from_hours(1);

impl Scheduler {
    /// Probes the peers that are to be probed, takes keys that have changed, and puts outages on record.
    pub(super) fn tend(&mut self, context: &mut Context<Self>) {
        let Dispatch { circuits, probes, persistence, .. } = &self.dispatch;
        for peer in circuits.refusing() {
            if probes.renew_key(peer) {
                tracing::info!("the key of {peer} has changed; it is asked again");
                circuits.look_now(peer);
            }
        }
        for circuit in circuits.start_probes() {
            let (circuits, probes) = (circuits.clone(), Arc::clone(probes));
            let answer = caught(async move { probes.probe(circuit).await });
            let heard = async move { circuits.probed(circuit, answer.await.as_ref().map(|&()| ())) };
            context.spawn(heard.into_actor(self).map(|(), scheduler, context| {
                scheduler.look_in(context, SHORTEST_SLEEP);
            }));
        }
        let notes = circuits.take_notes();
        if !notes.is_empty() {
            let (circuits, persistence) = (circuits.clone(), persistence.clone());
            let kept = async move {
                let note = NoteOutages(notes.as_slice().into());
                if let Err(failure) = stored(persistence.ask(note, STORE_LIMIT).await) {
                    tracing::warn!("cannot put an outage on record yet: {}", failure.detail);
                    circuits.return_notes(notes);
                }
            };
            context.spawn(kept.into_actor(self));
        }
    }

    /// Waits are kept beside due times, so that a clock that was set moves no job out of reach, and no failure grows old.
    pub(super) fn watch_the_clock(&mut self, context: &mut Context<Self>) {
        let (wall, monotonic) = std::mem::replace(&mut self.clocks, self.dispatch.clock.both());
        let went = self.clocks.0.duration_since(wall);
        let passed =
            jiff::SignedDuration::try_from(self.clocks.1.saturating_sub(monotonic)).unwrap_or_default();
        let step = went - passed;
        if step.unsigned_abs() > CLOCK_STEP {
            tracing::warn!("the clock was set by {step}; the times of all jobs are brought in line");
            let persistence = self.dispatch.persistence.clone();
            let rebased = async move { persistence.ask(Rebase(step), STORE_LIMIT).await };
            context.spawn(rebased.into_actor(self).map(|rebased, _, _| {
                if let Err(error) = rebased
                    .map_err(|error| error.to_string())
                    .and_then(|done| done.map_err(|error| error.to_string()))
                {
                    tracing::warn!("cannot bring the times of jobs in line: {error}");
                }
            }));
        }
    }

    /// Drops what is too old, now and every hour from now on.
    pub(super) fn prune(&mut self, context: &mut Context<Self>) {
        let persistence = self.dispatch.persistence.clone();
        let hour = self.dispatch.clock.sleep(PRUNE_EVERY);
        let pruned = async move {
            match stored(persistence.ask(Prune, STORE_LIMIT).await) {
                Ok(pruned) => tracing::debug!(?pruned, "dropped what is older than it is kept"),
                Err(failure) => tracing::warn!("cannot drop old history: {}", failure.detail),
            }
            hour.await;
        };
        context.spawn(pruned.into_actor(self).map(|(), scheduler, context| scheduler.prune(context)));
    }
}
