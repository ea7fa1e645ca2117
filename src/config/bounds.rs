//! Between which bounds is a value sensible? The rules are given to garde; what they say stands after "VALUE is".

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// A duration that says itself as people write it, in the largest unit that leaves no rest.
struct Shown(Duration);

const UNITS: [(u128, &str); 5] =
    [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let unit = UNITS.iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
        match unit {
            Some((unit, name)) => write!(f, "{}{name}", millis / unit),
            None => f.write_str("0"),
        }
    }
}

/// The rule that a duration lies between two others, both included.
pub(super) fn between(least: Duration, most: Duration) -> impl FnOnce(&Duration, &()) -> garde::Result {
    move |value, ()| {
        let wrong = match value {
            value if *value < least => format!("shorter than {}", Shown(least)),
            value if *value > most => format!("longer than {}", Shown(most)),
            _ => return Ok(()),
        };
        Err(garde::Error::new(format!("{wrong} ({} to {} is right)", Shown(least), Shown(most))))
    }
}

/// The rule for a rate in calls a second: 0, which is off, or one that lets at least one call go every ten seconds.
pub(super) fn rate() -> impl FnOnce(&f64, &()) -> garde::Result {
    |value, ()| {
        if *value == 0.0 || (0.1..=1000.0).contains(value) {
            return Ok(());
        }
        Err(garde::Error::new("out of range (0.1 to 1000 is right, or 0 for no limit)"))
    }
}

/// The rule that a number lies between two others, both included.
pub(super) fn from_to<T: PartialOrd + fmt::Display>(
    least: T,
    most: T,
) -> impl FnOnce(&T, &()) -> garde::Result {
    move |value, ()| {
        if (&least..=&most).contains(&value) {
            return Ok(());
        }
        Err(garde::Error::new(format!("out of range ({least} to {most} is right)")))
    }
}

/// The rule that a number of bytes lies between two others, both included.
pub(super) fn from_to_bytes(least: u64, most: u64) -> impl FnOnce(&usize, &()) -> garde::Result {
    move |value, ()| {
        if u64::try_from(*value).is_ok_and(|value| (least..=most).contains(&value)) {
            return Ok(());
        }
        let (least, most) = (ByteSize(least), ByteSize(most));
        Err(garde::Error::new(format!("out of range ({least} to {most} is right)")))
    }
}
