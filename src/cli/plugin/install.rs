//! How does the plugin get into Stash? Stash fetches it from the service; nothing is believed but that it runs there.

use std::time::Duration;

use super::look::{look, ours, unreadable, variant_in};
use super::{Context, Exit, Failed};
use crate::cli::output;
use crate::domain::failure::Failure;
use crate::plugin::{self, Variant};
use crate::stash::PackageSource;

/// How long a job of Stash may take, and how often it is looked at.
const LONGEST_JOB: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(100);
/// How many lines of Stash's log are shown when it does not say why.
const LOG_LINES: usize = 3;

/// Why a variant is not used.
enum Unfit {
    /// It does not run on Stash's machine; another one may.
    DoesNotRun(String),
    /// No variant would fare better.
    Stuck(Failed),
}

/// Has the plugin installed, and tells how it fares.
pub(super) async fn install(context: &Context, only: Option<Variant>) -> Result<(), Failed> {
    put_in_place(context, only).await?;
    let findings = look(context).await?;
    output::text(&findings.shown())?;
    findings.end()
}

/// Has the plugin installed in a variant that runs there; without one, nothing is left.
pub(super) async fn put_in_place(context: &Context, only: Option<Variant>) -> Result<(), Failed> {
    let sources = context.stash.package_sources().await.map_err(|failure| context.failed(&failure))?;
    // What is in place goes first: another try of what does not run would keep other plugins from being called.
    let first = only.or_else(|| variant_in(&sources)).unwrap_or(Variant::Program);
    let others = Variant::ALL.into_iter().filter(|variant| *variant != first && only.is_none());
    let mut unfit = Vec::new();
    for variant in std::iter::once(first).chain(others) {
        match attempt(context, &sources, variant).await {
            Ok(()) => return Ok(()),
            Err(Unfit::DoesNotRun(why)) => {
                (context.tell)(&format!("the {variant} does not run on Stash's machine: {why}"))?;
                unfit.push(format!("{variant}: {why}"));
            }
            Err(Unfit::Stuck(failed)) => return Err(failed),
        }
    }
    remove(context, &sources).await?;
    Err(Failed::text(
        Exit::Reported,
        format!(
            "the plugin runs on Stash's machine in no way, and was taken out again, because Stash calls no plugin after one \
             that cannot be started ({})",
            unfit.join("; ")
        ),
    ))
}

/// Has one variant installed and run.
async fn attempt(context: &Context, sources: &[PackageSource], variant: Variant) -> Result<(), Unfit> {
    let stash = &context.stash;
    let source = context.source(variant);
    let offered = stash.available_version(plugin::ID, &source.url).await;
    let offered = offered.map_err(|failure| unread(context, &failure))?;
    let nothing =
        || Unfit::Stuck(Failed::text(Exit::Reported, "what Stash reads there offers no plugin of ours"));
    let offered = offered.ok_or_else(nothing)?;
    if !has(context, &offered).await? {
        say(context, &format!("Stash installs version {offered} ({variant}) from {}", context.service))?;
        let stuck = |failure: Failure| Unfit::Stuck(context.failed(&failure));
        let list = without_ours(sources).chain([source.clone()]).collect::<Vec<_>>();
        stash.set_package_sources(&list).await.map_err(stuck)?;
        let job = stash.install_package(plugin::ID, &source.url).await.map_err(stuck)?;
        end_of(context, &job).await.map_err(Unfit::Stuck)?;
        if !has(context, &offered).await? {
            return Err(Unfit::Stuck(not_loaded(context, &offered).await));
        }
    }
    match context.ping().await {
        Ok(pong) if pong.get("reached").is_some() => Ok(()),
        Ok(other) => Err(Unfit::DoesNotRun(format!("it answers {other}"))),
        Err(failure) if is_of_resolver(&failure) => Err(Unfit::DoesNotRun(context.masked(&failure.detail))),
        Err(failure) => Err(Unfit::Stuck(context.failed(&failure))),
    }
}

/// Whether Stash has this version loaded. One that is disabled is enabled.
async fn has(context: &Context, version: &str) -> Result<bool, Unfit> {
    let stuck = |failure: Failure| Unfit::Stuck(context.failed(&failure));
    let plugins = context.stash.plugins().await.map_err(stuck)?;
    let Some(ours) = ours(&plugins) else { return Ok(false) };
    if ours.version.as_deref() != Some(version) {
        return Ok(false);
    }
    if !ours.enabled {
        say(context, "it is disabled, and is enabled now")?;
        context.stash.enable_plugin(&ours.id).await.map_err(stuck)?;
    }
    Ok(true)
}

/// Takes the plugin and its source out of Stash.
async fn remove(context: &Context, sources: &[PackageSource]) -> Result<(), Failed> {
    let failed = |failure| context.failed(&failure);
    let installed = context.stash.installed_packages().await.map_err(failed)?;
    for package in installed.iter().filter(|package| package.id == plugin::ID) {
        let job = context.stash.uninstall_package(plugin::ID, &package.source).await.map_err(failed)?;
        end_of(context, &job).await?;
    }
    let others: Vec<_> = without_ours(sources).collect();
    context.stash.set_package_sources(&others).await.map_err(failed)
}

fn without_ours(sources: &[PackageSource]) -> impl Iterator<Item = PackageSource> {
    sources.iter().filter(|source| !plugin::is_source(&source.url)).cloned()
}

async fn end_of(context: &Context, job: &str) -> Result<(), Failed> {
    let ended = async {
        while !context.stash.job_has_ended(job).await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    };
    match tokio::time::timeout(LONGEST_JOB, ended).await {
        Ok(ended) => ended.map_err(|failure| context.failed(&failure)),
        Err(_) => {
            Err(Failed::text(Exit::Upstream, format!("Stash's job {job} has not ended in {LONGEST_JOB:?}")))
        }
    }
}

/// Stash says that its job went well whatever became of it; why it did not stands in its log at best.
async fn not_loaded(context: &Context, version: &str) -> Failed {
    let log = context.stash.log().await.unwrap_or_default();
    let errors = log.iter().filter(|line| line.level == "Error").take(LOG_LINES);
    let said: Vec<_> = errors.map(|line| context.masked(&line.message)).collect();
    let said = if said.is_empty() { "nothing".to_owned() } else { said.join(" | ") };
    Failed::text(
        Exit::Reported,
        format!(
            "Stash was told to install version {version} and has not loaded it; the newest errors in its log: {said}"
        ),
    )
}

fn unread(context: &Context, failure: &Failure) -> Unfit {
    Unfit::Stuck(if is_of_resolver(failure) {
        Failed::text(Exit::Reported, unreadable(context, &failure.detail))
    } else {
        context.failed(failure)
    })
}

/// Whether Stash is well, and only what it was asked to do went wrong.
fn is_of_resolver(failure: &Failure) -> bool {
    matches!(failure.code, "resolver_error" | "system_error")
}

fn say(context: &Context, text: &str) -> Result<(), Unfit> {
    (context.tell)(text).map_err(Unfit::Stuck)
}
