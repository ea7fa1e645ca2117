//! When and for how long is a failed job tried again?

use std::time::Duration;

use garde::Validate;

use super::bounds::{DAY, HOUR, MILLISECOND, SECOND, between, from_to};
use super::reader::Reader;

/// `[retry]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct RetryConfig {
    /// Wait after the first failure; not above `max_delay`.
    #[garde(custom(between(MILLISECOND, HOUR)))]
    pub first_delay: Duration,
    /// Longest wait between two attempts.
    #[garde(custom(between(MILLISECOND, DAY)))]
    pub max_delay: Duration,
    /// How long a job is tried, not counting time in which the peer was away.
    #[garde(custom(between(SECOND, 365 * DAY)))]
    pub give_up_after: Duration,
    /// How many attempts a job has in any case.
    #[garde(custom(from_to(1, 1000)))]
    pub min_attempts: u32,
    /// Whether waits grow with the failures of late.
    pub adaptive: bool,
}

impl RetryConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            first_delay: reader.duration("retry.first_delay"),
            max_delay: reader.duration("retry.max_delay"),
            give_up_after: reader.duration("retry.give_up_after"),
            min_attempts: reader.whole("retry.min_attempts"),
            adaptive: reader.truth("retry.adaptive"),
        };
        reader.check("retry", &section);
        reader.in_order(
            ("retry.first_delay", &section.first_delay),
            "longer",
            ("retry.max_delay", &section.max_delay),
        );
        section
    }
}
