//! What can be done from the command line? One file for each group of commands.

mod check;
mod config;
mod dead;
mod demo;
mod exit;
mod history;
mod hook;
mod output;
mod plugin;
mod queue;
mod review;
mod run;
mod service;
mod status;
mod steer;
mod sync;
mod undo;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::config::{Config, LoadOptions, Loaded, LogFormat, Purpose};
use crate::telemetry::logging::{self, Guard, LogSettings};
use exit::{Exit, Failed};

/// Carries metadata from Stash to Plex and keeps it there.
#[derive(Debug, Parser)]
#[command(name = "plexsync", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Global {
    /// The configuration file [default: `$PLEXSYNC_CONFIG`, ./config.toml, ~/.config/plexsync/config.toml,
    /// /etc/plexsync/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Colours: when the output is a terminal, always, or never
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Log more: -v for debug, -vv for everything
    #[arg(short, global = true, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Run(run::RunArgs),
    /// Show the whole service at work on a simulated Stash and Plex; needs no configuration
    Demo(demo::DemoArgs),
    /// Look whether everything is in place, and say what to do if not
    Check(check::CheckArgs),
    /// Show the settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Show what the service is doing
    Status(status::StatusArgs),
    /// Show and steer the work that is open
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Show what was given up, and try it again or let it go
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    /// Carry scenes now, whether Stash has reported a change of them or not
    Sync(sync::SyncArgs),
    /// What was written into Plex for a scene, with the values before
    History(history::HistoryArgs),
    /// Put back what stood in Plex before a write, and keep it until Stash changes the field
    Undo(undo::UndoArgs),
    /// Show matches that are too uncertain to be written, and say which are right
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Put the plugin that tells PlexSync of changes into Stash
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// What Stash starts for each change: hands over the event on standard input, and always succeeds
    Hook(hook::HookArgs),
    /// For containers: succeeds when the service can store events
    Healthcheck,
}

impl Global {
    fn load(&self, purpose: Purpose) -> Result<Loaded, Failed> {
        let options = LoadOptions::of_process(self.config.clone(), purpose);
        let options = options.map_err(|error| Failed::new(Exit::Io, error))?;
        Config::load(&options).map_err(|error| Failed::new(Exit::Config, error))
    }

    fn start_log(&self, config: &Config) -> Result<Guard, Failed> {
        let directives = match self.verbose {
            0 => config.log.level.clone(),
            1 => "debug".to_owned(),
            _ => "trace".to_owned(),
        };
        let format = match config.log.format {
            LogFormat::Text => logging::Format::Text,
            LogFormat::Json => logging::Format::Json,
        };
        let color = match self.color {
            Color::Auto => logging::Color::Auto,
            Color::Always => logging::Color::Always,
            Color::Never => logging::Color::Never,
        };
        let settings = LogSettings { directives, format, file: config.log.file.clone(), color };
        let log = logging::install(&settings).map_err(|error| Failed::new(Exit::Config, error))?;
        // One line in the log instead of a trace on the terminal: most panics are survived.
        std::panic::set_hook(Box::new(|panic| {
            let thread = std::thread::current();
            tracing::error!(target: "panic", thread = thread.name().unwrap_or("unnamed"), "{panic}");
        }));
        Ok(log)
    }
}

/// Runs the program and returns its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            // Help goes to the standard output, problems to the error output; a closed pipe is nobody's problem.
            error.print().unwrap_or_default();
            return code.into();
        }
    };
    let Cli { global, command } = cli;
    let done = match command {
        Command::Run(args) => run::run(&global, &args),
        Command::Demo(args) => demo::demo(&global, &args),
        Command::Check(args) => check::check(&global, &args),
        Command::Config(command) => config::config(&global, &command),
        Command::Status(args) => status::status(&global, &args),
        Command::Queue(command) => queue::queue(&global, command),
        Command::Dead(command) => dead::dead(&global, command),
        Command::Sync(args) => sync::sync(&global, &args),
        Command::History(args) => history::history(&global, &args),
        Command::Undo(args) => undo::undo(&global, &args),
        Command::Review(command) => review::review_command(&global, command),
        Command::Plugin(command) => plugin::plugin(&global, command),
        Command::Hook(args) => {
            hook::hook(&global, args);
            Ok(())
        }
        Command::Healthcheck => service::healthcheck(&global),
    };
    match done {
        Ok(()) => Exit::Ok.into(),
        Err(failed) => {
            failed.print();
            failed.exit.into()
        }
    }
}
