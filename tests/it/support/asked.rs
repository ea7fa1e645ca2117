//! What can go wrong with a peer? The four questions on which the work rests, each to be disturbed by itself.

use plexsync::sim::world::{Pair, World};
use plexsync::sim::{Fault, PlexOp, StashOp};

/// A question to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Stash for a scene.
    Scene,
    /// Plex for a page of a library.
    Listing,
    /// Plex for an item.
    Item,
    /// Plex to change an item.
    Edit,
}

impl Asked {
    pub(crate) const ALL: [Self; 4] = [Self::Scene, Self::Listing, Self::Item, Self::Edit];

    fn op(self) -> Option<PlexOp> {
        match self {
            Self::Scene => None,
            Self::Listing => Some(PlexOp::Listing),
            Self::Item => Some(PlexOp::Item),
            Self::Edit => Some(PlexOp::Edit),
        }
    }

    /// Answers so from now on, so many times or until the faults are cleared.
    pub(crate) fn disturb(self, world: &World, fault: Fault, times: Option<u32>) {
        match self.op() {
            None => world.stash.faults().inject(StashOp::FindScene, fault, times),
            Some(op) => world.plex.faults().inject(op, fault, times),
        };
    }

    /// Answers so whenever it is about this scene or its item.
    pub(crate) fn disturb_for(self, world: &World, pair: &Pair, fault: Fault) {
        match self.op() {
            None => world.stash.faults().inject_for(&pair.scene.to_string(), StashOp::FindScene, fault, None),
            Some(op) => world.plex.faults().inject_for(&pair.rating_key, op, fault, None),
        };
    }

    /// How often it was asked.
    pub(crate) fn count(self, world: &World) -> usize {
        self.op().map_or_else(|| world.stash.count(StashOp::FindScene), |op| world.plex.count(op))
    }
}
