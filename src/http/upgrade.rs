//! How does a call become a channel? A request to go on in another protocol, and what came of it.

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode, Upgraded};
use secrecy::SecretString;

use super::{Answer, Limits, NoAnswer, receive, within};

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
    let mut response = request.send().await.map_err(NoAnswer::before_the_answer)?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let headers = std::mem::take(response.headers_mut());
        let connection = response.upgrade().await.map_err(NoAnswer::within_the_answer)?;
        return Ok(Upgrade::Switched { headers, connection });
    }
    Ok(Upgrade::Answered(receive(response, cap).await?.into_answer(secret)))
}
