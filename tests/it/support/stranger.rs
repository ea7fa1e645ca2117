//! Who answers in the place of a service? A server that says what the test wants, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was posted.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

/// A server on loopback that gives each post to a function and answers with the status and the body that come back. A
/// status of 0 means that it never answers.
pub(crate) struct Stranger {
    pub(crate) url: String,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Stranger {
    pub(crate) fn start(answer: impl Fn(&Posted) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (posted, answer) = (Arc::<Mutex<Vec<Posted>>>::default(), Arc::new(answer));
        let log = Arc::clone(&posted);
        // It ends with the process: a test has nothing to wait for.
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(&connection, &log, answer.as_ref()));
            }
        });
        Self { url, posted }
    }

    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }
}

fn serve(connection: &TcpStream, log: &Mutex<Vec<Posted>>, answer: &dyn Fn(&Posted) -> (u16, String)) {
    let mut from = BufReader::new(connection.try_clone().unwrap());
    while let Some(posted) = read(&mut from) {
        log.lock().unwrap().push(posted.clone());
        let (status, body) = answer(&posted);
        if status == 0 {
            // Until the other side has had enough.
            from.read_to_end(&mut Vec::new()).ok();
            return;
        }
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut to = connection;
        if to.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn read(from: &mut BufReader<TcpStream>) -> Option<Posted> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        line.clear();
        from.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => value.clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(Posted { path, authorization, body: String::from_utf8(body).unwrap() })
}
