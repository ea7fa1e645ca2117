//! How does the supervisor learn that an actor ended? The actor holds a guard that reports its own drop.

use std::fmt;

use tokio::sync::mpsc::UnboundedSender;

use super::supervisor::ActorName;

/// Why an actor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    Panic,
    Stop,
    Hang,
    /// It could not be built.
    StartFailed,
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Stop => "stop",
            Self::Hang => "hang",
            Self::StartFailed => "start_failed",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One incarnation of one actor has ended.
#[derive(Debug, Clone, Copy)]
pub struct End {
    pub name: ActorName,
    pub incarnation: u64,
    pub cause: Cause,
}

/// Held by an actor for as long as it lives. However the actor ends - stop, panic, failed start, lost thread - the drop
/// of this guard tells the supervisor.
#[derive(Debug)]
pub struct Watch {
    name: ActorName,
    incarnation: u64,
    ends: UnboundedSender<End>,
    refused: bool,
}

impl Watch {
    pub(super) fn new(name: ActorName, incarnation: u64, ends: UnboundedSender<End>) -> Self {
        Self { name, incarnation, ends, refused: false }
    }

    /// Ends the incarnation because the actor could not be built.
    pub fn refuse(mut self) {
        self.refused = true;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let cause = if std::thread::panicking() {
            Cause::Panic
        } else if self.refused {
            Cause::StartFailed
        } else {
            Cause::Stop
        };
        // A supervisor that is gone has no use for the news: the process is ending.
        self.ends.send(End { name: self.name, incarnation: self.incarnation, cause }).ok();
    }
}
