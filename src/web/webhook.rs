//! What did Stash's hook say? Takes a body apart in any of the accepted shapes and names every problem in it.

#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "garde hands values and contexts over like this"
)]

use std::fmt;

use garde::Validate;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::Problem;
use crate::domain::event::{EventType, StashEvent};
use crate::domain::ids::{CorrelationId, SceneId};

/// More events than this in one array are refused; a sender has to split them.
const MOST_EVENTS: usize = 1000;
/// No hook of Stash lists more input fields than an edit form has, by far.
const MOST_FIELDS: usize = 200;
/// Paths are the longest texts; no file system takes longer ones.
const LONGEST_TEXT: usize = 4096;

/// Why a body is not taken.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// Not JSON at all.
    NotJson(String),
    /// JSON, but not events.
    Invalid(Vec<Problem>),
}

/// What a body holds.
#[derive(Debug, PartialEq)]
pub(super) enum Events {
    One(StashEvent),
    Many(Vec<StashEvent>),
}

/// One event as it may arrive: thin, or (with `args`) as the hook's own standard input. Members that are not named here
/// are skipped while parsing, so that a cover image in the hook's `input` costs no memory. Values are loose, because
/// their types are checked together with everything else.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
struct Incoming {
    #[serde(rename = "type")]
    #[garde(custom(hook_type))]
    kind: Option<Value>,
    #[garde(custom(positive))]
    id: Option<Value>,
    #[serde(alias = "inputFields")]
    #[garde(custom(list_of_texts))]
    input_fields: Option<Value>,
    #[garde(custom(text))]
    path: Option<Value>,
    #[garde(custom(text))]
    oshash: Option<Value>,
    #[garde(custom(list_of_ids))]
    source: Option<Value>,
    #[garde(custom(id_word))]
    destination: Option<Value>,
    #[garde(skip)]
    args: Option<Args>,
}

#[derive(Debug, Deserialize)]
struct Args {
    #[serde(rename = "hookContext", default)]
    hook_context: Option<Box<Incoming>>,
}

/// Reads one event or an array of them. Every problem is named with its place.
pub(super) fn parse(body: &[u8], correlation_id: &CorrelationId) -> Result<Events, Refusal> {
    let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !is_array {
        let incoming: Incoming = from_json(body)?;
        let mut problems = Vec::new();
        let event = checked(incoming, "", correlation_id, &mut problems);
        return event.filter(|_| problems.is_empty()).map(Events::One).ok_or(Refusal::Invalid(problems));
    }
    let Batch { incoming, count } = from_json(body)?;
    if count == 0 || count > MOST_EVENTS {
        let text = format!("holds {count} events; 1 to {MOST_EVENTS} are taken at once");
        return Err(Refusal::Invalid(vec![Problem::new("body", text)]));
    }
    let mut problems = Vec::new();
    let check = |(index, incoming)| checked(incoming, &format!("[{index}]."), correlation_id, &mut problems);
    let events: Vec<_> = incoming.into_iter().enumerate().filter_map(check).collect();
    if problems.is_empty() { Ok(Events::Many(events)) } else { Err(Refusal::Invalid(problems)) }
}

/// The events of an array. Those that are too many are only counted: a body of empty objects would otherwise take a
/// hundred times its size.
struct Batch {
    incoming: Vec<Incoming>,
    count: usize,
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(BatchVisitor)
    }
}

struct BatchVisitor;

impl<'de> Visitor<'de> for BatchVisitor {
    type Value = Batch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Batch, A::Error> {
        let mut incoming = Vec::new();
        while incoming.len() < MOST_EVENTS {
            let Some(event) = list.next_element()? else { break };
            incoming.push(event);
        }
        let mut count = incoming.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Batch { incoming, count })
    }
}

fn from_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Refusal::Invalid(vec![Problem::new(
                "body",
                format!("is not an event or a list of events: {error}"),
            )])
        } else {
            Refusal::NotJson(error.to_string())
        }
    })
}

fn checked(
    incoming: Incoming,
    place: &str,
    correlation_id: &CorrelationId,
    problems: &mut Vec<Problem>,
) -> Option<StashEvent> {
    let (incoming, place) = match incoming.args {
        Some(Args { hook_context: Some(context) }) => (*context, format!("{place}args.hookContext.")),
        Some(Args { hook_context: None }) if incoming.kind.is_none() => {
            problems.push(Problem::new(
                format!("{place}args.hookContext"),
                "is missing; this is no hook of Stash",
            ));
            return None;
        }
        Some(Args { hook_context: None }) | None => (incoming, place.to_owned()),
    };
    if let Err(report) = incoming.validate() {
        let problem = |(path, error): &(garde::Path, garde::Error)| {
            Problem::new(format!("{place}{}", public_name(&path.to_string())), error.to_string())
        };
        problems.extend(report.iter().map(problem));
        return None;
    }
    let kind = incoming.kind.as_ref().and_then(Value::as_str)?.parse().ok()?;
    let id = SceneId::try_from(incoming.id.as_ref().and_then(Value::as_i64)?).ok()?;
    Some(StashEvent { kind, id, correlation_id: correlation_id.clone() })
}

/// The name under which a sender knows a member.
fn public_name(name: &str) -> &str {
    if name == "kind" { "type" } else { name }
}

type Checked = garde::Result;

fn hook_type(value: &Option<Value>, (): &()) -> Checked {
    match value {
        None | Some(Value::Null) => {
            refuse("is missing; it should be a hook type such as \"Scene.Update.Post\"")
        }
        Some(Value::String(word)) => {
            word.parse::<EventType>().map(drop).map_err(|error| garde::Error::new(error.to_string()))
        }
        Some(other) => {
            refuse(&format!("should be a text such as \"Scene.Update.Post\", not {}", kind_of(other)))
        }
    }
}

fn positive(value: &Option<Value>, (): &()) -> Checked {
    match value {
        None | Some(Value::Null) => refuse("is missing; it should be the scene's number, from 1 up"),
        Some(Value::Number(number)) if number.as_i64().is_some_and(|id| id > 0) => Ok(()),
        Some(Value::Number(number)) => refuse(&format!("should be a whole number from 1 up, not {number}")),
        Some(other) => refuse(&format!("should be a whole number from 1 up, not {}", kind_of(other))),
    }
}

fn list_of_texts(value: &Option<Value>, (): &()) -> Checked {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(items)) if items.len() <= MOST_FIELDS && items.iter().all(is_short_text) => Ok(()),
        Some(_) => refuse(&format!("should be a list of up to {MOST_FIELDS} field names")),
    }
}

fn list_of_ids(value: &Option<Value>, (): &()) -> Checked {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(items)) if items.iter().all(is_id) => Ok(()),
        Some(_) => refuse("should be a list of ids"),
    }
}

fn id_word(value: &Option<Value>, (): &()) -> Checked {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(id) if is_id(id) => Ok(()),
        Some(_) => refuse("should be an id"),
    }
}

fn text(value: &Option<Value>, (): &()) -> Checked {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(text) if is_short_text(text) => Ok(()),
        Some(_) => refuse(&format!("should be a text of up to {LONGEST_TEXT} bytes")),
    }
}

fn is_short_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() <= LONGEST_TEXT)
}

/// Stash writes ids as numbers in some places and as texts in others.
fn is_id(value: &Value) -> bool {
    value.as_i64().is_some_and(|id| id > 0) || value.as_str().is_some_and(|id| id.parse::<SceneId>().is_ok())
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn refuse(text: &str) -> Checked {
    Err(garde::Error::new(text))
}

#[cfg(test)]
mod tests;
