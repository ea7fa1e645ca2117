//! Do Stash and Plex work? What was heard from them, shared by those who call, those who wait and the status.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::turns::Turns;
use crate::clock::Clock;
use crate::domain::breaker::{Admission, Breaker, BreakerPolicy, BreakerState, Change};
use crate::domain::circuit::{Circuit, HoldCause};
use crate::domain::failure::{Failure, Peer};
use crate::domain::ids::SceneId;
use crate::store::outages::{Outage, OutageNote};

/// The last good and the last bad answer of a peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_success: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_failure: Option<PeerFailure>,
}

/// A bad answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerFailure {
    pub at: Timestamp,
    pub class: String,
    pub code: String,
    pub detail: String,
}

/// Where one way to a peer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitStatus {
    pub circuit: Circuit,
    pub state: BreakerState,
    /// Why it is not used as usual.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<HoldCause>,
    /// When the peer is asked again, if nothing is tried until then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_look: Option<Timestamp>,
}

/// The breakers. Cheap to clone.
#[derive(Clone)]
pub struct Circuits {
    known: Arc<Mutex<Known>>,
    /// Climbs after an outage of Plex.
    writes: Arc<Turns>,
    /// Whoever waits for a circuit looks again.
    moved: Arc<Notify>,
    clock: Arc<dyn Clock>,
}

struct Known {
    breakers: BTreeMap<Circuit, Breaker>,
    peers: BTreeMap<Peer, PeerStatus>,
    /// What is to be put on record.
    notes: Vec<OutageNote>,
}

impl Circuits {
    /// `held` are the holds that were on record when the process started.
    pub fn new(
        policy: BreakerPolicy,
        held: &BTreeMap<Circuit, HoldCause>,
        writes: Arc<Turns>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let breaker = |circuit| (circuit, Breaker::new(circuit, policy, held.get(&circuit).copied()));
        let breakers = Circuit::ALL.into_iter().map(breaker).collect();
        let known = Known { breakers, peers: BTreeMap::new(), notes: Vec::new() };
        Self { known: Arc::new(Mutex::new(known)), writes, moved: Arc::default(), clock }
    }

    /// What may be done over all circuits: every job may need each of them.
    pub fn admission(&self) -> Admission {
        let now = self.clock.monotonic();
        let mut known = self.known();
        let mut all: Vec<_> = known.breakers.values_mut().map(|breaker| breaker.admits(now)).collect();
        all.sort();
        self.moved.notify_waiters();
        all.first().copied().unwrap_or(Admission::All)
    }

    /// Whether a job in hand may make a call over the circuit: it may have been held since the job was claimed.
    pub fn let_pass(&self, circuit: Circuit) -> Result<(), Failure> {
        let held = self.known().breakers.get(&circuit).is_some_and(|it| it.state() == BreakerState::Open);
        if held {
            let detail = format!("{circuit} is held since the scene was taken into hand");
            return Err(Failure::interrupted("held", detail));
        }
        Ok(())
    }

    /// Ends when a call may be made over the circuit; at once when it may now.
    pub async fn passable(&self, circuit: Circuit) {
        self.stands(circuit, true).await;
    }

    /// Ends when the circuit was held and is so no more.
    pub async fn recovers(&self, circuit: Circuit) {
        self.stands(circuit, false).await;
        self.stands(circuit, true).await;
    }

    async fn stands(&self, circuit: Circuit, passable: bool) {
        loop {
            // Before the look, so that no change between the two is missed.
            let moved = self.moved.notified();
            if self.let_pass(circuit).is_ok() == passable {
                return;
            }
            moved.await;
        }
    }

    /// A call over the circuit brought what it was made for.
    pub fn succeeded(&self, circuit: Circuit) {
        let mut known = self.known();
        known.peers.entry(circuit.peer()).or_default().last_success = Some(self.clock.now());
        let change = known.breakers.get_mut(&circuit).and_then(Breaker::succeeded);
        self.changed(&mut known, circuit, change, None);
    }

    /// A call failed, on behalf of the scene. Returns the failure with a note whether the circuit was held already.
    pub fn failed(&self, mut failure: Failure, scene: Option<SceneId>) -> Failure {
        let Some(circuit) = failure.circuit else { return failure };
        let now = self.clock.monotonic();
        let mut known = self.known();
        if let Some(breaker) = known.breakers.get_mut(&circuit) {
            failure.while_held = breaker.state() != BreakerState::Closed;
            let change = breaker.failed(&failure, scene, now);
            known.hear(circuit, &failure, self.clock.now());
            self.changed(&mut known, circuit, change, Some(&failure));
        }
        failure
    }

    /// What keeps everything from being started, and what was heard last. Nothing as long as the peers are only being
    /// asked for the first time.
    pub fn held(&self) -> Option<String> {
        let known = self.known();
        let open = known.breakers.iter().find(|(_, breaker)| breaker.state() == BreakerState::Open);
        let (circuit, cause) = open.and_then(|(circuit, breaker)| Some((*circuit, breaker.cause()?)))?;
        let heard = known.peers.get(&circuit.peer()).and_then(|peer| peer.last_failure.as_ref());
        let detail = heard.map(|failure| failure.detail.as_str()).unwrap_or_default();
        Some(format!("{circuit} is held ({cause}): {detail}"))
    }

    /// The circuits to be probed now; for each of them [`Self::probed`] has to follow.
    pub fn start_probes(&self) -> Vec<Circuit> {
        let now = self.clock.monotonic();
        let mut known = self.known();
        known
            .breakers
            .iter_mut()
            .filter_map(|(circuit, it)| it.starts_probe(now).then_some(*circuit))
            .collect()
    }

    pub fn probed(&self, circuit: Circuit, outcome: Result<(), &Failure>) {
        let now = self.clock.monotonic();
        let mut known = self.known();
        let change = known.breakers.get_mut(&circuit).and_then(|breaker| breaker.probed(outcome, now));
        match outcome {
            Ok(()) => known.peers.entry(circuit.peer()).or_default().last_success = Some(self.clock.now()),
            Err(failure) => known.hear(circuit, failure, self.clock.now()),
        }
        self.changed(&mut known, circuit, change, outcome.err());
    }

    /// Whoever sent the probes is gone.
    pub fn forget_probes(&self) {
        self.known().breakers.values_mut().for_each(Breaker::forget_probe);
    }

    /// The peers that refuse our key.
    pub fn refusing(&self) -> Vec<Peer> {
        let known = self.known();
        let refused = known.breakers.iter().filter(|(_, it)| it.cause() == Some(HoldCause::Unauthorized));
        let mut peers: Vec<_> = refused.map(|(circuit, _)| circuit.peer()).collect();
        peers.dedup();
        peers
    }

    /// The key of the peer has changed: it is asked at once.
    pub fn look_now(&self, peer: Peer) {
        let now = self.clock.monotonic();
        let mut known = self.known();
        let of_peer = known.breakers.iter_mut().filter(|(circuit, _)| circuit.peer() == peer);
        of_peer.for_each(|(_, breaker)| breaker.look_now(now));
    }

    /// How long it is until a peer is to be asked again, if one is waited for.
    pub fn next_look_in(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        let known = self.known();
        known.breakers.values().filter_map(Breaker::next_look).min().map(|look| look.saturating_sub(now))
    }

    /// What has to be put on record since the last call.
    pub fn take_notes(&self) -> Vec<OutageNote> {
        std::mem::take(&mut self.known().notes)
    }

    /// They could not be put on record; they come again with the next call.
    pub fn return_notes(&self, mut notes: Vec<OutageNote>) {
        let mut known = self.known();
        notes.append(&mut known.notes);
        known.notes = notes;
    }

    pub fn status(&self) -> Vec<CircuitStatus> {
        let (now, passed) = self.clock.both();
        let known = self.known();
        let status = |(circuit, breaker): (&Circuit, &Breaker)| CircuitStatus {
            circuit: *circuit,
            state: breaker.state(),
            cause: breaker.cause(),
            next_look: breaker.next_look().and_then(|look| now.checked_add(look.saturating_sub(passed)).ok()),
        };
        known.breakers.iter().map(status).collect()
    }

    /// By the name of the peer.
    pub fn peers(&self) -> BTreeMap<String, PeerStatus> {
        self.known().peers.iter().map(|(peer, status)| (peer.to_string(), status.clone())).collect()
    }

    fn changed(&self, known: &mut Known, circuit: Circuit, change: Option<Change>, why: Option<&Failure>) {
        self.moved.notify_waiters();
        let now = self.clock.now();
        match change {
            None => {}
            Some(Change::Closed(cause)) => {
                tracing::info!(circuit = circuit.as_str(), %cause, "{circuit} works again");
                known.notes.push(OutageNote::Ended { circuit, at: now });
                let peer_was_ill = matches!(cause, HoldCause::Outage | HoldCause::Throttled);
                if peer_was_ill && circuit.peer() == Peer::Plex {
                    self.writes.ramp();
                }
            }
            Some(Change::Opened(cause) | Change::Turned(cause)) => {
                let (code, detail) =
                    why.map_or(("unknown", String::new()), |failure| (failure.code, failure.detail.clone()));
                tell(circuit, cause, &detail);
                let since = known.breakers.get(&circuit).and_then(Breaker::failing_since);
                let ago = since.map_or(Duration::ZERO, |since| self.clock.monotonic().saturating_sub(since));
                let ago = SignedDuration::try_from(ago).unwrap_or_default();
                known.notes.push(OutageNote::Began(Outage {
                    circuit,
                    cause,
                    code: code.to_owned(),
                    detail,
                    started_at: now.saturating_sub(ago).unwrap_or(now),
                    end: None,
                }));
            }
        }
    }

    // A panic elsewhere cannot leave a breaker half changed, so a poisoned lock is no reason to stop.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn hear(&mut self, circuit: Circuit, failure: &Failure, at: Timestamp) {
        let peer = self.peers.entry(circuit.peer()).or_default();
        if failure.class.is_about_the_scene() {
            peer.last_success = Some(at);
        } else {
            peer.last_failure = Some(PeerFailure {
                at,
                class: failure.class.as_str().to_owned(),
                code: failure.code.to_owned(),
                detail: failure.detail.clone(),
            });
        }
    }
}

/// One line when it begins. A refused key and an unknown answer need a person; the others pass by themselves.
fn tell(circuit: Circuit, cause: HoldCause, detail: &str) {
    let name = circuit.as_str();
    match cause {
        HoldCause::Unauthorized | HoldCause::Incompatible => {
            tracing::error!(circuit = name, %cause, "{circuit} needs you, and all work waits for it: {detail}");
        }
        HoldCause::Outage | HoldCause::Throttled => {
            tracing::warn!(circuit = name, %cause, "{circuit} is out of order, and all work waits for it: {detail}");
        }
    }
}
