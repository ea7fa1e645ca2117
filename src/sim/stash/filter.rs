//! Which scenes does `findScenes` find, and which of them are on the page?

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::answer::text_of;
use super::scene::Scene;
use super::state::{EntityKind, State};
use crate::sim::clock::rfc3339;

const PER_PAGE: i64 = 25;

/// All scenes that match, in order, and those of the page.
pub(crate) struct Found<'a> {
    pub(crate) all: Vec<&'a Scene>,
    pub(crate) page: Vec<&'a Scene>,
}

/// Errors are in the words of the real one, as far as they are known.
pub(crate) fn find<'a>(state: &'a State, arguments: &Map<String, Value>) -> Result<Found<'a>, String> {
    let ids = arguments.get("ids").and_then(Value::as_array);
    // No ids at all is not "none of them": the real one goes on to the filter then.
    if let Some(ids) = ids.filter(|ids| !ids.is_empty()) {
        let all = by_ids(state, ids)?;
        return Ok(Found { page: all.clone(), all });
    }
    let filter = arguments.get("scene_filter").and_then(Value::as_object);
    let page = arguments.get("filter").and_then(Value::as_object);
    let mut all = Vec::new();
    for scene in state.scenes.values() {
        if passes(state, scene, filter)? && searched(scene, page) {
            all.push(scene);
        }
    }
    sort(&mut all, page)?;
    let page = paged(&all, page);
    Ok(Found { all, page })
}

pub(crate) fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_not_a_number: std::num::ParseIntError| {
        format!("strconv.Atoi: parsing \"{text}\": invalid syntax")
    })
}

fn by_ids<'a>(state: &'a State, ids: &[Value]) -> Result<Vec<&'a Scene>, String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for id in ids {
        let id = number(&text_of(id))?;
        if !seen.insert(id) {
            return Err(format!("validating ids: duplicate id found: {id}"));
        }
        found.push(state.scenes.get(&id).ok_or_else(|| format!("scene with id {id} not found"))?);
    }
    Ok(found)
}

fn passes(state: &State, scene: &Scene, filter: Option<&Map<String, Value>>) -> Result<bool, String> {
    for (name, wanted) in filter.into_iter().flatten() {
        let at = |seconds| rfc3339(seconds, state.options.offset);
        let related = |kind| state.entities_of(scene, kind).into_iter();
        let kind = kind_of(name.trim_end_matches("_filter"));
        let passes = match (name.as_str(), kind) {
            (_, _) if wanted.is_null() => true,
            ("id", _) => compare(&scene.id, &numeric(wanted)?, wanted)?,
            // Times are compared as text, zone and all.
            ("updated_at", _) => compare(&at(scene.updated_at), &text(wanted), wanted)?,
            ("created_at", _) => compare(&at(scene.created_at), &text(wanted), wanted)?,
            ("organized", _) => wanted.as_bool() == Some(scene.organized),
            ("path", _) => path_matches(scene, wanted)?,
            ("files_filter", _) => {
                let times = scene.files.iter().map(|file| at(file.updated_at));
                any_since(times, wanted)?
            }
            (name, Some(kind)) if name.ends_with("_filter") => {
                any_since(related(kind).map(|entity| at(entity.updated_at)), wanted)?
            }
            (_, Some(kind)) => {
                let ids: Vec<String> = related(kind).map(|entity| entity.id.to_string()).collect();
                includes(&ids, wanted)?
            }
            (other, None) => return Err(format!("the filter {other} is not simulated")),
        };
        if !passes {
            return Ok(false);
        }
    }
    Ok(true)
}

fn kind_of(filter: &str) -> Option<EntityKind> {
    match filter {
        "studios" => Some(EntityKind::Studio),
        "performers" => Some(EntityKind::Performer),
        "tags" => Some(EntityKind::Tag),
        "groups" | "movies" => Some(EntityKind::Group),
        _ => None,
    }
}

fn modifier(wanted: &Value) -> &str {
    wanted.get("modifier").and_then(Value::as_str).unwrap_or_default()
}

fn text(wanted: &Value) -> String {
    wanted.get("value").map(text_of).unwrap_or_default()
}

fn numeric(wanted: &Value) -> Result<i64, String> {
    number(&text(wanted))
}

fn compare<T: PartialOrd>(known: &T, value: &T, wanted: &Value) -> Result<bool, String> {
    match modifier(wanted) {
        "GREATER_THAN" => Ok(known > value),
        "LESS_THAN" => Ok(known < value),
        "EQUALS" => Ok(known == value),
        "NOT_EQUALS" => Ok(known != value),
        other => Err(format!("the modifier {other} is not simulated here")),
    }
}

fn any_since(times: impl Iterator<Item = String>, wanted: &Value) -> Result<bool, String> {
    let Some(since) = wanted.get("updated_at") else {
        return Err("of a related filter only updated_at is simulated".to_owned());
    };
    for time in times {
        if compare(&time, &text(since), since)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn includes(ids: &[String], wanted: &Value) -> Result<bool, String> {
    let values = wanted.get("value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut values = values.iter().map(text_of);
    match modifier(wanted) {
        "INCLUDES" => Ok(values.any(|id| ids.contains(&id))),
        "INCLUDES_ALL" => Ok(values.all(|id| ids.contains(&id))),
        "EXCLUDES" => Ok(!values.any(|id| ids.contains(&id))),
        other => Err(format!("the modifier {other} is not simulated here")),
    }
}

/// Any file of the scene counts, and ASCII case does not.
fn path_matches(scene: &Scene, wanted: &Value) -> Result<bool, String> {
    let value = text(wanted).to_ascii_lowercase();
    let mut paths = scene.files.iter().map(|file| file.file.path.to_ascii_lowercase());
    match modifier(wanted) {
        "EQUALS" => Ok(paths.any(|path| path == value)),
        "INCLUDES" => Ok(paths.any(|path| path.contains(value.trim_matches('"')))),
        other => Err(format!("the modifier {other} is not simulated here")),
    }
}

fn searched(scene: &Scene, page: Option<&Map<String, Value>>) -> bool {
    let words = page.and_then(|page| page.get("q")).and_then(Value::as_str).unwrap_or_default();
    scene.title.to_lowercase().contains(&words.to_lowercase())
}

fn sort(scenes: &mut [&Scene], page: Option<&Map<String, Value>>) -> Result<(), String> {
    let argument = |name: &str| page.and_then(|page| page.get(name)).and_then(Value::as_str);
    let title = |scene: &Scene| {
        if scene.title.is_empty() { scene.id.to_string() } else { scene.title.to_lowercase() }
    };
    // The last resort is the title, not the id: pages over equal times can shift.
    scenes.sort_by_key(|scene| title(scene));
    match argument("sort").unwrap_or("title") {
        "title" => {}
        "id" => scenes.sort_by_key(|scene| scene.id),
        "updated_at" => scenes.sort_by_key(|scene| scene.updated_at),
        "created_at" => scenes.sort_by_key(|scene| scene.created_at),
        "path" => scenes.sort_by_key(|scene| scene.files.first().map(|file| file.file.path.clone())),
        other => return Err(format!("invalid sort: {other}")),
    }
    if argument("direction") == Some("DESC") {
        scenes.reverse();
    }
    Ok(())
}

fn paged<'a>(all: &[&'a Scene], page: Option<&Map<String, Value>>) -> Vec<&'a Scene> {
    let argument = |name: &str| page.and_then(|page| page.get(name)).and_then(Value::as_i64);
    let per_page = argument("per_page").unwrap_or(PER_PAGE);
    let Ok(per_page) = usize::try_from(per_page) else { return all.to_vec() };
    let before = usize::try_from(argument("page").unwrap_or(1).saturating_sub(1)).unwrap_or(0);
    all.iter().skip(before.saturating_mul(per_page)).take(per_page).copied().collect()
}
