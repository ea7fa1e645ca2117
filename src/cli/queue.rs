//! `plexsync queue`: which work is open, and why?

use std::fmt::Write as _;

use clap::Subcommand;

use super::exit::{Exit, Failed};
use super::{Global, output};
use crate::config::Purpose;
use crate::domain::ids::SceneId;
use crate::domain::job::{Job, JobState};
use crate::store::Readers;
use crate::store::jobs::jobs;
use crate::web::status::{JobDetail, JobLine, WriteLine};

#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// Every scene that is not done
    List {
        /// Only scenes in this state: ready, running, waiting, parked, dead or done
        #[arg(long, value_parser = state)]
        state: Option<JobState>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// One scene with its attempts and writes
    Show {
        /// The scene's number in Stash
        scene: SceneId,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

fn state(word: &str) -> Result<JobState, String> {
    JobState::from_word(word)
        .ok_or_else(|| format!("is not one of {}", JobState::ALL.map(JobState::as_str).join(", ")))
}

pub(super) fn queue(global: &Global, command: &QueueCommand) -> Result<(), Failed> {
    let readers = Readers::open(&global.load(Purpose::Inspect)?.config.storage.path)?;
    match command {
        QueueCommand::List { state, json } => {
            let jobs: Vec<_> = all(&readers, *state)?.iter().map(JobLine::from).collect();
            if *json { output::json(&jobs) } else { print(&jobs) }
        }
        QueueCommand::Show { scene, json } => {
            let detail = readers.with(|reader| JobDetail::read(reader, *scene))?;
            let unknown = || Failed::text(Exit::Reported, format!("there is no job for scene {scene}"));
            let detail = detail.ok_or_else(unknown)?;
            if *json { output::json(&detail) } else { output::text(&shown(&detail)) }
        }
    }
}

/// Reads page by page, so that a long list is not one long read.
fn all(readers: &Readers, state: Option<JobState>) -> Result<Vec<Job>, Failed> {
    const PAGE: usize = 1000;
    let mut found: Vec<Job> = Vec::new();
    loop {
        let after = found.last().map(|job| job.scene);
        let page = readers.with(|reader| jobs(reader, state, after, PAGE))?;
        let last = page.len() < PAGE;
        // Without a state the list is of open work.
        found.extend(page.into_iter().filter(|job| state.is_some() || job.state != JobState::Done));
        if last {
            return Ok(found);
        }
    }
}

fn print(jobs: &[JobLine]) -> Result<(), Failed> {
    let row = |job: &JobLine| {
        [
            job.scene_id.to_string(),
            job.state.to_string(),
            job.due_at.map(|due| due.to_string()).unwrap_or_default(),
            job.attempts.to_string(),
            job.code.clone().unwrap_or_default(),
            job.detail.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    output::rows(["SCENE", "STATE", "DUE", "ATTEMPTS", "CODE", "WHY"], &rows)
}

fn shown(detail: &JobDetail) -> String {
    let mut text = String::new();
    let job = &detail.job;
    // Writing into a String cannot fail.
    let mut line = |name: &str, value: String| writeln!(text, "{name:<12} {value}").unwrap_or_default();
    line("scene", job.scene_id.to_string());
    line(
        "state",
        job.code.as_ref().map_or_else(|| job.state.to_string(), |code| format!("{} ({code})", job.state)),
    );
    if let Some(why) = &job.detail {
        line("why", why.clone());
    }
    line("next", next(job));
    line("attempts", format!("{} charged, {} crashes", job.attempts, detail.crashes));
    line("event", format!("{} of which {} is synced", detail.generation, detail.synced_generation));
    line("correlation", job.correlation_id.clone());
    if let Some(letter) = &detail.dead_letter {
        line("dead letter", format!("{} at {}: {}", letter.code, letter.buried_at, letter.detail));
        if let Some(answer) = &letter.answer {
            line("last answer", answer.clone());
        }
    }
    for attempt in &detail.history {
        let why = attempt.detail.as_deref().map_or_else(String::new, |detail| format!(": {detail}"));
        line("attempt", format!("{} {}{why}; {}", attempt.ended_at, attempt.outcome, attempt.next));
    }
    for write in &detail.writes {
        let WriteLine { rating_key, field, before, after, outcome, written_at, .. } = write;
        let note = write.note.as_deref().map_or_else(String::new, |note| format!(" ({note})"));
        line(
            "write",
            format!("{written_at} item {rating_key} {field}: {before} -> {after}, {outcome}{note}"),
        );
    }
    text
}

fn next(job: &JobLine) -> String {
    let due = job.due_at.map(|due| due.to_string());
    match (job.state, due) {
        (JobState::Ready, Some(due)) => format!("runs at {due}"),
        (JobState::Waiting, Some(due)) => format!("looks for it in Plex again at {due}"),
        (JobState::Parked, Some(due)) => format!("is tried again at {due}, or when Stash reports a change"),
        (JobState::Running, _) => "is in hand".to_owned(),
        (JobState::Done, _) => "nothing to do until Stash reports a change".to_owned(),
        (JobState::Ready | JobState::Waiting | JobState::Parked | JobState::Dead, _) => {
            "nothing until Stash reports a change of the scene".to_owned()
        }
    }
}
