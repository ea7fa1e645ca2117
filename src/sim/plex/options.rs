//! Which Plex is simulated, and with which of its habits?

use std::collections::BTreeSet;
use std::time::Duration;

use crate::sim::clock::SimClock;

/// How a simulated Plex presents itself and behaves. The default is a recent, claimed server with working filters.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a habit of its own, and any may come with any other"
)]
pub struct PlexOptions {
    pub token: String,
    pub machine_identifier: String,
    pub version: String,
    pub claimed: bool,
    /// Host names, besides addresses and `localhost`, that requests may use; others get 401. `None`: all.
    pub known_hosts: Option<BTreeSet<String>>,
    /// Whether listings say how many items there are in all.
    pub sends_total_size: bool,
    /// Filters that are taken without complaint and then not applied.
    pub ignored_filters: BTreeSet<String>,
    /// Whether listings come by title whatever order is asked for.
    pub ignores_sort: bool,
    /// Whether every page of a listing is the first.
    pub ignores_start: bool,
    /// Whether a listing is never cut into pages, as when a proxy takes the headers out that ask for them.
    pub ignores_paging: bool,
    /// Whether the tree of an item shows the hashes of its files' contents.
    pub shows_content_hash: bool,
    /// The longest request target, in bytes, that does not get a 400.
    pub longest_target: usize,
    pub tag_adds: TagAdds,
    /// Whether edits move a library's `contentChangedAt`, as new and removed items do.
    pub edits_count_as_changes: bool,
    /// Whether there is a channel of notifications.
    pub notifies: bool,
    /// Whether notifications spell ids as numbers and name the kind of a deleted item, as old servers do.
    pub notifies_with_numbers: bool,
    /// Whether notifications of all kinds come whatever kinds are asked for.
    pub ignores_notification_filters: bool,
    /// Whether it is told when a personal video is processed; some servers say no more than that it is in work.
    pub tells_when_personal_items_are_settled: bool,
    /// How long a scan runs before what it has found can be seen.
    pub scan_takes: Duration,
    pub clock: SimClock,
}

impl Default for PlexOptions {
    fn default() -> Self {
        Self {
            token: "sim-plex-token".to_owned(),
            machine_identifier: "5f1d0c0ffee00000000000000000000000000001".to_owned(),
            version: "1.43.4.10903-e5521bd8c".to_owned(),
            claimed: true,
            known_hosts: None,
            sends_total_size: true,
            ignored_filters: BTreeSet::new(),
            ignores_sort: false,
            ignores_start: false,
            ignores_paging: false,
            shows_content_hash: true,
            // Reported: 9 KB of ids pass, 35 KB do not.
            longest_target: 16 << 10,
            tag_adds: TagAdds::Merge,
            edits_count_as_changes: true,
            notifies: true,
            notifies_with_numbers: false,
            ignores_notification_filters: false,
            tells_when_personal_items_are_settled: true,
            scan_takes: Duration::ZERO,
            clock: SimClock::default(),
        }
    }
}

/// What adding tags does to the ones that are there. Reports about real servers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagAdds {
    /// They stay.
    Merge,
    /// Only the added ones are left.
    Replace,
}
