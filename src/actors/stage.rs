//! What do the stages share? The inner net around a job's code, and the meaning of a failing store.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use actix::ResponseFuture;
use futures_util::FutureExt as _;

use crate::domain::failure::Failure;
use crate::store::StoreError;
use crate::supervision::LinkError;

/// Runs a job's code beside the mailbox. Its panic is that job's own failure; the actor and its neighbours go on.
pub(super) fn caught<T, E>(work: impl Future<Output = Result<T, E>> + 'static) -> ResponseFuture<Result<T, E>>
where
    T: 'static,
    E: From<Failure> + 'static,
{
    Box::pin(async {
        let done = AssertUnwindSafe(work).catch_unwind().await;
        done.unwrap_or_else(|_| Err(Failure::bug("panic", "our own code panicked on this scene").into()))
    })
}

/// The database is ours: when it cannot be read, the job is cut short and comes again.
#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
pub(super) fn storage(error: StoreError) -> Failure {
    Failure::interrupted("storage", error.to_string())
}

/// A stage that closed or was restarted under the job is not the job's fault.
pub(super) fn restarted(error: LinkError) -> Failure {
    Failure::interrupted("stage_restarted", error.to_string())
}

/// What the writer answered, with both ways to fail as a job sees them.
pub(super) fn stored<T>(answer: Result<Result<T, StoreError>, LinkError>) -> Result<T, Failure> {
    answer.map_err(restarted)?.map_err(storage)
}
