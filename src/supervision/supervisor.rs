//! Who keeps the actors alive? One task that starts them, hears their ends, asks for heartbeats and knows when to stop.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Arbiter, Recipient};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use super::board::Board;
use super::child::Child;
use super::policy::{Restart, RestartPolicy};
use super::probe::{Beat, Fault};
use super::watch::{Cause, End, Watch};
use crate::clock::Clock;

/// The name of a supervised actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorName(pub &'static str);

impl ActorName {
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The actors failed more often than they may; the process has to end, so that whatever started it starts it afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the {actor} actor failed again ({cause}) after {restarts} restarts within {within:?}")]
pub struct GaveUp {
    pub actor: ActorName,
    pub cause: Cause,
    pub restarts: u32,
    pub within: Duration,
}

/// Threads that hang are abandoned; with this many of them the process is not healthy any more.
const MOST_ABANDONED: usize = 3;

enum Order {
    Strike(ActorName, Fault),
    Stop(oneshot::Sender<()>),
}

/// A handle on the supervisor. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    board: Board,
    orders: mpsc::UnboundedSender<Order>,
}

impl Supervisor {
    /// Starts the children in order, each after the one before it works, and keeps them alive until told to stop. The
    /// returned receiver tells when it has given up.
    pub fn start(
        children: Vec<Child>,
        policy: RestartPolicy,
        clock: Arc<dyn Clock>,
    ) -> (Self, oneshot::Receiver<GaveUp>) {
        let board = Board::default();
        let (orders, orders_in) = mpsc::unbounded_channel();
        let (gave_up, given_up) = oneshot::channel();
        let (ends_out, ends) = mpsc::unbounded_channel();
        let watchman = Watchman {
            order: children.iter().map(|child| child.name).collect(),
            children: children.into_iter().map(|child| (child.name, Slot::new(child))).collect(),
            policy,
            clock,
            // Real time, whatever clock the service goes by: pauses and hangs are not simulated.
            started: Instant::now(),
            board: board.clone(),
            ends_out,
            past: Vec::new(),
            abandoned: 0,
        };
        // A thread of its own: neither a busy actor nor the web server can hold the supervisor up.
        Arbiter::new().spawn(watchman.run(ends, orders_in, gave_up));
        (Self { board, orders }, given_up)
    }

    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Makes an actor fail. Only [`crate::app::App`] passes this on, for the demo and the tests.
    pub fn strike(&self, name: ActorName, fault: Fault) {
        drop(self.orders.send(Order::Strike(name, fault)));
    }

    /// Stops all actors, the last started first; nothing is restarted any more.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.orders.send(Order::Stop(done)).is_ok() {
            drop(stopped.await);
        }
    }
}

struct Slot {
    child: Child,
    incarnation: u64,
    arbiter: Option<Arbiter>,
    beat: Option<Recipient<Beat>>,
    fault: Option<Recipient<Fault>>,
    /// The heartbeat on its way, and when it was sent (monotonic).
    asked: Option<(tokio::task::JoinHandle<bool>, Duration)>,
    restart_at: Option<Duration>,
}

impl Slot {
    fn new(child: Child) -> Self {
        Self { child, incarnation: 0, arbiter: None, beat: None, fault: None, asked: None, restart_at: None }
    }

    fn clear(&mut self) {
        (self.child.unlink)();
        self.beat = None;
        self.fault = None;
        self.asked = None;
        if let Some(arbiter) = self.arbiter.take() {
            arbiter.stop();
        }
    }
}

struct Watchman {
    order: Vec<ActorName>,
    children: BTreeMap<ActorName, Slot>,
    policy: RestartPolicy,
    clock: Arc<dyn Clock>,
    started: Instant,
    board: Board,
    ends_out: mpsc::UnboundedSender<End>,
    /// The times of past ends (monotonic).
    past: Vec<Duration>,
    abandoned: usize,
}

impl Watchman {
    async fn run(
        mut self,
        mut ends: mpsc::UnboundedReceiver<End>,
        mut orders: mpsc::UnboundedReceiver<Order>,
        gave_up: oneshot::Sender<GaveUp>,
    ) {
        for name in self.order.clone() {
            self.start(name).await;
        }
        let mut tick = tokio::time::interval(self.tick());
        loop {
            let outcome = tokio::select! {
                Some(end) = ends.recv() => self.ended(end),
                order = orders.recv() => match order {
                    Some(Order::Strike(name, fault)) => {
                        self.strike(name, fault);
                        Ok(())
                    }
                    Some(Order::Stop(done)) => {
                        self.stop_all();
                        done.send(()).unwrap_or_default();
                        return;
                    }
                    None => return self.stop_all(),
                },
                _ = tick.tick() => self.look_around().await,
            };
            if let Err(end) = outcome {
                tracing::error!(actor = %end.actor, "giving up: {end}");
                self.stop_all();
                // Nobody waits for it in a test that ends first.
                gave_up.send(end).ok();
                return;
            }
        }
    }

    /// Often enough for the pauses and the heartbeat in use.
    fn tick(&self) -> Duration {
        let shortest = self.policy.first_pause.min(self.policy.heartbeat / 4);
        shortest.clamp(Duration::from_millis(10), Duration::from_millis(250))
    }

    async fn start(&mut self, name: ActorName) {
        let Some(slot) = self.children.get_mut(&name) else { return };
        slot.incarnation += 1;
        slot.restart_at = None;
        let starting = (slot.child.start)(Watch::new(name, slot.incarnation, self.ends_out.clone()));
        let (arbiter, running) = starting.built().await;
        slot.arbiter = Some(arbiter);
        if let Some(running) = running {
            slot.beat = Some(running.beat);
            slot.fault = Some(running.fault);
            self.board.up(name);
            tracing::debug!(actor = %name, incarnation = slot.incarnation, "started the {name} actor");
        }
        // Otherwise the guard that the factory dropped has reported the end already.
    }

    fn ended(&mut self, end: End) -> Result<(), GaveUp> {
        let now = self.started.elapsed();
        let Some(slot) = self.children.get_mut(&end.name) else { return Ok(()) };
        if slot.incarnation != end.incarnation || slot.restart_at.is_some() {
            // An abandoned thread has come to its end at last.
            self.abandoned = self.abandoned.saturating_sub(1);
            return Ok(());
        }
        slot.clear();
        self.board.ended(end.name, end.cause, self.clock.now());
        match self.policy.decide(&self.past, now) {
            Restart::After(pause) => {
                slot.restart_at = Some(now + pause);
                self.past.push(now);
                self.past.retain(|past| now.saturating_sub(*past) < self.policy.within);
                tracing::warn!(actor = %end.name, cause = %end.cause, "the {} actor ended ({}); it is started again in {pause:?}", end.name, end.cause);
                Ok(())
            }
            Restart::GiveUp => Err(self.give_up(end.name, end.cause)),
        }
    }

    fn give_up(&self, actor: ActorName, cause: Cause) -> GaveUp {
        GaveUp { actor, cause, restarts: self.policy.max_restarts, within: self.policy.within }
    }

    fn strike(&self, name: ActorName, fault: Fault) {
        if let Some(target) = self.children.get(&name).and_then(|slot| slot.fault.clone()) {
            // Not awaited: an actor that hangs never answers.
            actix::spawn(async move { target.send(fault).await.ok() });
        }
    }

    /// Starts what is due and asks everybody for a heartbeat.
    async fn look_around(&mut self) -> Result<(), GaveUp> {
        let now = self.started.elapsed();
        let due = |slot: &Slot| slot.restart_at.is_some_and(|at| at <= now);
        let waiting: Vec<_> =
            self.order.iter().copied().filter(|name| self.children.get(name).is_some_and(due)).collect();
        for name in waiting {
            self.start(name).await;
        }
        let names = self.order.clone();
        let hung: Vec<_> = names.into_iter().filter(|name| self.hangs(*name, now)).collect();
        for name in hung {
            self.abandoned += 1;
            let Some(slot) = self.children.get(&name) else { continue };
            let end = End { name, incarnation: slot.incarnation, cause: Cause::Hang };
            self.ended(end)?;
            if self.abandoned > MOST_ABANDONED {
                return Err(self.give_up(name, Cause::Hang));
            }
        }
        Ok(())
    }

    /// Keeps one heartbeat on its way, and tells whether it has been for too long.
    fn hangs(&mut self, name: ActorName, now: Duration) -> bool {
        let Some(slot) = self.children.get_mut(&name) else { return false };
        let Some(beat) = slot.beat.clone() else { return false };
        match &slot.asked {
            Some((answer, _)) if answer.is_finished() => slot.asked = None,
            Some((_, since)) => return now.saturating_sub(*since) >= self.policy.heartbeat,
            None => {
                let answer = actix::spawn(async move { beat.send(Beat).await.is_ok() });
                slot.asked = Some((answer, now));
            }
        }
        false
    }

    fn stop_all(&mut self) {
        for name in self.order.iter().rev() {
            if let Some(slot) = self.children.get_mut(name) {
                slot.clear();
                slot.incarnation += 1;
                self.board.stopped(*name);
            }
        }
    }
}
