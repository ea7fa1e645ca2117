//! How much does each piece of evidence weigh? The only place with weights.

use std::fmt;

use super::paths::Likeness;

/// What speaks for an item or against it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Evidence {
    /// A person said so.
    Accepted,
    PathEqual(Likeness),
    /// The hash of both ends and the size of the file.
    ContentEqual,
    NameAndSizeEqual,
    /// So many last components of the path are equal, and no other item has as many.
    TailEqual(usize),
    /// The name is another: a renamed file.
    SizeAndDurationEqual,
    NameEqual,
    /// Names that are alike to this degree, from 0 to 1.
    Similar {
        similarity: f64,
        witness: Option<Witness>,
    },
    ContentDiffers,
    SizeDiffers,
    DurationDiffers,
    NumbersDiffer,
    /// One name has a number that the other lacks.
    NumberMissing,
    DateDiffers,
    /// Another item has more of the path.
    TailOutdone,
}

/// What bears out that names are alike, and does not come from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    Date,
    Duration,
    Studio,
    Size,
}

/// The most that likeness of names can come to. Exact evidence that is further above than what makes two candidates
/// ambiguous needs no look at names that are alike.
pub(super) const MOST_BY_LIKENESS: f64 = 0.89;
/// Names that are less alike are different names.
pub(super) const LEAST_SIMILARITY: f64 = 0.80;
/// Likeness alone errs in one to three of a hundred cases, so it is only ever shown to a person.
const UNWITNESSED: f64 = 0.60;

impl Evidence {
    /// What it adds. What speaks for an item does not add up: the strongest counts. What speaks against it does.
    pub fn weight(self) -> f64 {
        match self {
            Self::Accepted | Self::PathEqual(_) | Self::ContentEqual => 1.00,
            Self::NameAndSizeEqual => 0.97,
            Self::TailEqual(_) => 0.95,
            Self::SizeAndDurationEqual => 0.92,
            Self::NameEqual => 0.70,
            Self::Similar { similarity, witness: Some(_) } => MOST_BY_LIKENESS * similarity,
            Self::Similar { similarity, witness: None } => UNWITNESSED * similarity,
            Self::ContentDiffers => -0.45,
            Self::NumbersDiffer => -0.40,
            Self::SizeDiffers => -0.30,
            Self::DurationDiffers => -0.25,
            Self::NumberMissing | Self::DateDiffers => -0.15,
            Self::TailOutdone => -0.10,
        }
    }

    pub(super) fn speaks_for(self) -> bool {
        self.weight() > 0.0
    }

    /// Whether only a person may decide on it.
    pub(super) fn needs_a_person(self) -> bool {
        matches!(self, Self::Similar { witness: None, .. })
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("a person accepted it"),
            Self::PathEqual(Likeness::Equal) => f.write_str("the mapped path is equal"),
            Self::PathEqual(Likeness::Composed) => {
                f.write_str("the mapped path is equal in composed characters")
            }
            Self::PathEqual(Likeness::Folded) => {
                f.write_str("the mapped path is equal but for case, and no other file has it")
            }
            Self::ContentEqual => f.write_str("the hash of the content is equal"),
            Self::NameAndSizeEqual => f.write_str("file name and size are equal"),
            Self::TailEqual(parts) => {
                write!(f, "the last {parts} parts of the path are equal, and of no other item")
            }
            Self::SizeAndDurationEqual => f.write_str("size and duration are equal, the name is another"),
            Self::NameEqual => f.write_str("the file name is equal"),
            Self::Similar { similarity, witness } => {
                write!(f, "the names are alike to {:.0} %", similarity * 100.0)?;
                match witness {
                    Some(witness) => write!(f, " and {witness}"),
                    None => f.write_str(", and nothing else bears that out"),
                }
            }
            Self::ContentDiffers => f.write_str("the hash of the content differs"),
            Self::SizeDiffers => f.write_str("the size differs"),
            Self::DurationDiffers => f.write_str("the duration differs by more than 2 %"),
            Self::NumbersDiffer => f.write_str("the part or episode number in the name differs"),
            Self::NumberMissing => f.write_str("only one of the names has a number"),
            Self::DateDiffers => f.write_str("the date differs"),
            Self::TailOutdone => f.write_str("another item shares more of the path"),
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Date => "the date is equal",
            Self::Duration => "the duration is equal",
            Self::Studio => "the studio is equal",
            Self::Size => "the size is equal",
        })
    }
}
