//! What does every supervised actor answer besides its own messages? A heartbeat, and a fault on demand.

use actix::Message;

/// Asks for a sign of progress. It goes through the mailbox like any other message, so that only an actor which still
/// works through its mailbox can answer; a call to a peer, which runs beside the mailbox, is no hang.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Beat;

/// Makes an actor fail, so that the demo and the tests can show what follows. No route and no command sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum Fault {
    Panic,
    /// Blocks the actor's thread for long.
    Hang,
    Stop,
}

impl Fault {
    /// Carries the fault out.
    #[expect(clippy::panic, reason = "panicking is what this fault is for")]
    #[expect(clippy::disallowed_methods, reason = "blocking the thread is what this fault is for")]
    pub fn strike<A: actix::Actor<Context = actix::Context<A>>>(self, context: &mut actix::Context<A>) {
        use actix::ActorContext as _;
        match self {
            Self::Panic => panic!("a fault was asked for"),
            // Longer than any heartbeat limit in use. The thread is abandoned meanwhile and ends by itself after that.
            Self::Hang => std::thread::sleep(std::time::Duration::from_mins(2)),
            Self::Stop => context.stop(),
        }
    }
}

/// Implements [`Beat`] and [`Fault`] for an actor.
#[macro_export]
macro_rules! supervised {
    ($actor:ty) => {
        impl actix::Handler<$crate::supervision::Beat> for $actor {
            type Result = ();

            fn handle(&mut self, _: $crate::supervision::Beat, _: &mut Self::Context) {}
        }

        impl actix::Handler<$crate::supervision::Fault> for $actor {
            type Result = ();

            fn handle(&mut self, fault: $crate::supervision::Fault, context: &mut Self::Context) {
                fault.strike(context);
            }
        }
    };
}
