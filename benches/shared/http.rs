//! How does a benchmark talk to the service at next to no cost of its own? Raw HTTP/1.1 on a kept connection.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What is of interest in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect to the service")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(1024) })
    }

    /// Sends one request and reads its answer to the end.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the service closed the connection");
            }
            if let Some(answer) = complete(&self.received)? {
                return Ok(answer);
            }
        }
    }
}

/// The request of Stash's hook for a scene.
pub(crate) fn event(address: SocketAddr, token: Option<&str>, scene: i64) -> Vec<u8> {
    let body = format!(r#"{{"type":"Scene.Update.Post","id":{scene},"input_fields":["title","id"]}}"#);
    let token = token.map(|token| format!("x-plexsync-token: {token}\r\n")).unwrap_or_default();
    format!(
        "POST /webhooks/stash HTTP/1.1\r\nhost: {address}\r\n{token}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The answer, once all of it is there. Its length has to be stated, which the service does.
fn complete(received: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(received.get(..end).unwrap_or_default())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let (mut length, mut retry_after) = (None, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>()?);
        }
        retry_after |= name.eq_ignore_ascii_case("retry-after");
    }
    let length = length.context("an answer that does not say how long it is")?;
    Ok((received.len() >= end + 4 + length).then_some(Answer { status, retry_after }))
}
