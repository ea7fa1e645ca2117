//! What is shared by all who call the peers? What is known of them, and the pace of calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::actors::circuits::Circuits;
use crate::actors::plex_events::ChannelBoard;
use crate::actors::turns::Turns;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::breaker::BreakerPolicy;
use crate::domain::circuit::{Circuit, HoldCause};
use crate::domain::pace::PacePolicy;
use crate::store::{Readers, StoreError, outages};

/// What is known of the peers, and the pace at which Plex is written to.
#[derive(Clone)]
pub(super) struct Ways {
    pub(super) circuits: Circuits,
    /// Whether Plex is heard.
    pub(super) channel: ChannelBoard,
    /// The turns of edits in Plex.
    pub(super) writes: Arc<Turns>,
    /// The turns of questions to Stash.
    pub(super) questions: Arc<Turns>,
}

impl Ways {
    pub(super) fn new(
        config: &Config,
        readers: &Readers,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let breaker = BreakerPolicy {
            failures: config.circuit_breaker.failures,
            open_for: config.circuit_breaker.open_for,
            max_open_for: config.circuit_breaker.max_open_for,
        };
        let writes = Arc::new(Turns::new(writes(config), Arc::clone(clock)));
        let questions = Arc::new(Turns::new(questions(config), Arc::clone(clock)));
        let held = readers.with(|reader| {
            let going_on =
                |circuit| Ok(outages::going_on(reader, circuit)?.map(|outage| (circuit, outage.cause)));
            let found: Result<Vec<_>, StoreError> = Circuit::ALL.into_iter().map(going_on).collect();
            Ok(found?.into_iter().flatten().collect::<BTreeMap<Circuit, HoldCause>>())
        })?;
        let circuits = Circuits::new(breaker, &held, Arc::clone(&writes), Arc::clone(clock));
        Ok(Self { circuits, channel: ChannelBoard::default(), writes, questions })
    }
}

fn writes(config: &Config) -> PacePolicy {
    let limit = &config.rate_limit;
    PacePolicy {
        per_second: limit.writes_per_second,
        burst: limit.burst,
        adaptive: limit.adaptive,
        ramp_up: limit.ramp_up,
    }
}

/// Stash is asked steadily: it has no need of a ramp, and its answers do not grow slower by being asked.
fn questions(config: &Config) -> PacePolicy {
    PacePolicy {
        per_second: config.stash.max_requests_per_second,
        burst: 1,
        adaptive: false,
        ramp_up: Duration::ZERO,
    }
}
