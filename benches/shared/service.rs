//! How does a benchmark run the service as its users do? The release program as a process of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

const START_LIMIT: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(10);

/// A running service, which is killed at the end.
pub(crate) struct Service {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// Starts it in `folder` with these settings and waits until it answers. The log goes to a file beside the database.
    pub(crate) async fn start(folder: &Path, settings: &str) -> anyhow::Result<Self> {
        let address = free_address()?;
        let file = folder.join("config.toml");
        let (database, log) = (text(&folder.join("plexsync.db")), text(&folder.join("plexsync.log")));
        let own = format!(
            "server.listen = \"{address}\"\nstorage.path = {database:?}\nlog.file = {log:?}\nlog.level = \"warn\"\n"
        );
        std::fs::write(&file, own + settings)?;
        let process = Command::new(env!("CARGO_BIN_EXE_plexsync"))
            .args(["run".as_ref(), "--config".as_ref(), file.as_os_str()])
            .current_dir(folder)
            .stdin(Stdio::null())
            .spawn()
            .context("cannot start the service")?;
        let mut service = Self { process, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = service.process.try_wait()? {
                bail!("the service ended with {status}");
            }
            if started.elapsed() > START_LIMIT {
                bail!("the service does not listen after {START_LIMIT:?}");
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(service)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it with SIGKILL, whatever it is doing.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error says that it has ended already.
        drop(self.kill());
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// An address on which nobody listens.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
