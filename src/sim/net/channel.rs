//! How does a simulated peer speak when it is not asked? By WebSocket (RFC 6455), as far as a server of notifications
//! needs it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, BytesMut, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Connection, Request};

const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// How often it is looked whether something has happened meanwhile.
const LOOK: Duration = Duration::from_millis(20);

/// What the peer says on a channel.
#[derive(Debug)]
pub(crate) enum Say {
    /// A frame of text.
    Text(String),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing more, and the connection is cut.
    Cut,
}

/// A channel that the peer has opened.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) says: UnboundedReceiver<Say>,
    /// While this is set nothing is said and nothing is answered, and the connection stays.
    pub(crate) silent: Arc<AtomicBool>,
}

/// Switches, and passes on what the peer says until the connection is cut or the client leaves.
pub(super) fn run(
    request: &Request,
    payload: Payload,
    channel: Channel,
    connection: Option<Connection>,
    pass: impl Fn() + 'static,
) -> HttpResponse {
    let key = request.header("sec-websocket-key").unwrap_or_default();
    let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes()));
    let open = Open { payload, channel, connection, heard: BytesMut::new() };
    HttpResponse::build(StatusCode::SWITCHING_PROTOCOLS)
        .upgrade("websocket")
        .insert_header(("Sec-WebSocket-Accept", accept))
        .streaming(spoken(open, pass))
}

struct Open {
    payload: Payload,
    channel: Channel,
    connection: Option<Connection>,
    heard: BytesMut,
}

fn spoken(open: Open, pass: impl Fn() + 'static) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::unfold((open, pass), |(mut open, pass)| async move {
        let said = open.next(&pass).await?;
        Some((Ok(said), (open, pass)))
    })
}

impl Open {
    /// The next bytes to be sent; none when it is over.
    async fn next(&mut self, pass: &impl Fn()) -> Option<Bytes> {
        loop {
            if self.channel.silent.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            if let Some(frame) = client_frame(&mut self.heard) {
                match frame {
                    ClientFrame::Ping(said) => return Some(Bytes::from(server_frame(0xA, &said))),
                    ClientFrame::Close => return None,
                    ClientFrame::Other => continue,
                }
            }
            tokio::select! {
                said = self.channel.says.recv() => match said {
                    Some(Say::Text(text)) => return Some(Bytes::from(server_frame(0x1, text.as_bytes()))),
                    Some(Say::Raw(bytes)) => return Some(Bytes::from(bytes)),
                    Some(Say::Cut) | None => {
                        if let Some(connection) = &self.connection {
                            connection.cut();
                        }
                        return None;
                    }
                },
                heard = self.payload.next() => match heard {
                    Some(Ok(bytes)) => self.heard.extend_from_slice(&bytes),
                    Some(Err(_)) | None => return None,
                },
                () = tokio::time::sleep(LOOK) => pass(),
            }
        }
    }
}

/// A frame of a server, which is not masked.
pub(super) fn server_frame(kind: u8, said: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | kind];
    match (u8::try_from(said.len()), u16::try_from(said.len())) {
        (Ok(length @ 0..=125), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&u64::try_from(said.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(said);
    frame
}

#[derive(Debug, PartialEq, Eq)]
enum ClientFrame {
    Ping(Vec<u8>),
    Close,
    Other,
}

/// Takes the first frame of a client out of what was heard, if it is whole. Clients of notifications send short ones
/// only, and all that clients send is masked.
fn client_frame(heard: &mut BytesMut) -> Option<ClientFrame> {
    let [first, second, ..] = *heard.as_ref() else { return None };
    let length = usize::from(second & 0x7f);
    let end = 6 + length;
    if second & 0x80 == 0 || length > 125 {
        heard.clear();
        return Some(ClientFrame::Close);
    }
    let frame = (heard.len() >= end).then(|| heard.split_to(end))?;
    let (mask, said) = frame.get(2..)?.split_at_checked(4)?;
    let said = said.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some(match first & 0x0f {
        0x9 => ClientFrame::Ping(said),
        0x8 => ClientFrame::Close,
        _ => ClientFrame::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_lengths_of_three_kinds() {
        assert_eq!(server_frame(0x1, b"ab"), [0x81, 2, b'a', b'b']);
        assert_eq!(server_frame(0x1, &[7; 126])[..5], [0x81, 126, 0, 126, 7]);
        assert_eq!(server_frame(0x1, &vec![7; 65_536])[..11], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0, 7]);
    }

    #[test]
    fn a_clients_frame_is_unmasked_when_it_is_whole() {
        // The example of RFC 6455: a ping with a masked "Hello".
        let whole = [0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let mut heard = BytesMut::from(&whole[..7]);
        assert_eq!(client_frame(&mut heard), None);
        heard.extend_from_slice(&whole[7..]);
        heard.extend_from_slice(&[0x88, 0x80, 1, 2, 3, 4]);
        assert_eq!(client_frame(&mut heard), Some(ClientFrame::Ping(b"Hello".to_vec())));
        assert_eq!(client_frame(&mut heard), Some(ClientFrame::Close));
        assert_eq!(client_frame(&mut heard), None);
    }
}
