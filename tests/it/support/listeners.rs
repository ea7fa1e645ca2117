//! Which servers does it take that no simulated peer is? One that lets nobody in, and one that speaks TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/tls/certificate.pem");
const KEY: &[u8] = include_bytes!("../../fixtures/tls/key.pem");

/// An address at which connections are begun and never made, as at a machine behind a firewall.
pub(crate) struct Closed {
    pub(crate) url: String,
    _listener: Socket,
    _queued: Vec<TcpStream>,
}

impl Closed {
    pub(crate) fn start() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        // Nobody takes connections from the queue; once it is full, the system leaves further ones without an answer.
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        let queued: Vec<_> = std::iter::from_fn(connect).take(16).collect();
        assert!(queued.len() < 16, "the queue is full");
        Self { url: format!("http://{address}"), _listener: listener, _queued: queued }
    }
}

/// What stands before a peer and speaks TLS, with a certificate for which nobody vouches.
pub(crate) struct TlsProxy {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TlsProxy {
    /// `peer` is the address of the peer, as `http://host:port`.
    pub(crate) fn before(peer: &str) -> Self {
        plexsync::http::install_crypto();
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let peer = peer.trim_start_matches("http://").to_owned();
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let (config, peer) = (Arc::clone(&config), peer.clone());
                // A client that does not like the certificate ends the connection, which is no failure of the test.
                std::thread::spawn(move || pass_on(stream.unwrap(), config, &peer).ok());
            }
        });
        Self { address, ended, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        self.thread.take().map(JoinHandle::join);
    }
}

/// Passes one request on and its answer back, then closes.
fn pass_on(stream: TcpStream, config: Arc<ServerConfig>, peer: &str) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut client = StreamOwned::new(connection, stream);
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = client.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..read]);
    }
    let mut peer = TcpStream::connect(peer)?;
    if String::from_utf8_lossy(&request).to_ascii_lowercase().contains("\r\nupgrade: websocket\r\n") {
        peer.write_all(&request)?;
        return pass_on_both_ways(client, peer);
    }
    let line = request.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    peer.write_all(&request[..line])?;
    peer.write_all(b"connection: close\r\n")?;
    peer.write_all(&request[line..])?;
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer)?;
    client.write_all(&answer)?;
    client.conn.send_close_notify();
    client.flush()
}

/// Passes on whatever either side sends, until one of them ends the connection.
fn pass_on_both_ways(
    mut client: StreamOwned<ServerConnection, TcpStream>,
    mut peer: TcpStream,
) -> std::io::Result<()> {
    let turn = Some(Duration::from_millis(5));
    client.sock.set_read_timeout(turn)?;
    peer.set_read_timeout(turn)?;
    loop {
        if !passed(&mut client, &mut peer)? || !passed(&mut peer, &mut client)? {
            return Ok(());
        }
    }
}

/// Passes on what there is; whether there may be more.
fn passed(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<bool> {
    let mut chunk = [0; 4096];
    match from.read(&mut chunk) {
        Ok(0) => Ok(false),
        Ok(read) => {
            to.write_all(&chunk[..read])?;
            to.flush()?;
            Ok(true)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(true),
        Err(error) => Err(error),
    }
}
