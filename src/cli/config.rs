//! `plexsync config`: which settings are in force, and which are there?

use clap::Subcommand;

use super::exit::Failed;
use super::{Global, output};
use crate::config::{EXAMPLE, Purpose, render_show};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Every setting with its value and where it comes from; secrets are masked
    Show,
    /// The annotated example file, which holds all defaults
    Example,
}

pub(super) fn config(global: &Global, command: &ConfigCommand) -> Result<(), Failed> {
    match command {
        ConfigCommand::Show => {
            let loaded = global.load(Purpose::Inspect)?;
            output::text(&render_show(&loaded))
        }
        ConfigCommand::Example => output::text(EXAMPLE),
    }
}
