//! What does Stash say on a hook's standard input? Takes what is needed and streams past the rest, however long.

use std::fmt;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use secrecy::SecretString;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::shorten::Shortened;

/// The most that is read at once.
const CHUNK: usize = 64 << 10;
/// The service takes no longer texts, and no longer lists of fields.
const LONGEST_TEXT: usize = 4096;
/// Longer than any name of a field, and than any id. An event has to stay small however it is made.
const LONGEST_NAME: usize = 64;
const MOST_FIELDS: usize = 200;
/// Ids of objects that were merged into one.
const MOST_SOURCES: usize = 1000;

/// One call of Stash.
#[derive(Debug)]
pub(super) struct Call {
    /// Absent when Stash runs an operation or a task instead of a hook.
    pub(super) event: Option<Event>,
    pub(super) mode: Option<String>,
    pub(super) url: Option<String>,
    pub(super) token: Option<SecretString>,
    /// The plugin's own folder, as Stash sees it; relative to its working directory, which is ours.
    pub(super) plugin_dir: Option<PathBuf>,
}

/// The thin event, as the service takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    kind: String,
    id: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    input_fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oshash: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    source: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
}

impl Event {
    /// Such as `Scene.Update.Post 45`, for people.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.kind, self.id)
    }

    /// The JSON of the event, on one line.
    pub(super) fn line(&self) -> String {
        // Texts and numbers alone always make JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Reads one call. Texts of megabytes in it are neither kept nor looked at.
pub(super) fn read(stdin: impl Read) -> Result<Call, serde_json::Error> {
    let shortened = Shortened::new(BufReader::with_capacity(CHUNK, stdin));
    let mut from = serde_json::Deserializer::from_reader(BufReader::with_capacity(CHUNK, shortened));
    // Whatever follows the one object is nobody's business.
    let Stdin { server_connection, args } = Stdin::deserialize(&mut from)?;
    let (server_connection, args) = (server_connection.unwrap_or_default(), args.unwrap_or_default());
    Ok(Call {
        event: args.hook_context.map(Context::into_event),
        mode: args.mode,
        url: args.url.filter(|url| !url.is_empty()),
        token: args.token.filter(|token| !token.is_empty()).map(SecretString::from),
        plugin_dir: server_connection.plugin_dir.filter(|folder| !folder.as_os_str().is_empty()),
    })
}

#[derive(Deserialize)]
struct Stdin {
    server_connection: Option<Connection>,
    /// Null when an operation is run without any.
    args: Option<Args>,
}

#[derive(Default, Deserialize)]
struct Connection {
    #[serde(rename = "PluginDir", default)]
    plugin_dir: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Args {
    #[serde(rename = "hookContext")]
    hook_context: Option<Context>,
    mode: Option<String>,
    url: Option<String>,
    token: Option<String>,
}

/// Only `id` and `type` are the same for every change; whatever else does not look as expected is left out, because an
/// event with less in it is better than none.
#[derive(Deserialize)]
struct Context {
    #[serde(default)]
    id: i64,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    input: Input,
    #[serde(rename = "inputFields", default)]
    input_fields: Texts<MOST_FIELDS>,
}

impl Context {
    fn into_event(self) -> Event {
        let Self { id, kind, input, input_fields } = self;
        Event {
            kind,
            id,
            input_fields: input_fields.0,
            path: input.path,
            oshash: input.oshash,
            source: input.source,
            destination: input.destination,
        }
    }
}

/// What Stash was asked to change: nothing, an object, or a list of objects or ids. Only objects say more than the event
/// itself does.
#[derive(Default)]
struct Input {
    path: Option<String>,
    oshash: Option<String>,
    source: Vec<String>,
    destination: Option<String>,
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(InputVisitor)
    }
}

struct InputVisitor;

/// Visits values of every other kind by leaving them out.
macro_rules! leave_out {
    ($($visit:ident($kind:ty)),* $(,)?) => {
        $(fn $visit<E>(self, _: $kind) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })*

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

impl<'de> Visitor<'de> for InputVisitor {
    type Value = Input;

    leave_out!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Input, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Input::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Input, A::Error> {
        let mut input = Input::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "path" => input.path = map.next_value::<Texts<1>>()?.one(),
                "oshash" => input.oshash = map.next_value::<Texts<1>>()?.one(),
                "source" => input.source = map.next_value::<Texts<MOST_SOURCES>>()?.0,
                "destination" => input.destination = map.next_value::<Texts<1>>()?.one(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(input)
    }
}

/// The texts of a list, or a text by itself: as many as `MOST`, none too long, nothing else.
#[derive(Default)]
struct Texts<const MOST: usize>(Vec<String>);

impl<const MOST: usize> Texts<MOST> {
    fn one(self) -> Option<String> {
        self.0.into_iter().next().filter(|text| !text.is_empty())
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Texts<MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor<const MOST: usize>;

impl<'de, const MOST: usize> Visitor<'de> for TextsVisitor<MOST> {
    type Value = Texts<MOST>;

    leave_out!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts<MOST>, E> {
        let fits = text.len() <= LONGEST_TEXT;
        Ok(Texts(fits.then(|| text.to_owned()).into_iter().collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts<MOST>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element::<Texts<1>>()? {
            if texts.len() < MOST {
                texts.extend(text.0.into_iter().filter(|text| text.len() <= LONGEST_NAME));
            }
        }
        Ok(Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts<MOST>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Texts::default())
    }
}
