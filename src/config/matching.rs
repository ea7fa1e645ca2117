//! How sure must PlexSync be of a match?

use garde::Validate;

use super::bounds::from_to;
use super::reader::Reader;

/// `[matching]`
#[derive(Clone, Debug, Validate)]
pub struct MatchingConfig {
    /// Confidence from 0 to 1 at which a match is taken without asking.
    #[garde(custom(from_to(0.0, 1.0)))]
    pub auto_threshold: f64,
    /// Confidence from 0 to 1 at which a match goes to review; not above `auto_threshold`.
    #[garde(custom(from_to(0.0, 1.0)))]
    pub review_threshold: f64,
    /// Whether Plex is asked to scan the folder of a file that it does not have.
    #[garde(skip)]
    pub scan_missing: bool,
}

impl MatchingConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let section = Self {
            auto_threshold: reader.fraction("matching.auto_threshold"),
            review_threshold: reader.fraction("matching.review_threshold"),
            scan_missing: reader.truth("matching.scan_missing"),
        };
        reader.check("matching", &section);
        reader.in_order(
            ("matching.review_threshold", &section.review_threshold),
            "greater",
            ("matching.auto_threshold", &section.auto_threshold),
        );
        section
    }
}
