//! How is a benchmark's whole household told to the service? One event a scene, on one connection.

use std::net::SocketAddr;

use anyhow::ensure;
use plexsync::sim::world::World;

use crate::http;

/// Posts an event for each scene, one after another, and has each accepted.
pub(crate) async fn post_all(service: SocketAddr, world: &World) -> anyhow::Result<()> {
    let mut connection = http::Connection::open(service).await?;
    for pair in &world.pairs {
        let answer = connection.exchange(&http::event(service, None, pair.scene)).await?;
        ensure!(answer.status == 202, "an event was answered {answer:?}");
    }
    Ok(())
}
