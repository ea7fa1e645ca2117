//! What does `plexsync hook` do? Stash starts it for each change and waits for it, so it hands over one small event and
//! ends, whatever happens. It starts no runtime and opens no database.

mod deliver;
mod input;
mod limit;
mod output;
mod sender;
mod shorten;
mod spool;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use deliver::empty;
use input::{Call, Event};
use output::{Level, Outcome, Voice};
use sender::{Reception, Sender};
use spool::Spool;

pub use limit::within_limit;

/// All that is sent in one call has to be over after this time: somebody waits for their save.
const SENDING: Duration = Duration::from_secs(2);
/// How long the spool may be waited for. Whoever holds it appends a line or cuts some off.
const SPOOLING: Duration = Duration::from_millis(500);
/// Of the plugin's own folder, where the spool is when nobody says otherwise.
const SPOOL_FOLDER: &str = "spool";

/// What was said on the command line. It wins over what Stash passes on.
#[derive(Debug, Default)]
pub struct Flags {
    pub url: Option<String>,
    /// Or why it could not be read.
    pub token: Option<Result<SecretString, String>>,
    pub spool: Option<PathBuf>,
}

/// Where the configuration says that the service is.
#[derive(Debug)]
pub struct Configured {
    pub url: String,
    pub token: Option<SecretString>,
}

/// Takes one call of Stash: reads it from `stdin`, delivers its event, or keeps it in the spool when the service is away,
/// and answers on `stdout`. `configured` is asked only when neither the flags nor Stash say where the service is.
pub fn run(
    flags: Flags,
    configured: impl FnOnce() -> Result<Configured, String>,
    stdin: impl Read,
    stdout: impl Write,
    stderr: impl Write,
) {
    let mut voice = Voice::new(stdout, stderr);
    let outcome = match input::read(stdin) {
        Ok(call) => {
            let spool = spool_of(&flags, &call);
            let until = Instant::now() + SENDING;
            let sender = sender_for(flags, &call, configured, until);
            answer(call, &sender, spool.as_ref(), &mut voice)
        }
        Err(problem) => Outcome::Error(format!("standard input is no call of Stash: {problem}")),
    };
    voice.answer(&outcome);
}

fn spool_of(flags: &Flags, call: &Call) -> Option<Spool> {
    let of_plugin = || call.plugin_dir.as_ref().map(|folder| folder.join(SPOOL_FOLDER));
    flags.spool.clone().or_else(of_plugin).map(Spool::new)
}

fn sender_for(
    flags: Flags,
    call: &Call,
    configured: impl FnOnce() -> Result<Configured, String>,
    until: Instant,
) -> Result<Sender, String> {
    let url = flags.url.or_else(|| call.url.clone());
    let token = flags.token.transpose()?.or_else(|| call.token.clone());
    match (url, token) {
        (Some(url), Some(token)) => Sender::new(&url, Some(token), until),
        // A service that asks for no token is reached even when the configuration cannot be read.
        (Some(url), None) => Sender::new(&url, configured().ok().and_then(|known| known.token), until),
        (None, token) => configured().and_then(|known| Sender::new(&known.url, token.or(known.token), until)),
    }
}

fn answer<O: Write, E: Write>(
    call: Call,
    sender: &Result<Sender, String>,
    spool: Option<&Spool>,
    voice: &mut Voice<O, E>,
) -> Outcome {
    match (call.mode.as_deref(), call.event) {
        (Some("ping"), _) => ping(sender, spool, voice),
        (None | Some("hook"), Some(event)) => report(&event, sender, spool, voice),
        (None | Some("hook"), None) => {
            Outcome::Error("there is neither args.hookContext nor a mode".to_owned())
        }
        (Some(other), _) => Outcome::Error(format!("args.mode is neither \"hook\" nor \"ping\": {other:?}")),
    }
}

/// Hands one event over, and says what became of it.
fn report<O: Write, E: Write>(
    event: &Event,
    sender: &Result<Sender, String>,
    spool: Option<&Spool>,
    voice: &mut Voice<O, E>,
) -> Outcome {
    let (name, line) = (event.name(), event.line());
    match reception(sender, |sender| sender.send(&line)) {
        Reception::Taken => {
            voice.log(Level::Debug, &format!("delivered {name}"));
            if let (Ok(sender), Some(spool)) = (sender, spool) {
                empty(spool, sender, voice);
            }
            Outcome::Text("delivered")
        }
        Reception::NotNow(why) => match keep(&line, spool) {
            Ok(()) => {
                voice.log(Level::Warning, &format!("kept {name} for later: {why}"));
                Outcome::Text("spooled")
            }
            Err(problem) => Outcome::Error(format!("{name} is lost: {why}, and {problem}")),
        },
        Reception::Denied(why) => Outcome::Error(match keep(&line, spool) {
            Ok(()) => format!("{name} is kept for later, but this will not mend itself: {why}"),
            Err(problem) => format!("{name} is lost: {why}, and {problem}"),
        }),
        Reception::Refused(why) => {
            let aside = spool.map_or(Ok(()), |spool| spool.set_aside(&line, &why, Instant::now() + SPOOLING));
            let lost = aside.err().map(|error| format!(", and {error}")).unwrap_or_default();
            Outcome::Error(format!("{name} was refused: {why}{lost}"))
        }
    }
}

/// What the service says, or that there is no address to ask at.
fn reception(sender: &Result<Sender, String>, ask: impl FnOnce(&Sender) -> Reception) -> Reception {
    sender.as_ref().map_or_else(|problem| Reception::Denied(problem.clone()), ask)
}

fn keep(line: &str, spool: Option<&Spool>) -> Result<(), String> {
    let spool = spool.ok_or("there is no folder for a spool")?;
    spool.append(line, Instant::now() + SPOOLING).map_err(|error| error.to_string())
}

/// Answers whether the service can be reached from here. Stash runs this when the plugin is installed.
fn ping<O: Write, E: Write>(
    sender: &Result<Sender, String>,
    spool: Option<&Spool>,
    voice: &mut Voice<O, E>,
) -> Outcome {
    let problem = match reception(sender, Sender::ping) {
        Reception::Taken => None,
        Reception::NotNow(why) | Reception::Denied(why) | Reception::Refused(why) => Some(why),
    };
    if let (Ok(sender), Some(spool), None) = (sender, spool, &problem) {
        empty(spool, sender, voice);
    }
    let url = sender.as_ref().map(|sender| sender.url().to_string()).unwrap_or_default();
    Outcome::ping(&url, problem.as_deref(), spool.map_or(0, Spool::size))
}
