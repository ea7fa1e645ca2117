//! How is the server started and stopped?

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};

use super::correlation::correlate;
use super::routes;
use super::state::WebState;

const WORKERS: usize = 2;
const BACKLOG: u32 = 1024;
const MOST_CONNECTIONS: usize = 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long requests in hand may take at the end, in seconds.
const LAST_REQUESTS: u64 = 2;

/// Takes a listener that is bound already, so that a taken port is an error at the start. The signals are the
/// application's own business.
pub fn serve(listener: TcpListener, state: WebState) -> io::Result<(Server, ServerHandle)> {
    let timeout = state.request_timeout;
    let data = web::Data::new(state);
    let app = move || {
        App::new()
            .app_data(data.clone())
            .wrap(Compress::default())
            .wrap(from_fn(correlate))
            .configure(routes::configure)
    };
    let server = HttpServer::new(app)
        .workers(WORKERS)
        .backlog(BACKLOG)
        .max_connections(MOST_CONNECTIONS)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(timeout)
        .shutdown_timeout(LAST_REQUESTS)
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    Ok((server, handle))
}
