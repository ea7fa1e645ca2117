//! Which jobs does a new file in Plex concern, or an item that is free again? Those that found no item, or none that was
//! surely theirs.

use std::time::Duration;

use jiff::Timestamp;

use super::{Job, JobState};
use crate::domain::failure::FailureClass;

impl Job {
    /// Whether another state of Plex's libraries, or of the scene that holds its item, could end its wait.
    pub fn awaits_news(&self) -> bool {
        let rests = match self.state {
            JobState::Waiting | JobState::Parked => true,
            JobState::Ready | JobState::Running | JobState::Dead | JobState::Done => false,
        };
        rests
            && match self.class {
                Some(FailureClass::NotInPlex) => true,
                Some(FailureClass::Ambiguous) => {
                    matches!(self.code.as_deref(), Some("ambiguous" | "low_confidence" | "conflict"))
                }
                Some(_) | None => false,
            }
    }

    /// Makes it due after the wait, if it awaits news. It is not forgiven: what news do not change is counted on. A run in
    /// hand may have looked before the news, so it is followed by another one. Returns whether it was woken.
    pub fn wake(&mut self, wait: Duration, now: Timestamp) -> bool {
        if self.state == JobState::Running {
            self.due_at.get_or_insert(now);
            return true;
        }
        if !self.awaits_news() {
            return false;
        }
        self.state = JobState::Ready;
        self.set_due(now, Some(wait));
        self.updated_at = now;
        true
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;
    use rstest::rstest;

    use super::super::tests::{POLICY, at, running};
    use super::super::{Circumstances, settle};
    use super::*;
    use crate::domain::failure::{Failure, Peer};

    fn ended(class: FailureClass, code: &'static str) -> Job {
        let mut job = running();
        let failure = Failure::new(class, Peer::Plex, code, "detail");
        let mut rng = SmallRng::seed_from_u64(1);
        let verdict = settle(&job, Err(&failure), &POLICY, Circumstances::default(), at(9), &mut rng);
        job.finish(Err(&failure), &verdict, at(9));
        job
    }

    #[rstest]
    #[case(FailureClass::NotInPlex, "no_candidate", true)]
    #[case(FailureClass::Ambiguous, "ambiguous", true)]
    #[case(FailureClass::Ambiguous, "low_confidence", true)]
    #[case(FailureClass::Ambiguous, "conflict", true)]
    #[case(FailureClass::Forbidden, "forbidden", false)]
    #[case(FailureClass::Unavailable, "refused", false)]
    #[case(FailureClass::Rejected, "edit_rejected", false)]
    fn only_what_news_could_decide_is_woken(
        #[case] class: FailureClass,
        #[case] code: &'static str,
        #[case] wakes: bool,
    ) {
        let mut job = ended(class, code);
        let before = job.clone();
        assert_eq!(job.wake(Duration::from_secs(3), at(9)), wakes, "{job:?}");
        if wakes {
            assert_eq!((job.state, job.due_at), (JobState::Ready, Some(at(9) + Duration::from_secs(3))));
            assert_eq!((job.streak, job.failing_since), (before.streak, before.failing_since));
        } else {
            assert_eq!(job, before);
        }
    }
}
