//! How does an answer get to the client, or fail to?

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::stream::{self, Stream};

use super::{Answer, BODY_LIMIT, Connection, Peer, Request, Shared, channel};
use crate::sim::faults::Fault;
use crate::sim::record::Place;

const HUGE_CHUNK: u64 = 64 << 10;
const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head>\
    <body><form method=\"post\"><input name=\"user\"><input name=\"password\" type=\"password\"></form></body></html>";

pub(super) async fn deliver<P: Peer>(
    incoming: HttpRequest,
    payload: Payload,
    shared: Data<Shared<P>>,
) -> HttpResponse {
    // What follows a request for a channel is no body, and does not end.
    let (body, payload) = if asks_for_a_channel(&incoming) {
        (Bytes::new(), Some(payload))
    } else {
        let body = payload.to_bytes_limited(BODY_LIMIT).await;
        let Ok(Ok(body)) = body else { return HttpResponse::PayloadTooLarge().finish() };
        (body, None)
    };
    let request = taken_apart(&incoming, &body);
    let op = shared.peer.op(&request);
    let _in_hand = shared.log.take_in_hand();
    let place = shared.log.begin(op, &request);
    let (latency, fault) = shared.faults.take(op, &shared.peer.subjects(&request));
    pause(latency).await;
    let wire = Wire { connection: incoming.conn_data::<Connection>().cloned(), shared: &shared, place };
    match fault {
        None => {
            let opened = payload.and_then(|payload| Some((payload, shared.peer.channel(&request)?)));
            match opened {
                None => wire.send(shared.peer.answer(&request)),
                Some((payload, opened)) => {
                    shared.log.answered(place, 101);
                    let connection = wire.connection.clone();
                    let peer = shared.clone();
                    channel::run(&request, payload, opened, connection, move || peer.peer.pass())
                }
            }
        }
        Some(fault) => wire.fail(&request, fault).await,
    }
}

fn asks_for_a_channel(incoming: &HttpRequest) -> bool {
    let upgrade = incoming.headers().get("upgrade").and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

fn taken_apart(incoming: &HttpRequest, body: &Bytes) -> Request {
    let headers: BTreeMap<String, String> = incoming
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let target = incoming.uri().path_and_query().map_or("/", |both| both.as_str());
    Request::new(incoming.method().as_str(), target, headers, body.to_vec())
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

struct Wire<'a, P: Peer> {
    connection: Option<Connection>,
    shared: &'a Shared<P>,
    place: Place,
}

impl<P: Peer> Wire<'_, P> {
    fn send(&self, answer: Answer) -> HttpResponse {
        self.shared.log.answered(self.place, answer.status);
        head(&answer).body(answer.body)
    }

    async fn fail(&self, request: &Request, fault: Fault) -> HttpResponse {
        match fault {
            Fault::Status { code, content_type, headers, body } => {
                let mut answer = Answer::new(code, &content_type, body);
                answer.headers.extend(headers);
                self.send(answer)
            }
            // Taken out before; here only for completeness.
            Fault::Latency(time) => {
                pause(time).await;
                self.send(self.shared.peer.answer(request))
            }
            Fault::LateAnswer(time) => {
                let answer = self.shared.peer.answer(request);
                pause(time).await;
                self.send(answer)
            }
            Fault::Hang => std::future::pending().await,
            Fault::Reset => self.cut(),
            Fault::CutBody => self.half(self.shared.peer.answer(request)),
            Fault::Garbage => {
                let mut answer = self.shared.peer.answer(request);
                answer.body = b"\x00\xff<<{{ ]] not what was expected".to_vec();
                answer.status = 200;
                self.send(answer)
            }
            Fault::NotHttp => {
                if let Some(connection) = &self.connection {
                    connection.send_raw(b"\x15\x03\x01\x00\x02\x02\x50 this is not HTTP\r\n\r\n");
                }
                self.cut()
            }
            Fault::Html => self.send(Answer::new(200, "text/html", LOGIN_PAGE)),
            Fault::AppliedButHtml => {
                drop(self.shared.peer.answer(request));
                self.send(Answer::new(200, "text/html", LOGIN_PAGE))
            }
            Fault::Huge(bytes) => {
                self.shared.log.answered(self.place, 200);
                HttpResponse::Ok().content_type("application/json").streaming(huge(bytes))
            }
            Fault::Redirect(location) => self.send(Answer::empty(302).with("Location", location)),
            Fault::AppliedButLost => {
                drop(self.shared.peer.answer(request));
                self.cut()
            }
            Fault::SilentDrop => self.send(Answer::new(200, "text/html", "")),
            Fault::Failing(state) => self.send(self.shared.peer.failing(request, state)),
        }
    }

    /// Whatever is answered afterwards goes nowhere.
    fn cut(&self) -> HttpResponse {
        if let Some(connection) = &self.connection {
            connection.cut();
        }
        HttpResponse::NoContent().finish()
    }

    fn half(&self, answer: Answer) -> HttpResponse {
        self.shared.log.answered(self.place, answer.status);
        let length = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
        let mut response = head(&answer);
        let mut sent = answer.body;
        sent.truncate(sent.len() / 2);
        // Announced is one byte more than there is, so that even an empty body is cut.
        response.no_chunking(length.saturating_add(1)).streaming(cut_after(sent))
    }
}

fn head(answer: &Answer) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    response
}

fn cut_after(sent: Vec<u8>) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::unfold(Some(sent), |rest| async move {
        if let Some(sent) = rest {
            return Some((Ok(Bytes::from(sent)), None));
        }
        // One turn for the server to put the first half on the wire.
        tokio::task::yield_now().await;
        Some((Err(io::Error::other("cut on purpose")), None))
    })
}

fn huge(bytes: u64) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(bytes, |left| async move {
        let size = left.min(HUGE_CHUNK);
        let chunk = vec![b' '; usize::try_from(size).ok()?];
        (size > 0).then(|| (Ok(Bytes::from(chunk)), left - size))
    })
}
