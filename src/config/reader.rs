//! How is a section read, so that all of its problems come to light at once?

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use garde::Validate;
use secrecy::SecretString;
use toml::Value;
use url::Url;

use super::layers::{Entry, Layers};
use super::problem::Problem;
use super::secret::{SecretSource, fit};
use super::values::{self, Words};

/// Reads keys. One that cannot be read is noted as a problem and stands at its default, so that reading goes on; a
/// configuration that comes out of a reader with problems must not be used.
pub(super) struct Reader {
    layers: Layers,
    defaults: Layers,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn new(mut layers: Layers) -> Self {
        let problems = std::mem::take(&mut layers.problems);
        Self { layers, defaults: Layers::built_in(), problems }
    }

    pub(super) fn truth(&mut self, key: &str) -> bool {
        self.read(key, values::truth)
    }

    pub(super) fn whole<T: TryFrom<i64>>(&mut self, key: &str) -> T {
        self.read(key, values::whole)
    }

    pub(super) fn fraction(&mut self, key: &str) -> f64 {
        self.read(key, values::fraction)
    }

    pub(super) fn duration(&mut self, key: &str) -> Duration {
        self.read(key, values::duration)
    }

    pub(super) fn size(&mut self, key: &str) -> usize {
        self.read(key, values::size)
    }

    pub(super) fn word<T: Words>(&mut self, key: &str) -> T {
        self.read(key, values::word)
    }

    pub(super) fn listen_address(&mut self, key: &str) -> SocketAddr {
        self.read(key, values::listen_address)
    }

    /// See [`values::server_url`].
    pub(super) fn server_url(&mut self, key: &str, page: &str) -> Url {
        self.read(key, |value| values::server_url(value, page))
    }

    pub(super) fn list<T>(&mut self, key: &str, element: impl Fn(&Value) -> Result<T, String>) -> Vec<T> {
        self.read(key, |value| values::list(value, &element))
    }

    /// A path of the machine on which PlexSync runs; none when empty.
    pub(super) fn path_if_any(&mut self, key: &str) -> Option<PathBuf> {
        self.read(key, |value| {
            let written = values::text(value)?;
            if written.starts_with("~/") {
                return Err(format!(
                    "begins with ~, which only a shell replaces: {written:?} (write the whole path)"
                ));
            }
            Ok(Some(written).filter(|path| !path.is_empty()).map(PathBuf::from))
        })
    }

    /// A secret, if one is given. Its value stands in no message.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        self.read(key, |value| {
            let written = value.as_str().ok_or("is not a text (write it in quotes)")?;
            if written.is_empty() { Ok(None) } else { fit(written).map(Some) }
        })
    }

    /// Where the secret came from.
    pub(super) fn secret_source(&self, key: &str) -> SecretSource {
        match self.layers.get(key) {
            Some(Entry { secret_file: Some(path), .. }) => SecretSource::File(path.clone()),
            Some(entry) if entry.value.as_str().is_some_and(|text| !text.is_empty()) => SecretSource::Inline,
            Some(_) | None => SecretSource::Unset,
        }
    }

    /// Reads `key` by `parse`.
    #[expect(
        clippy::expect_used,
        reason = "a missing or bad default shows in every test that reads a configuration"
    )]
    pub(super) fn read<T>(&mut self, key: &str, parse: impl Fn(&Value) -> Result<T, String>) -> T {
        let given = self.layers.get(key).expect("every key that is read has a default");
        match parse(&given.value) {
            Ok(meant) => meant,
            Err(wrong) => {
                self.complain(key, wrong);
                let default = self.defaults.get(key).expect("every key that is read has a default");
                parse(&default.value).expect("every default is right")
            }
        }
    }

    /// Notes what garde finds wrong with the fields of `section`.
    pub(super) fn check<T: Validate<Context = ()>>(&mut self, section: &str, meant: &T) {
        if let Err(report) = meant.validate() {
            for (path, error) in report.iter() {
                let key = format!("{section}.{path}");
                let written =
                    self.layers.get(&key).map(|entry| values::bare(&entry.value)).unwrap_or_default();
                self.complain(&key, format!("{written} is {error}"));
            }
        }
    }

    /// Notes a problem if the value of `lower` is above that of `upper`. `above` is the word for it ("longer").
    pub(super) fn in_order<T: PartialOrd>(&mut self, lower: (&str, &T), above: &str, upper: (&str, &T)) {
        let troubled = self.is_troubled(lower.0) || self.is_troubled(upper.0);
        if let (Some(low), Some(high)) = (self.layers.get(lower.0), self.layers.get(upper.0))
            && lower.1 > upper.1
            && !troubled
        {
            let text = format!(
                "{} is {above} than {} {}",
                values::bare(&low.value),
                upper.0,
                values::bare(&high.value)
            );
            self.complain(lower.0, text);
        }
    }

    /// Whether something is wrong with this key already, so that no conclusions can be drawn from its value.
    pub(super) fn is_troubled(&self, key: &str) -> bool {
        self.problems.iter().any(|problem| problem.key == key)
    }

    /// Notes a problem with the value of `key`.
    pub(super) fn complain(&mut self, key: &str, text: String) {
        // `path_map[0].stash` comes from where `path_map` does.
        let whole = key.split_once('[').map_or(key, |(list, _)| list);
        let origin = self.layers.get(whole).map(|entry| entry.origin.clone());
        self.problems.push(Problem { key: key.to_owned(), text, origin });
    }

    /// What was given, and the problems in the order of the keys, those that concern no key last.
    pub(super) fn finish(self) -> (Layers, Vec<Problem>) {
        let Self { layers, mut problems, .. } = self;
        let place = |problem: &Problem| {
            let key = problem.key.split_once('[').map_or(problem.key.as_str(), |(list, _)| list);
            layers.entries.iter().position(|entry| entry.key == key).unwrap_or(usize::MAX)
        };
        problems.sort_by_key(place);
        (layers, problems)
    }
}
