//! What is there to be said about the plugin in Stash? Facts as Stash tells them, and what is wrong with them.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::{Context, Exit, Failed};
use crate::plugin::{self, Variant};
use crate::stash::{LogLine, PackageSource, StashPlugin};

/// Plugins that write to Plex themselves, by their ids in lower case.
const RIVALS: [&str; 2] = ["plexsync", "stash2plex"];
/// How Stash's log words that it called no further plugin.
const STARVED: &str = "error executing post hooks: ";
/// Not a plugin's fault: somebody closed the page.
const CANCELLED: &str = "operation cancelled";

/// What was found.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Findings {
    /// The service's address in the plugin.
    pub(super) service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variant: Option<&'static str>,
    /// The version that Stash has; none when it has no such plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) installed: Option<String>,
    /// The version that the service offers, if Stash can read the offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offered: Option<String>,
    pub(super) enabled: bool,
    /// What the plugin answered when Stash ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ping: Option<Value>,
    /// The plugins that Stash calls before this one. If one of them cannot be started, this one is not called.
    pub(super) called_first: Vec<String>,
    /// What does not let events through.
    pub(super) problems: Vec<String>,
    /// What may do harm all the same.
    pub(super) warnings: Vec<String>,
}

/// Asks Stash. Only a Stash that does not answer at all is an error.
pub(super) async fn look(context: &Context) -> Result<Findings, Failed> {
    let failed = |failure| context.failed(&failure);
    let plugins = context.stash.plugins().await.map_err(failed)?;
    let sources = context.stash.package_sources().await.map_err(failed)?;
    let mut findings = Findings { service: context.service.to_string(), ..Findings::default() };
    let variant = variant_in(&sources);
    findings.variant = variant.map(Variant::as_str);
    findings.warnings = warnings(&plugins, &context.stash.log().await.unwrap_or_default());
    let Some(ours) = ours(&plugins) else {
        findings.problems.push("Stash has no such plugin (plexsync plugin install)".to_owned());
        return Ok(findings);
    };
    findings.called_first = called_first(&plugins, ours);
    findings.installed = Some(ours.version.clone().unwrap_or_default());
    findings.enabled = ours.enabled;
    if let Some(variant) = variant {
        let source = context.source(variant).url;
        match context.stash.available_version(plugin::ID, &source).await {
            Ok(offered) => findings.offered = offered,
            Err(failure) => findings.problems.push(unreadable(context, &failure.detail)),
        }
    }
    if findings.offered.as_ref().is_some_and(|offered| Some(offered) != findings.installed.as_ref()) {
        let text =
            "Stash has another version of the plugin than the service offers (plexsync plugin install)";
        findings.problems.push(text.to_owned());
    }
    if !ours.enabled {
        findings.problems.push("the plugin is disabled in Stash (plexsync plugin install)".to_owned());
        return Ok(findings);
    }
    match context.ping().await {
        Ok(pong) => {
            findings.problems.extend(unreached(&pong));
            findings.ping = Some(pong);
        }
        Err(failure) => {
            findings
                .problems
                .push(context.masked(&format!("the plugin does not run there: {}", failure.detail)));
        }
    }
    Ok(findings)
}

/// Why Stash cannot get the plugin, and from where it tried.
pub(super) fn unreadable(context: &Context, detail: &str) -> String {
    let detail = context.masked(detail);
    format!(
        "Stash cannot read the plugin from {}: is the service running, and is server.public_url the address under which \
         Stash's machine reaches it? {detail}",
        context.service
    )
}

/// What a plugin that runs says of the way back, if that is not good.
pub(super) fn unreached(pong: &Value) -> Option<String> {
    match pong.get("reached").and_then(Value::as_bool) {
        Some(true) => None,
        Some(false) => {
            let why = pong.get("problem").and_then(Value::as_str).unwrap_or_default();
            Some(format!("the plugin runs, but cannot reach the service from Stash's machine: {why}"))
        }
        None => Some(format!("the plugin runs, but what it answers is not understood: {pong}")),
    }
}

/// Which variant Stash gets from us, by the source it has.
pub(super) fn variant_in(sources: &[PackageSource]) -> Option<Variant> {
    let url = sources.iter().find(|source| plugin::is_source(&source.url)).map(|source| &source.url)?;
    let url = url::Url::parse(url).ok()?;
    let (_, variant) = url.query_pairs().find(|(name, _)| name == "variant")?;
    variant.parse().ok()
}

pub(super) fn ours(plugins: &[StashPlugin]) -> Option<&StashPlugin> {
    plugins.iter().find(|plugin| plugin.id.eq_ignore_ascii_case(plugin::ID))
}

fn warnings(plugins: &[StashPlugin], log: &[LogLine]) -> Vec<String> {
    let rivals =
        plugins.iter().filter(|plugin| plugin.enabled && RIVALS.contains(&plugin.id.to_lowercase().as_str()));
    let rivals = rivals.map(|rival| {
        format!(
            "the plugin {:?} ({}) is enabled as well and writes to Plex by itself: disable it",
            rival.name, rival.id
        )
    });
    let starved = log.iter().find_map(|line| {
        line.message.strip_prefix(STARVED).filter(|cause| *cause != CANCELLED && !cause.contains(plugin::ID))
    });
    let starved = starved.map(|cause| {
        format!("Stash's log says that a plugin could not be started, and then it calls none of those after it: {cause}")
    });
    rivals.chain(starved).collect()
}

/// Those that Stash calls before ours for the same changes.
fn called_first(plugins: &[StashPlugin], ours: &StashPlugin) -> Vec<String> {
    let before = plugins.iter().take_while(|plugin| plugin.id != ours.id).filter(|plugin| {
        plugin.enabled && plugin.triggers().any(|trigger| ours.triggers().any(|own| own == trigger))
    });
    before.map(|plugin| plugin.name.clone()).collect()
}

impl Findings {
    pub(super) fn shown(&self) -> String {
        let installed = self.installed.as_deref().map_or_else(
            || "not installed".to_owned(),
            |version| format!("{version}, {}", if self.enabled { "enabled" } else { "disabled" }),
        );
        let mut shown = format!("plugin   {installed}\nservice  {}\n", self.service);
        if let Some(variant) = self.variant {
            push(&mut shown, format_args!("variant  {variant}\n"));
        }
        if !self.called_first.is_empty() {
            let names = self.called_first.join(", ");
            push(
                &mut shown,
                format_args!(
                    "after    {names}; if one of these cannot be started, Stash does not call this one\n"
                ),
            );
        }
        if self.ping.is_some() && self.problems.is_empty() {
            shown.push_str("works    Stash ran it, and it reached the service\n");
        }
        for problem in &self.problems {
            push(&mut shown, format_args!("problem  {problem}\n"));
        }
        for warning in &self.warnings {
            push(&mut shown, format_args!("warning  {warning}\n"));
        }
        shown
    }

    /// Whether events come through.
    pub(super) fn end(&self) -> Result<(), Failed> {
        match self.problems.first() {
            None => Ok(()),
            Some(problem) => Err(Failed::text(Exit::Reported, problem)),
        }
    }
}

fn push(shown: &mut String, line: std::fmt::Arguments<'_>) {
    // A String takes any text.
    shown.write_fmt(line).unwrap_or_default();
}
