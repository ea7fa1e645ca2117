//! Which files does Stash have, and where does it look for them?

use serde::Deserialize;
use serde_json::json;

use super::client::StashClient;
use crate::domain::failure::Failure;

/// Pages go by id: the title, which Stash sorts by otherwise, can change between two of them.
const FILES: &str = r#"query Files($after: Int!, $size: Int!) {
  findScenes(
    scene_filter: { id: { value: $after, modifier: GREATER_THAN } }
    filter: { sort: "id", direction: ASC, per_page: $size }
  ) { scenes { id files { path } } }
}"#;
const ROOTS: &str = "query Roots { configuration { general { stashes { path } } } }";
/// A scene is some 200 bytes here, and Stash reads so many in well under a second.
const PAGE: usize = 1000;

#[derive(Deserialize)]
struct Files {
    #[serde(rename = "findScenes")]
    found: FoundFiles,
}

#[derive(Deserialize)]
struct FoundFiles {
    scenes: Vec<SceneFiles>,
}

#[derive(Deserialize)]
struct SceneFiles {
    id: String,
    files: Vec<HasPath>,
}

#[derive(Deserialize)]
struct HasPath {
    path: String,
}

#[derive(Deserialize)]
struct Roots {
    stashes: Vec<HasPath>,
}

impl StashClient {
    /// The paths of the files of the oldest scenes, of so many files and a page more at most.
    pub async fn file_paths(&self, at_most: usize) -> Result<Vec<String>, Failure> {
        let (mut paths, mut after) = (Vec::new(), 0_i64);
        while paths.len() < at_most {
            let Files { found } = self.query(FILES, json!({ "after": after, "size": PAGE })).await?;
            let last = found.scenes.last().and_then(|scene| scene.id.parse().ok());
            let is_last = found.scenes.len() < PAGE;
            paths.extend(found.scenes.into_iter().flat_map(|scene| scene.files).map(|file| file.path));
            match last {
                // Ids only grow; one that does not would be asked for again and again.
                Some(last) if last > after && !is_last => after = last,
                Some(_) | None => break,
            }
        }
        Ok(paths)
    }

    /// The folders in which it looks for files.
    pub async fn roots(&self) -> Result<Vec<String>, Failure> {
        let Roots { stashes } = self.general(ROOTS).await?;
        Ok(stashes.into_iter().map(|root| root.path).collect())
    }
}
