//! `plexsync hook`: what Stash starts for each change. Reads Stash's call and hands its event over.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;

use super::Global;
use crate::config::{Purpose, SecretSource};
use crate::hook::{self, Configured, Flags};

#[derive(Debug, Args)]
pub(super) struct HookArgs {
    /// Where the service is [default: what Stash passes on, else the configuration]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file that holds the token [default: what Stash passes on, else the configuration]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The folder for events while the service is away [default: one in the plugin's folder]
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
}

/// Whatever happens is told to Stash; there is no other end.
pub(super) fn hook(global: &Global, args: HookArgs) {
    hook::within_limit(|| {
        let token = args.token_file.as_deref().map(read_token);
        let flags = Flags { url: args.url, token, spool: args.spool };
        hook::run(flags, || configured(global), io::stdin(), io::stdout(), io::stderr());
    });
}

fn read_token(file: &Path) -> Result<SecretString, String> {
    let token = SecretSource::File(file.to_path_buf()).read_again();
    token.map_err(|error| format!("the token {error}"))?.ok_or_else(|| "there is no token".to_owned())
}

fn configured(global: &Global) -> Result<Configured, String> {
    let server = match global.load(Purpose::Inspect) {
        Ok(loaded) => loaded.config.server,
        Err(failed) => return Err(failed.to_string()),
    };
    Ok(Configured { url: server.reached_at(server.listen).to_string(), token: server.token })
}
