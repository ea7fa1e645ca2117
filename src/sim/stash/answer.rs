//! What does the simulated Stash answer to a GraphQL query?

use serde_json::{Map, Value, json};

use super::document::{Query, Root};
use super::filter;
use super::options::SystemStatus;
use super::scene::{Scene, SceneFile};
use super::schema;
use super::state::{Entity, EntityKind, State};
use crate::sim::clock::rfc3339;

/// What the real one says when its database is not open.
pub(crate) const NOT_OPEN: &str =
    "Internal system error. Error <runtime error: invalid memory address or nil pointer dereference>";
pub(crate) const LOCKED: &str = "beginning transaction: database is locked";

/// What was answered about plugins, by the key of its field.
pub(crate) type AboutPlugins = std::collections::BTreeMap<String, Result<Value, String>>;

/// Answers a valid query: the whole body, errors before data as the real one sends it.
pub(crate) fn answer(state: &State, query: &Query, base: &str, plugins: &AboutPlugins) -> Vec<u8> {
    respond(query, |root| match plugins.get(&root.key) {
        Some(answered) => answered.clone(),
        None => field(state, query, root, base),
    })
}

/// The answer when nothing can be looked up.
pub(crate) fn failed(state: &State, query: &Query, message: &str) -> Vec<u8> {
    respond(query, |root| match root.name.as_str() {
        "version" | "systemStatus" | "__type" => field(state, query, root, ""),
        _ => Err(message.to_owned()),
    })
}

fn respond(query: &Query, resolve: impl Fn(&Root) -> Result<Value, String>) -> Vec<u8> {
    let mut errors = Vec::new();
    let mut data = Map::new();
    let mut all_is_lost = false;
    for root in &query.roots {
        match resolve(root) {
            Ok(value) => {
                data.insert(root.key.clone(), query.select(root, &value));
            }
            Err(message) => {
                errors.push(json!({ "message": message, "path": [root.key] }));
                data.insert(root.key.clone(), Value::Null);
                // Only a field that may be null keeps its error to itself.
                all_is_lost |= root.name != "findScene";
            }
        }
    }
    let data = if all_is_lost { Value::Null } else { Value::Object(data) };
    body(&errors, &data)
}

/// Errors come first, and `<`, `>`, `&` and two line separators are escaped, as Go's encoder does it.
pub(crate) fn body(errors: &[Value], data: &Value) -> Vec<u8> {
    let text = if errors.is_empty() {
        format!("{{\"data\":{data}}}")
    } else {
        format!("{{\"errors\":{},\"data\":{data}}}", Value::from(errors))
    };
    let escaped = text
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    super::scene::with_raw_bytes(&escaped)
}

fn field(state: &State, query: &Query, root: &Root, base: &str) -> Result<Value, String> {
    let version = state.options.version.as_str();
    match root.name.as_str() {
        "version" => {
            let hash = version.rsplit_once("-g").map_or("", |(_, hash)| hash);
            Ok(json!({ "version": version, "hash": hash, "build_time": "" }))
        }
        "systemStatus" => Ok(system_status(state.status)),
        "__type" => Ok(introspected(root, schema::minor(version))),
        _ if state.status != SystemStatus::Ok => Err(NOT_OPEN.to_owned()),
        "findScene" => find_scene(state, root, base),
        "findScenes" => find_scenes(state, query, root, base),
        "stats" => Ok(json!({ "scene_count": state.scenes.len(), "performer_count": 0, "tag_count": 0 })),
        other => Err(format!("{other} is not simulated")),
    }
}

fn system_status(status: SystemStatus) -> Value {
    let schema = match status {
        SystemStatus::Ok => 75,
        SystemStatus::NeedsMigration => 74,
        SystemStatus::Setup => 0,
    };
    json!({ "status": status.name(), "databaseSchema": schema, "appSchema": 75, "os": "linux" })
}

fn introspected(root: &Root, version: schema::Minor) -> Value {
    let name = root.arguments.get("name").and_then(Value::as_str).unwrap_or_default();
    let Some(fields) = schema::told_fields(name, version) else { return Value::Null };
    let fields: Vec<_> = fields.into_iter().map(|field| json!({ "name": field })).collect();
    json!({ "name": name, "kind": "OBJECT", "fields": fields })
}

fn find_scene(state: &State, root: &Root, base: &str) -> Result<Value, String> {
    let id = root.arguments.get("id").map(text_of).unwrap_or_default();
    let id = filter::number(&id)?;
    Ok(state.scenes.get(&id).map_or(Value::Null, |scene| value_of(state, scene, base)))
}

fn find_scenes(state: &State, query: &Query, root: &Root, base: &str) -> Result<Value, String> {
    let found = filter::find(state, &root.arguments)?;
    let files = || found.all.iter().filter_map(|scene| scene.files.first());
    let duration: f64 = files().map(|file| file.file.duration).sum();
    let size: u64 = files().map(|file| file.file.size).sum();
    let scenes: Vec<Value> = if query.asks_for(root, "scenes") {
        found.page.iter().map(|scene| value_of(state, scene, base)).collect()
    } else {
        Vec::new()
    };
    Ok(
        json!({ "count": found.all.len(), "duration": shortest(duration), "filesize": size, "scenes": scenes }),
    )
}

/// An id argument may be sent as text or as a number.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Everything that can be asked of a scene.
fn value_of(state: &State, scene: &Scene, base: &str) -> Value {
    let offset = state.options.offset;
    let groups = |name: &'static str| -> Vec<Value> {
        let group = |(known, index): &(String, Option<u32>)| {
            let named = state.entity(EntityKind::Group, known).map(|entity| entity_value(state, entity));
            json!({ name: named, "scene_index": index })
        };
        scene.groups.iter().map(group).collect()
    };
    let entities = |kind| -> Vec<Value> {
        state.entities_of(scene, kind).into_iter().map(|entity| entity_value(state, entity)).collect()
    };
    let mut tags = state.entities_of(scene, EntityKind::Tag);
    tags.sort_by_key(|tag| tag.name.to_lowercase());
    let tags: Vec<_> = tags.into_iter().map(|tag| entity_value(state, tag)).collect();
    let stash_ids = scene.stash_ids.iter().map(|(endpoint, id)| {
        json!({ "endpoint": endpoint, "stash_id": id, "updated_at": rfc3339(scene.created_at, offset) })
    });
    json!({
        "id": scene.id.to_string(),
        "title": scene.title,
        "code": scene.code,
        "details": scene.details,
        "director": scene.director,
        "date": scene.date,
        "rating100": scene.rating100,
        "organized": scene.organized,
        "url": scene.urls.first(),
        "urls": scene.urls,
        "o_counter": 0,
        "play_count": 0,
        "play_duration": 0,
        "created_at": rfc3339(scene.created_at, offset),
        "updated_at": rfc3339(scene.updated_at, offset),
        "files": scene.files.iter().map(|file| file_value(state, file)).collect::<Vec<_>>(),
        "paths": paths(state, scene, base),
        "studio": entities(EntityKind::Studio).into_iter().next(),
        "groups": groups("group"),
        "movies": groups("movie"),
        "tags": tags,
        "performers": entities(EntityKind::Performer),
        "stash_ids": stash_ids.collect::<Vec<_>>(),
        "custom_fields": {},
    })
}

fn paths(state: &State, scene: &Scene, base: &str) -> Value {
    let at = format!("{base}/scene/{}", scene.id);
    let key = state.options.api_key.as_ref().map(|key| format!("?apikey={key}")).unwrap_or_default();
    json!({
        "screenshot": format!("{at}/screenshot?t={}", scene.updated_at),
        "preview": format!("{at}/preview"),
        "stream": format!("{at}/stream{key}"),
        "webp": format!("{at}/webp"),
    })
}

fn file_value(state: &State, file: &SceneFile) -> Value {
    let path = &file.file.path;
    let updated_at = rfc3339(file.updated_at, state.options.offset);
    let hash = Some(&file.file.oshash).filter(|hash| !hash.is_empty());
    let fingerprints: Vec<_> =
        hash.map(|hash| json!({ "type": "oshash", "value": hash })).into_iter().collect();
    json!({
        "id": file.id.to_string(),
        "path": path,
        "basename": path.rsplit(['/', '\\']).next(),
        "mod_time": updated_at,
        "size": file.file.size,
        "fingerprints": fingerprints,
        "format": "mp4",
        "width": 1920,
        "height": 1080,
        "duration": shortest(file.file.duration),
        "video_codec": "h264",
        "audio_codec": "aac",
        "frame_rate": 25,
        "bit_rate": 4_000_000,
        "created_at": updated_at,
        "updated_at": updated_at,
    })
}

/// Fields that an entity of another kind does not have are never asked for.
fn entity_value(state: &State, entity: &Entity) -> Value {
    let updated_at = rfc3339(entity.updated_at, state.options.offset);
    let parent = (entity.kind == EntityKind::Studio)
        .then(|| state.parents.get(&entity.name))
        .flatten()
        .and_then(|name| state.entity(EntityKind::Studio, name))
        .filter(|parent| parent.id != entity.id)
        .map(|parent| json!({ "id": parent.id.to_string(), "name": parent.name }));
    json!({
        "id": entity.id.to_string(),
        "name": entity.name,
        "sort_name": "",
        "disambiguation": "",
        "description": "",
        "alias_list": [],
        "aliases": [],
        "urls": [],
        "parent_studio": parent,
        "created_at": updated_at,
        "updated_at": updated_at,
    })
}

/// A whole number is written without a fraction.
fn shortest(number: f64) -> Value {
    match format!("{number}").parse::<i64>() {
        Ok(whole) => Value::from(whole),
        Err(_) => Value::from(number),
    }
}
