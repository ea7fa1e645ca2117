//! How does a simulated peer misbehave on purpose?

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One way to misbehave.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This answer, and nothing is done.
    Status { code: u16, content_type: String, headers: Vec<(String, String)>, body: String },
    /// Waits, then goes on as if nothing were wrong; may come together with one other fault.
    Latency(Duration),
    /// Does what was asked, then waits before it answers.
    LateAnswer(Duration),
    /// Never answers.
    Hang,
    /// Cuts the connection before anything is done.
    Reset,
    /// Does what was asked, then cuts the connection in the middle of the answer's body.
    CutBody,
    /// 200 and the right content type, but the body is noise.
    Garbage,
    /// Bytes that are not HTTP at all.
    NotHttp,
    /// 200 and a login page: what a proxy in between sends.
    Html,
    /// Does what was asked, then 200 and the page of [`Fault::Html`].
    AppliedButHtml,
    /// 200 and a body of this many bytes.
    Huge(u64),
    /// 302 to this address.
    Redirect(String),
    /// Does what was asked, then cuts the connection without an answer.
    AppliedButLost,
    /// 200 and an empty body, but nothing is done.
    SilentDrop,
    /// A state in which the peer answers, in its own words, but does not work.
    Failing(Failing),
}

/// States in which a peer is reachable and useless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// Just started. Plex says so with a 400.
    StartingUp,
    /// Database migration. Plex: 503 with XML; Stash: an internal system error within a 200.
    Maintenance,
    /// The database is busy. Plex: 500 with HTML; Stash: `database is locked` within a 200.
    DatabaseBusy,
}

impl Fault {
    /// An answer with this status and an HTML body of the form both peers and their proxies use.
    pub fn status(code: u16) -> Self {
        let body = format!("<html><head><title>{code}</title></head><body><h1>{code}</h1></body></html>");
        Self::Status { code, content_type: "text/html".to_owned(), headers: Vec::new(), body }
    }

    /// An answer with this status that asks for a pause.
    pub fn retry_after(code: u16, seconds: u64) -> Self {
        let headers = vec![("Retry-After".to_owned(), seconds.to_string())];
        Self::Status { code, content_type: "text/plain".to_owned(), headers, body: String::new() }
    }
}

/// Names an injected fault, to take it back or to ask how often it struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

#[derive(Debug)]
struct Rule<Op> {
    id: FaultId,
    op: Option<Op>,
    subject: Option<String>,
    fault: Fault,
    left: Option<u32>,
    hits: usize,
}

/// The faults a peer has been told to show, oldest first.
#[derive(Debug)]
pub struct Faults<Op> {
    rules: Mutex<Vec<Rule<Op>>>,
    next: AtomicU64,
}

impl<Op> Default for Faults<Op> {
    fn default() -> Self {
        Self { rules: Mutex::new(Vec::new()), next: AtomicU64::new(1) }
    }
}

impl<Op: Copy + PartialEq> Faults<Op> {
    /// Shows `fault` on requests of kind `op` (`None`: all), `times` times (`None`: until taken back).
    pub fn inject(&self, op: impl Into<Option<Op>>, fault: Fault, times: impl Into<Option<u32>>) -> FaultId {
        self.add(op.into(), None, fault, times.into())
    }

    /// As [`Faults::inject`], but only on requests that concern this rating key or scene id.
    pub fn inject_for(
        &self,
        subject: &str,
        op: impl Into<Option<Op>>,
        fault: Fault,
        times: impl Into<Option<u32>>,
    ) -> FaultId {
        self.add(op.into(), Some(subject.to_owned()), fault, times.into())
    }

    /// Takes one fault back.
    pub fn remove(&self, id: FaultId) {
        self.rules().retain(|rule| rule.id != id);
    }

    /// Takes all faults back.
    pub fn clear(&self) {
        self.rules().clear();
    }

    /// How often a fault has struck; `0` for one that was taken back.
    pub fn hits(&self, id: FaultId) -> usize {
        self.rules().iter().find(|rule| rule.id == id).map_or(0, |rule| rule.hits)
    }

    /// The faults for one request: latencies add up, and of all others the oldest strikes.
    pub(crate) fn take(&self, op: Op, subjects: &[String]) -> (Duration, Option<Fault>) {
        let mut latency = Duration::ZERO;
        let mut struck = None;
        for rule in self.rules().iter_mut() {
            let meant = rule.op.is_none_or(|wanted| wanted == op)
                && rule.subject.as_ref().is_none_or(|wanted| subjects.contains(wanted))
                && rule.left != Some(0);
            if !meant {
                continue;
            }
            if let Fault::Latency(wait) = rule.fault {
                latency = latency.saturating_add(wait);
            } else if struck.is_none() {
                struck = Some(rule.fault.clone());
            } else {
                continue;
            }
            rule.left = rule.left.map(|left| left.saturating_sub(1));
            rule.hits += 1;
        }
        (latency, struck)
    }

    fn add(&self, op: Option<Op>, subject: Option<String>, fault: Fault, left: Option<u32>) -> FaultId {
        let id = FaultId(self.next.fetch_add(1, Ordering::Relaxed));
        self.rules().push(Rule { id, op, subject, fault, left, hits: 0 });
        id
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule<Op>>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_told_and_only_where_told() {
        let faults = Faults::<u8>::default();
        let id = faults.inject_for("7", 1, Fault::Hang, 2);
        let other = ["8".to_owned()];
        let meant = ["7".to_owned()];
        assert!(faults.take(1, &other).1.is_none());
        assert!(faults.take(2, &meant).1.is_none());
        assert!(faults.take(1, &meant).1.is_some());
        assert!(faults.take(1, &meant).1.is_some());
        assert!(faults.take(1, &meant).1.is_none());
        assert_eq!(faults.hits(id), 2);
    }

    #[test]
    fn a_latency_comes_together_with_the_oldest_other_fault() {
        let faults = Faults::<u8>::default();
        faults.inject(None, Fault::Latency(Duration::from_secs(1)), None);
        faults.inject(None, Fault::Hang, 1);
        let kept = faults.inject(None, Fault::Html, 1);
        let (latency, struck) = faults.take(1, &[]);
        assert_eq!(latency, Duration::from_secs(1));
        assert!(matches!(struck, Some(Fault::Hang)));
        assert_eq!(faults.hits(kept), 0, "a fault that did not strike is not used up");
    }
}
