//! What do the files say about the path mapping, in words and as lines for the configuration?

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use serde::Serialize;

use super::super::exit::Failed;
use super::super::output;
use crate::app::checkup::{Finding, Grade};
use crate::domain::matching::{MappingReport, Mistake, PathRule, Proposal, Why};

const SUBJECT: &str = "path mapping";

/// The report, as it is printed.
#[derive(Serialize)]
pub(super) struct Mapping {
    /// Files of Stash that were looked at.
    files: usize,
    /// Those that Plex has under the mapped path.
    found: usize,
    proposals: Vec<Rule>,
    #[serde(skip)]
    report: MappingReport,
}

/// A rule for the configuration.
#[derive(Serialize)]
struct Rule {
    stash: String,
    plex: String,
    /// How many files it explains that no other rule does.
    files: usize,
}

impl From<MappingReport> for Mapping {
    fn from(report: MappingReport) -> Self {
        let rule = |Proposal { rule, files, .. }: &Proposal| Rule {
            stash: rule.stash.clone(),
            plex: rule.plex.clone(),
            files: *files,
        };
        let MappingReport { files, found, .. } = report;
        Self { files, found, proposals: report.proposals.iter().map(rule).collect(), report }
    }
}

impl Mapping {
    pub(super) fn findings(&self) -> Vec<Finding> {
        let MappingReport { files, found, proposals, mistakes, unmatched_stash, unmatched_plex } =
            &self.report;
        let total = match (found, proposals.is_empty()) {
            (0, _) => Grade::Problem,
            (_, true) => Grade::Ok,
            (_, false) => Grade::Warning,
        };
        let text = format!("Plex has {found} of {files} files of Stash under the mapped path");
        let mut findings = vec![Finding::new(SUBJECT, total, text)];
        let problem = |text| Finding::new(SUBJECT, Grade::Problem, text);
        findings.extend(mistakes.iter().map(in_words).map(problem));
        findings.extend(proposals.iter().map(proposed).map(problem));
        let warning = |text| Finding::new(SUBJECT, Grade::Warning, text);
        let of_stash = |root: &String| format!("Plex has no file of Stash's folder {root:?}");
        let of_plex = |root: &String| format!("Stash has no file of Plex's folder {root:?}");
        findings.extend(unmatched_stash.iter().map(of_stash).map(warning));
        findings.extend(unmatched_plex.iter().map(of_plex).map(warning));
        findings
    }

    /// The proposals as they are written in the configuration, for whoever sits before a terminal.
    pub(super) fn remark(&self) -> Result<(), Failed> {
        if self.proposals.is_empty() || !io::stdout().is_terminal() {
            return Ok(());
        }
        let mut text = "\nFor the configuration:\n".to_owned();
        for Rule { stash, plex, .. } in &self.proposals {
            let (stash, plex) = (quoted(stash), quoted(plex));
            // Writing into a String cannot fail.
            write!(text, "\n[[path_map]]\nstash = {stash}\nplex = {plex}\n").unwrap_or_default();
        }
        output::text(&text)
    }
}

fn in_words(Mistake { rule: PathRule { stash, plex }, why }: &Mistake) -> String {
    let of = format!("the rule from {stash:?} to {plex:?}");
    match why {
        Why::Swapped => format!("{of} is the wrong way round: {plex:?} is Stash's, {stash:?} is Plex's"),
        Why::StashCase(spelt) => format!("{of}: Stash writes {spelt:?}"),
        Why::NotInStash => format!("{of}: no path in Stash begins with {stash:?}"),
        Why::PlexCase(spelt) => format!("{of}: Plex writes {spelt:?}"),
        Why::NotInPlex => format!("{of}: no path in Plex begins with {plex:?}"),
        Why::NoneFound(files) => format!("{of}: Plex has none of its {files} files there"),
    }
}

fn proposed(Proposal { rule, files, instead_of }: &Proposal) -> String {
    let instead =
        instead_of.as_ref().map_or_else(String::new, |plex| format!(" instead of {}", quoted(plex)));
    let (stash, plex) = (quoted(&rule.stash), quoted(&rule.plex));
    format!("[[path_map]] with stash = {stash} and plex = {plex}{instead} would find {files} files")
}

/// As TOML has it. A literal text takes backslashes as they are.
fn quoted(path: &str) -> String {
    toml::Value::from(path).to_string()
}
