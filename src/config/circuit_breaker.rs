//! When does a peer count as away, and how soon is it asked again?

use std::time::Duration;

use garde::Validate;

use super::bounds::{DAY, HOUR, MILLISECOND, between, from_to};
use super::reader::Reader;

/// `[circuit_breaker]`
#[derive(Clone, Debug, Validate)]
pub struct CircuitBreakerConfig {
    /// Failures in a row after which a peer counts as away.
    #[garde(custom(from_to(1, 100)))]
    pub failures: u32,
    /// How long it is left alone at first; not above `max_open_for`.
    #[garde(custom(between(10 * MILLISECOND, HOUR)))]
    pub open_for: Duration,
    /// How long it is left alone at most.
    #[garde(custom(between(10 * MILLISECOND, DAY)))]
    pub max_open_for: Duration,
}

impl CircuitBreakerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            failures: reader.whole("circuit_breaker.failures"),
            open_for: reader.duration("circuit_breaker.open_for"),
            max_open_for: reader.duration("circuit_breaker.max_open_for"),
        };
        reader.check("circuit_breaker", &section);
        reader.in_order(
            ("circuit_breaker.open_for", &section.open_for),
            "longer",
            ("circuit_breaker.max_open_for", &section.max_open_for),
        );
        section
    }
}
