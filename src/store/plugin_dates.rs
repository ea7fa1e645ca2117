//! Since when is there this version of the plugin for Stash? Stash offers an update only when the date is later.

use jiff::Timestamp;
use jiff::Unit;

use super::connection::WriteTx;
use super::{StoreError, settings};

/// The date of a version, which is made when the version is seen for the first time: later than that of the version
/// before, even if the clock was set back. Whole seconds, as Stash has them.
pub fn date_of(
    tx: &mut WriteTx<'_>,
    variant: &str,
    version: &str,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let key = format!("plugin_date_{variant}");
    let known = settings::get(tx, &key)?;
    let known = known.as_deref().and_then(|value| value.split_once(' '));
    let known = known.and_then(|(version, date)| Some((version, date.parse::<i64>().ok()?)));
    let second = match known {
        Some((known, second)) if known == version => second,
        Some((_, second)) => now.as_second().max(second + 1),
        None => now.as_second(),
    };
    settings::put(tx, &key, &format!("{version} {second}"))?;
    Ok(Timestamp::from_second(second).or_else(|_| now.round(Unit::Second)).unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_keeps_its_date_and_the_next_one_is_later_even_if_the_clock_was_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = crate::store::open(&folder.path().join("a.db")).unwrap();
        let mut date = |variant: &str, version: &str, second: i64| {
            let now = Timestamp::from_second(second).unwrap();
            writer.write(|tx| date_of(tx, variant, version, now)).unwrap().as_second()
        };
        assert_eq!(date("program", "0.1.0-a", 1000), 1000);
        assert_eq!(date("program", "0.1.0-a", 2000), 1000);
        assert_eq!(date("python", "0.1.0-x", 500), 500);
        assert_eq!(date("program", "0.1.0-b", 900), 1001);
        assert_eq!(date("program", "0.1.0-a", 3000), 3000);
    }
}
