//! How much may arrive and wait for its commit at a time? Counts requests and bytes, and sends away what is beyond.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{BytesMut, Payload};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::WebError;
use crate::actors::messages::Admission;
use crate::domain::event::StashEvent;

/// This many requests may wait for their commit.
const REQUESTS: usize = 1024;
/// Bytes of bodies and of waiting events in all. One body of the largest size always fits.
const BYTES: usize = 32 << 20;
/// The beginning of a body is free, as connections are limited: large bodies keep no thin event out.
const FREE_BYTES: usize = 4 << 10;
/// What an event takes while it waits: itself, its correlation id, and the same once more in the group on its way.
const EVENT_BYTES: usize = 256;

/// Lets requests in as long as there is room.
#[derive(Debug, Clone)]
pub struct Gate {
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    max_body: usize,
    timeout: Duration,
}

/// A body, and the room that it takes.
pub(super) struct Body {
    pub(super) bytes: BytesMut,
    _room: OwnedSemaphorePermit,
}

impl Gate {
    /// `max_body` is in bytes; `timeout` is how long a body may take to arrive.
    pub fn new(max_body: usize, timeout: Duration) -> Self {
        let bytes = BYTES.max(max_body);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { requests: semaphore(REQUESTS), bytes: semaphore(bytes), max_body, timeout }
    }

    /// How many requests wait for their commit.
    pub fn waiting_requests(&self) -> usize {
        REQUESTS.saturating_sub(self.requests.available_permits())
    }

    pub(super) async fn read(&self, body: Payload) -> Result<Body, WebError> {
        let late = || WebError::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
        tokio::time::timeout(self.timeout, self.receive(body)).await.unwrap_or_else(|_elapsed| Err(late()))
    }

    /// Leave for events to wait for their commit.
    pub(super) fn admit(&self, events: &[StashEvent]) -> Result<Admission, WebError> {
        let busy = || WebError::later("too many events are waiting to be stored");
        let request = self.requests.clone().try_acquire_owned();
        let room = self.room(events.len().saturating_mul(EVENT_BYTES).saturating_sub(FREE_BYTES));
        Ok(Admission { request: request.or(Err(busy()))?, room: room.ok_or_else(busy)? })
    }

    async fn receive(&self, mut body: Payload) -> Result<Body, WebError> {
        let (mut bytes, mut room, mut received) = (BytesMut::new(), self.room(0), 0_usize);
        while let Some(chunk) = body.next().await {
            let broken = |error| format!("the body did not arrive whole: {error}");
            let chunk = chunk.map_err(|error| WebError::new(StatusCode::BAD_REQUEST, broken(error)))?;
            let charged = received.max(FREE_BYTES);
            received += chunk.len();
            if received > self.max_body {
                let text = format!("the body is larger than server.max_body, {} bytes", self.max_body);
                return Err(WebError::new(StatusCode::PAYLOAD_TOO_LARGE, text));
            }
            let more = room.as_ref().and_then(|_| self.room(received.saturating_sub(charged)));
            if let (Some(room), Some(more)) = (&mut room, more) {
                room.merge(more);
                bytes.extend_from_slice(&chunk);
            } else {
                // The rest is taken from the line all the same: whoever is still sending would not hear the answer.
                (room, bytes) = (None, BytesMut::new());
            }
        }
        let Some(room) = room else {
            return Err(WebError::later("too many large bodies are arriving"));
        };
        Ok(Body { bytes, _room: room })
    }

    fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.bytes.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }
}
