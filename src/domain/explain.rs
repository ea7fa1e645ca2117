//! What happened to a scene, why, and what comes next? The answer in sentences, for a person.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::failure::FailureClass;
use super::job::{Job, JobState, OnceMore};

/// As many runs as tell the story.
pub const RUNS_TO_READ: usize = 50;

/// What is known when the question is asked.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub job: &'a Job,
    /// The last [`RUNS_TO_READ`] runs, newest first.
    pub runs: &'a [PastRun],
    /// The id of the dead letter that is open.
    pub letter: Option<i64>,
    /// What keeps jobs from starting, whatever the job.
    pub holds: &'a [Hold],
    pub now: Timestamp,
}

/// How one run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastRun {
    pub ended_at: Timestamp,
    /// `None` for a good end.
    pub class: Option<FailureClass>,
}

/// Something that keeps jobs from starting, in one sentence without a full stop that says what would end it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Hold(pub String);

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub happened: String,
    /// The last failure in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub next: String,
    /// What stands in the way of what comes next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
}

/// Explains a job.
pub fn explain(facts: &Facts<'_>) -> Explanation {
    let job = facts.job;
    let will_start = job.due_at.is_some();
    Explanation {
        happened: happened(facts),
        why: why(job),
        next: next(facts),
        holds: if will_start { facts.holds.to_vec() } else { Vec::new() },
    }
}

fn happened(facts: &Facts<'_>) -> String {
    let Facts { job, now, .. } = *facts;
    let runs: Vec<_> = facts.runs.iter().filter(|run| run.ended_at >= job.opened_at).collect();
    let mut parts = vec![format!("Stash last reported a change {}", past(job.last_event_at, now))];
    match runs.as_slice() {
        [] if job.state == JobState::Running => {}
        [] => parts.push("nothing was tried since".to_owned()),
        [last, ..] => {
            let at_least = if runs.len() >= RUNS_TO_READ { "at least " } else { "" };
            let (tried, ended) = (times(runs.len()), past(last.ended_at, now));
            parts.push(format!("tried {at_least}{tried}, last {ended}: {}", ends(&runs)));
        }
    }
    if job.crashes > 0 {
        let crashes = times(usize::try_from(job.crashes).unwrap_or(usize::MAX));
        parts.push(format!("the service ended {crashes} while it was in hand"));
    }
    parts.join("; ")
}

/// How the runs ended, each way with its number, the most recent way first.
fn ends(runs: &[&PastRun]) -> String {
    let mut ways: Vec<(Option<FailureClass>, usize)> = Vec::new();
    for run in runs {
        match ways.iter_mut().find(|(class, _)| *class == run.class) {
            Some((_, count)) => *count += 1,
            None => ways.push((run.class, 1)),
        }
    }
    let word = |class: Option<FailureClass>| class.map_or("done", FailureClass::as_str);
    let said: Vec<_> = ways.into_iter().map(|(class, count)| format!("{count} {}", word(class))).collect();
    said.join(", ")
}

fn why(job: &Job) -> Option<String> {
    let detail = job.detail.as_ref()?;
    let words = [job.class.map(FailureClass::as_str), job.code.as_deref()];
    let mut words: Vec<_> = words.into_iter().flatten().collect();
    words.dedup();
    Some(format!("{detail} ({})", words.join(", ")))
}

fn next(facts: &Facts<'_>) -> String {
    let Facts { job, letter, now, .. } = *facts;
    let scene = job.scene;
    let again = format!("`plexsync queue retry {scene}` or the scene's next event starts it again");
    match (job.state, job.due_at) {
        (JobState::Ready, Some(due)) if due <= now => {
            format!("it runs as soon as there is room; it is due since {}", past(due, now))
        }
        (JobState::Ready, Some(due)) if job.class.is_none() => {
            format!("it runs {}, when Stash has been quiet about it long enough", coming(due, now))
        }
        (JobState::Ready, Some(due)) => {
            let wait = spoken(job.wait);
            format!(
                "it runs again {}; the wait is {wait}, and grows with each failure in a row, of which this was number {}",
                coming(due, now),
                job.streak
            )
        }
        (JobState::Running, _) => match job.once_more() {
            None => "it is in hand; its end decides".to_owned(),
            Some(OnceMore::Event) => {
                "it is in hand, and runs once more afterwards: an event came meanwhile".to_owned()
            }
            Some(OnceMore::Request) => {
                "it is in hand, and runs once more afterwards: that was asked for, or what it looks for may have come"
                    .to_owned()
            }
        },
        (JobState::Waiting, Some(due)) => {
            format!("it waits for its file to show up in Plex, and is looked for again {}; {again}", coming(due, now))
        }
        (JobState::Parked, Some(due)) => format!("it is tried again {}, alone; {again}", coming(due, now)),
        (JobState::Parked, None) => format!("nothing by itself: {}. Then {again}", needed(job)),
        (JobState::Dead, _) => letter.map_or_else(
            || format!("nothing by itself: it was given up; {again}"),
            |letter| {
                format!(
                    "nothing by itself: it was given up with dead letter {letter}. `plexsync dead retry {letter}` or the \
                     scene's next event starts it again, `plexsync dead discard {letter}` takes it away"
                )
            },
        ),
        (JobState::Done, _) => "nothing until Stash reports a change".to_owned(),
        (JobState::Ready | JobState::Waiting, None) => again,
    }
}

/// What a person has to do about a parked job first.
fn needed(job: &Job) -> &'static str {
    match job.code.as_deref() {
        Some("ambiguous") => {
            "several items in Plex could be it, so say which (`plexsync review`), or map the paths"
        }
        Some("low_confidence") => {
            "its best match is too weak to be written, so say whether it is right (`plexsync review`), or map the paths"
        }
        Some("conflict") => "another scene is that item already, so say whose it is (`plexsync review`)",
        Some("not_in_plex") => {
            "Plex has had no such file for too long, so add it to a library that is followed"
        }
        Some("forbidden") => "give the token access to the item's library",
        Some("not_applied") => {
            "find out why Plex stores nothing, such as a full disk or an agent that overwrites"
        }
        Some("bug") => "our own code failed on it, so look into the log and report it",
        Some(_) | None => "remove the reason",
    }
}

/// A duration that a person can read. Whole seconds are exact enough, except where there is none.
pub fn spoken(wait: Duration) -> String {
    let exact = if wait < Duration::from_secs(1) {
        SignedDuration::try_from(Duration::from_millis(wait.subsec_millis().into()))
    } else {
        SignedDuration::try_from(Duration::from_secs(wait.as_secs()))
    };
    format!("{:#}", exact.unwrap_or(SignedDuration::MAX))
}

/// How long ago that was.
pub fn past(time: Timestamp, now: Timestamp) -> String {
    format!("{} ago (at {time:.0})", spoken(now.duration_since(time).unsigned_abs()))
}

/// How soon that is.
pub fn coming(time: Timestamp, now: Timestamp) -> String {
    format!("in {} (at {time:.0})", spoken(time.duration_since(now).unsigned_abs()))
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests;
