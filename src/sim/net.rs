//! What do the simulated peers have in common as HTTP servers: requests, answers, going down and coming back?

mod channel;
mod deliver;
mod request;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App, HttpServer, rt};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::faults::{Failing, Faults};
use super::record::Log;
pub(crate) use channel::{Channel, Say};
pub use request::{Answer, Request};

/// The largest body a simulated peer takes; covers are sent to Plex as bodies.
const BODY_LIMIT: usize = 64 << 20;
const REBIND_ATTEMPTS: usize = 400;
const REBIND_PAUSE: Duration = Duration::from_millis(5);

/// The part of a simulated peer that differs from peer to peer.
pub(crate) trait Peer: Send + Sync + 'static {
    type Op: Copy + PartialEq + Debug + Send + Sync + 'static;

    /// What kind of request this is, for counting and for faults.
    fn op(&self, request: &Request) -> Self::Op;
    /// The rating keys or scene ids a request concerns.
    fn subjects(&self, request: &Request) -> Vec<String>;
    fn answer(&self, request: &Request) -> Answer;
    /// What will be said on a channel that the request opens, if it opens one: a WebSocket.
    fn channel(&self, _request: &Request) -> Option<Channel> {
        None
    }
    /// Lets happen what should have happened by now; while somebody listens it is called all the time.
    fn pass(&self) {}
    /// How this peer words that it cannot work now.
    fn failing(&self, request: &Request, state: Failing) -> Answer;
}

/// What the server thread and the handles share.
pub(crate) struct Shared<P: Peer> {
    pub(crate) peer: P,
    pub(crate) faults: Faults<P::Op>,
    pub(crate) log: Log<P::Op>,
    connections: Connections,
}

/// A simulated peer's server; ends with its last handle.
pub(crate) struct Running<P: Peer> {
    shared: Arc<Shared<P>>,
    address: SocketAddr,
    commands: UnboundedSender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Command {
    Up(SyncSender<io::Result<()>>),
    Down(SyncSender<io::Result<()>>),
    Stop,
}

impl<P: Peer> Running<P> {
    pub(crate) fn start(name: &str, peer: P) -> io::Result<Self> {
        let reserved = reserve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = reserved
            .local_addr()?
            .as_socket()
            .ok_or_else(|| io::Error::other("a socket bound to loopback has no address"))?;
        let shared = Arc::new(Shared {
            peer,
            faults: Faults::default(),
            log: Log::default(),
            connections: Connections::default(),
        });
        let (commands, inbox) = unbounded_channel();
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || rt::System::new().block_on(control(theirs, address, reserved, inbox)))?;
        let running = Self { shared, address, commands, thread: Mutex::new(Some(thread)) };
        running.ask(Command::Up)?;
        Ok(running)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn shared(&self) -> &Shared<P> {
        &self.shared
    }

    pub(crate) fn peer(&self) -> &P {
        &self.shared.peer
    }

    /// Closes all connections and refuses new ones; the port stays ours.
    pub(crate) fn go_down(&self) -> io::Result<()> {
        self.ask(Command::Down)
    }

    /// Listens again, on the same port.
    pub(crate) fn come_back(&self) -> io::Result<()> {
        self.ask(Command::Up)
    }

    pub(crate) fn stop(&self) {
        // No receiver means that the thread has ended already.
        if self.commands.send(Command::Stop).is_err() {
            return;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::warn!("the thread of a simulated peer has panicked");
        }
    }

    fn ask(&self, command: impl FnOnce(SyncSender<io::Result<()>>) -> Command) -> io::Result<()> {
        let (reply, answer) = sync_channel(1);
        self.commands.send(command(reply)).map_err(|_closed| stopped())?;
        answer.recv().map_err(|_closed| stopped())?
    }
}

impl<P: Peer> Drop for Running<P> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn stopped() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the simulated peer has been stopped")
}

async fn control<P: Peer>(
    shared: Arc<Shared<P>>,
    address: SocketAddr,
    reserved: Socket,
    mut inbox: UnboundedReceiver<Command>,
) {
    let mut reserved = Some(reserved);
    let mut serving: Option<ServerHandle> = None;
    while let Some(command) = inbox.recv().await {
        let (reply, outcome) = match command {
            Command::Up(reply) => {
                let outcome = match reserved.take() {
                    Some(socket) => serve(&shared, socket).map(|handle| serving = Some(handle)),
                    None => Ok(()),
                };
                (reply, outcome)
            }
            Command::Down(reply) => {
                let outcome = match serving.take() {
                    Some(handle) => {
                        close(&shared, &handle).await;
                        reserve_again(address).await.map(|socket| reserved = Some(socket))
                    }
                    None => Ok(()),
                };
                (reply, outcome)
            }
            Command::Stop => break,
        };
        if reply.send(outcome).is_err() {
            tracing::debug!("nobody waits for the simulated peer any more");
        }
    }
    if let Some(handle) = serving {
        close(&shared, &handle).await;
    }
}

async fn close<P: Peer>(shared: &Shared<P>, handle: &ServerHandle) {
    handle.stop(false).await;
    shared.connections.cut_all();
}

fn serve<P: Peer>(shared: &Arc<Shared<P>>, socket: Socket) -> io::Result<ServerHandle> {
    // Accepted connections inherit it, and those would otherwise keep the port from being taken again.
    socket.set_reuse_address(true)?;
    socket.listen(1024)?;
    let state = Data::from(Arc::clone(shared));
    let tracked = Arc::clone(shared);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(PayloadConfig::new(BODY_LIMIT))
            .default_service(web::to(deliver::deliver::<P>))
    })
    .workers(1)
    .disable_signals()
    .client_request_timeout(Duration::ZERO)
    .on_connect(move |io, extensions| {
        if let Some(stream) = io.downcast_ref::<TcpStream>()
            && let Some(connection) = tracked.connections.track(stream)
        {
            extensions.insert(connection);
        }
    })
    .listen(TcpListener::from(socket))?
    .run();
    let handle = server.handle();
    drop(rt::spawn(server));
    Ok(handle)
}

/// A port that is ours but refuses connections, so that no other test can be given it meanwhile.
fn reserve(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Closed connections of the last time may still occupy the port ...
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    // ... but nobody may share it with us.
    socket.set_reuse_address(false)?;
    Ok(socket)
}

async fn reserve_again(address: SocketAddr) -> io::Result<Socket> {
    let mut last = stopped();
    for _ in 0..REBIND_ATTEMPTS {
        match reserve(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
        tokio::time::sleep(REBIND_PAUSE).await;
    }
    Err(last)
}

/// One connection from the outside, to be cut without regard to what HTTP thinks of it.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Socket>);

impl Connection {
    /// Ends the connection at once; what is not sent yet is lost.
    pub(crate) fn cut(&self) {
        let ended = self.0.set_linger(Some(Duration::ZERO)).and_then(|()| self.0.shutdown(Shutdown::Both));
        if let Err(error) = ended {
            tracing::debug!(%error, "connection had ended already");
        }
    }

    /// Puts bytes on the wire past the HTTP server.
    pub(crate) fn send_raw(&self, bytes: &[u8]) {
        if let Err(error) = self.0.send(bytes) {
            tracing::debug!(%error, "connection had ended already");
        }
    }
}

#[derive(Default)]
struct Connections {
    open: Mutex<Vec<Weak<Socket>>>,
}

impl Connections {
    fn track(&self, stream: &TcpStream) -> Option<Connection> {
        let socket = SockRef::from(stream);
        if let Err(error) = socket.set_tcp_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let socket = Arc::new(socket.try_clone().ok()?);
        let mut open = self.open();
        open.retain(|known| known.strong_count() > 0);
        open.push(Arc::downgrade(&socket));
        Some(Connection(socket))
    }

    fn cut_all(&self) {
        for socket in self.open().drain(..).filter_map(|known| known.upgrade()) {
            Connection(socket).cut();
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Weak<Socket>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
