//! How are failed parts of PlexSync restarted?

use std::time::Duration;

use garde::Validate;

use super::bounds::{HOUR, MILLISECOND, MINUTE, SECOND, between, from_to};
use super::reader::Reader;

/// `[supervision]`
#[derive(Clone, Debug, Validate)]
pub struct SupervisionConfig {
    /// How many restarts of a part are borne `within` this time; one more ends the process.
    #[garde(custom(from_to(0, 1000)))]
    pub max_restarts: u32,
    /// The time over which restarts are counted.
    #[garde(custom(between(SECOND, HOUR)))]
    pub within: Duration,
    /// Pause before the first restart; not above `max_pause`.
    #[garde(custom(between(MILLISECOND, MINUTE)))]
    pub first_pause: Duration,
    /// Longest pause before a restart.
    #[garde(custom(between(MILLISECOND, 10 * MINUTE)))]
    pub max_pause: Duration,
    /// How long a part may go without progress before it is taken for hung.
    #[garde(custom(between(Duration::from_millis(50), 10 * MINUTE)))]
    pub heartbeat: Duration,
}

impl SupervisionConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            max_restarts: reader.whole("supervision.max_restarts"),
            within: reader.duration("supervision.within"),
            first_pause: reader.duration("supervision.first_pause"),
            max_pause: reader.duration("supervision.max_pause"),
            heartbeat: reader.duration("supervision.heartbeat"),
        };
        reader.check("supervision", &section);
        reader.in_order(
            ("supervision.first_pause", &section.first_pause),
            "longer",
            ("supervision.max_pause", &section.max_pause),
        );
        section
    }
}
