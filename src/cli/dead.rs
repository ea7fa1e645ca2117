//! `plexsync dead`: what was given up, and what is to be done with it?

use clap::Subcommand;
use jiff::Timestamp;

use super::exit::{Exit, Failed};
use super::steer::{self, Answer};
use super::{Global, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Purpose};
use crate::domain::ids::SceneId;
use crate::store::dead_letters::{Letters, letters};
use crate::store::steer::{Answered, discard_letter, retry_letter};
use crate::store::{Reader, StoreError, WriteTx, Writer};
use crate::web::letters::{LetterDetail, LetterLine};

#[derive(Debug, Subcommand)]
pub(super) enum DeadCommand {
    /// The open dead letters, the oldest first
    List {
        /// Only those with this code
        #[arg(long)]
        code: Option<String>,
        /// The closed ones as well, as long as they are kept
        #[arg(long, conflicts_with = "code")]
        all: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// One dead letter, open or closed, with its runs and Plex's last answer
    Show {
        /// The letter's id, as in the list
        id: i64,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Try the scenes again now, with all their attempts
    Retry {
        /// The letters' ids
        #[arg(required_unless_present = "all", value_name = "ID")]
        ids: Vec<i64>,
        /// All open letters
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Of all, only those with this code
        #[arg(long, requires = "all")]
        code: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Let the scenes go; their next event makes new work
    Discard {
        /// The letters' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i64>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// All letters with their history, open and closed: one JSON document on each line
    Export,
}

pub(super) fn dead(global: &Global, command: DeadCommand) -> Result<(), Failed> {
    let config = global.load(Purpose::Inspect)?.config;
    match command {
        DeadCommand::List { code, all, json } => {
            let which = code.as_deref().map_or(Letters::Open, Letters::OpenWithCode);
            list(&config, if all { Letters::All } else { which }, json)
        }
        DeadCommand::Show { id, json } => {
            let detail = LetterDetail::read(&mut Reader::open(&config.storage.path)?, id)?;
            let detail = detail.ok_or_else(|| Failed::text(Exit::Reported, unknown(id)))?;
            if json { output::json(&detail) } else { output::text(&shown(&detail)) }
        }
        DeadCommand::Retry { ids, all: false, json, .. } => each(&config, &ids, json, retry),
        DeadCommand::Retry { code, all: true, json, .. } => retry_all(&config, code.as_deref(), json),
        DeadCommand::Discard { ids, json } => each(&config, &ids, json, discard),
        DeadCommand::Export => export(&config),
    }
}

fn all(config: &Config, which: Letters<'_>) -> Result<Vec<LetterLine>, Failed> {
    let mut reader = Reader::open(&config.storage.path)?;
    let read = |after, limit| letters(&mut reader, which, after, limit);
    Ok(output::pages(|letter| letter.id, read, |letter| Some(LetterLine::from(letter)))?)
}

fn list(config: &Config, which: Letters<'_>, json: bool) -> Result<(), Failed> {
    let lines = all(config, which)?;
    if json {
        return output::json(&lines);
    }
    let row = |line: LetterLine| {
        let (id, scene, attempts) =
            (line.id.to_string(), line.scene_id.to_string(), line.attempts.to_string());
        [id, scene, line.state.to_owned(), line.code, line.buried_at.to_string(), attempts, line.detail]
    };
    let rows: Vec<_> = lines.into_iter().map(row).collect();
    output::rows(["ID", "SCENE", "STATE", "CODE", "GIVEN UP", "ATTEMPTS", "WHY"], &rows)
}

fn shown(detail: &LetterDetail) -> String {
    let mut text = String::new();
    let LetterLine { id, scene_id, state, code, answer, attempts, buried_at, closed_at, .. } = &detail.letter;
    let mut line = |name: &str, value: String| output::line(&mut text, name, &value);
    line("dead letter", format!("{id}, of scene {scene_id}"));
    line("why", format!("{} ({code})", detail.letter.detail));
    line("given up", format!("{buried_at}, after {attempts} attempts"));
    if let Some(answer) = answer {
        line("last answer", answer.clone());
    }
    line(
        "next",
        closed_at.map_or_else(
            || format!("`plexsync dead retry {id}`, `plexsync dead discard {id}`, or the scene's next event"),
            |at| format!("nothing: {state} at {at}"),
        ),
    );
    line("correlation", detail.letter.correlation_id.clone());
    for attempt in &detail.history {
        let why = attempt.detail.as_deref().map_or_else(String::new, |detail| format!(": {detail}"));
        line("attempt", format!("{} {}{why}; {}", attempt.ended_at, attempt.outcome, attempt.next));
    }
    text
}

fn retry_all(config: &Config, code: Option<&str>, json: bool) -> Result<(), Failed> {
    let found = all(config, code.map_or(Letters::Open, Letters::OpenWithCode))?;
    if let (Some(code), true) = (code, found.is_empty()) {
        let text = format!("no open dead letter has the code {code:?}; `plexsync dead list` shows the codes");
        return Err(Failed::text(Exit::Reported, text));
    }
    let ids: Vec<_> = found.iter().map(|line| line.id).collect();
    each(config, &ids, json, retry)
}

/// Does the same to each of the letters, so many in one transaction that the service can write in between.
fn each(
    config: &Config,
    ids: &[i64],
    json: bool,
    act: impl Fn(&mut WriteTx<'_>, i64, Timestamp) -> Result<Answer, StoreError>,
) -> Result<(), Failed> {
    let ids: Vec<_> = steer::once(ids).collect();
    let now = SystemClock::new().now();
    let mut writer = Writer::open(&config.storage.path)?;
    let mut answers = Vec::new();
    for part in ids.chunks(output::PAGE) {
        answers.extend(
            writer.write(|tx| part.iter().map(|id| act(tx, *id, now)).collect::<Result<Vec<_>, _>>())?,
        );
    }
    steer::tell(config, json, "ID", &answers)
}

fn retry(tx: &mut WriteTx<'_>, id: i64, now: Timestamp) -> Result<Answer, StoreError> {
    let answered = retry_letter(tx, id, now)?;
    Ok(answer(id, answered, steer::retried))
}

fn discard(tx: &mut WriteTx<'_>, id: i64, now: Timestamp) -> Result<Answer, StoreError> {
    let answered = discard_letter(tx, id, now)?;
    Ok(answer(id, answered, steer::dropped))
}

/// The answer about a letter is the one about its scene, under the letter's id.
fn answer<T>(id: i64, answered: Answered<T>, of_scene: impl FnOnce(SceneId, T) -> Answer) -> Answer {
    match answered {
        Answered::Done(scene, came) => Answer { id, ..of_scene(scene, came) },
        Answered::Unknown => Answer::refused(id, "unknown", unknown(id)),
        Answered::Closed(letter) => {
            let how = letter.closed.map_or("closed", |(_, closed)| closed.as_str());
            Answer::refused(id, how, format!("dead letter {id} was {how} before: there is nothing to do"))
        }
    }
}

fn unknown(id: i64) -> String {
    format!("there is no dead letter {id}; `plexsync dead list` names those that are open")
}

fn export(config: &Config) -> Result<(), Failed> {
    let mut reader = Reader::open(&config.storage.path)?;
    let mut after = None;
    loop {
        let page = letters(&mut reader, Letters::All, after, output::PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for letter in page {
            let detail = LetterDetail::of(&mut reader, letter)?;
            let line = serde_json::to_string(&detail).map_err(|error| Failed::new(Exit::Internal, error))?;
            output::text(&format!("{line}\n"))?;
        }
    }
}
