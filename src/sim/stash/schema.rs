//! Which types and fields does the simulated Stash have, and since which version?

/// Major is always 0 so far; the minor number decides.
pub(crate) type Minor = u32;

/// The first version with everything that is simulated, unless a field says otherwise.
const ALWAYS: Minor = 0;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The object type behind it; `None` for plain values.
    pub(crate) of: Option<&'static str>,
    since: Minor,
    /// Still answered, but not told to those who ask for the schema.
    deprecated: bool,
}

const fn plain(name: &'static str) -> Field {
    Field { name, of: None, since: ALWAYS, deprecated: false }
}

const fn object(name: &'static str, of: &'static str) -> Field {
    Field { name, of: Some(of), since: ALWAYS, deprecated: false }
}

impl Field {
    const fn since(self, since: Minor) -> Self {
        Self { since, ..self }
    }

    const fn deprecated(self) -> Self {
        Self { deprecated: true, ..self }
    }
}

const QUERY: &[Field] = &[
    object("findScene", "Scene"),
    object("findScenes", "FindScenesResultType"),
    object("version", "Version"),
    object("systemStatus", "SystemStatus"),
    object("stats", "StatsResultType"),
    object("plugins", "Plugin"),
    object("configuration", "ConfigResult").since(24),
    object("availablePackages", "Package").since(24),
    object("installedPackages", "Package").since(24),
    object("findJob", "Job").since(24),
    object("logs", "LogEntry"),
    object("__type", "__Type").deprecated(),
];

const MUTATION: &[Field] = &[
    object("configureGeneral", "ConfigGeneralResult").since(24),
    plain("installPackages").since(24),
    plain("uninstallPackages").since(24),
    plain("setPluginsEnabled").since(24),
    plain("reloadPlugins"),
    plain("runPluginOperation").since(25),
];

const SCENE: &[Field] = &[
    plain("id"),
    plain("title"),
    plain("code"),
    plain("details"),
    plain("director"),
    plain("url").deprecated(),
    plain("urls").since(22),
    plain("date"),
    plain("rating100"),
    plain("organized"),
    plain("o_counter"),
    plain("created_at"),
    plain("updated_at"),
    plain("play_count"),
    plain("play_duration"),
    object("files", "VideoFile"),
    object("paths", "ScenePathsType"),
    object("studio", "Studio"),
    object("groups", "SceneGroup").since(27),
    object("movies", "SceneMovie").deprecated(),
    object("tags", "Tag"),
    object("performers", "Performer"),
    object("stash_ids", "StashID"),
    plain("custom_fields").since(31),
];

const VIDEO_FILE: &[Field] = &[
    plain("id"),
    plain("path"),
    plain("basename"),
    plain("mod_time"),
    plain("size"),
    object("fingerprints", "Fingerprint"),
    plain("format"),
    plain("width"),
    plain("height"),
    plain("duration"),
    plain("video_codec"),
    plain("audio_codec"),
    plain("frame_rate"),
    plain("bit_rate"),
    plain("created_at"),
    plain("updated_at"),
];

const STUDIO: &[Field] = &[
    plain("id"),
    plain("name"),
    plain("url").deprecated(),
    plain("urls").since(30),
    object("parent_studio", "Studio"),
    plain("aliases"),
    plain("image_path"),
    plain("created_at"),
    plain("updated_at"),
];

const PERFORMER: &[Field] = &[
    plain("id"),
    plain("name"),
    plain("disambiguation"),
    plain("alias_list"),
    plain("gender"),
    plain("birthdate"),
    plain("image_path"),
    plain("created_at"),
    plain("updated_at"),
];

const TAG: &[Field] = &[
    plain("id"),
    plain("name"),
    plain("sort_name").since(28),
    plain("aliases"),
    plain("description"),
    plain("created_at"),
    plain("updated_at"),
];

const NAMED: &[Field] = &[plain("id"), plain("name"), plain("created_at"), plain("updated_at")];

/// All fields of a type, in the schema's order; `None` for a type that is not simulated.
fn all_fields(of: &str) -> Option<&'static [Field]> {
    Some(match of {
        "Query" => QUERY,
        "Mutation" => MUTATION,
        "Plugin" => {
            const {
                &[
                    plain("id"),
                    plain("name"),
                    plain("version"),
                    plain("enabled"),
                    object("hooks", "PluginHook"),
                ]
            }
        }
        "PluginHook" => const { &[plain("name"), plain("hooks")] },
        "ConfigResult" => const { &[object("general", "ConfigGeneralResult"), plain("plugins")] },
        "ConfigGeneralResult" => {
            const { &[object("stashes", "StashConfig"), object("pluginPackageSources", "PackageSource")] }
        }
        "StashConfig" => const { &[plain("path"), plain("excludeVideo"), plain("excludeImage")] },
        "PackageSource" => const { &[plain("name"), plain("url"), plain("local_path")] },
        "Package" => {
            const { &[plain("package_id"), plain("name"), plain("version"), plain("date"), plain("sourceURL")] }
        }
        "Job" => const { &[plain("id"), plain("status"), plain("error")] },
        "LogEntry" => const { &[plain("time"), plain("level"), plain("message")] },
        "Scene" => SCENE,
        "VideoFile" => VIDEO_FILE,
        "Fingerprint" => const { &[plain("type"), plain("value")] },
        "ScenePathsType" => {
            const { &[plain("screenshot"), plain("preview"), plain("stream"), plain("webp")] }
        }
        "Studio" => STUDIO,
        "Performer" => PERFORMER,
        "Tag" => TAG,
        "Group" | "Movie" => NAMED,
        "SceneGroup" => const { &[object("group", "Group"), plain("scene_index")] },
        "SceneMovie" => const { &[object("movie", "Movie"), plain("scene_index")] },
        "StashID" => const { &[plain("endpoint"), plain("stash_id"), plain("updated_at").since(28)] },
        "FindScenesResultType" => {
            const { &[plain("count"), plain("duration"), plain("filesize"), object("scenes", "Scene")] }
        }
        "Version" => const { &[plain("version"), plain("hash"), plain("build_time")] },
        "SystemStatus" => {
            const { &[plain("databaseSchema"), plain("appSchema"), plain("status"), plain("os").since(24)] }
        }
        "StatsResultType" => const { &[plain("scene_count"), plain("performer_count"), plain("tag_count")] },
        "__Type" => const { &[plain("name"), plain("kind"), object("fields", "__Field")] },
        "__Field" => const { &[plain("name")] },
        _ => return None,
    })
}

/// A field of a type in this version.
pub(crate) fn field(of: &str, name: &str, version: Minor) -> Option<&'static Field> {
    all_fields(of)?.iter().find(|field| field.name == name && field.since <= version)
}

/// The names of a type's fields that this version tells; `None` when it has no such type.
pub(crate) fn told_fields(of: &str, version: Minor) -> Option<Vec<&'static str>> {
    let fields = all_fields(of)?.iter();
    Some(fields.filter(|field| field.since <= version && !field.deprecated).map(|field| field.name).collect())
}

/// Whether a field of the query type takes this argument in this version.
pub(crate) fn takes_argument(field: &str, argument: &str, version: Minor) -> bool {
    match (field, argument) {
        ("findScenes", "ids") => version >= 25,
        ("findScenes", "scene_filter" | "filter" | "scene_ids")
        | ("findScene", "id" | "checksum")
        | ("__type", "name")
        | ("configureGeneral" | "findJob", "input")
        | ("availablePackages", "type" | "source")
        | ("installedPackages", "type")
        | ("installPackages" | "uninstallPackages", "type" | "packages")
        | ("setPluginsEnabled", "enabledMap")
        | ("runPluginOperation", "plugin_id" | "args") => true,
        _ => false,
    }
}

/// The minor number of a version as Stash words it; the newest for one that is not to be read.
pub(crate) fn minor(version: &str) -> Minor {
    let mut numbers = version.trim_start_matches('v').split(['.', '-']);
    numbers.nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(Minor::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_its_second_number() {
        assert_eq!(minor("v0.30.1-19-gcf3489ef"), 30);
        assert_eq!(minor("v0.24.0"), 24);
        assert_eq!(minor(""), Minor::MAX);
    }

    #[test]
    fn every_object_field_leads_to_a_type() {
        for of in [
            "Query",
            "Mutation",
            "Plugin",
            "ConfigResult",
            "ConfigGeneralResult",
            "Scene",
            "VideoFile",
            "Studio",
            "SceneGroup",
            "SceneMovie",
            "FindScenesResultType",
            "__Type",
        ] {
            for target in all_fields(of).unwrap().iter().filter_map(|field| field.of) {
                assert!(all_fields(target).is_some(), "{of} leads to {target}");
            }
        }
    }

    #[test]
    fn groups_are_younger_than_movies() {
        assert!(field("Scene", "groups", 26).is_none());
        assert!(field("Scene", "groups", 27).is_some());
        assert!(field("Scene", "movies", 30).is_some());
        assert!(!told_fields("Scene", 30).unwrap().contains(&"movies"));
    }
}
