//! What does a client make of a given answer? A server for tests that says, byte for byte, what it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

/// A request as it came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Method and target, such as `GET /identity`.
    pub(crate) line: String,
    /// One per line, names in lower case.
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What the server does with a connection once the request is in.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes and resets the connection.
    Reset(Vec<u8>),
    /// Sends these bytes and then nothing, with the connection open.
    Hang(Vec<u8>),
    /// Sends these bytes, then a blank every so often, for ever.
    Drip(Vec<u8>, Duration),
}

impl Reply {
    /// A complete answer. `headers` are whole lines, each ended by CRLF.
    pub(crate) fn new(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
        let mut bytes = format!("{head}connection: close\r\n{headers}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Self::Bytes(bytes)
    }

    pub(crate) fn json(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, "content-type: application/json\r\n", body)
    }
}

/// Listens on a free port of this machine until it is dropped.
pub(crate) struct CannedServer {
    pub(crate) url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
    listening: JoinHandle<()>,
}

impl CannedServer {
    /// Answers every request as `answer` says.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                connections.spawn(async move {
                    if let Some(request) = read(&mut stream).await {
                        let reply = answer(&request);
                        seen.lock().unwrap().push(request);
                        give(stream, reply).await;
                    }
                });
            }
        });
        Self { url, requests, listening }
    }

    /// Answers every request alike.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for CannedServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// An address where nobody listens.
pub(crate) async fn closed_port() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
            let request = Request {
                line: line.trim_end_matches(" HTTP/1.1").to_owned(),
                headers: headers.replace("\r\n", "\n"),
                body: body.to_owned(),
            };
            let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
            if body.len() >= length {
                return Some(request);
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// Errors are the client's leaving, which it may do at any time.
async fn give(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Bytes(bytes) => {
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
        }
        Reply::Reset(bytes) => {
            drop(stream.write_all(&bytes).await);
            stream.set_zero_linger().unwrap();
        }
        Reply::Hang(bytes) => {
            drop(stream.write_all(&bytes).await);
            std::future::pending::<()>().await;
        }
        Reply::Drip(bytes, every) => {
            drop(stream.write_all(&bytes).await);
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(every).await;
            }
        }
    }
}
