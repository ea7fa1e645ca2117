//! Under which directories do the two servers see the same files?

use toml::Value;

use super::layers::PATH_MAP;
use super::reader::Reader;
use super::values::{bare, quoted};

/// `[[path_map]]`: one directory, as either server sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathMap {
    /// The beginning of a path in Stash; absolute.
    pub stash: String,
    /// The beginning of the same path in Plex; absolute.
    pub plex: String,
}

const EXAMPLE_BLOCK: &str = r#"write [{ stash = "/data", plex = "/media" }]"#;

/// Reads all blocks, each field on its own.
pub(super) fn read(reader: &mut Reader) -> Vec<PathMap> {
    let blocks = reader.read(PATH_MAP, |value| {
        let wrong = || {
            if value.is_table() {
                return "stands in single brackets (write [[path_map]])".to_owned();
            }
            format!("is not a list of blocks: {} ({EXAMPLE_BLOCK})", quoted(value))
        };
        value.as_array().cloned().ok_or_else(wrong)
    });
    let mut maps: Vec<PathMap> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let Some(map) = read_block(reader, &format!("{PATH_MAP}[{index}]"), block) else { continue };
        if maps.iter().any(|earlier| earlier.stash == map.stash) {
            let text = format!("{:?} stands in an earlier block too (one block for each)", map.stash);
            reader.complain(&format!("{PATH_MAP}[{index}].stash"), text);
        }
        maps.push(map);
    }
    maps
}

fn read_block(reader: &mut Reader, name: &str, block: &Value) -> Option<PathMap> {
    let Value::Table(table) = block else {
        reader.complain(name, format!("is not a block: {} (write stash = … and plex = …)", quoted(block)));
        return None;
    };
    for key in table.keys().filter(|key| !matches!(key.as_str(), "stash" | "plex")) {
        reader.complain(&format!("{name}.{key}"), "is not a key ([[path_map]] has stash, plex)".to_owned());
    }
    let mut side = |key: &str| {
        let given = table.get(key);
        match given.and_then(Value::as_str) {
            Some(path) if is_absolute(path) => return Some(path.to_owned()),
            Some("") => {
                reader.complain(&format!("{name}.{key}"), "is empty (write an absolute path)".to_owned());
            }
            Some(_) | None => {
                let text = given.map_or_else(
                    || "is missing (write an absolute path)".to_owned(),
                    |value| {
                        format!(
                            "is not an absolute path: {} (did you mean \"/{}\"?)",
                            quoted(value),
                            bare(value)
                        )
                    },
                );
                reader.complain(&format!("{name}.{key}"), text);
            }
        }
        None
    };
    let (stash, plex) = (side("stash"), side("plex"));
    Some(PathMap { stash: stash?, plex: plex? })
}

/// Either server may run on Windows, whatever PlexSync runs on: `/data`, `D:\data`, `D:/data`, `\\nas\data`.
fn is_absolute(path: &str) -> bool {
    let mut chars = path.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('/'), ..) | (Some('\\'), Some('\\'), Some(_)) => true,
        (Some(drive), Some(':'), Some('/' | '\\')) => drive.is_ascii_alphabetic(),
        _ => false,
    }
}
