//! How many scenes are found, missed and mistaken, family by family, and how long does one take?
//!
//! `cargo bench --bench matching` asks 100,000 generated cases of an index of more than 100,000 items; with
//! `-- --million` it times single scenes against a million items instead.

#[path = "shared/matching.rs"]
mod matching;

use std::io::{Write as _, stderr, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use matching::{ByFileName, Shelf, Table, Tally, scene, total};
use plexsync::sim::corpus::{Case, Corpus, Family};
use plexsync::store::candidates::candidates;
use rand::RngExt as _;
use rustix::time::{ClockId, clock_gettime};

const FIXED_SEED: u64 = 20_261_125;
const FIXED_CASES: usize = 90_000;
const FRESH_CASES: usize = 10_000;
/// Makes somewhat more than a million items.
const MILLION_CASES: usize = 900_000;
const TIMED_CASES: usize = 5_000;
/// So often is the slowest scene asked again.
const AGAIN: usize = 10;

fn main() -> anyhow::Result<()> {
    if std::env::args().any(|argument| argument == "--million") {
        return a_million();
    }
    #[expect(clippy::disallowed_methods, reason = "a run of its own, whose seed is printed")]
    let fresh: u64 = rand::rng().random();
    let (mut ours, mut by_name) = (Table::new(), Table::new());
    ask(FIXED_SEED, FIXED_CASES, &mut ours, &mut by_name)?;
    ask(fresh, FRESH_CASES, &mut ours, &mut by_name)?;
    print(&ours, &by_name)?;
    let Tally { wrong, decided, decidable, .. } = total(&ours);
    ensure!(wrong == 0, "{wrong} scenes were written to the wrong item");
    ensure!(decided * 1000 >= decidable * 995, "only {decided} of {decidable} decidable cases were found");
    Ok(())
}

/// Asks all cases of one corpus, and counts how they end.
fn ask(seed: u64, cases: usize, ours: &mut Table, by_name: &mut Table) -> anyhow::Result<()> {
    let corpus = Corpus::generate(seed, cases);
    let folder = tempfile::tempdir()?;
    let (shelf, names) = (filled(folder.path(), &corpus)?, ByFileName::new(&corpus));
    let mut times = Vec::with_capacity(corpus.cases.len());
    for case in &corpus.cases {
        let asked = scene(&case.scene)?;
        let began = on_processor();
        let written = shelf.written(&asked)?;
        times.push(on_processor().saturating_sub(began));
        let tally = ours.entry(case.family).or_default();
        let before = *tally;
        tally.count(case, &written);
        if tally.wrong > before.wrong || (case.decidable && tally.decided == before.decided) {
            writeln!(stderr(), "written to {written:?}: {case:?}: {:?}", shelf.decide(&asked)?)?;
        }
        by_name.entry(case.family).or_default().count(case, &names.written(&case.scene));
    }
    let slowest = times.iter().zip(&corpus.cases).max_by_key(|(time, _)| **time);
    let slowest = slowest.map(|(_, case)| again(&shelf, case)).transpose()?.unwrap_or_default();
    writeln!(stdout(), "seed {seed}: {} cases; {}; {slowest}", corpus.cases.len(), spread(times))?;
    Ok(())
}

/// What the scene is that took longest, and whether it does so again: if not, it was the machine.
fn again(shelf: &Shelf, case: &Case) -> anyhow::Result<String> {
    let asked = scene(&case.scene)?;
    let mut times = Vec::with_capacity(AGAIN);
    for _ in 0..AGAIN {
        let began = on_processor();
        shelf.decide(&asked)?;
        times.push(on_processor().saturating_sub(began));
    }
    times.sort_unstable();
    let median = times.get(AGAIN / 2).copied().unwrap_or_default();
    let offered = shelf.readers.with(|reader| candidates(reader, &asked, &shelf.map))?.parts.len();
    let family = case.family.name();
    Ok(format!("that one ({family}, {offered} candidates) asked again {AGAIN} times: median {median:.3?}"))
}

fn a_million() -> anyhow::Result<()> {
    let corpus = Corpus::generate(FIXED_SEED, MILLION_CASES);
    let folder = tempfile::tempdir()?;
    let shelf = filled(folder.path(), &corpus)?;
    let mut times = Vec::with_capacity(TIMED_CASES);
    let mut slowest = (Duration::ZERO, None);
    for case in corpus.cases.iter().step_by(corpus.cases.len() / TIMED_CASES) {
        let asked = scene(&case.scene)?;
        let began = on_processor();
        shelf.decide(&asked)?;
        let took = on_processor().saturating_sub(began);
        times.push(took);
        slowest = if took > slowest.0 { (took, Some(case)) } else { slowest };
    }
    let slowest = slowest.1.map(|case| again(&shelf, case)).transpose()?.unwrap_or_default();
    writeln!(stdout(), "{} cases; {}; {slowest}", times.len(), spread(times))?;
    Ok(())
}

fn filled(folder: &Path, corpus: &Corpus) -> anyhow::Result<Shelf> {
    let began = Instant::now();
    let shelf = Shelf::fill(folder, corpus)?;
    let took = began.elapsed();
    let items = u64::try_from(corpus.items.len())?;
    let per_item = shelf.bytes()? / items;
    writeln!(stdout(), "{items} items: indexed in {took:.1?}, {per_item} bytes each on disk")?;
    Ok(shelf)
}

/// How long this thread has been at work. On a machine that does other things as well, a clock on the wall would
/// measure those.
fn on_processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The middle, the 99th of a hundred, and the longest.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or_default();
    let longest = times.last().copied().unwrap_or_default();
    format!("one scene: median {:.3?}, 99 of 100 within {:.3?}, longest {longest:.3?}", at(50), at(99))
}

fn print(ours: &Table, by_name: &Table) -> anyhow::Result<()> {
    let mut out = stdout();
    writeln!(out, "| Family | Cases | Found | There, not written | Wrong | By file name: found | wrong |")?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    let row = |name: &str, ours: Tally, other: Tally| {
        let Tally { cases, matched, missed, wrong, .. } = ours;
        format!("| {name} | {cases} | {matched} | {missed} | {wrong} | {} | {} |", other.matched, other.wrong)
    };
    for family in Family::ALL {
        let tally = |table: &Table| table.get(&family).copied().unwrap_or_default();
        writeln!(out, "{}", row(family.name(), tally(ours), tally(by_name)))?;
    }
    let (sum, others) = (total(ours), total(by_name));
    writeln!(out, "{}", row("**all**", sum, others))?;
    writeln!(out, "Of {} cases that the evidence can decide, {} were found.", sum.decidable, sum.decided)?;
    for (family, tally) in ours.iter().filter(|(_, tally)| tally.decided < tally.decidable) {
        writeln!(out, "  {}: {} of {}", family.name(), tally.decided, tally.decidable)?;
    }
    Ok(())
}
