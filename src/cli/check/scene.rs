//! What would a run do with one scene, step by step, and why?

use super::super::exit::Failed;
use super::super::{output, sync};
use crate::app::preview::Preview;
use crate::app::preview::walkthrough::{WalkedFile, Walkthrough};
use crate::config::Config;
use crate::domain::ids::SceneId;

pub(super) fn walk_through(config: &Config, scene: SceneId, json: bool) -> Result<(), Failed> {
    let preview = Preview::new(config)?;
    actix_rt::System::new().block_on(async {
        let mut walked = preview.walk(scene).await?;
        let end = match preview.of(scene).await {
            Ok(would) => {
                walked.preview = Some(would);
                Ok(())
            }
            Err(failure) => Err(failure.into()),
        };
        if json { output::json(&walked) } else { output::text(&shown(&walked)) }?;
        end
    })
}

fn shown(walked: &Walkthrough) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| output::line(&mut text, name, value);
    line("scene", &format!("{} {:?}", walked.scene_id, walked.title));
    for file in &walked.files {
        line("file", &file.path);
        line("  in Plex", &file.mapped);
        line("  known by", &known_by(file));
    }
    for candidate in &walked.candidates {
        line("item", &format!("{}, {:.2}", candidate.rating_key, candidate.confidence));
        line("  in Plex", &candidate.path);
        for reason in &candidate.reasons {
            line(&format!("  {:+.2}", reason.weight), &reason.text);
        }
        if let Some(said) = candidate.said {
            line("  a person", &format!("{said} it"));
        }
        match candidate.held_by {
            Some(holder) if holder == walked.scene_id => line("  linked", "to this scene"),
            Some(holder) => line("  held by", &format!("scene {holder}")),
            None => {}
        }
    }
    for remark in &walked.remarks {
        line("remark", remark);
    }
    line("decision", &walked.decision);
    for [_, item, field, would, present, becomes] in walked.preview.iter().flat_map(sync::rows_of) {
        let item = if item.is_empty() { item } else { format!("item {item}: ") };
        let what = [would, field, becomes].into_iter().filter(|word| !word.is_empty());
        let what = what.collect::<Vec<_>>().join(" ");
        let now = if present.is_empty() { present } else { format!(" (now {present})") };
        line("would", &format!("{item}{what}{now}"));
    }
    text
}

/// Size, duration and hash, as far as Stash tells them.
fn known_by(file: &WalkedFile) -> String {
    let size = file.size.map(|size| format!("{size} bytes"));
    let duration = file.duration.map(|seconds| format!("{seconds} s"));
    let hash = file.oshash.as_ref().map(|hash| format!("oshash {hash}"));
    let known: Vec<_> = [size, duration, hash].into_iter().flatten().collect();
    if known.is_empty() { "its path alone".to_owned() } else { known.join(", ") }
}
