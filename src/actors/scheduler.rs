//! When does what run? Claims what is due, as much as may be in hand, and runs each.

mod care;

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, Context, Handler, ResponseFuture, SpawnHandle,
    WrapFuture as _,
};
use jiff::Timestamp;
use tokio::sync::watch;
use tracing::Instrument as _;

use super::circuits::Circuits;
use super::messages::{ClaimDue, Drain, Release, TakeBack, Wake};
use super::persistence::Persistence;
use super::pipeline::run_job;
use super::probes::Probes;
use super::stages::ActorStages;
use crate::clock::Clock;
use crate::domain::breaker::Admission;
use crate::domain::ids::{RunToken, SceneId};
use crate::http::HttpError;
use crate::store::queue::{ClaimedJob, Claims};
use crate::supervision::{Link, LinkError, Watch};

/// The queue is looked at this often even when nobody wakes us, since a hint may be lost.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// Hints come in bursts; one look serves them all.
const SHORTEST_SLEEP: Duration = Duration::from_millis(5);
const STORE_LIMIT: Duration = Duration::from_secs(30);

/// A job that is in hand for longer than this waits for a peer that is slow with it, and keeps no room from others.
const SLOW: Duration = Duration::from_secs(2);

/// What a scheduler needs.
#[derive(Clone)]
pub struct Dispatch {
    pub persistence: Link<Persistence>,
    pub stages: Arc<ActorStages>,
    pub circuits: Circuits,
    pub probes: Arc<Probes>,
    pub clock: Arc<dyn Clock>,
    /// Jobs in hand at once; slow ones may be as many again.
    pub concurrency: usize,
    /// The one scene that is worked on, when a command does it by itself.
    pub only: Option<SceneId>,
}

impl Dispatch {
    /// The same with connections of its own, for a new incarnation.
    pub fn reconnected(&self) -> Result<Self, HttpError> {
        let stages = ActorStages { stash: self.stages.stash.reconnected()?, ..self.stages.as_ref().clone() };
        let probes = Arc::new(self.probes.reconnected()?);
        Ok(Self { stages: Arc::new(stages), probes, ..self.clone() })
    }
}

/// A run, since then (monotonic).
#[derive(Debug, Clone, Copy)]
struct Run {
    token: RunToken,
    since: Duration,
}

/// What would be cut off by an end at this moment.
#[derive(Debug, Default)]
struct InHand {
    runs: Vec<Run>,
    /// A claim is on its way, and may put more in hand.
    claim: bool,
}

impl InHand {
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && !self.claim
    }
}

/// Owns the runs in hand; they end with it.
pub struct Scheduler {
    dispatch: Dispatch,
    /// What is in hand, for everybody who waits for it to end.
    in_hand: watch::Sender<InHand>,
    claiming: bool,
    /// Somebody has work for us since the claim that is on its way; it may not have seen it.
    woken: bool,
    draining: bool,
    next_look: Option<SpawnHandle>,
    /// Wall clock and monotonic clock as they stood at the last look.
    clocks: (Timestamp, Duration),
    _watch: Watch,
}

impl Scheduler {
    pub fn new(dispatch: Dispatch, watch: Watch) -> Self {
        let clocks = dispatch.clock.both();
        Self {
            dispatch,
            in_hand: watch::Sender::new(InHand::default()),
            // Nothing is claimed before the runs of the scheduler before this one are taken back.
            claiming: true,
            woken: false,
            draining: false,
            next_look: None,
            clocks,
            _watch: watch,
        }
    }

    fn take_back(&mut self, context: &mut Context<Self>) {
        let persistence = self.dispatch.persistence.clone();
        let taken = async move { persistence.ask(TakeBack, STORE_LIMIT).await };
        context.spawn(taken.into_actor(self).map(|taken, scheduler, context| match taken {
            Ok(Ok(count)) => {
                if count > 0 {
                    tracing::info!("took back {count} jobs that were in hand");
                }
                scheduler.claiming = false;
                scheduler.look(context);
            }
            Ok(Err(error)) => Self::take_back_later(context, &error.to_string()),
            Err(error) => Self::take_back_later(context, &error.to_string()),
        }));
    }

    fn take_back_later(context: &mut Context<Self>, error: &str) {
        tracing::warn!("cannot take back the jobs that were in hand: {error}");
        context.run_later(LONGEST_SLEEP, Self::take_back);
    }

    /// Claims what is due and may be run.
    fn look(&mut self, context: &mut Context<Self>) {
        self.watch_the_clock(context);
        self.tend(context);
        let in_hand = self.in_hand.borrow().runs.len();
        let limit = self.room(in_hand);
        if self.claiming || self.draining || limit == 0 {
            let look = self.dispatch.circuits.next_look_in().unwrap_or(LONGEST_SLEEP);
            return self.look_in(context, look);
        }
        self.claiming = true;
        self.woken = false;
        self.in_hand.send_modify(|in_hand| in_hand.claim = true);
        let persistence = self.dispatch.persistence.clone();
        let claim = ClaimDue { limit, in_hand, only: self.dispatch.only };
        let claims = async move { persistence.ask(claim, STORE_LIMIT).await };
        context.spawn(claims.into_actor(self).map(|claims, scheduler, context| {
            scheduler.claiming = false;
            scheduler.claimed(claims, context);
            scheduler.in_hand.send_modify(|in_hand| in_hand.claim = false);
        }));
    }

    /// How many more jobs may be taken into hand.
    fn room(&self, in_hand: usize) -> usize {
        match self.dispatch.circuits.admission() {
            Admission::None => 0,
            Admission::One => 1_usize.saturating_sub(in_hand),
            Admission::All => {
                let now = self.dispatch.clock.monotonic();
                let is_slow = |run: &&Run| now.saturating_sub(run.since) > SLOW;
                let slow = self.in_hand.borrow().runs.iter().filter(is_slow).count();
                let concurrency = self.dispatch.concurrency;
                (concurrency + slow.min(concurrency)).saturating_sub(in_hand)
            }
        }
    }

    fn claimed(
        &mut self,
        claims: Result<Result<Claims, crate::store::StoreError>, LinkError>,
        context: &mut Context<Self>,
    ) {
        let claims = match claims {
            Ok(Ok(claims)) => claims,
            Ok(Err(error)) => {
                tracing::warn!("cannot claim jobs: {error}");
                return self.look_in(context, LONGEST_SLEEP);
            }
            Err(error) => {
                tracing::warn!("cannot claim jobs: {error}");
                return self.look_in(context, SHORTEST_SLEEP);
            }
        };
        for job in claims.jobs {
            self.run(job, context);
        }
        // From the look and not from now: what has passed since is not to be waited for again.
        let until = claims.next_due.map(|due| due.duration_since(self.clocks.0));
        let sleep = until.map_or(LONGEST_SLEEP, |until| Duration::try_from(until).unwrap_or(SHORTEST_SLEEP));
        self.look_in(context, if self.woken { SHORTEST_SLEEP } else { sleep });
    }

    fn run(&mut self, job: ClaimedJob, context: &mut Context<Self>) {
        let (token, scene) = (job.token(), job.job().scene);
        let correlation_id = &job.job().correlation_id;
        let span = tracing::info_span!(
            "job", scene.id = %scene, correlation.id = %correlation_id, attempt = job.job().attempts + 1
        );
        let since = self.dispatch.clock.monotonic();
        self.in_hand.send_modify(|in_hand| in_hand.runs.push(Run { token, since }));
        let stages = Arc::clone(&self.dispatch.stages);
        let run = async move { run_job(job, stages.as_ref()).await }.instrument(span);
        // A future of this context: it is dropped, and so aborted, with the actor.
        context.spawn(run.into_actor(self).map(move |(), scheduler, context| {
            scheduler.in_hand.send_modify(|in_hand| in_hand.runs.retain(|run| run.token != token));
            scheduler.look(context);
        }));
    }

    /// Looks again so long after the last look.
    fn look_in(&mut self, context: &mut Context<Self>, sleep: Duration) {
        if let Some(earlier) = self.next_look.take() {
            context.cancel_future(earlier);
        }
        let look = |scheduler: &mut Self, context: &mut Context<Self>| {
            scheduler.next_look = None;
            scheduler.look(context);
        };
        self.next_look = Some(if sleep <= SHORTEST_SLEEP {
            // Not on our clock: this bundles hints and waits for no time of the day.
            context.run_later(SHORTEST_SLEEP, look)
        } else {
            let moment = self.clocks.1.saturating_add(sleep.min(LONGEST_SLEEP));
            let slept = self.dispatch.clock.sleep_until(moment).into_actor(self);
            context.spawn(slept.map(move |(), scheduler, context| look(scheduler, context)))
        });
    }
}

impl Actor for Scheduler {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        // The probes of the scheduler before this one ended with it.
        self.dispatch.circuits.forget_probes();
        self.take_back(context);
        // At the start as well: a service that is started anew more often would never come to it.
        self.prune(context);
    }
}

impl Handler<Wake> for Scheduler {
    type Result = ();

    fn handle(&mut self, _: Wake, context: &mut Context<Self>) {
        if self.claiming {
            self.woken = true;
        } else {
            self.look_in(context, SHORTEST_SLEEP);
        }
    }
}

impl Handler<Drain> for Scheduler {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Drain { limit }: Drain, _: &mut Context<Self>) -> Self::Result {
        self.draining = true;
        let mut in_hand = self.in_hand.subscribe();
        let persistence = self.dispatch.persistence.clone();
        Box::pin(async move {
            let empty = async { in_hand.wait_for(InHand::is_empty).await.is_ok() };
            if tokio::time::timeout(limit, empty).await.is_err() {
                let left: Vec<_> = in_hand.borrow().runs.iter().map(|run| run.token).collect();
                tracing::warn!("{} runs are cut short; they start again at the next start", left.len());
                if let Err(error) = persistence.ask(Release(left), STORE_LIMIT).await {
                    tracing::warn!("cannot put them back: {error}");
                }
            }
        })
    }
}

crate::supervised!(Scheduler);
