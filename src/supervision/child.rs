//! How is one actor built, again and again?

use std::time::Duration;

use actix::{Actor, Arbiter, Context, Handler, Recipient};
use tokio::sync::oneshot;

use super::link::Link;
use super::probe::{Beat, Fault};
use super::supervisor::ActorName;
use super::watch::Watch;

/// A factory may not take longer than this; opening a database is the longest part of one.
const LONGEST_START: Duration = Duration::from_secs(20);

/// An actor that is to be kept alive: its name and how each incarnation is made.
pub struct Child {
    pub(super) name: ActorName,
    pub(super) start: Box<dyn Fn(Watch) -> Starting + Send>,
    pub(super) unlink: Box<dyn Fn() + Send>,
}

/// An incarnation that is being built on a thread of its own.
pub(super) struct Starting {
    pub(super) arbiter: Arbiter,
    built: oneshot::Receiver<Running>,
}

/// An incarnation that works.
pub(super) struct Running {
    pub(super) beat: Recipient<Beat>,
    pub(super) fault: Recipient<Fault>,
}

impl Starting {
    /// Waits until the actor is built; `None` when its factory failed, panicked or takes too long.
    pub(super) async fn built(self) -> (Arbiter, Option<Running>) {
        let built = tokio::time::timeout(LONGEST_START, self.built).await;
        (self.arbiter, built.ok().and_then(Result::ok))
    }
}

impl Child {
    /// `build` makes one incarnation; it is called on the new thread and must rebuild all state from the database.
    pub fn new<A, F, E>(link: Link<A>, build: F) -> Self
    where
        A: Actor<Context = Context<A>> + Handler<Beat> + Handler<Fault>,
        F: Fn(Watch) -> Result<A, E> + Clone + Send + 'static,
        E: std::error::Error + 'static,
    {
        let name = link.name();
        let unlinked = link.clone();
        let start = move |watch: Watch| {
            let (link, build) = (link.clone(), build.clone());
            let (done, ready) = oneshot::channel();
            let arbiter = Arbiter::new();
            arbiter.spawn_fn(move || start_here(&link, &build, watch, done));
            Starting { arbiter, built: ready }
        };
        Self { name, start: Box::new(start), unlink: Box::new(move || unlinked.point(None)) }
    }
}

fn start_here<A, F, E>(link: &Link<A>, build: &F, watch: Watch, done: oneshot::Sender<Running>)
where
    A: Actor<Context = Context<A>> + Handler<Beat> + Handler<Fault>,
    F: Fn(Watch) -> Result<A, E>,
    E: std::error::Error + 'static,
{
    match build(watch) {
        Ok(actor) => {
            let address = A::create(|context| {
                // Admission is by permits; actix counts a capacity per sender, which bounds nothing.
                context.set_mailbox_capacity(MAILBOX);
                actor
            });
            link.point(Some(address.clone()));
            let running = Running { beat: address.clone().recipient(), fault: address.recipient() };
            // When the supervisor has given up waiting, the address is dropped with this value and the actor ends.
            drop(done.send(running));
        }
        Err(error) => {
            tracing::error!(actor = %link.name(), error = &error as &dyn std::error::Error, "cannot start the {} actor", link.name());
        }
    }
}

const MAILBOX: usize = 1024;
