//! How is the service put under load, and what came back? Kept connections that send as soon as they are answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::http::{Answer, Connection, event};

/// Both share the processors with the service, so more would only take from it.
const THREADS: usize = 2;

/// What to send.
#[derive(Clone)]
pub(crate) enum Traffic {
    /// The same request again and again.
    Same(Arc<[u8]>),
    /// Events, each for a scene of its own.
    Events { token: &'static str, next: Arc<AtomicI64> },
}

/// What came back.
#[derive(Default)]
pub(crate) struct Tally {
    /// Answers with 2xx.
    pub(crate) good: usize,
    /// The scenes among them.
    pub(crate) acknowledged: Vec<i64>,
    pub(crate) others: Vec<Answer>,
    /// From request to answer.
    pub(crate) times: Vec<Duration>,
    /// Connections that broke.
    pub(crate) broken: usize,
}

/// Sends on so many connections until the time is over or the connections break.
pub(crate) fn run(
    address: SocketAddr,
    connections: usize,
    lasting: Duration,
    traffic: &Traffic,
) -> anyhow::Result<Tally> {
    let threads = THREADS.min(connections);
    let share = connections / threads;
    let running: Vec<_> = (0..threads)
        .map(|_| {
            let traffic = traffic.clone();
            std::thread::spawn(move || one_thread(address, share, lasting, &traffic))
        })
        .collect();
    let mut all = Tally::default();
    for thread in running {
        let part = thread.join().ok().context("a load thread panicked")??;
        all.add(part);
    }
    all.times.sort_unstable();
    Ok(all)
}

fn one_thread(
    address: SocketAddr,
    connections: usize,
    lasting: Duration,
    traffic: &Traffic,
) -> anyhow::Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Connection::open(address).await?);
        }
        let end = Instant::now() + lasting;
        let running: Vec<_> = open
            .into_iter()
            .map(|connection| tokio::spawn(one_connection(connection, address, end, traffic.clone())))
            .collect();
        let mut all = Tally::default();
        for one in running {
            all.add(one.await?);
        }
        Ok(all)
    })
}

async fn one_connection(
    mut connection: Connection,
    address: SocketAddr,
    end: Instant,
    traffic: Traffic,
) -> Tally {
    let mut tally = Tally::default();
    loop {
        let began = Instant::now();
        if began >= end {
            return tally;
        }
        let (scene, answer) = match &traffic {
            Traffic::Same(request) => (None, connection.exchange(request).await),
            Traffic::Events { token, next } => {
                let scene = next.fetch_add(1, Ordering::Relaxed);
                (Some(scene), connection.exchange(&event(address, Some(token), scene)).await)
            }
        };
        let Ok(answer) = answer else {
            tally.broken += 1;
            return tally;
        };
        if matches!(answer.status, 200 | 202) {
            tally.good += 1;
            tally.times.push(began.elapsed());
            tally.acknowledged.extend(scene);
        } else {
            tally.others.push(answer);
        }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.good += other.good;
        self.broken += other.broken;
        self.acknowledged.extend(other.acknowledged);
        self.others.extend(other.others);
        self.times.extend(other.times);
    }

    /// The time within which so many of a hundred were answered, in milliseconds.
    pub(crate) fn percentile(&self, of_hundred: usize) -> f64 {
        let place = self.times.len() * of_hundred / 100;
        self.times.get(place).or(self.times.last()).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    }

    /// Whether each refusal told the sender to come again.
    pub(crate) fn refusals_are_in_order(&self) -> bool {
        self.others.iter().all(|answer| answer.status == 503 && answer.retry_after)
    }
}
