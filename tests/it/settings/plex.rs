//! What do the keys of `[plex]` and `[[path_map]]` do?

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use plexsync::domain::job::JobState;
use plexsync::sim::world::World;
use plexsync::sim::{Fault, NewItem, NewScene, PlexOp, PlexOptions, SimPlex};
use rstest::rstest;

use super::{failed_with, write_settings_with};
use crate::process::{Service, free_port};
use crate::support::listeners::{Closed, TlsProxy};
use crate::support::{Setup, TestApp, wait_for};

#[test]
fn items_are_changed_in_the_plex_that_is_named() {
    let (setup, other) = (Setup::new(1), SimPlex::start(PlexOptions::default()).unwrap());
    let own = setup.world().plex.url();
    let app = setup.settings(&format!("plex.url = {own:?}")).start();
    app.report(app.pair(0).scene);
    app.wait_until_synced();
    assert_eq!(other.requests().len(), 0);
    let app = TestApp::start_with(1, &format!("plex.url = {:?}", other.url()));
    app.report(app.pair(0).scene);
    // The other one does not have the item.
    app.wait_for_state(app.pair(0).scene, JobState::Waiting);
    assert!(other.count(PlexOp::Sections) > 0);
    assert_eq!(app.world.plex.requests().len(), 0);
}

#[test]
fn the_token_is_shown_to_plex() {
    let app = TestApp::start_with(1, "plex.token = \"simsalabim\"");
    app.report(app.pair(0).scene);
    let said = wait_for("it is refused", || app.outage("plex_read", false));
    assert_eq!(
        (said["cause"].as_str(), said["code"].as_str()),
        (Some("unauthorized"), Some("token_refused"))
    );
    let sent = |request: &plexsync::sim::Recorded<PlexOp>| request.headers["x-plex-token"].clone();
    assert!(app.world.plex.requests().iter().all(|request| sent(request) == "simsalabim"));
}

#[rstest]
#[case::all("[]", true)]
#[case::named("[\"Films\", \"More films\"]", true)]
#[case::not_named("[\"Films\"]", false)]
fn only_the_libraries_that_are_named_are_touched(#[case] libraries: &str, #[case] touched: bool) {
    let setup = Setup::new(0);
    setup.world().plex.add_library("2", "More films", &["/media"]);
    let app = setup.settings(&format!("plex.libraries = {libraries}")).start();
    let scene = app.world.stash.add_scene(NewScene::titled("Elsewhere", "/data/film.mp4"));
    let key = app.world.plex.add_item("2", NewItem::file("/media/film.mp4", 1 << 20));
    app.report(scene);
    app.wait_for_state(scene, if touched { JobState::Done } else { JobState::Waiting });
    assert_eq!(app.world.plex.item(&key).unwrap().title == "Elsewhere", touched);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_accepted_only_if_the_user_says_so() {
    for verify in [true, false] {
        let setup = Setup::new(1);
        let proxy = TlsProxy::before(&setup.world().plex.url());
        let settings = format!("plex.url = {:?}\nplex.verify_tls = {verify}", proxy.url());
        let app = setup.settings(&settings).start();
        app.report(app.pair(0).scene);
        if verify {
            let said = wait_for("it is not trusted", || app.outage("plex_read", false));
            assert_eq!(said["code"], "tls", "{said}");
            assert_eq!(app.world.plex.requests().len(), 0, "no token went out");
        } else {
            app.wait_until_synced();
        }
    }
}

#[test]
fn a_connection_is_waited_for_as_long_as_the_user_wants() {
    let closed = Closed::start();
    let settings = format!("plex.url = {:?}\nplex.connect_timeout = \"100ms\"", closed.url);
    let app = TestApp::start_with(1, &settings);
    let began = Instant::now();
    app.report(app.pair(0).scene);
    let said = wait_for("it is known to be away", || app.outage("plex_read", false));
    assert_eq!(said["code"], "connect_timeout", "{said}");
    // The default is five seconds.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_silence_is_waited_for_as_long_as_the_user_wants() {
    let app = TestApp::start_with(1, "plex.read_timeout = \"300ms\"");
    app.world.plex.faults().inject(PlexOp::Item, Fault::Hang, 1);
    // The default is thirty seconds, which is longer than the test waits.
    assert_eq!(failed_with(&app, "timeout"), "unavailable");
    app.wait_until_synced();
}

#[test]
fn an_edit_may_take_as_long_as_the_user_wants_whatever_a_read_may_take() {
    let app = TestApp::start_with(1, "plex.read_timeout = \"2s\"\nplex.write_timeout = \"5s\"");
    app.world.plex.faults().inject(PlexOp::Edit, Fault::LateAnswer(Duration::from_secs(3)), 1);
    app.report(app.pair(0).scene);
    app.wait_until_synced();
    assert_eq!(app.job(app.pair(0).scene).unwrap().attempts, 0, "slower than a read may be, and in time");
    app.world.stash.update_scene(app.pair(0).scene, |scene| "New".clone_into(&mut scene.title));
    app.world.plex.faults().inject(PlexOp::Edit, Fault::Hang, 1);
    assert_eq!(failed_with(&app, "write_unknown"), "unavailable");
    app.wait_until_synced();
}

/// The names under which Plex has come to know us.
fn clients(world: &World) -> BTreeSet<String> {
    let named =
        |request: plexsync::sim::Recorded<PlexOp>| request.headers["x-plex-client-identifier"].clone();
    world.plex.requests().into_iter().map(named).collect()
}

#[test]
fn plex_knows_us_by_one_name_which_the_user_may_choose() {
    let folder = tempfile::tempdir().unwrap();
    let (world, port) = (World::start(2).unwrap(), free_port());
    write_settings_with(folder.path(), &world, port, "");
    for pair in &world.pairs {
        let service = Service::start(folder.path(), port);
        assert!(service.report(pair.scene));
        wait_for("it is synced", || world.is_synced(pair).then_some(()));
        service.signal("-TERM");
        assert_eq!(service.ended(), 0);
    }
    let made = clients(&world);
    assert!(made.len() == 1 && made.first().unwrap().len() > 10, "made once and kept: {made:?}");
    world.plex.clear_requests();
    write_settings_with(folder.path(), &world, port, "plex.client_id = \"living-room\"\n");
    let service = Service::start(folder.path(), port);
    assert!(service.report(world.pairs[0].scene));
    wait_for("it was looked at", || (world.plex.count(PlexOp::Item) > 0).then_some(()));
    drop(service);
    assert_eq!(clients(&world), BTreeSet::from(["living-room".to_owned()]));
}

#[test]
fn paths_are_mapped_by_the_longest_beginning_that_fits_up_to_a_separator() {
    let map = "path_map = [{ stash = \"/data\", plex = \"/media\" }, { stash = \"/data/new\", plex = \"/mnt/ssd\" }]";
    // Plex has all of them before it is read first: they have one size, which alone would do while there is one of them.
    let setup = Setup::new(0).settings(map);
    let pairs = [
        ("/data/new/a.mp4", "/mnt/ssd/a.mp4", true),
        ("/data/b.mp4", "/media/b.mp4", true),
        ("/data/newer/c.mp4", "/media/newer/c.mp4", true),
        ("/data/newer/d.mp4", "/mnt/ssder/d.mp4", false),
        ("/elsewhere/e.mp4", "/elsewhere/e.mp4", true),
    ];
    let added: Vec<_> = pairs
        .into_iter()
        .map(|(stash, plex, is_same)| {
            let key = setup.world().plex.add_item("1", NewItem::file(plex, 77));
            (setup.world().stash.add_scene(NewScene::titled(stash, stash)), key, stash, is_same)
        })
        .collect();
    let app = setup.start();
    for (scene, key, title, is_same) in added {
        app.report(scene);
        app.wait_for_state(scene, if is_same { JobState::Done } else { JobState::Waiting });
        assert_eq!(app.world.plex.item(&key).unwrap().title == title, is_same, "{title}");
    }
}
