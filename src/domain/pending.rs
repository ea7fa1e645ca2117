//! Which items of Plex are to be read again, and when? Collects what was told until no more is told about it.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{Rng, RngExt as _};

use super::ids::{RatingKey, SectionKey};

/// A new movie is told of some dozen times while Plex looks at it. It is read when nothing was told for so long.
const QUIET: Duration = Duration::from_secs(10);
/// Telling without end does not keep an item from being read.
const AT_MOST: Duration = Duration::from_mins(1);
/// What is told of more items than these at once is forgotten: reading all that is new costs less.
const MOST: usize = 1000;
/// So many items are asked for in one request.
const TOGETHER: usize = 50;

/// The first pause until a channel is opened again, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The same where a person has to do something first, or where there is no channel at all.
const FIRST_LOOK: Duration = Duration::from_secs(30);
const LONGEST_LOOK: Duration = Duration::from_mins(15);

/// What was told and is not read yet. Times are of a monotonic clock.
#[derive(Debug, Default)]
pub struct Pending {
    items: BTreeMap<RatingKey, Told>,
    /// When the libraries are to be looked through for what is new, because something may have been missed.
    everything: Option<Duration>,
}

#[derive(Debug, Clone)]
struct Told {
    section: Option<SectionKey>,
    first: Duration,
    last: Duration,
}

impl Told {
    fn due(&self) -> Duration {
        self.last.saturating_add(QUIET).min(self.first.saturating_add(AT_MOST))
    }
}

/// An item, with its library if that was told.
pub type Item = (RatingKey, Option<SectionKey>);

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Look through the libraries for what is new.
    Everything,
    /// Read these items.
    Items(Vec<Item>),
}

impl Due {
    /// As [`Pending::len`] counts it.
    pub fn len(&self) -> usize {
        match self {
            Self::Everything => 1,
            Self::Items(items) => items.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Pending {
    /// Something was done to an item.
    pub fn note(&mut self, (item, section): Item, now: Duration) {
        if self.items.len() >= MOST && !self.items.contains_key(&item) {
            self.items.clear();
            self.note_all(now.saturating_add(QUIET));
            return;
        }
        let told = self.items.entry(item).or_insert(Told { section: None, first: now, last: now });
        told.last = now;
        told.section = section.or(told.section.take());
    }

    /// Something may have been missed: everything is looked through, at that moment or earlier.
    pub fn note_all(&mut self, at: Duration) {
        self.everything = Some(self.everything.map_or(at, |known| known.min(at)));
    }

    /// How much there is to be done; a look through the libraries is one thing.
    pub fn len(&self) -> usize {
        self.items.len() + usize::from(self.everything.is_some())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When there is something to be done.
    pub fn next_due(&self) -> Option<Duration> {
        self.items.values().map(Told::due).chain(self.everything).min()
    }

    /// Takes out what is to be done first.
    pub fn take_due(&mut self, now: Duration) -> Option<Due> {
        if self.everything.is_some_and(|at| at <= now) {
            self.everything = None;
            return Some(Due::Everything);
        }
        let mut due: Vec<_> = self
            .items
            .iter()
            .filter(|(_, told)| told.due() <= now)
            .map(|(key, told)| (told.due(), key))
            .collect();
        due.sort();
        let due: Vec<_> = due.into_iter().take(TOGETHER).map(|(_, key)| key.clone()).collect();
        let items: Vec<_> = due
            .into_iter()
            .filter_map(|key| self.items.remove_entry(&key))
            .map(|(key, told)| (key, told.section))
            .collect();
        (!items.is_empty()).then_some(Due::Items(items))
    }
}

/// How long to wait until the channel is opened again, after so many failures in a row.
pub fn pause(failures: u32, needs_a_person: bool, rng: &mut impl Rng) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    // Part of it is by chance, so that many who lost the same server do not come back all at once.
    if needs_a_person {
        FIRST_LOOK.saturating_mul(doubled).min(LONGEST_LOOK).mul_f64(rng.random_range(1.0..=1.25))
    } else {
        FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE).mul_f64(rng.random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests;
