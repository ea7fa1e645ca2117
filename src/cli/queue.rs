//! `plexsync queue`: which work is open, why, and what is to be done with it?

use clap::Subcommand;
use serde::Serialize;

use super::exit::{Exit, Failed};
use super::{Global, output, steer};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Purpose};
use crate::domain::explain::Explanation;
use crate::domain::ids::SceneId;
use crate::domain::job::{Job, JobState};
use crate::store::jobs::jobs;
use crate::store::{Reader, Readers};
use crate::web::letters::LetterLine;
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
    /// One scene with its attempts and writes, as a table
    Show {
        /// The scene's number in Stash
        scene: SceneId,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// What happened to a scene, why, and what comes next and when
    Explain {
        /// The scene's number in Stash
        scene: SceneId,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Try scenes again now, with all their attempts
    Retry {
        /// The scenes' numbers in Stash
        #[arg(required = true, value_name = "SCENE")]
        scenes: Vec<SceneId>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Forget the work on scenes; their next event makes new work
    Drop {
        /// The scenes' numbers in Stash
        #[arg(required = true, value_name = "SCENE")]
        scenes: Vec<SceneId>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Start nothing new; events are still stored, and what is in hand ends
    Pause {
        /// Shown by `status` and `queue explain` as long as the pause lasts
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// End a pause
    Resume {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

fn state(word: &str) -> Result<JobState, String> {
    JobState::from_word(word)
        .ok_or_else(|| format!("is not one of {}", JobState::ALL.map(JobState::as_str).join(", ")))
}

pub(super) fn queue(global: &Global, command: QueueCommand) -> Result<(), Failed> {
    let config = global.load(Purpose::Inspect)?.config;
    match command {
        QueueCommand::List { state, json } => {
            let readers = Readers::open(&config.storage.path)?;
            let jobs: Vec<_> = all(&readers, state)?.iter().map(JobLine::from).collect();
            if json { output::json(&jobs) } else { print(&jobs) }
        }
        QueueCommand::Show { scene, json } => {
            let detail = read(&config, scene)?;
            if json { output::json(&detail) } else { output::text(&shown(&detail)) }
        }
        QueueCommand::Explain { scene, json } => {
            let detail = read(&config, scene)?;
            if json { output::json(&Explained::from(detail)) } else { output::text(&explained(&detail)) }
        }
        QueueCommand::Retry { scenes, json } => steer::retry(&config, &scenes, json),
        QueueCommand::Drop { scenes, json } => steer::drop_jobs(&config, &scenes, json),
        QueueCommand::Pause { reason, json } => steer::pause(&config, reason, json),
        QueueCommand::Resume { json } => steer::resume(&config, json),
    }
}

fn read(config: &Config, scene: SceneId) -> Result<JobDetail, Failed> {
    let mut reader = Reader::open(&config.storage.path)?;
    let detail = JobDetail::read(&mut reader, scene, SystemClock::new().now())?;
    detail.ok_or_else(|| Failed::text(Exit::Reported, format!("there is no job for scene {scene}")))
}

#[derive(Serialize)]
struct Explained {
    scene_id: SceneId,
    state: JobState,
    #[serde(flatten)]
    explanation: Explanation,
}

impl From<JobDetail> for Explained {
    fn from(detail: JobDetail) -> Self {
        let JobDetail { job, explanation, .. } = detail;
        Self { scene_id: job.scene_id, state: job.state, explanation }
    }
}

fn explained(detail: &JobDetail) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| output::line(&mut text, name, value);
    line("scene", &format!("{} is {}", detail.job.scene_id, detail.job.state));
    line("happened", &detail.explanation.happened);
    if let Some(why) = &detail.explanation.why {
        line("why", why);
    }
    line("next", &detail.explanation.next);
    for hold in &detail.explanation.holds {
        line("but", &hold.0);
    }
    text
}

fn all(readers: &Readers, state: Option<JobState>) -> Result<Vec<Job>, Failed> {
    let read = |after, limit| readers.with(|reader| jobs(reader, state, after, limit));
    // Without a state the list is of open work.
    let keep = |job: Job| (state.is_some() || job.state != JobState::Done).then_some(job);
    Ok(output::pages(|job| job.scene, read, keep)?)
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
    let mut line = |name: &str, value: String| output::line(&mut text, name, &value);
    line("scene", job.scene_id.to_string());
    line(
        "state",
        job.code.as_ref().map_or_else(|| job.state.to_string(), |code| format!("{} ({code})", job.state)),
    );
    if let Some(why) = &job.detail {
        line("why", why.clone());
    }
    line("next", detail.explanation.next.clone());
    for hold in &detail.explanation.holds {
        line("but", hold.0.clone());
    }
    line("attempts", format!("{} charged, {} crashes", job.attempts, detail.crashes));
    line("event", format!("{} of which {} is synced", detail.generation, detail.synced_generation));
    line("correlation", job.correlation_id.clone());
    if let Some(letter) = &detail.dead_letter {
        let LetterLine { id, code, buried_at, detail, .. } = letter;
        line("dead letter", format!("{id}: {code} at {buried_at}: {detail}"));
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
