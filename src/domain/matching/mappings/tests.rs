//! Do the files themselves say which mapping is right?

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn paths(root: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{root}{name}")).collect()
}

fn map(rules: &[(&str, &str)]) -> PathMap {
    PathMap::new(rules.iter().map(|(stash, plex)| rule(stash, plex)).collect())
}

fn rule(stash: &str, plex: &str) -> PathRule {
    PathRule { stash: stash.to_owned(), plex: plex.to_owned() }
}

const FILMS: [&str; 4] = ["/Acme/Part 1/a.mp4", "/Acme/Part 2/b.mp4", "/Beta/c.mp4", "/d.mp4"];

fn proposed(report: &MappingReport) -> Vec<(&str, &str, usize)> {
    let proposals = report.proposals.iter();
    proposals.map(|Proposal { rule, files, .. }| (rule.stash.as_str(), rule.plex.as_str(), *files)).collect()
}

#[rstest]
#[case::mounted_elsewhere("/data", "/media/films", ("/data", "/media/films"))]
#[case::deeper_in_stash("/mnt/user/data", "/films", ("/mnt/user/data", "/films"))]
#[case::at_the_root("", "/media", ("/", "/media"))]
#[case::a_shared_end("/data/films", "/media/films", ("/data", "/media"))]
#[case::other_case("/data/films", "/Volumes/Films", ("/data", "/Volumes"))]
fn the_beginning_that_differs_is_proposed(
    #[case] stash: &str,
    #[case] plex: &str,
    #[case] expected: (&str, &str),
) {
    let (stash, plex) = (paths(stash, &FILMS), paths(plex, &FILMS));
    let report = examine(&stash, &plex, &PathMap::default(), &[], &[]);
    assert_eq!((report.files, report.found), (4, 0));
    assert_eq!(proposed(&report), [(expected.0, expected.1, 4)]);
    let report = examine(&stash, &plex, &map(&[expected]), &[], &[]);
    assert_eq!((report.found, report.proposals, report.mistakes), (4, vec![], vec![]));
}

#[test]
fn windows_paths_are_proposed_as_they_are_spelt() {
    let stash: Vec<_> = FILMS.iter().map(|film| format!("D:\\Videos{}", film.replace('/', "\\"))).collect();
    let report = examine(&stash, &paths("/media", &FILMS), &PathMap::default(), &[], &[]);
    assert_eq!(proposed(&report), [("D:\\Videos", "/media", 4)]);
}

#[test]
fn composed_and_decomposed_names_are_the_same() {
    let stash = paths("/data", &["/Zażółć/a.mp4", "/Zażółć/b.mp4"]);
    let plex = paths("/media", &["/Zaz\u{307}o\u{301}łc\u{301}/a.mp4", "/Zaz\u{307}o\u{301}łc\u{301}/b.mp4"]);
    assert_eq!(proposed(&examine(&stash, &plex, &PathMap::default(), &[], &[])), [("/data", "/media", 2)]);
}

#[test]
fn each_root_has_its_rule_the_one_with_the_most_files_first() {
    let stash = [paths("/data", &FILMS), paths("/clips", &["/x/1.mp4", "/x/2.mp4"])].concat();
    let plex = [paths("/media", &FILMS), paths("/mnt/more", &["/x/1.mp4", "/x/2.mp4"])].concat();
    let report = examine(&stash, &plex, &PathMap::default(), &[], &[]);
    assert_eq!(proposed(&report), [("/data", "/media", 4), ("/clips", "/mnt/more", 2)]);
}

#[test]
fn names_that_stand_in_many_folders_mislead_nobody() {
    let folders = ["/one", "/two", "/three", "/four"];
    let files = |root: &str| folders.map(|folder| format!("{root}{folder}/01.mp4")).to_vec();
    let report = examine(&files("/data"), &files("/media"), &PathMap::default(), &[], &[]);
    assert_eq!(proposed(&report), [("/data", "/media", 4)]);
    let others = ["/a", "/b", "/c", "/d"].map(|folder| format!("/media{folder}/01.mp4"));
    let report = examine(&files("/data"), &others, &PathMap::default(), &[], &[]);
    assert_eq!(proposed(&report), [], "the name alone says nothing");
}

#[test]
fn one_file_that_was_moved_asks_for_no_rule() {
    let stash = paths("/data", &FILMS);
    let plex = ["/data/Acme/Part 1/a.mp4", "/data/Acme/Part 2/b.mp4", "/data/Beta/c.mp4", "/data/New/d.mp4"];
    let report = examine(&stash, &plex.map(str::to_owned), &PathMap::default(), &[], &[]);
    assert_eq!(report.found, 3);
    assert_eq!(proposed(&report), []);
}

#[rstest]
#[case::swapped(("/media", "/data"), Why::Swapped)]
#[case::not_in_stash(("/dat", "/media"), Why::NotInStash)]
#[case::stash_case(("/Data", "/media"), Why::StashCase("/data".to_owned()))]
#[case::not_in_plex(("/data", "/medai"), Why::NotInPlex)]
#[case::plex_case(("/data", "/Media"), Why::PlexCase("/media".to_owned()))]
#[case::missing_component(("/data", "/media"), Why::NoneFound(4))]
fn the_mistake_in_a_rule_is_named(#[case] written: (&str, &str), #[case] why: Why) {
    let (stash, plex) = (paths("/data", &FILMS), paths("/media/films", &FILMS));
    let report = examine(&stash, &plex, &map(&[written]), &[], &[]);
    assert_eq!(report.mistakes, [Mistake { rule: rule(written.0, written.1), why }]);
    assert_eq!(proposed(&report), [("/data", "/media/films", 4)]);
    let same_beginning = written.0 == "/data";
    assert_eq!(report.proposals[0].instead_of.is_some(), same_beginning, "it stands in place of that rule");
}

#[test]
fn a_rule_that_finds_its_files_but_for_case_is_no_mistake() {
    let report =
        examine(&paths("/data", &FILMS), &paths("/media", &FILMS), &map(&[("/data", "/Media")]), &[], &[]);
    assert_eq!((report.found, report.mistakes, report.proposals), (4, vec![], vec![]));
}

#[test]
fn a_root_without_any_file_in_common_is_named() {
    let stash = [paths("/data", &FILMS), paths("/private", &["/p.mp4"])].concat();
    let plex = [paths("/media", &FILMS), paths("/kids", &["/k.mp4"])].concat();
    let roots = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (stash_roots, plex_roots) = (roots(&["/data", "/private", "/empty"]), roots(&["/media", "/kids"]));
    let report = examine(&stash, &plex, &PathMap::default(), &stash_roots, &plex_roots);
    assert_eq!(proposed(&report), [("/data", "/media", 4)]);
    assert_eq!(report.unmatched_stash, ["/private"], "an empty one is no trouble");
    assert_eq!(report.unmatched_plex, ["/kids"]);
}

proptest! {
    #[test]
    fn a_library_that_was_moved_by_any_beginning_gets_it_back(
        stash in "(/[a-c]{2,4}){1,3}",
        plex in "(/[d-f]{2,4}){1,3}",
        files in proptest::collection::btree_set("(/[g-i]{2,3}){1,3}\\.mp4", 2..20),
    ) {
        let files: Vec<_> = files.into_iter().collect();
        let under = |root: &str| files.iter().map(|file| format!("{root}{file}")).collect::<Vec<_>>();
        let report = examine(&under(&stash), &under(&plex), &PathMap::default(), &[], &[]);
        prop_assert_eq!(proposed(&report), [(stash.as_str(), plex.as_str(), files.len())]);
    }
}
