//! How fast is Plex written to?

use std::time::Duration;

use garde::Validate;

use super::bounds::{HOUR, between, from_to, rate};
use super::reader::Reader;

/// `[rate_limit]`
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct RateLimitConfig {
    /// Edits in a second; 0 is off.
    #[garde(custom(rate()))]
    pub writes_per_second: f64,
    /// Edits that may follow one another at once after a rest.
    #[garde(custom(from_to(1, 1000)))]
    pub burst: u32,
    /// Whether a slow or failing Plex is written to less often.
    pub adaptive: bool,
    /// How long the rate climbs after an outage; zero is off.
    #[garde(custom(between(Duration::ZERO, HOUR)))]
    pub ramp_up: Duration,
}

impl RateLimitConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            writes_per_second: reader.fraction("rate_limit.writes_per_second"),
            burst: reader.whole("rate_limit.burst"),
            adaptive: reader.truth("rate_limit.adaptive"),
            ramp_up: reader.duration("rate_limit.ramp_up"),
        };
        reader.check("rate_limit", &section);
        section
    }
}
