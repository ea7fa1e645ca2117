//! `plexsync sync`: how does a person have scenes carried that Stash has not reported?

use clap::Args;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::exit::Failed;
use super::steer::{Answer, once, tell};
use super::{Global, run};
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
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn sync(global: &Global, args: &SyncArgs) -> Result<(), Failed> {
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
