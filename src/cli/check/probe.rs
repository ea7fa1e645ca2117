//! Does this Plex behave as PlexSync relies on? Tried on an item that the user names.

use super::super::exit::{Exit, Failed};
use super::super::output;
use crate::app::trial::{Trial, Tried, try_on};
use crate::config::Config;
use crate::domain::ids::RatingKey;
use crate::store::{InstanceLock, StoreError};

pub(super) fn probe(config: &Config, key: &RatingKey, json: bool) -> Result<(), Failed> {
    let _alone = alone(config)?;
    let trial = actix_rt::System::new().block_on(async {
        // A signal that cannot be waited for is no reason to end at once.
        let stop = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        try_on(config, key, stop).await
    })??;
    if json { output::json(&trial) } else { tell(&trial) }?;
    end(&trial)
}

/// The service must not write to the item meanwhile. Without a database there has been none.
fn alone(config: &Config) -> Result<Option<InstanceLock>, Failed> {
    if !config.storage.path.exists() {
        return Ok(None);
    }
    let owner = format!("process {}, which probes Plex", std::process::id());
    let lock = InstanceLock::acquire(&config.storage.path, &owner).map_err(|error| {
        if matches!(error, StoreError::Busy { .. }) {
            let text = format!("{error}; stop the service first, as it must not write to the item meanwhile");
            return Failed::text(Exit::Busy, text);
        }
        error.into()
    });
    lock.map(Some)
}

fn tell(trial: &Trial) -> Result<(), Failed> {
    let row = |tried: &Tried| {
        let good = if tried.good { "ok" } else { "differs" };
        [tried.behaviour.to_owned(), good.to_owned(), tried.seen.clone()]
    };
    let rows: Vec<_> = trial.tried.iter().map(row).collect();
    output::rows(["BEHAVIOUR", "IS", "WHAT WAS SEEN"], &rows)
}

fn end(trial: &Trial) -> Result<(), Failed> {
    if !trial.left.is_empty() {
        let left = trial.left.iter().map(|left| {
            let lock = if left.was_locked { ", locked" } else { "" };
            format!("{} was {}{lock}", left.field, left.before)
        });
        let left = left.collect::<Vec<_>>().join("; ");
        let text = format!("item {} could not be put back, do it by hand: {left}", trial.rating_key);
        return Err(Failed::text(Exit::Upstream, text));
    }
    if let Some(why) = &trial.ended_by {
        let text = format!("not all was tried, and everything is put back: {why}");
        return Err(Failed::text(Exit::Upstream, text));
    }
    match trial.tried.iter().find(|tried| !tried.good) {
        None => Ok(()),
        Some(tried) => {
            let text = format!(
                "Plex behaves otherwise than PlexSync relies on: {}: {}",
                tried.behaviour, tried.seen
            );
            Err(Failed::text(Exit::Reported, text))
        }
    }
}
