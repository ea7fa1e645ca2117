//! `plexsync demo`
use super::Global;
use super::exit::Failed;
use clap::Args;
#[derive(Debug, Args)]
pub(super) struct DemoArgs {}
pub(super) fn demo(_: &Global, _: &DemoArgs) -> Result<(), Failed> {
    Ok(())
}
