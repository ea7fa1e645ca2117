//! When is work due, and how much of it is in hand at once?

use std::time::Duration;

use garde::Validate;

use super::bounds::{DAY, HOUR, MINUTE, SECOND, between, from_to};
use super::reader::Reader;

/// `[queue]`
#[derive(Clone, Debug, Validate)]
pub struct QueueConfig {
    /// How long a scene must be quiet before it is synced; zero is off.
    #[garde(custom(between(Duration::ZERO, 30 * SECOND)))]
    pub debounce: Duration,
    /// How long a new scene waits before it is first synced; zero is off.
    #[garde(custom(between(Duration::ZERO, HOUR)))]
    pub create_delay: Duration,
    /// How many jobs are in hand at once.
    #[garde(custom(from_to(1, 16)))]
    pub concurrency: usize,
    /// How long a scene is looked for in Plex before it is parked.
    #[garde(custom(between(MINUTE, 365 * DAY)))]
    pub not_found_for: Duration,
}

impl QueueConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            debounce: reader.duration("queue.debounce"),
            create_delay: reader.duration("queue.create_delay"),
            concurrency: reader.whole("queue.concurrency"),
            not_found_for: reader.duration("queue.not_found_for"),
        };
        reader.check("queue", &section);
        section
    }
}
