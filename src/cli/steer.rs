//! How does a person's word reach the queue? One short transaction, with the service running or without it.

use serde::Serialize;

use super::exit::{Exit, Failed};
use super::{output, service};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::domain::explain::Hold;
use crate::domain::ids::SceneId;
use crate::domain::job::{Droppable, JobState, Pause, Retried};
use crate::store::counts::counts;
use crate::store::{InstanceLock, Reader, StoreError, WriteTx, Writer, queue, steer};
use crate::web::holds::holds;

/// What became of one of the things that were named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Answer {
    pub(super) id: i64,
    /// One word for scripts.
    pub(super) outcome: &'static str,
    pub(super) text: String,
    /// Nothing was changed.
    #[serde(skip)]
    pub(super) refused: bool,
}

impl Answer {
    pub(super) fn done(id: i64, outcome: &'static str, text: String) -> Self {
        Self { id, outcome, text, refused: false }
    }

    pub(super) fn refused(id: i64, outcome: &'static str, text: String) -> Self {
        Self { id, outcome, text, refused: true }
    }
}

#[derive(Serialize)]
struct Answers<'a> {
    results: &'a [Answer],
    /// What keeps jobs from starting.
    holds: &'a [Hold],
}

/// Prints the answers, and what keeps the jobs from starting. What was refused is named once more in the error, while
/// the rest is done.
pub(super) fn tell(config: &Config, json: bool, of: &str, answers: &[Answer]) -> Result<(), Failed> {
    let holds = holding(config)?;
    if json {
        output::json(&Answers { results: answers, holds: &holds })?;
    } else {
        let row = |answer: &Answer| [answer.id.to_string(), answer.outcome.to_owned(), answer.text.clone()];
        output::rows([of, "OUTCOME", "WHAT"], &answers.iter().map(row).collect::<Vec<_>>())?;
        for hold in &holds {
            output::remark(&hold.0);
        }
    }
    let refused: Vec<_> = answers.iter().filter(|answer| answer.refused).collect();
    match refused.as_slice() {
        [] => Ok(()),
        [one] => Err(Failed::text(Exit::Reported, &one.text)),
        many => {
            let ids: Vec<_> = many.iter().map(|answer| answer.id.to_string()).collect();
            let text =
                format!("{} of {} were left as they are: {}", ids.len(), answers.len(), ids.join(", "));
            Err(Failed::text(Exit::Reported, text))
        }
    }
}

/// What the database says, and whether there is a service to hear of it.
fn holding(config: &Config) -> Result<Vec<Hold>, Failed> {
    let mut found = holds(&mut Reader::open(&config.storage.path)?)?;
    if service::get(config, "/livez").is_err() {
        let listen = config.server.listen;
        found.push(Hold(format!("no service answers at {listen}: jobs start with `plexsync run`")));
    }
    Ok(found)
}

pub(super) fn retry(config: &Config, scenes: &[SceneId], json: bool) -> Result<(), Failed> {
    let mut writer = Writer::open(&config.storage.path)?;
    let now = SystemClock::new().now();
    let each =
        |tx: &mut WriteTx<'_>, scene| Ok::<_, StoreError>(retried(scene, steer::retry(tx, scene, now)?));
    let answers: Vec<_> = writer.write(|tx| once(scenes).map(|scene| each(tx, scene)).collect())?;
    tell(config, json, "SCENE", &answers)
}

/// What a retry came to, in words. The id is the scene's.
pub(super) fn retried(scene: SceneId, retried: Option<Retried>) -> Answer {
    let id = scene.get();
    match retried {
        None => unknown(scene),
        Some(Retried::Ready { was: JobState::Ready }) => Answer::done(
            id,
            "ready",
            format!("scene {scene} waits no longer, and runs as soon as there is room"),
        ),
        Some(Retried::Ready { was }) => {
            Answer::done(id, "ready", format!("scene {scene} was {was}, and runs as soon as there is room"))
        }
        Some(Retried::OnceMore) => {
            Answer::done(id, "once_more", format!("scene {scene} is in hand, and runs once more afterwards"))
        }
        Some(Retried::AlreadyDone) => {
            Answer::refused(id, "done", format!("scene {scene} is done: there is nothing to retry"))
        }
    }
}

pub(super) fn drop_jobs(config: &Config, scenes: &[SceneId], json: bool) -> Result<(), Failed> {
    let database = &config.storage.path;
    let mut writer = Writer::open(database)?;
    let now = SystemClock::new().now();
    let mut came: Vec<_> = once(scenes).map(|scene| (scene, None)).collect();
    writer.write(|tx| {
        came.iter_mut().try_for_each(|(scene, came)| {
            *came = steer::drop_job(tx, *scene, now)?;
            Ok(())
        })
    })?;
    let in_hand = |came: &Option<Droppable>| *came == Some(Droppable::InHand);
    if came.iter().any(|(_, came)| in_hand(came))
        && let Ok(_owned) =
            InstanceLock::acquire(database, &format!("process {} (queue drop)", std::process::id()))
    {
        // Nobody works on them: a service that ended without a word has left them, and its next start does the same.
        writer.write(|tx| {
            queue::take_back(tx, now)?;
            came.iter_mut().filter(|(_, came)| in_hand(came)).try_for_each(|(scene, came)| {
                *came = steer::drop_job(tx, *scene, now)?;
                Ok(())
            })
        })?;
    }
    let answers: Vec<_> = came.into_iter().map(|(scene, came)| dropped(scene, came)).collect();
    tell(config, json, "SCENE", &answers)
}

/// What a drop came to, in words.
pub(super) fn dropped(scene: SceneId, dropped: Option<Droppable>) -> Answer {
    let id = scene.get();
    match dropped {
        None => unknown(scene),
        Some(Droppable::Yes) => Answer::done(
            id,
            "dropped",
            format!("scene {scene} is forgotten until Stash reports a change of it"),
        ),
        Some(Droppable::InHand) => Answer::refused(
            id,
            "in_hand",
            format!(
                "scene {scene} is being worked on: drop it when `plexsync queue show {scene}` says otherwise"
            ),
        ),
        Some(Droppable::AlreadyDone) => {
            Answer::refused(id, "done", format!("scene {scene} is done: there is nothing to drop"))
        }
    }
}

fn unknown(scene: SceneId) -> Answer {
    Answer::refused(scene.get(), "unknown", format!("there is no job for scene {scene}"))
}

#[derive(Serialize)]
struct PauseAnswer {
    paused: Option<Pause>,
    /// In hand; they end as usual.
    running: i64,
}

pub(super) fn pause(config: &Config, reason: Option<String>, json: bool) -> Result<(), Failed> {
    let now = SystemClock::new().now();
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let mut writer = Writer::open(&config.storage.path)?;
    let (pause, running) = writer.write(|tx| Ok((steer::pause(tx, reason, now)?, counts(tx)?.running)))?;
    if json {
        return output::json(&PauseAnswer { paused: Some(pause), running });
    }
    let text = format!(
        "the queue is {pause}: events are stored, nothing new is started until `plexsync queue resume`"
    );
    let in_hand = if running == 0 { String::new() } else { format!("; {running} in hand end as usual") };
    output::text(&format!("{text}{in_hand}\n"))
}

pub(super) fn resume(config: &Config, json: bool) -> Result<(), Failed> {
    let mut writer = Writer::open(&config.storage.path)?;
    let (before, running) = writer.write(|tx| Ok((steer::resume(tx)?, counts(tx)?.running)))?;
    if json {
        return output::json(&PauseAnswer { paused: None, running });
    }
    output::text(&before.map_or_else(
        || "the queue was not paused\n".to_owned(),
        |before| format!("the queue goes on; it was {before}\n"),
    ))
}

/// What was named, each once, in the order in which it was named first.
pub(super) fn once<T: Copy + Ord>(named: &[T]) -> impl Iterator<Item = T> {
    let mut seen = std::collections::BTreeSet::new();
    named.iter().copied().filter(move |one| seen.insert(*one))
}
