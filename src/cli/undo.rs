//! `plexsync undo`: how is one write taken back? The running service does it; when none runs, this process does.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde::Serialize;

use super::exit::{Exit, Failed};
use super::{Global, output, run};
use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Purpose};
use crate::domain::ids::{CorrelationId, SceneId};
use crate::domain::job::JobState;
use crate::store::undos::{self, UndoState};
use crate::store::{Reader, StoreError, Writer, jobs};
use crate::web::holds::holds;

/// A write to Plex may take a minute and a half.
const PATIENCE: Duration = Duration::from_mins(2);
/// What is held up from outside is not waited for any longer than this.
const HELD_PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    /// The number of the write, from `plexsync history`
    #[arg(value_name = "WRITE_ID")]
    write: i64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Undone {
    write_id: i64,
    scene_id: SceneId,
    field: &'static str,
    /// `undone`, `refused`, or `asked` when that is not known yet.
    outcome: &'static str,
    text: String,
}

pub(super) fn undo(global: &Global, args: &UndoArgs) -> Result<(), Failed> {
    // Without a service it takes all that the service needs.
    let config = global.load(Purpose::Run)?.config;
    let id = args.write;
    let mut writer = Writer::open(&config.storage.path)?;
    let now = SystemClock::new().now();
    let correlation_id = CorrelationId::by_hand(&mut SmallRng::seed_from_u64(run::seed()));
    let asked = writer.write(|tx| undos::ask(tx, id, &correlation_id, now))?;
    let unknown = || Failed::text(Exit::Reported, format!("there is no write {id} in the history"));
    let found = asked.ok_or_else(unknown)?.write;
    let state = actix_rt::System::new().block_on(taken_up(&config, id, found.scene))?;
    let (outcome, text) = match state {
        Ended::Known(UndoState::Undone) => {
            let text = format!("{} is {} again, until Stash changes it", found.field, found.before);
            ("undone", text)
        }
        Ended::Known(UndoState::Refused(why)) => {
            ("refused", format!("write {id} cannot be taken back: {why}"))
        }
        Ended::Known(UndoState::Asked) => ("asked", format!("write {id} is not taken back yet")),
        Ended::NotYet(why) => ("asked", format!("write {id} is not taken back yet: {why}")),
    };
    let told = Undone { write_id: id, scene_id: found.scene, field: found.field.as_str(), outcome, text };
    if args.json {
        output::json(&told)?;
    } else {
        let row = [id.to_string(), outcome.to_owned(), told.text.clone()];
        output::rows(["WRITE", "OUTCOME", "WHAT"], &[row])?;
    }
    if outcome == "undone" { Ok(()) } else { Err(Failed::text(Exit::Reported, told.text)) }
}

enum Ended {
    Known(UndoState),
    /// It stays asked for, and is held up by this.
    NotYet(String),
}

async fn taken_up(config: &Config, id: i64, scene: SceneId) -> Result<Ended, Failed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    // A port of its own: the one of the service may be anybody's while that does not run.
    let mut own = config.clone();
    own.server.listen.set_port(0);
    match App::start_only(scene, &own, clock, run::seed()) {
        Ok(app) => {
            let ended = follow(config, id, scene).await;
            app.stop().await;
            ended
        }
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::Busy { .. })) => {
            follow(config, id, scene).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits for what becomes of it.
async fn follow(config: &Config, id: i64, scene: SceneId) -> Result<Ended, Failed> {
    let mut reader = Reader::open(&config.storage.path)?;
    let clock = SystemClock::new();
    let began = clock.monotonic();
    loop {
        match undos::state(&mut reader, id)? {
            Some(UndoState::Asked) => {}
            Some(ended) => return Ok(Ended::Known(ended)),
            None => return Ok(Ended::NotYet("the history has lost it".to_owned())),
        }
        let waited = clock.monotonic().saturating_sub(began);
        if let Some(why) = held_up(&mut reader, scene, waited)? {
            return Ok(Ended::NotYet(why));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Why there is no use in waiting any longer.
fn held_up(reader: &mut Reader, scene: SceneId, waited: Duration) -> Result<Option<String>, StoreError> {
    let Some(job) = jobs::job(reader, scene)? else {
        return Ok(Some(format!("the work on scene {scene} was dropped")));
    };
    let why = |fallback: &str| Some(job.detail.clone().unwrap_or_else(|| fallback.to_owned()));
    Ok(match job.state {
        JobState::Waiting | JobState::Parked | JobState::Dead => why("its scene needs a retry"),
        JobState::Ready if waited > HELD_PATIENCE => {
            let hold = holds(reader)?.into_iter().next();
            hold.map(|hold| hold.0).or_else(|| job.detail.clone())
        }
        JobState::Ready | JobState::Running | JobState::Done if waited > PATIENCE => {
            why("the service has not come to it")
        }
        JobState::Ready | JobState::Running | JobState::Done => None,
    })
}
