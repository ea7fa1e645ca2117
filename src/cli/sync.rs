//! `plexsync sync`: how does a person have scenes carried that Stash has not reported?

use clap::Args;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::exit::Failed;
use super::steer::{Answer, once, tell};
use super::{Global, output, run};
use crate::app::preview::{Difference, ItemPreview, Preview, ScenePreview};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Purpose};
use crate::domain::ids::{CorrelationId, SceneId};
use crate::domain::job::JobState;
use crate::store::{Writer, steer};

#[derive(Debug, Args)]
pub(super) struct SyncArgs {
    /// The scenes' numbers in Stash
    #[arg(required = true, value_name = "SCENE")]
    scenes: Vec<SceneId>,
    /// Only show what would be written, field by field; nothing is changed anywhere
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn sync(global: &Global, args: &SyncArgs) -> Result<(), Failed> {
    if args.dry_run {
        let config = global.load(Purpose::Run)?.config;
        return actix_rt::System::new().block_on(preview(&config, &args.scenes, args.json));
    }
    let config = global.load(Purpose::Inspect)?.config;
    ask(&config, &args.scenes, args.json)
}

fn ask(config: &Config, scenes: &[SceneId], json: bool) -> Result<(), Failed> {
    let mut writer = Writer::open(&config.storage.path)?;
    let now = SystemClock::new().now();
    let correlation_id = CorrelationId::by_hand(&mut SmallRng::seed_from_u64(run::seed()));
    let asked: Result<Vec<_>, _> = writer.write(|tx| {
        let each = |scene| Ok((scene, steer::ask(tx, scene, &correlation_id, now)?));
        once(scenes).map(each).collect()
    });
    let answers: Vec<_> = asked?.into_iter().map(|(scene, was)| answer(scene, was)).collect();
    tell(config, json, "SCENE", &answers)
}

/// What asking came to, in words. The id is the scene's.
fn answer(scene: SceneId, was: Option<JobState>) -> Answer {
    let soon = "and runs as soon as there is room";
    let (outcome, text) = match was {
        Some(JobState::Running) => {
            ("once_more", format!("scene {scene} is in hand, and runs once more afterwards"))
        }
        None | Some(JobState::Done) => ("queued", format!("scene {scene} is queued, {soon}")),
        Some(was @ (JobState::Ready | JobState::Waiting | JobState::Parked | JobState::Dead)) => {
            ("coalesced", format!("scene {scene} was {was}, {soon}"))
        }
    };
    Answer::done(scene.get(), outcome, text)
}

async fn preview(config: &Config, scenes: &[SceneId], json: bool) -> Result<(), Failed> {
    let preview = Preview::new(config)?;
    let mut found = Vec::new();
    for scene in once(scenes) {
        found.push(preview.of(scene).await?);
    }
    if json {
        return output::json(&found);
    }
    let rows: Vec<_> = found.iter().flat_map(rows_of).collect();
    output::rows(["SCENE", "ITEM", "FIELD", "WOULD", "PLEX", "BECOMES"], &rows)
}

/// A row for each field that would be written or is remarked on; one that says why if there is none.
pub(super) fn rows_of(scene: &ScenePreview) -> Vec<[String; 6]> {
    let id = scene.scene_id.to_string();
    let row = |item: &str, field: &str, would: &str, present: String, becomes: String| {
        [id.clone(), item.to_owned(), field.to_owned(), would.to_owned(), present, becomes]
    };
    if let Some(why) = &scene.left_alone {
        return vec![row("", "", &format!("leave it alone: {why}"), String::new(), String::new())];
    }
    let mut rows = Vec::new();
    for ItemPreview { rating_key, held_by, differences, notes } in &scene.items {
        let key = rating_key.as_str();
        for Difference { field, present, becomes, locked } in differences {
            let (would, becomes) = match (becomes, locked) {
                (Some(value), _) => ("write", value.to_string()),
                (None, Some(true)) => ("lock", String::new()),
                (None, Some(false) | None) => ("unlock", String::new()),
            };
            rows.push(row(key, field.as_str(), would, present.to_string(), becomes));
        }
        let remark = |note: &crate::domain::edits::Note| {
            row(key, note.field.as_str(), &format!("remark: {}", note.text), String::new(), String::new())
        };
        rows.extend(notes.iter().map(remark));
        if let Some(holder) = held_by {
            let would = format!("write nothing as long as scene {holder} holds the item");
            rows.push(row(key, "", &would, String::new(), String::new()));
        } else if differences.is_empty() {
            rows.push(row(key, "", "write nothing", String::new(), String::new()));
        }
    }
    rows
}
