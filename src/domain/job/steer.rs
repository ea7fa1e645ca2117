//! What does a person's word do to a job? Retrying it and taking it away, beside what events do.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Job, JobState};

/// What a retry came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It is due at once, with all its attempts.
    Ready { was: JobState },
    /// It is in hand, and runs once more when that run has ended.
    OnceMore,
    /// It is done. Only an event opens it again, since every opened job is counted against an event.
    AlreadyDone,
}

/// Whether a person may take a job away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Droppable {
    Yes,
    /// Its run may be writing to Plex. Without the row an event would start a second run beside the first.
    InHand,
    /// There is nothing left to take away.
    AlreadyDone,
}

/// Why a job runs once more after the run in hand, whatever that one's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnceMore {
    /// What the run read may be older than the event.
    Event,
    /// A person asked for it, or what the run looked for may have come after its look.
    Request,
}

/// The word of a person that nothing new is to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "paused since {:.0}", self.since)?;
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, " ({reason})"))
    }
}

impl Job {
    /// Starts the job afresh and at once. Crashes still count: what may have ended the process runs alone until a run
    /// of it has had a verdict.
    pub fn retry(&mut self, now: Timestamp) -> Retried {
        let retried = match self.state {
            JobState::Done => return Retried::AlreadyDone,
            JobState::Running => Retried::OnceMore,
            was @ (JobState::Ready | JobState::Waiting | JobState::Parked | JobState::Dead) => {
                self.state = JobState::Ready;
                self.forgive();
                Retried::Ready { was }
            }
        };
        // Otherwise the quiet time of the next event would be bounded by an event of long ago.
        self.first_event_at = now;
        self.set_due(now, Some(Duration::ZERO));
        self.updated_at = now;
        retried
    }

    /// Whether it may be taken away now.
    pub fn droppable(&self) -> Droppable {
        match self.state {
            JobState::Done => Droppable::AlreadyDone,
            JobState::Running => Droppable::InHand,
            JobState::Ready | JobState::Waiting | JobState::Parked | JobState::Dead => Droppable::Yes,
        }
    }

    /// Whether the run in hand cannot be the last. A running job has a due time only when something came meanwhile.
    pub fn once_more(&self) -> Option<OnceMore> {
        if self.claimed.is_none_or(|claimed| self.generation > claimed) {
            return Some(OnceMore::Event);
        }
        self.due_at.map(|_| OnceMore::Request)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{POLICY, at, event, failure, ready, run, running};
    use super::*;
    use crate::domain::event::Trigger;
    use crate::domain::failure::FailureClass;
    use crate::domain::job::{Circumstances, Verdict, accept, settle};
    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;
    use rstest::rstest;

    #[rstest]
    #[case(FailureClass::Forbidden, JobState::Parked)]
    #[case(FailureClass::Rejected, JobState::Dead)]
    #[case(FailureClass::NotInPlex, JobState::Waiting)]
    #[case(FailureClass::Unavailable, JobState::Ready)]
    fn a_retry_makes_an_open_job_due_at_once_with_all_its_attempts(
        #[case] class: FailureClass,
        #[case] was: JobState,
    ) {
        let mut job = ready();
        run(&mut job, Err(&failure(class)), at(10));
        assert_eq!(job.state, was);
        assert_eq!(job.retry(at(20)), Retried::Ready { was });
        assert_eq!((job.state, job.due_at, job.attempts), (JobState::Ready, Some(at(20)), 0));
        assert_eq!((job.streak, job.class, job.code, job.failing_since), (0, None, None, None));
    }

    #[test]
    fn a_retry_of_a_running_job_is_one_more_run_whatever_comes_of_this_one() {
        for outcome in [Ok(()), Err(&failure(FailureClass::Rejected))] {
            let mut job = running();
            assert_eq!(job.once_more(), None);
            assert_eq!(job.retry(at(5)), Retried::OnceMore);
            assert_eq!((job.state, job.once_more()), (JobState::Running, Some(OnceMore::Request)));
            let verdict = settle(
                &job,
                outcome,
                &POLICY,
                Circumstances::default(),
                at(8),
                &mut SmallRng::seed_from_u64(7),
            );
            job.finish(outcome, &verdict, at(8));
            assert_eq!((job.state, job.due_at), (JobState::Ready, Some(at(5))), "{verdict:?}");
            assert_eq!(run(&mut job, Ok(()), at(9)), Verdict::Done);
            assert_eq!(job.state, JobState::Done);
        }
    }

    #[test]
    fn an_event_after_a_retry_has_its_quiet_time() {
        let mut job = ready();
        run(&mut job, Err(&failure(FailureClass::Rejected)), at(100));
        job.retry(at(1000));
        let debounce = super::super::tests::DEBOUNCE;
        let (job, _) = accept(Some(job), event(2, Trigger::Updated), &debounce, at(1001));
        assert_eq!(job.due_at, Some(at(1004)));
    }

    #[test]
    fn a_job_that_may_have_ended_the_process_still_runs_alone_after_a_retry() {
        let mut job = ready();
        for crash in 1..=3 {
            job.claim(crate::domain::ids::RunToken(1), at(crash));
            job.take_back(at(crash));
        }
        assert_eq!(job.state, JobState::Parked);
        assert_eq!(job.retry(at(10)), Retried::Ready { was: JobState::Parked });
        assert!(job.runs_alone());
    }

    #[test]
    fn what_is_done_is_neither_retried_nor_dropped_and_what_runs_is_not_dropped() {
        let mut job = ready();
        assert_eq!(job.droppable(), Droppable::Yes);
        assert_eq!(running().droppable(), Droppable::InHand);
        run(&mut job, Ok(()), at(10));
        let done = job.clone();
        assert_eq!((job.retry(at(20)), job.droppable()), (Retried::AlreadyDone, Droppable::AlreadyDone));
        assert_eq!(job, done);
    }
}
