//! Are the scenes of a generated library found, and none of them in a wrong item? The benchmark asks many more.

#[path = "../../benches/shared/matching.rs"]
mod matching;

use matching::{ByFileName, Shelf, Table, Tally, scene, total};
use plexsync::sim::corpus::{Corpus, Family};
use rand::RngExt as _;

const CASES: usize = 1_500;

/// Asks for every scene of a corpus, and returns how ours and the usual matcher did.
fn ask(seed: u64) -> (Table, Table) {
    let corpus = Corpus::generate(seed, CASES);
    let folder = tempfile::tempdir().unwrap();
    let (shelf, names) = (Shelf::fill(folder.path(), &corpus).unwrap(), ByFileName::new(&corpus));
    let (mut ours, mut by_name) = (Table::new(), Table::new());
    for case in &corpus.cases {
        let written = shelf.written(&scene(&case.scene).unwrap()).unwrap();
        let right = written.iter().all(|key| case.truth.contains(key));
        assert!(right, "seed {seed}: written to {written:?}: {case:?}");
        ours.entry(case.family).or_default().count(case, &written);
        by_name.entry(case.family).or_default().count(case, &names.written(&case.scene));
    }
    let bytes = shelf.bytes().unwrap() / u64::try_from(corpus.items.len()).unwrap();
    assert!(bytes <= 800, "seed {seed}: {bytes} bytes an item");
    (ours, by_name)
}

fn assert_found(seed: u64, table: &Table) {
    let Tally { decided, decidable, .. } = total(table);
    assert!(decidable > CASES / 2, "seed {seed}: only {decidable} can be decided");
    assert!(decided * 1000 >= decidable * 995, "seed {seed}: {decided} of {decidable}: {table:?}");
}

#[test]
fn what_the_evidence_can_decide_is_found_and_nothing_is_mistaken() {
    let (ours, by_name) = ask(20_261_125);
    assert_found(20_261_125, &ours);
    // The corpus is one on which it is easy to be wrong.
    assert!(by_name[&Family::Missing].wrong > 0, "{by_name:?}");
    assert!(total(&by_name).matched < total(&ours).matched / 2, "{by_name:?}");
}

#[test]
fn a_library_that_nobody_has_seen_before_is_no_harder() {
    #[expect(
        clippy::disallowed_methods,
        reason = "each run asks another library; its seed is told on failure"
    )]
    let seed: u64 = rand::rng().random();
    assert_found(seed, &ask(seed).0);
}
