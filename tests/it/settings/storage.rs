//! What do the keys of `[storage]` do?

use std::time::Duration;

use plexsync::sim::world::World;
use plexsync::sim::{Fault, PlexOp};
use plexsync::store::dead_letters::letter;

use super::write_settings_with;
use crate::process::{Service, free_port};
use crate::support::{Setup, TestApp, wait_for};

/// Old things are looked for once an hour.
const HOUR: Duration = Duration::from_hours(1);

#[test]
fn the_database_is_where_the_user_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let (world, port) = (World::start(0).unwrap(), free_port());
    let settings = world.settings(std::path::Path::new("elsewhere/mine.db"));
    let settings = settings.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    std::fs::write(folder.path().join("config.toml"), settings).unwrap();
    let service = Service::start(folder.path(), port);
    assert!(folder.path().join("elsewhere/mine.db").exists());
    drop(service);
    // The file that the other tests use is not made.
    assert!(!folder.path().join("p.db").exists() && !folder.path().join("plexsync.db").exists());
    write_settings_with(folder.path(), &world, port, "");
    Service::start(folder.path(), port);
    assert!(folder.path().join("p.db").exists());
}

/// Whether it is remembered what was written to the item, and how the runs ended.
fn history(app: &TestApp, place: usize) -> (bool, bool) {
    let (_, job) = app.get(&format!("/api/v1/jobs/{}", app.pair(place).scene));
    let has = |list: &str| !job[list].as_array().unwrap().is_empty();
    (has("writes"), has("history"))
}

#[test]
fn history_is_kept_as_long_as_the_user_wants_and_no_longer() {
    let app = Setup::new(2).manual_clock().settings("storage.keep_history = \"2h\"").start();
    app.report(app.pair(0).scene);
    app.advance_to(app.pair(0).scene);
    app.advance(HOUR + HOUR / 2);
    app.report(app.pair(1).scene);
    app.advance_to(app.pair(1).scene);
    assert_eq!((history(&app, 0), history(&app, 1)), ((true, true), (true, true)));
    for _ in 0..2 {
        app.advance(HOUR);
        app.settle_all();
    }
    wait_for("the older history is gone", || (history(&app, 0) == (false, false)).then_some(()));
    assert_eq!(history(&app, 1), (true, true), "the younger one is kept");
}

#[test]
fn a_dead_letter_is_kept_as_long_as_the_user_wants_after_it_was_closed() {
    let app = Setup::new(2).manual_clock().settings("storage.keep_dead = \"2h\"").start();
    // One that is closed by a second event, and one that stays open.
    for place in 0..2 {
        let pair = app.pair(place);
        app.world.plex.faults().inject_for(&pair.rating_key, PlexOp::Edit, Fault::status(409), 1);
        app.report(pair.scene);
        app.expect_death(pair.scene);
        app.advance_to(pair.scene);
    }
    app.report(app.pair(0).scene);
    app.advance_to(app.pair(0).scene);
    let is_kept = |id| app.readers.with(|reader| letter(reader, id)).unwrap().is_some();
    assert!(is_kept(1) && is_kept(2));
    app.advance(HOUR);
    app.settle_all();
    assert!(is_kept(1), "not older than it is kept");
    for _ in 0..2 {
        app.advance(HOUR);
        app.settle_all();
    }
    wait_for("the closed one is gone", || (!is_kept(1)).then_some(()));
    assert!(is_kept(2), "an open one is never removed");
}
