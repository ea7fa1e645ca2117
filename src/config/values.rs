//! Is a value of the kind that its key takes? Reads one key at a time and goes on after a problem.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use secrecy::SecretString;
use toml::Value;
use url::Url;

use super::layers::Layers;
use super::problems::Problem;

/// Reads keys. A key with a problem is read as its default, so that the others can be looked at as well.
pub(super) struct Values<'a> {
    layers: &'a Layers,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Values<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self { layers, problems: Vec::new() }
    }

    /// Reads a key with a function that says what would be right.
    fn read<T: Default>(&mut self, key: &str, read: impl Fn(&Value) -> Result<T, String>) -> T {
        let value = self.layers.values.get(key);
        match value.map_or_else(|| Err("is missing".to_owned()), &read) {
            Ok(value) => value,
            Err(text) => {
                self.problems.push(Problem { key: key.to_owned(), value: self.layers.shown(key), text });
                self.layers.defaults.get(key).and_then(|value| read(value).ok()).unwrap_or_default()
            }
        }
    }

    pub(super) fn text(&mut self, key: &str) -> String {
        self.read(key, |value| {
            value.as_str().map(str::to_owned).ok_or_else(|| "is not a text in quotes".to_owned())
        })
    }

    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let text = self.text(key);
        (!text.is_empty()).then(|| text.into())
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let wanted = || "is not a list of texts, such as [\"Films\", \"Clips\"]".to_owned();
        self.read(key, |value| {
            let items = value.as_array().ok_or_else(wanted)?.iter();
            items.map(|item| item.as_str().map(str::to_owned).ok_or_else(wanted)).collect()
        })
    }

    pub(super) fn truth(&mut self, key: &str) -> bool {
        self.read(key, |value| value.as_bool().ok_or_else(|| "is not true or false".to_owned()))
    }

    pub(super) fn whole(&mut self, key: &str) -> u32 {
        self.read(key, |value| {
            let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(|| "is not a whole number from 0 up".to_owned())
        })
    }

    pub(super) fn share(&mut self, key: &str) -> f64 {
        self.read(key, |value| {
            let whole = value.as_integer().and_then(|number| i32::try_from(number).ok()).map(f64::from);
            value.as_float().or(whole).ok_or_else(|| "is not a number such as 0.9".to_owned())
        })
    }

    pub(super) fn duration(&mut self, key: &str) -> Duration {
        let wanted = || "is not a duration such as \"500ms\", \"3s\", \"10m\", \"2h\" or \"14d\"".to_owned();
        self.read(key, |value| match value {
            Value::Integer(0) => Ok(Duration::ZERO),
            Value::String(text) if text.trim() == "0" => Ok(Duration::ZERO),
            Value::String(text) => duration(text).ok_or_else(wanted),
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => Err(wanted()),
        })
    }

    pub(super) fn bytes(&mut self, key: &str) -> usize {
        self.read(key, |value| {
            let wanted = || "is not a size such as \"512 KiB\" or \"1 MiB\"".to_owned();
            value.as_str().and_then(bytes).ok_or_else(wanted)
        })
    }

    pub(super) fn address(&mut self, key: &str) -> Option<SocketAddr> {
        self.read(key, |value| {
            let wanted = "is not an address with a port, such as \"127.0.0.1:8765\" or \"0.0.0.0:8765\"";
            value.as_str().and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| wanted.to_owned())
        })
    }

    pub(super) fn url(&mut self, key: &str) -> Option<Url> {
        self.read(key, |value| {
            let text = value.as_str().ok_or_else(|| "is not a text in quotes".to_owned())?;
            url(text).map(Some)
        })
    }

    /// One word of several.
    pub(super) fn choice<T: Copy + Default>(&mut self, key: &str, choices: &[(&str, T)]) -> T {
        self.read(key, |value| {
            let chosen = choices.iter().find(|(word, _)| value.as_str() == Some(word));
            chosen.map(|(_, choice)| *choice).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                format!("is not one of {}", words.join(", "))
            })
        })
    }

    /// Some words of several.
    pub(super) fn words<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Vec<T> {
        self.read(key, |value| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            let wanted = || format!("is not a list of some of {}", words.join(", "));
            let chosen = |item: &Value| {
                choices.iter().find(|(word, _)| item.as_str() == Some(word)).map(|(_, choice)| *choice)
            };
            value.as_array().ok_or_else(wanted)?.iter().map(|item| chosen(item).ok_or_else(wanted)).collect()
        })
    }

    /// The tables of a list, each with all its keys as text.
    pub(super) fn tables<const N: usize>(&mut self, key: &str, names: [&str; N]) -> Vec<[String; N]> {
        let Some(value) = self.layers.values.get(key) else { return Vec::new() };
        let mut rows = Vec::new();
        let Some(tables) = value.as_array() else {
            let text = format!("is not a list of tables; write [[{key}]]");
            self.problems.push(Problem { key: key.to_owned(), value: String::new(), text });
            return rows;
        };
        for (index, table) in tables.iter().enumerate() {
            let read = |name: &str| table.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            for name in names.iter().filter(|name| read(name).is_none()) {
                let text = "is missing or not a text in quotes; both stash and plex name a folder".to_owned();
                self.problems.push(Problem {
                    key: format!("{key}[{index}].{name}"),
                    value: String::new(),
                    text,
                });
            }
            for unknown in table
                .as_table()
                .into_iter()
                .flat_map(|table| table.keys())
                .filter(|key| !names.contains(&key.as_str()))
            {
                let text = format!("is not a setting; known are {}", names.join(" and "));
                self.problems.push(Problem {
                    key: format!("{key}[{index}].{unknown}"),
                    value: String::new(),
                    text,
                });
            }
            rows.push(names.map(|name| read(name).unwrap_or_default().to_owned()));
        }
        rows
    }
}

fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let signed: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(signed).ok()
}

fn bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit.trim() {
        "" | "B" => 1,
        "KiB" | "KB" | "K" => 1 << 10,
        "MiB" | "MB" | "M" => 1 << 20,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

fn url(text: &str) -> Result<Url, String> {
    let with_scheme = format!("http://{text}");
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
                return Err("holds a password or a query; secrets have keys of their own".to_owned());
            }
            Ok(url)
        }
        Ok(_) | Err(_) if Url::parse(&with_scheme).is_ok() && !text.contains("//") => {
            Err(format!("is not a URL (did you mean \"{with_scheme}\"?)"))
        }
        Ok(_) | Err(_) => Err("is not a URL such as \"http://localhost:32400\"".to_owned()),
    }
}
