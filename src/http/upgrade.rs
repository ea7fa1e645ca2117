//! How does a call become a channel? A request to go on in another protocol, and what came of it.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode, Upgraded};
use secrecy::SecretString;

use super::{Answer, Download, Limits, NoAnswer, read_body};

/// What the peer said to a request to go on in another protocol.
#[derive(Debug)]
pub enum Upgrade {
    /// The connection is ours from here on. No time-out of the client applies to it any more.
    Switched { headers: HeaderMap, connection: Upgraded },
    /// An answer like any other.
    Answered(Answer),
}

/// Sends a request to go on in another protocol. The limits are for the answer; wherever that repeats `secret`, it holds
/// `***` instead.
pub async fn upgrade(
    request: RequestBuilder,
    limits: Limits,
    secret: Option<&SecretString>,
) -> Result<Upgrade, NoAnswer> {
    // Boxed, as the state of a connection being opened would make every caller's future large.
    let answered = Box::pin(switch(request, limits.body, secret));
    within(limits.total, answered).await
}

async fn switch(
    request: RequestBuilder,
    cap: usize,
    secret: Option<&SecretString>,
) -> Result<Upgrade, NoAnswer> {
    let mut response: Response = request.send().await.map_err(NoAnswer::before_the_answer)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    if status == StatusCode::SWITCHING_PROTOCOLS {
        let connection = response.upgrade().await.map_err(NoAnswer::within_the_answer)?;
        return Ok(Upgrade::Switched { headers, connection });
    }
    let asked = response.url().clone();
    let body = read_body(response, cap).await?;
    Ok(Upgrade::Answered(Download { asked, status, headers, body }.into_answer(secret)))
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_elapsed| Err(NoAnswer::too_slow(limit)))
}
