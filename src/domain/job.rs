//! Where does a job go from here? The only state machine: events, claims, outcomes and crashes all pass through it.

mod steer;
mod verdict;
mod wake;

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use steer::{Droppable, OnceMore, Pause, Retried};
pub use verdict::{Circumstances, Verdict, settle};

use super::event::Trigger;
use super::failure::{Failure, FailureClass};
use super::ids::{CorrelationId, Generation, RunToken, SceneId};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Runs when it is due.
    Ready,
    /// In hand.
    Running,
    /// For something in Plex that is not there yet; looked for again when due.
    Waiting,
    /// Needs a person or a change. Tried again only when it has a due time or an event comes.
    Parked,
    /// Given up; see its dead letter.
    Dead,
    /// Nothing left to do.
    Done,
}

impl JobState {
    pub const ALL: [Self; 6] =
        [Self::Ready, Self::Running, Self::Waiting, Self::Parked, Self::Dead, Self::Done];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Dead => "dead",
            Self::Done => "done",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One job: the row is the truth about it, and this is the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub scene: SceneId,
    pub state: JobState,
    /// The last event for the scene.
    pub generation: Generation,
    /// The last event whose scene was read and carried to Plex.
    pub synced: Generation,
    /// What the run in hand covers.
    pub claimed: Option<Generation>,
    /// Who may settle the run in hand.
    pub token: Option<RunToken>,
    /// When it runs; without one, time alone never starts it.
    pub due_at: Option<Timestamp>,
    /// The wait that led to `due_at`. A clock that steps back never makes it longer.
    pub wait: Duration,
    /// The first event or request since the last claim; bounds the debounce.
    pub first_event_at: Timestamp,
    pub last_event_at: Timestamp,
    /// Stash reported the scene as new and nothing has confirmed it since.
    pub created: bool,
    /// Runs that were charged.
    pub attempts: u32,
    /// Runs that ended without a verdict, since the last one that had one.
    pub crashes: u32,
    /// Failures of `class` in a row.
    pub streak: u32,
    pub class: Option<FailureClass>,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub failing_since: Option<Timestamp>,
    pub correlation_id: CorrelationId,
    pub opened_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The settings that events need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debounce {
    /// The quiet time after an event before the scene is read.
    pub quiet: Duration,
    /// The same after a scene was made, so that identification and covers can follow.
    pub created: Duration,
}

/// However many events follow one another, the first of them waits no longer than this.
const LONGEST_DEBOUNCE: Duration = Duration::from_secs(30);

/// Whether an event opened new work or joined work that was open already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    Opened,
    Coalesced,
}

/// An event about a scene, with its place in the order of all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SceneEvent {
    pub scene: SceneId,
    pub trigger: Trigger,
    pub generation: Generation,
    pub correlation_id: CorrelationId,
}

/// Takes an event in: opens a job, or joins the open one. A row that waited, was parked or dead starts afresh.
pub fn accept(row: Option<Job>, event: SceneEvent, debounce: &Debounce, now: Timestamp) -> (Job, Accepted) {
    let quiet = match event.trigger {
        Trigger::Created => debounce.created,
        Trigger::Updated | Trigger::Destroyed => debounce.quiet,
        Trigger::Asked => Duration::ZERO,
    };
    let created = event.trigger == Trigger::Created;
    let Some(mut job) = row else {
        return (opened(event, quiet, now), Accepted::Opened);
    };
    let accepted = if job.state == JobState::Done { Accepted::Opened } else { Accepted::Coalesced };
    // Debouncing: an event is already waiting to be read, behind a run in hand or for its quiet time.
    let debouncing = job.due_at.is_some()
        && (job.state == JobState::Running || (job.state == JobState::Ready && job.class.is_none()));
    if !debouncing {
        job.first_event_at = now;
    }
    let latest = after(job.first_event_at, LONGEST_DEBOUNCE.max(quiet));
    let mut due = after(now, quiet).min(latest);
    if debouncing && job.created && matches!(event.trigger, Trigger::Created | Trigger::Updated) {
        // A new scene keeps the time that its identification and cover need.
        due = due.max(job.due_at.unwrap_or(due));
    }
    if accepted == Accepted::Opened {
        job.opened_at = now;
    }
    if job.state != JobState::Running {
        job.state = JobState::Ready;
        job.forgive();
    }
    job.wait = wait_until(due, now);
    job.due_at = Some(due);
    job.generation = event.generation;
    job.last_event_at = now;
    job.created = created || (job.created && event.trigger == Trigger::Updated && debouncing);
    job.correlation_id = event.correlation_id;
    job.updated_at = now;
    (job, accepted)
}

fn opened(event: SceneEvent, quiet: Duration, now: Timestamp) -> Job {
    Job {
        scene: event.scene,
        state: JobState::Ready,
        generation: event.generation,
        synced: Generation::default(),
        claimed: None,
        token: None,
        due_at: Some(after(now, quiet)),
        wait: quiet,
        first_event_at: now,
        last_event_at: now,
        created: event.trigger == Trigger::Created,
        attempts: 0,
        crashes: 0,
        streak: 0,
        class: None,
        code: None,
        detail: None,
        failing_since: None,
        correlation_id: event.correlation_id,
        opened_at: now,
        updated_at: now,
    }
}

/// From this crash on a job runs with nothing else in hand, so that an innocent neighbour clears itself.
const CRASHES_TO_RUN_ALONE: u32 = 2;
/// With this crash, suffered alone, it is the job and not its neighbours.
const CRASHES_TO_PARK: u32 = 3;
const CRASH_LOOP_PAUSE: Duration = Duration::from_hours(1);

impl Job {
    /// Whether it may run only with nothing else in hand.
    pub fn runs_alone(&self) -> bool {
        self.crashes >= CRASHES_TO_RUN_ALONE
    }

    /// Puts the job in hand.
    pub fn claim(&mut self, token: RunToken, now: Timestamp) {
        self.state = JobState::Running;
        self.claimed = Some(self.generation);
        self.token = Some(token);
        self.due_at = None;
        self.wait = Duration::ZERO;
        self.updated_at = now;
    }

    /// Takes a job back whose run ended without a verdict because the process or the scheduler did.
    pub fn take_back(&mut self, now: Timestamp) {
        self.crashes = self.crashes.saturating_add(1);
        self.release(now);
        if self.crashes >= CRASHES_TO_PARK {
            self.state = JobState::Parked;
            self.code = Some("crash_loop".to_owned());
            self.class = Some(FailureClass::Bug);
            self.detail =
                Some(format!("the service ended {} times while this scene was in hand", self.crashes));
            self.set_due(now, Some(CRASH_LOOP_PAUSE));
        }
    }

    /// Puts a job back that was in hand at an orderly end; nothing is counted.
    pub fn release(&mut self, now: Timestamp) {
        self.state = JobState::Ready;
        self.claimed = None;
        self.token = None;
        self.updated_at = now;
        if self.due_at.is_none() {
            self.set_due(now, Some(Duration::ZERO));
        }
    }

    /// Ends the run in hand with a verdict and says where the job stands now.
    pub fn finish(&mut self, outcome: Result<(), &Failure>, verdict: &Verdict, now: Timestamp) {
        let once_more = self.once_more();
        if let (Verdict::Done, Some(claimed)) = (verdict, self.claimed) {
            self.synced = claimed;
        }
        self.claimed = None;
        self.token = None;
        self.crashes = 0;
        self.updated_at = now;
        if once_more.is_some() {
            // Whatever came of this run, it is not the last.
            self.forgive();
            self.state = JobState::Ready;
            if self.due_at.is_none() {
                self.set_due(now, Some(Duration::ZERO));
            }
            return;
        }
        self.record(outcome, verdict, now);
    }

    fn record(&mut self, outcome: Result<(), &Failure>, verdict: &Verdict, now: Timestamp) {
        // An interruption says nothing about the scene: what failed before it still stands.
        if let Some(failure) = outcome.err().filter(|failure| failure.class != FailureClass::Interrupted) {
            let before = if self.class == Some(failure.class) { self.streak } else { 0 };
            self.streak = before.saturating_add(u32::from(!failure.while_held));
            self.class = Some(failure.class);
            self.code = Some(failure.code.to_owned());
            self.detail = Some(failure.detail.clone());
            self.failing_since.get_or_insert(now);
        }
        match verdict {
            Verdict::Done => {
                self.forgive();
                self.created = false;
                self.state = JobState::Done;
                self.set_due(now, None);
            }
            Verdict::Again { wait, charged } => {
                self.attempts = self.attempts.saturating_add(u32::from(*charged));
                self.state = JobState::Ready;
                self.set_due(now, Some(*wait));
            }
            Verdict::Wait { wait } => {
                self.state = JobState::Waiting;
                self.set_due(now, Some(*wait));
            }
            Verdict::Park { code } => {
                self.code = Some((*code).to_owned());
                self.state = JobState::Parked;
                self.set_due(now, None);
            }
            Verdict::Bury { code } => {
                self.attempts = self.attempts.saturating_add(1);
                self.code = Some((*code).to_owned());
                self.state = JobState::Dead;
                self.set_due(now, None);
            }
        }
    }

    /// Brings the job's times in line after the wall clock was set, so that neither a wait nor a failure grows by it.
    ///
    /// A step forward leaves due times alone: while a machine sleeps its wall clock goes on, and what became due
    /// meanwhile is due. But nothing was tried meanwhile, so a failure is no older for it.
    pub fn rebase(&mut self, step: &ClockStep, now: Timestamp) {
        let latest = after(now, self.wait);
        self.due_at = self.due_at.map(|due| due.min(latest));
        self.failing_since = self.failing_since.map(|since| step.carry(since, step.away, now));
        self.first_event_at = step.carry(self.first_event_at, Duration::ZERO, now);
        self.last_event_at = step.carry(self.last_event_at, Duration::ZERO, now);
    }

    fn set_due(&mut self, now: Timestamp, wait: Option<Duration>) {
        self.wait = wait.unwrap_or_default();
        self.due_at = wait.map(|wait| after(now, wait));
    }

    /// A new event deserves all its attempts.
    fn forgive(&mut self) {
        self.attempts = 0;
        self.streak = 0;
        self.class = None;
        self.code = None;
        self.detail = None;
        self.failing_since = None;
    }
}

/// How the wall clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockStep {
    /// Forward, back, or zero: nobody saw it, as when the process was not running.
    pub by: SignedDuration,
    /// How much of the time since the job began to fail a peer was known to be away, as it stood before a step forward.
    /// Those times are on record by the old clock, and would not be found among the new ones.
    pub away: Duration,
}

impl ClockStep {
    /// A time on record by the new clock. One that was recorded after the step already stays as it is.
    fn carry(&self, time: Timestamp, away: Duration, now: Timestamp) -> Timestamp {
        let carried = after(time.saturating_add(self.by).unwrap_or(Timestamp::MAX), away);
        let is_of_old_clock = if self.by.is_positive() { carried <= now } else { time > now };
        if is_of_old_clock { carried.min(now) } else { time }
    }
}

fn after(time: Timestamp, wait: Duration) -> Timestamp {
    time.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

fn wait_until(due: Timestamp, now: Timestamp) -> Duration {
    elapsed(now, due)
}

#[cfg(test)]
mod tests;
