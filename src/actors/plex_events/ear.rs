//! How is Plex listened to? By one channel after the other, with pauses that grow while there is none.

use std::rc::Rc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{Listener, Told};
use crate::domain::circuit::Circuit;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::pending::pause;

/// A channel that stood for so long was a good one: its end begins a new count of failures.
const STEADY: Duration = Duration::from_mins(1);

/// How often in a row there was no channel, for reasons of one kind.
struct Failures {
    count: u32,
    need_a_person: bool,
}

impl Failures {
    fn add(&mut self, failure: &Failure, was_steady: bool) {
        let need_a_person = needs_a_person(failure.class);
        let goes_on = !was_steady && self.need_a_person == need_a_person;
        *self = Self { count: if goes_on { self.count.saturating_add(1) } else { 1 }, need_a_person };
    }
}

/// Listens for ever.
pub(super) async fn listen(listener: Listener, told: Rc<Told>) {
    let Listener { circuits, board, clock, .. } = &listener;
    let start = clock.now().as_millisecond().unsigned_abs();
    let mut rng = SmallRng::seed_from_u64(listener.seed ^ start);
    let mut failures = Failures { count: 0, need_a_person: false };
    board.begin();
    loop {
        // A server that is known to be away is asked by the probes; and one that asked for a pause shall have it.
        circuits.passable(Circuit::PlexRead).await;
        let began = clock.monotonic();
        let failure = listen_once(&listener, &told, rng.random()).await;
        failures.add(&failure, clock.monotonic().saturating_sub(began) >= STEADY);
        let wait = pause(failures.count, failures.need_a_person, &mut rng);
        let wait = wait.max(failure.retry_after.unwrap_or_default());
        let (now, moment) = clock.both();
        if board.closed(&failure.detail, now.checked_add(wait).ok()) {
            tracing::info!(
                "Plex is looked at from time to time, as it cannot be listened to: {}",
                failure.detail
            );
        }
        tokio::select! {
            () = clock.sleep_until(moment.saturating_add(wait)) => {}
            () = circuits.recovers(Circuit::PlexRead) => {}
        }
    }
}

/// Opens a channel and listens to it to its end; why it ended, or why there was none.
async fn listen_once(listener: &Listener, told: &Told, chance: [u8; 16]) -> Failure {
    let Listener { board, clock, .. } = listener;
    let mut channel = match listener.plex.notifications(chance).await {
        Ok(channel) => channel,
        Err(failure) => return failure,
    };
    // What happened while there was no channel was told to nobody.
    told.note_all(clock.monotonic());
    board.opened(clock.now(), told.unread());
    tracing::info!("listening to what Plex tells of its libraries");
    loop {
        let heard = match channel.next().await {
            Ok(heard) => heard,
            Err(failure) => return failure,
        };
        if heard.unreadable > 0 {
            tracing::debug!("Plex told {} things that cannot be read", heard.unreadable);
        }
        let (now, count) = (clock.monotonic(), heard.notices.len());
        for notice in heard.notices {
            told.note((notice.item, notice.section), now);
        }
        board.heard(count, heard.unreadable, told.unread());
        // A server that tells without end must not keep the actor from its heartbeat.
        tokio::task::coop::consume_budget().await;
    }
}

/// Whether trying again soon is of no use.
fn needs_a_person(class: FailureClass) -> bool {
    match class {
        FailureClass::Unauthorized
        | FailureClass::Forbidden
        | FailureClass::Incompatible
        | FailureClass::Rejected => true,
        FailureClass::Unavailable
        | FailureClass::Throttled
        | FailureClass::NotInPlex
        | FailureClass::Ambiguous
        | FailureClass::StaleMatch
        | FailureClass::NotApplied
        | FailureClass::Gone
        | FailureClass::Interrupted
        | FailureClass::Bug => false,
    }
}
