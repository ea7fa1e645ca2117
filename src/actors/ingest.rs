//! How do events get in? They wait together while the commit before them is on its way to the disk, then go as one.

use actix::{
    Actor, ActorFutureExt as _, AsyncContext as _, Context, Handler, ResponseFuture, WrapFuture as _,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

use super::messages::{Accept, Admission, IngestEvents, NotStored, Wake};
use super::persistence::Persistence;
use super::scheduler::{LONGEST_SLEEP, Scheduler};
use crate::clock::Clock;
use crate::domain::event::StashEvent;
use crate::store::queue::AcceptedEvent;
use crate::supervision::{Link, Watch};

/// Larger groups gain little and make the first in them wait.
const LARGEST_GROUP: usize = 256;
/// A commit that takes longer is reported as not stored; the sender sends again, and storing twice is harmless.
const COMMIT_LIMIT: Duration = Duration::from_secs(8);

type Reply = Result<Vec<AcceptedEvent>, NotStored>;

/// Collects events and stores them in groups, one commit at a time.
pub struct Ingest {
    persistence: Link<Persistence>,
    scheduler: Link<Scheduler>,
    clock: Arc<dyn Clock>,
    waiting: Vec<Waiting>,
    storing: bool,
    _watch: Watch,
}

/// One sender that has not been answered.
pub struct Waiting {
    events: Vec<StashEvent>,
    reply: oneshot::Sender<Reply>,
    _admission: Admission,
}

impl Ingest {
    pub fn new(
        persistence: Link<Persistence>,
        scheduler: Link<Scheduler>,
        clock: Arc<dyn Clock>,
        watch: Watch,
    ) -> Self {
        Self { persistence, scheduler, clock, waiting: Vec::new(), storing: false, _watch: watch }
    }

    /// Whether one of the events is due before the scheduler looks at the queue anyway.
    fn is_soon(&self, accepted: &[AcceptedEvent]) -> bool {
        let now = self.clock.now();
        let due = accepted.iter().filter_map(|event| event.due_at);
        due.min().is_some_and(|due| due.duration_since(now).unsigned_abs() < LONGEST_SLEEP || due <= now)
    }

    /// Sends the next group off, unless one is on its way.
    fn store(&mut self, context: &mut Context<Self>) {
        if self.storing || self.waiting.is_empty() {
            return;
        }
        let mut size = 0;
        let fits = |waiting: &Waiting| {
            size += waiting.events.len();
            size <= LARGEST_GROUP
        };
        let count = self.waiting.iter().map(fits).take_while(|fits| *fits).count().max(1);
        let group: Vec<_> = self.waiting.drain(..count).collect();
        let events = group.iter().flat_map(|waiting| waiting.events.iter().cloned()).collect();
        self.storing = true;
        let persistence = self.persistence.clone();
        let stored = async move { persistence.ask(Accept { events }, COMMIT_LIMIT).await };
        context.spawn(stored.into_actor(self).map(move |stored, ingest, context| {
            ingest.storing = false;
            ingest.store(context);
            match stored {
                Ok(Ok(accepted)) => {
                    let soon = ingest.is_soon(&accepted);
                    answer(group, accepted);
                    if soon {
                        ingest.scheduler.hint(Wake);
                    }
                }
                Ok(Err(error)) => refuse(group, &error.to_string()),
                Err(error) => refuse(group, &error.to_string()),
            }
        }));
    }
}

/// Each sender gets its own share of the answers.
fn answer(group: Vec<Waiting>, accepted: Vec<AcceptedEvent>) {
    let mut accepted = accepted.into_iter();
    for waiting in group {
        let own = accepted.by_ref().take(waiting.events.len()).collect();
        // A sender that hung up hears nothing; its events are stored all the same.
        drop(waiting.reply.send(Ok(own)));
    }
}

fn refuse(group: Vec<Waiting>, error: &str) {
    tracing::warn!(senders = group.len(), "events could not be stored: {error}");
    for waiting in group {
        drop(waiting.reply.send(Err(NotStored(error.to_owned()))));
    }
}

impl Actor for Ingest {
    type Context = Context<Self>;
}

impl Handler<IngestEvents> for Ingest {
    type Result = ResponseFuture<Reply>;

    fn handle(&mut self, message: IngestEvents, context: &mut Context<Self>) -> Self::Result {
        let (reply, replied) = oneshot::channel();
        self.waiting.push(Waiting { events: message.events, reply, _admission: message.admission });
        self.store(context);
        Box::pin(async {
            replied.await.unwrap_or_else(|_| Err(NotStored("the ingest actor ended".to_owned())))
        })
    }
}

crate::supervised!(Ingest);
