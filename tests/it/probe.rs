//! Does `plexsync check --probe` tell how a Plex behaves, and leave the item as it was?

use std::process::Output;
use std::time::Duration;

use plexsync::sim::world::World;
use plexsync::sim::{Fault, ItemView, PlexOp, PlexOptions, StashOptions, TagAdds};
use rstest::rstest;
use serde_json::Value;

use crate::process::{Service, errors, free_port, run, write_settings};

struct Trial {
    folder: tempfile::TempDir,
    world: World,
    port: u16,
    key: String,
}

impl Trial {
    fn new(options: PlexOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::start_with(1, StashOptions::default(), options).unwrap();
        let (port, key) = (free_port(), world.pairs[0].rating_key.clone());
        write_settings(folder.path(), &world, port);
        assert!(world.plex.set_field(&key, "summary", "Own words"));
        assert!(world.plex.set_lock(&key, "summary", true));
        assert!(world.plex.add_tag(&key, "genre", "Own genre"));
        assert!(world.plex.add_tag(&key, "label", "Own label"));
        Self { folder, world, port, key }
    }

    fn item(&self) -> ItemView {
        // An edit moves the time of the last one, and that cannot be put back; the spelling of a tag stays the first.
        ItemView { updated_at: 0, ..self.world.plex.item(&self.key).unwrap() }
    }

    fn probe(&self, arguments: &[&str]) -> Output {
        run(self.folder.path(), &[&["check", "--probe", &self.key], arguments].concat())
    }

    fn tried(output: &Output) -> Vec<(String, bool, String)> {
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let tried = found["tried"].as_array().unwrap().iter();
        tried
            .map(|one| (text(&one["behaviour"]), one["good"].as_bool().unwrap(), text(&one["seen"])))
            .collect()
    }
}

#[rstest]
#[case::merges(TagAdds::Merge, "joins")]
#[case::replaces(TagAdds::Replace, "replaces")]
fn each_behaviour_is_told_and_the_item_is_as_it_was(#[case] tag_adds: TagAdds, #[case] said: &str) {
    let trial = Trial::new(PlexOptions { tag_adds, ..PlexOptions::default() });
    let before = trial.item();
    let output = trial.probe(&["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let tried = Trial::tried(&output);
    assert!(tried.len() >= 10 && tried.iter().all(|(_, good, _)| *good), "{tried:#?}");
    assert!(tried.iter().any(|(_, _, seen)| seen.contains(said)), "{tried:#?}");
    assert_eq!(trial.item(), before);
    assert!(!trial.folder.path().join("p.db").exists());
    let text = String::from_utf8(trial.probe(&[]).stdout).unwrap();
    assert!(text.lines().all(|line| line.split('\t').count() == 3), "{text}");
}

#[test]
fn a_server_that_stores_nothing_is_found_out() {
    let trial = Trial::new(PlexOptions::default());
    let before = trial.item();
    trial.world.plex.faults().inject(PlexOp::Edit, Fault::SilentDrop, None);
    let output = trial.probe(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(errors(&output).contains("a text is stored as it is"), "{}", errors(&output));
    assert_eq!(trial.item(), before);
}

#[test]
fn after_a_failure_in_the_middle_everything_is_put_back() {
    let trial = Trial::new(PlexOptions::default());
    let before = trial.item();
    trial.world.plex.faults().inject(PlexOp::Rate, Fault::AppliedButLost, 1);
    let output = trial.probe(&["--json"]);
    assert_eq!(output.status.code(), Some(69), "{}", errors(&output));
    assert!(errors(&output).contains("everything is put back"), "{}", errors(&output));
    assert!(Trial::tried(&output).len() >= 7, "what came before is told");
    assert_eq!(trial.item(), before);
}

#[test]
fn what_could_not_be_put_back_is_told_with_the_value_before() {
    let trial = Trial::new(PlexOptions::default());
    // The three edits of the summary are taken, and nothing after them.
    let faults = trial.world.plex.faults();
    faults.inject(PlexOp::Edit, Fault::LateAnswer(Duration::ZERO), 3);
    faults.inject(PlexOp::Edit, Fault::status(409), None);
    let output = trial.probe(&[]);
    assert_eq!(output.status.code(), Some(69), "{}", errors(&output));
    assert!(errors(&output).contains("summary was \"Own words\", locked"), "{}", errors(&output));
}

#[test]
fn it_does_not_begin_where_it_would_do_harm() {
    let trial = Trial::new(PlexOptions::default());
    let service = Service::start(trial.folder.path(), trial.port);
    let busy = trial.probe(&[]);
    assert_eq!(busy.status.code(), Some(75), "{}", errors(&busy));
    assert!(errors(&busy).contains("stop the service first"), "{}", errors(&busy));
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    let missing = run(trial.folder.path(), &["check", "--probe", "9999"]);
    assert_eq!(missing.status.code(), Some(1), "{}", errors(&missing));
    assert_eq!(trial.world.plex.count(PlexOp::Edit), 0);
    let both = run(trial.folder.path(), &["check", "--probe", "1", "--scene", "1"]);
    assert_eq!(both.status.code(), Some(64));
}
