//! How does Plex tell what happens in its libraries? By frames on a connection that our own client has opened.

mod frames;
#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Upgraded;
use reqwest::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::client::PlexClient;
use super::edit_query::encode;
use super::error::{Asked, Classifier};
use crate::domain::failure::{Failure, FailureClass};
use crate::http::{Upgrade, header};

pub use frames::{Notice, Notices};

/// Frames of Plex have a few hundred bytes. What is longer than this ends the connection before it is read.
const LONGEST: usize = 1 << 20;
const BUFFER: usize = 16 << 10;
/// What is sent are answers to pings.
const MOST_UNSENT: usize = 64 << 10;
/// What a server that speaks the protocol adds to the key before it hashes it (RFC 6455).
const PROTOCOL: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The channel on which Plex tells what happens. Dropping it closes the connection.
#[derive(Debug)]
pub struct Notifications {
    frames: WebSocketStream<Upgraded>,
    /// How long it may be quiet until the server is asked for a sign of life, and then until it is given up.
    silence: Duration,
    asked: bool,
    classify: Classifier,
}

impl PlexClient {
    /// Opens the channel. `chance` are bytes by chance, by which it is seen that the answer is to this very question.
    /// Only notices of the libraries are asked for: of the 156 frames about a new movie more than half are about tasks.
    pub async fn notifications(&self, chance: [u8; 16]) -> Result<Notifications, Failure> {
        let mut url = self.at(&[":", "websockets", "notifications"]);
        url.set_query(Some(&encode([("filters", "timeline")])));
        let key = STANDARD.encode(chance);
        let classify = self.classify();
        match self
            .upgrade(url, asking(&key))
            .await
            .map_err(|error| classify.no_answer(Asked::Channel, &error))?
        {
            Upgrade::Answered(answer) => {
                let no_channel = || classify.no_channel(&format!("answered {}", answer.status));
                Err(classify.bad_status(Asked::Channel, &answer).unwrap_or_else(no_channel))
            }
            Upgrade::Switched { headers, connection } => {
                let accepted = headers.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
                if accepted != Some(accept(&key).as_bytes()) {
                    return Err(classify.no_channel("went on in another protocol"));
                }
                let config = WebSocketConfig::default()
                    .read_buffer_size(BUFFER)
                    .write_buffer_size(0)
                    .max_write_buffer_size(MOST_UNSENT)
                    .max_message_size(Some(LONGEST))
                    .max_frame_size(Some(LONGEST));
                let frames = WebSocketStream::from_raw_socket(connection, Role::Client, Some(config)).await;
                Ok(Notifications {
                    frames,
                    silence: self.silence(),
                    asked: false,
                    classify: classify.clone(),
                })
            }
        }
    }
}

impl Notifications {
    /// Waits for a frame that says something, even if it cannot be read. The error says why there will be none any more.
    pub async fn next(&mut self) -> Result<Notices, Failure> {
        loop {
            let Ok(heard) = tokio::time::timeout(self.silence, self.frames.next()).await else {
                if std::mem::replace(&mut self.asked, true) {
                    return Err(self.ended("timeout", "gives no sign of life"));
                }
                self.ask().await?;
                continue;
            };
            let message = match heard {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(self.broken(&error)),
                None => return Err(self.ended("connection_closed", "has closed the channel")),
            };
            self.asked = false;
            match message {
                Message::Text(text) => return Ok(frames::notices(&text)),
                // A close is followed by the end. Pings are answered by the crate.
                Message::Binary(_)
                | Message::Ping(_)
                | Message::Pong(_)
                | Message::Close(_)
                | Message::Frame(_) => {}
            }
        }
    }

    /// Asks for a sign of life.
    async fn ask(&mut self) -> Result<(), Failure> {
        let sent = tokio::time::timeout(self.silence, self.frames.send(Message::Ping(Bytes::new()))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.broken(&error)),
            Err(_elapsed) => Err(self.ended("timeout", "takes nothing on the channel")),
        }
    }

    fn broken(&self, error: &Error) -> Failure {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => {
                self.ended("connection_closed", "has closed the channel")
            }
            Error::Io(error) => self.ended("connection_reset", &format!("broke off the channel: {error}")),
            Error::Tls(_)
            | Error::Capacity(_)
            | Error::Protocol(_)
            | Error::WriteBufferFull(_)
            | Error::Utf8(_)
            | Error::AttackAttempt
            | Error::Url(_) => self.ended("not_notifications", &format!("sent no notification: {error}")),
        }
    }

    fn ended(&self, code: &'static str, said: &str) -> Failure {
        self.classify.failure(FailureClass::Unavailable, code, said)
    }
}

fn asking(key: &str) -> HeaderMap {
    let fixed = HeaderValue::from_static;
    let mut headers = HeaderMap::from_iter([
        (CONNECTION, fixed("Upgrade")),
        (UPGRADE, fixed("websocket")),
        (SEC_WEBSOCKET_VERSION, fixed("13")),
    ]);
    // Base64 is always fit for a header.
    if let Ok(key) = header("key", key) {
        headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    headers
}

/// What a server answers that speaks the protocol.
fn accept(key: &str) -> String {
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{PROTOCOL}").as_bytes()))
}
