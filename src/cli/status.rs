//! `plexsync status`: what is the service doing?

use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::exit::{Exit, Failed};
use super::{Global, output, service};
use crate::actors::circuits::CircuitStatus;
use crate::actors::plex_events::ChannelStatus;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Purpose};
use crate::domain::breaker::BreakerState;
use crate::domain::explain::{coming, past};
use crate::domain::job::JobState;
use crate::store::Readers;
use crate::web::status::{OutageLine, ServiceStatus, Status};

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn status(global: &Global, args: &StatusArgs) -> Result<(), Failed> {
    let loaded = global.load(Purpose::Inspect)?;
    let (status, remark) = match asked(&loaded.config) {
        Ok(status) => (status, None),
        Err(remark) => (read(&loaded.config)?, Some(remark)),
    };
    if args.json {
        return output::json(&status);
    }
    output::text(&shown(&status, remark.as_deref()))
}

/// Asks the running service; the error is the remark on why it did not answer.
fn asked(config: &Config) -> Result<Status, String> {
    let answer =
        service::get(config, "/api/v1/status").map_err(|error| format!("no service answers: {error}"))?;
    if !answer.status.is_success() {
        return Err(format!("the service at {} answers {}", config.server.listen, answer.status));
    }
    serde_json::from_str(&answer.text).map_err(|error| format!("what answers is not this PlexSync: {error}"))
}

fn read(config: &Config) -> Result<Status, Failed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let readers = Readers::open(&config.storage.path)?;
    readers.with(|reader| Status::read(reader, clock.now())).map_err(|error| Failed::new(Exit::Io, error))
}

fn shown(seen: &Status, remark: Option<&str>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| output::line(&mut text, name, &value);
    match &seen.service {
        Some(service) => {
            line(
                "service",
                format!("{} {}, started {}", seen.version, service.state, past(service.started_at, seen.now)),
            );
        }
        None => line(
            "service",
            format!("not asked ({}); this is what the database says", remark.unwrap_or("not running")),
        ),
    }
    if let Some(pause) = &seen.paused {
        line("PAUSED", format!("{pause}: nothing new is started until `plexsync queue resume`"));
    }
    let count = |state| seen.counts.unfinished.get(&state).copied().unwrap_or_default();
    let states = JobState::ALL.into_iter().filter(|state| *state != JobState::Done);
    let states: Vec<_> = states.map(|state| format!("{} {state}", count(state))).collect();
    line("scenes", format!("{}; {} synced so far", states.join(", "), seen.counts.done));
    line(
        "events",
        format!(
            "{} received = {} coalesced + {} ignored + {} opened",
            seen.counts.received, seen.counts.coalesced, seen.counts.ignored, seen.counts.opened
        ),
    );
    if seen.counts.conservation_error != 0 {
        line("WARNING", format!("{} jobs or events are not accounted for", seen.counts.conservation_error));
    }
    line("next", seen.next_due.map_or_else(|| "nothing is waiting".to_owned(), |at| due(at, seen.now)));
    let walked = |library: &crate::web::status::LibraryStatus| match library.walked_at {
        Some(at) => format!("{:?} (read whole {})", library.title, past(at, seen.now)),
        None => format!("{:?} (not read yet)", library.title),
    };
    let libraries: Vec<_> = seen.libraries.iter().map(walked).collect();
    line(
        "libraries",
        format!(
            "{} files in {}",
            seen.indexed_files,
            if libraries.is_empty() { "none yet".to_owned() } else { libraries.join(", ") }
        ),
    );
    if let Some(service) = &seen.service {
        of_service(service, seen.now, &mut line);
    }
    for outage in &seen.outages {
        line("outage", told(outage));
    }
    text
}

/// One outage as a sentence.
fn told(outage: &OutageLine) -> String {
    let OutageLine { circuit, cause, code, detail, started_at, ended_at, held_jobs } = outage;
    let time = match ended_at {
        Some(ended_at) => format!("from {started_at:.0} to {ended_at:.0}, {} waited", scenes(*held_jobs)),
        None => format!("since {started_at:.0}, {} waiting", scenes(*held_jobs)),
    };
    format!("{circuit}, {time} ({cause}, {code}): {detail}")
}

fn scenes(count: i64) -> String {
    if count == 1 { "1 scene".to_owned() } else { format!("{count} scenes") }
}

/// When the next scene is due, or since when one is.
fn due(due: Timestamp, now: Timestamp) -> String {
    if due > now {
        format!("a scene is due {}", coming(due, now))
    } else {
        format!("a scene became due {}", past(due, now))
    }
}

/// Where a way to a peer stands, unless all is well.
fn trouble(circuit: &CircuitStatus, now: Timestamp) -> Option<String> {
    let name = circuit.circuit;
    match circuit.state {
        BreakerState::Closed => None,
        BreakerState::HalfOpen => Some(format!("{name}: is tried with one scene")),
        BreakerState::Open => Some(match (circuit.cause, circuit.next_look) {
            (None, _) => format!("{name}: is asked for the first time"),
            (Some(cause), Some(next)) => format!("{name}: held ({cause}), asked again {}", coming(next, now)),
            (Some(cause), None) => format!("{name}: held ({cause})"),
        }),
    }
}

/// Whether Plex tells what changes in it.
fn told_by_plex(channel: &ChannelStatus, now: Timestamp) -> String {
    match channel {
        ChannelStatus { connected_since: Some(since), heard, .. } => {
            format!("Plex is listened to, connected {}; {heard} heard", past(*since, now))
        }
        ChannelStatus { problem: Some(problem), next_look, .. } => {
            let next =
                next_look.filter(|at| *at > now).map(|at| format!(", tried again {}", coming(at, now)));
            format!("none{}, and Plex is looked at instead: {problem}", next.unwrap_or_default())
        }
        ChannelStatus { .. } => "Plex is not listened to yet".to_owned(),
    }
}

fn of_service(service: &ServiceStatus, now: Timestamp, line: &mut impl FnMut(&str, String)) {
    for (name, peer) in &service.peers {
        let success = peer.last_success.map_or_else(|| "never".to_owned(), |at| past(at, now));
        let failure = peer.last_failure.as_ref();
        let failure = failure.map_or_else(String::new, |failed| {
            format!("; last failure {} ({}): {}", past(failed.at, now), failed.class, failed.detail)
        });
        line(name, format!("last good answer {success}{failure}"));
    }
    for trouble in service.circuits.iter().filter_map(|circuit| trouble(circuit, now)) {
        line("WAITING", trouble);
    }
    line("notices", told_by_plex(&service.notifications, now));
    for actor in &service.actors {
        let cause =
            actor.last_cause.as_deref().map_or_else(String::new, |cause| format!(", last by {cause}"));
        line("actor", format!("{:<12} {} ({} restarts{cause})", actor.name, actor.state, actor.restarts));
    }
}
