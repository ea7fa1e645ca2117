//! `plexsync plugin`: is the plugin in Stash, and does it work from there?

mod export;
mod install;
mod look;

use std::path::PathBuf;

use clap::Subcommand;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

use super::exit::{Exit, Failed};
use super::{Global, output};
use crate::app::App;
use crate::app::checkup::{Finding, Grade};
use crate::config::{Config, Purpose};
use crate::domain::failure::Failure;
use crate::plugin::{self, Target, Variant};
use crate::stash::{PackageSource, StashClient, StashSettings};
use crate::store::tokens::{self, NarrowTokens};
use crate::store::{Readers, StoreError};

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Make Stash install the plugin from the running service, and prove that it works there
    Install {
        /// Only this one: the service's own program, or the script for Python [default: whichever runs]
        #[arg(long)]
        variant: Option<Variant>,
    },
    /// Whether Stash has the plugin, and whether it works there
    Status {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Write the plugin's files, for those who copy them into Stash's plugins folder themselves
    Export {
        /// The folder for the files; it is made if need be
        folder: PathBuf,
        #[arg(long, default_value_t = Variant::Program)]
        variant: Variant,
    },
}

pub(super) fn plugin(global: &Global, command: PluginCommand) -> Result<(), Failed> {
    let context = Context::open(&global.load(Purpose::Inspect)?.config)?;
    let system = actix_rt::System::new();
    match command {
        PluginCommand::Install { variant } => system.block_on(install::install(&context, variant)),
        PluginCommand::Status { json } => {
            let findings = system.block_on(look::look(&context))?;
            if json { output::json(&findings) } else { output::text(&findings.shown()) }?;
            findings.end()
        }
        PluginCommand::Export { folder, variant } => export::export(&context.target(), &folder, variant),
    }
}

/// What `plexsync check` says about the plugin.
pub(super) async fn findings(config: &Config) -> Result<Vec<Finding>, Failed> {
    const SUBJECT: &str = "plugin";
    let context = match Context::open(config) {
        Ok(context) => context,
        Err(failed) => return Ok(vec![Finding::new(SUBJECT, Grade::Warning, failed.to_string())]),
    };
    let found = look::look(&context).await?;
    let problems = found.problems.iter().map(|text| Finding::new(SUBJECT, Grade::Problem, text.clone()));
    let warnings = found.warnings.iter().map(|text| Finding::new(SUBJECT, Grade::Warning, text.clone()));
    let mut findings: Vec<_> = problems.chain(warnings).collect();
    if found.problems.is_empty() {
        let text = "Stash ran it, and it reached the service";
        findings.insert(0, Finding::new(SUBJECT, Grade::Ok, text));
    }
    Ok(findings)
}

/// What all of these commands need.
pub(super) struct Context {
    stash: StashClient,
    /// The service, as Stash reaches it.
    service: Url,
    tokens: NarrowTokens,
    /// Where it is said what happens.
    tell: Box<Tell>,
}

type Tell = dyn Fn(&str) -> Result<(), Failed>;

impl Context {
    /// For a service that runs in this process.
    pub(super) fn of(app: &App, config: &Config, tell: Box<Tell>) -> Result<Self, Failed> {
        let tokens = app.readers().with(tokens::known)?;
        let tokens = tokens.ok_or_else(|| Failed::text(Exit::Internal, "the service has made no tokens"))?;
        Self::with(config, config.server.reached_at(app.address()), tokens, tell)
    }

    fn open(config: &Config) -> Result<Self, Failed> {
        let never = || {
            Failed::text(
                Exit::Reported,
                "the service has not run with this configuration yet; start it first (plexsync run), as Stash gets \
                 the plugin from it",
            )
        };
        let tokens = match Readers::open(&config.storage.path) {
            Ok(readers) => readers.with(tokens::known)?.ok_or_else(never)?,
            Err(StoreError::Missing { .. }) => return Err(never()),
            Err(error) => return Err(error.into()),
        };
        let tell = Box::new(|text: &str| output::text(&format!("{text}\n")));
        Self::with(config, config.server.reached_at(config.server.listen), tokens, tell)
    }

    fn with(config: &Config, service: Url, tokens: NarrowTokens, tell: Box<Tell>) -> Result<Self, Failed> {
        let stash = StashClient::new(StashSettings {
            url: config.stash.url.clone(),
            api_key: config.stash.api_key.clone(),
            connect_timeout: config.stash.connect_timeout,
            read_timeout: config.stash.read_timeout,
        });
        let stash = stash.map_err(|error| Failed::new(Exit::Config, error))?;
        Ok(Self { stash, service, tokens, tell })
    }

    /// Has Stash install whichever variant runs there.
    pub(super) async fn install(&self) -> Result<(), Failed> {
        install::put_in_place(self, None).await
    }

    fn target(&self) -> Target {
        Target { url: self.service.clone(), token: self.tokens.hook.clone() }
    }

    fn source(&self, variant: Variant) -> PackageSource {
        PackageSource {
            name: Some(plugin::SOURCE_NAME.to_owned()),
            url: plugin::source_url(&self.service, &self.tokens.plugin, variant).to_string(),
            local_path: Some(plugin::SOURCE_FOLDER.to_owned()),
        }
    }

    /// Runs the plugin on Stash's machine, which reaches back to the service from there.
    pub(super) async fn ping(&self) -> Result<Value, Failure> {
        let token = self.tokens.hook.expose_secret();
        let args = json!({ "mode": "ping", "url": self.service, "token": token });
        self.stash.run_plugin(plugin::ID, &args).await
    }

    /// A text of Stash without our tokens, which stand in the addresses it tells.
    fn masked(&self, text: &str) -> String {
        let tokens = [&self.tokens.hook, &self.tokens.plugin];
        tokens.into_iter().fold(text.to_owned(), |text, token| text.replace(token.expose_secret(), "***"))
    }

    /// A command that ends because Stash does not do its part.
    fn failed(&self, failure: &Failure) -> Failed {
        Failed::text(Exit::Upstream, self.masked(&failure.detail))
    }
}
