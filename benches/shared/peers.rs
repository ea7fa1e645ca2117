//! Which settings does a service have between a simulated Stash and a simulated Plex, with every event due at once?

use plexsync::sim::{SimPlex, SimStash};

/// As TOML.
pub(crate) fn settings(stash: &SimStash, plex: &SimPlex) -> String {
    format!(
        "queue.debounce = \"0\"\nstash.url = {:?}\nplex.url = {:?}\nplex.token = {:?}\n",
        stash.url(),
        plex.url(),
        plex.token()
    )
}
