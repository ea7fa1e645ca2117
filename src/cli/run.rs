//! `plexsync run`: the service, from start to signal.

use std::sync::Arc;

use clap::Args;
use rand::RngExt as _;
use tokio::signal::unix::{SignalKind, signal};

use super::Global;
use super::exit::{Exit, Failed};
use crate::app::{App, Idle};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Purpose};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Exit once nothing is due and nothing is in hand; with 1 when a pause left something due
    #[arg(long)]
    until_idle: bool,
}

pub(super) fn run(global: &Global, args: &RunArgs) -> Result<(), Failed> {
    let loaded = global.load(Purpose::Run)?;
    let config = loaded.config;
    let _log = global.start_log(&config)?;
    let file =
        loaded.file.map_or_else(|| "no configuration file".to_owned(), |file| file.display().to_string());
    tracing::info!("PlexSync {} starts with {file}", env!("CARGO_PKG_VERSION"));
    let ended = actix_rt::System::new().block_on(serve(&config, args.until_idle));
    if ended.as_ref().is_err_and(|failed| failed.exit == Exit::Internal) {
        // Threads that hang would hold up the orderly end for as long as they do.
        finish_now(&ended);
    }
    ended
}

#[expect(clippy::exit, reason = "a thread that hangs must not keep the process from ending")]
fn finish_now(ended: &Result<(), Failed>) {
    if let Err(failed) = ended {
        failed.print();
        std::process::exit(failed.exit as i32);
    }
}

async fn serve(config: &Config, until_idle: bool) -> Result<(), Failed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut app = App::start(config, clock, seed())?;
    tracing::info!("listening on http://{}", app.address());
    let gave_up = app.gave_up();
    tokio::select! {
        signal = stop_signal() => {
            tracing::info!("{signal}: stopping");
            stop(app).await;
            Ok(())
        }
        idle = app.until_idle(), if until_idle => {
            stop(app).await;
            left(&idle)
        }
        why = gave_up => Err(Failed::text(Exit::Internal, why)),
    }
}

/// Scenes that were due and could not be started are no good end.
fn left(idle: &Idle) -> Result<(), Failed> {
    match idle {
        Idle::Done => Ok(()),
        Idle::Paused(pause) => {
            let text = format!(
                "scenes that are due were left, as the queue is {pause}: `plexsync queue resume` first"
            );
            Err(Failed::text(Exit::Reported, text))
        }
        Idle::Held(why) => {
            let text = format!("scenes that are due were left, and are taken up at the next start: {why}");
            Err(Failed::text(Exit::Upstream, text))
        }
    }
}

/// Stops in order, or at once at a second signal.
async fn stop(app: App) {
    let again = stop_signal();
    tokio::select! {
        () = app.stop() => {}
        signal = again => tracing::warn!("{signal} again: stopping at once"),
    }
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn stop_signal() -> &'static str {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be heard; stop with kill -9");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where chance comes into the service")]
pub(super) fn seed() -> u64 {
    rand::rng().random()
}
