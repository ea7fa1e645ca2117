//! How is an actor reached that may be restarted at any time? Through a link, never through an address.

use std::sync::Arc;
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, MailboxError, Message};
use thiserror::Error;
use tokio::sync::watch;

use super::supervisor::ActorName;

/// The address of an actor that outlives its restarts. Cheap to clone.
pub struct Link<A: Actor> {
    name: ActorName,
    current: Arc<watch::Sender<Option<Addr<A>>>>,
}

impl<A: Actor> Clone for Link<A> {
    fn clone(&self) -> Self {
        Self { name: self.name, current: Arc::clone(&self.current) }
    }
}

/// Why an actor gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LinkError {
    #[error("the {0} actor is being restarted")]
    Down(ActorName),
    #[error("the {0} actor ended before it answered")]
    Closed(ActorName),
    #[error("the {0} actor did not answer within {1:?}")]
    TimedOut(ActorName, Duration),
}

impl<A: Actor> Link<A> {
    /// A link to an actor that is not started yet.
    pub fn new(name: ActorName) -> Self {
        Self { name, current: Arc::new(watch::Sender::new(None)) }
    }

    pub fn name(&self) -> ActorName {
        self.name
    }

    /// Points the link at a new incarnation, or at none.
    pub(super) fn point(&self, address: Option<Addr<A>>) {
        self.current.send_replace(address);
    }

    /// Asks and waits for the reply, `limit` in all; the time that a restart takes counts too.
    pub async fn ask<M>(&self, message: M, limit: Duration) -> Result<M::Result, LinkError>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
    {
        let asked = async {
            let mut changes = self.current.subscribe();
            let address = match changes.wait_for(Option::is_some).await {
                Ok(address) => address.clone(),
                Err(_) => None,
            };
            // The guard of the channel is gone here: no lock is held while the actor works.
            let address = address.ok_or(LinkError::Down(self.name))?;
            changes.mark_unchanged();
            tokio::select! {
                answer = address.send(message) => answer.map_err(|error| match error {
                    MailboxError::Closed => LinkError::Closed(self.name),
                    MailboxError::Timeout => LinkError::TimedOut(self.name, limit),
                }),
                // An actor that hangs is replaced, but its thread and the messages in it cannot be ended: whoever
                // waits for one of them would wait to the limit.
                _ = changes.changed() => Err(LinkError::Closed(self.name)),
            }
        };
        tokio::time::timeout(limit, asked).await.unwrap_or(Err(LinkError::TimedOut(self.name, limit)))
    }

    /// Drops a hint. It may be lost, doubled or late, so it must carry nothing that matters.
    #[expect(clippy::disallowed_methods, reason = "hints are the one thing that may be lost")]
    pub fn hint<M>(&self, message: M)
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
    {
        let address = self.current.borrow().clone();
        if let Some(address) = address {
            address.do_send(message);
        }
    }
}
