//! `plexsync config`: which settings are in force, and which are there?

use clap::Subcommand;

use super::exit::{Exit, Failed};
use super::{Global, output};
use crate::config::{EXAMPLE, render};

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
            let options = global.options();
            let shown = render(&options).map_err(|error| Failed::new(Exit::Config, error))?;
            output::text(&shown)?;
            // What cannot be used is shown as well, and then told.
            global.load().map(drop)
        }
        ConfigCommand::Example => output::text(EXAMPLE),
    }
}
