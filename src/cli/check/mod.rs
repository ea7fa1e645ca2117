//! `plexsync check`: is everything in place, and if not, what is to be done?

mod mapping;
mod probe;
mod scene;

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, Failed};
use super::{Global, output, plugin, service};
use crate::app::checkup::{Checkup, Finding, Grade};
use crate::config::{Config, Purpose};
use crate::domain::ids::{RatingKey, SceneId};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Walk this scene through every step instead, and tell of each why
    #[arg(long, value_name = "SCENE")]
    scene: Option<SceneId>,
    /// Try on this item of Plex the behaviours that PlexSync relies on, and put everything back; the service has to be stopped
    #[arg(long, value_name = "RATING_KEY", conflicts_with = "scene")]
    probe: Option<RatingKey>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Everything that was found.
#[derive(Serialize)]
struct Findings {
    findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<mapping::Mapping>,
}

pub(super) fn check(global: &Global, args: &CheckArgs) -> Result<(), Failed> {
    let loaded = global.load(Purpose::Run)?;
    if let Some(scene) = args.scene {
        return scene::walk_through(&loaded.config, scene, args.json);
    }
    if let Some(key) = &args.probe {
        return probe::probe(&loaded.config, key, args.json);
    }
    let file = loaded.file.as_ref().map(|file| file.display().to_string());
    let text = file.unwrap_or_else(|| "no file, the defaults and the environment".to_owned());
    let mut findings = vec![Finding::new("configuration", Grade::Ok, text), of_service(&loaded.config)];
    let system = actix_rt::System::new();
    let (found, report) = system.block_on(Checkup::new(&loaded.config)?.look());
    let stash_answers = found.iter().any(|finding| finding.subject == "Stash" && finding.grade == Grade::Ok);
    findings.extend(found);
    let mapping = report.map(mapping::Mapping::from);
    findings.extend(mapping.iter().flat_map(mapping::Mapping::findings));
    if stash_answers {
        findings.extend(system.block_on(plugin::findings(&loaded.config))?);
    }
    let end = end(&findings);
    let found = Findings { findings, mapping };
    if args.json { output::json(&found) } else { tell(&found) }?;
    end
}

fn of_service(config: &Config) -> Finding {
    let said = match service::get(config, "/readyz") {
        Ok(answer) if answer.status.is_success() => return Finding::new("service", Grade::Ok, "it runs"),
        Ok(answer) => format!("it runs, but is not ready: {}", answer.text.trim()),
        Err(_) => "it does not run; start it with `plexsync run`".to_owned(),
    };
    Finding::new("service", Grade::Warning, said)
}

fn tell(found: &Findings) -> Result<(), Failed> {
    let word = |grade| match grade {
        Grade::Ok => "ok",
        Grade::Warning => "warning",
        Grade::Problem | Grade::Unreachable | Grade::Misconfigured => "problem",
    };
    let row = |finding: &Finding| {
        [finding.subject.to_owned(), word(finding.grade).to_owned(), finding.text.clone()]
    };
    let rows: Vec<_> = found.findings.iter().map(row).collect();
    output::rows(["CHECK", "IS", "WHAT WAS FOUND"], &rows)?;
    match &found.mapping {
        Some(mapping) => mapping.remark(),
        None => Ok(()),
    }
}

/// The gravest of what was found.
fn end(findings: &[Finding]) -> Result<(), Failed> {
    let Some(worst) = findings.iter().max_by_key(|finding| finding.grade) else { return Ok(()) };
    let exit = match worst.grade {
        Grade::Ok | Grade::Warning => return Ok(()),
        Grade::Problem => Exit::Reported,
        Grade::Unreachable => Exit::Upstream,
        Grade::Misconfigured => Exit::Config,
    };
    Err(Failed::text(exit, format!("{}: {}", worst.subject, worst.text)))
}
