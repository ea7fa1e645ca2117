//! Which settings does a benchmark of the service alone need? Those under which neither peer can be reached.

use crate::service::free_address;

/// Settings under which neither peer can be reached.
pub(crate) fn no_peers() -> anyhow::Result<String> {
    let (stash, plex) = (free_address()?, free_address()?);
    Ok(format!("stash.url = \"http://{stash}\"\nplex.url = \"http://{plex}\"\nplex.token = \"none\"\n"))
}
