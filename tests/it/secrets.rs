//! Does no secret get out? Not to another host, not into a log, an answer, a file or the database.

use std::path::Path;
use std::process::Output;

use plexsync::sim::world::World;
use plexsync::sim::{Fault, PlexOp, PlexOptions, SimPlex, StashOp, StashOptions};
use rstest::rstest;

use crate::process::{Service, free_port, run, write_settings};
use crate::support::asked::Asked;
use crate::support::{Setup, agent, wait_for};

#[rstest]
fn no_redirect_is_followed_and_no_token_reaches_another_host(
    #[values(Asked::Scene, Asked::Listing, Asked::Item, Asked::Edit)] asked: Asked,
) {
    let stash = StashOptions { api_key: Some("k3y".to_owned()), ..StashOptions::default() };
    let world = World::start_with(2, stash, PlexOptions::default()).unwrap();
    let other = SimPlex::start(PlexOptions::default()).unwrap();
    // Before the service starts, which lists the libraries at once.
    asked.disturb(&world, Fault::Redirect(format!("{}/elsewhere", other.url())), None);
    let app = Setup::around(world).settings("stash.api_key = \"k3y\"").start();
    for pair in &app.world.pairs {
        app.report(pair.scene);
    }
    wait_for("both scenes have met it", || {
        let held = ["stash", "plex_read", "plex_write"]
            .into_iter()
            .find_map(|circuit| app.outage(circuit, false))?;
        (held["code"] == "redirected").then_some(())
    });
    assert!(asked.count(&app.world) > 0);
    assert_eq!(other.requests().len(), 0, "nobody else was asked");
}

const PLEX_TOKEN: &str = "pl3x-t0ken-Qmx7wVd2";
const STASH_KEY: &str = "st4sh-key-Zr9LkW5e";
const OWN_TOKEN: &str = "0wn-token-Hs8TbN4u";

/// An error page that repeats the secret it was shown, as those of proxies do.
fn echo(secret: &str) -> Fault {
    let body = format!("<html>{secret} was refused</html>");
    Fault::Status { code: 409, content_type: "text/html".to_owned(), headers: Vec::new(), body }
}

fn assert_clean(what: &str, text: &[u8]) {
    for secret in [PLEX_TOKEN, STASH_KEY, OWN_TOKEN] {
        let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in {what}: {}", String::from_utf8_lossy(text));
    }
}

fn assert_clean_folder(folder: &Path) {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "config.toml" {
            assert_clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
            files += 1;
        }
    }
    assert!(files >= 2, "the database and the log at least");
}

/// All that the service shows to whoever has its token.
fn pages(service: &Service, scenes: &[i64]) -> Vec<(String, String)> {
    let fixed =
        ["/", "/api/v1/status", "/api/v1/jobs", "/api/v1/dead-letters", "/livez", "/readyz", "/nothing"];
    let of_scenes = scenes.iter().map(|scene| format!("/api/v1/jobs/{scene}"));
    let paths = fixed.into_iter().map(str::to_owned).chain(of_scenes);
    let fetched = paths.map(|path| {
        let request = agent().get(format!("{}{path}", service.url));
        let mut answer = request.header("x-plexsync-token", OWN_TOKEN).call().unwrap();
        let headers = format!("{:?}", answer.headers());
        let body = answer.body_mut().read_to_string().unwrap();
        (path, headers + &body)
    });
    fetched.collect()
}

fn both(output: &Output) -> Vec<u8> {
    [output.stdout.as_slice(), &output.stderr].concat()
}

/// A service with all three secrets that logs as much as it can, and peers that repeat them wherever they refuse.
fn start(folder: &Path) -> (World, Service) {
    let stash = StashOptions { api_key: Some(STASH_KEY.to_owned()), ..StashOptions::default() };
    let plex = PlexOptions { token: PLEX_TOKEN.to_owned(), ..PlexOptions::default() };
    let (world, port) = (World::start_with(4, stash, plex).unwrap(), free_port());
    write_settings(folder, &world, port);
    let file = folder.join("config.toml");
    let usual = std::fs::read_to_string(&file).unwrap();
    let own = format!("log.level = \"trace\"\nserver.token = {OWN_TOKEN:?}\nstash.api_key = {STASH_KEY:?}\n");
    std::fs::write(file, own + &usual).unwrap();
    world.stash.faults().inject_for(
        &world.pairs[1].scene.to_string(),
        StashOp::FindScene,
        echo(STASH_KEY),
        1,
    );
    world.plex.faults().inject_for(&world.pairs[2].rating_key, PlexOp::Item, echo(PLEX_TOKEN), 1);
    world.plex.faults().inject_for(&world.pairs[3].rating_key, PlexOp::Edit, echo(PLEX_TOKEN), 1);
    (world, Service::start(folder, port))
}

fn report(service: &Service, scene: i64) {
    let request = agent().post(format!("{}/webhooks/stash", service.url));
    let request = request.header("x-plexsync-token", OWN_TOKEN).header("content-type", "application/json");
    let answer = request.send(format!(r#"{{"type":"Scene.Update.Post","id":{scene}}}"#)).unwrap();
    assert_eq!(answer.status(), 202);
}

#[test]
fn no_secret_is_in_anything_that_is_printed_shown_or_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (world, service) = start(folder.path());
    let scenes: Vec<_> = world.pairs.iter().map(|pair| pair.scene).collect();
    for scene in &scenes {
        report(&service, *scene);
    }
    wait_for("every refusal was heard, and one scene went well", || {
        let met = |op| world.plex.requests().iter().any(|asked| asked.op == op && asked.status == Some(409));
        let by_stash = world.stash.requests().iter().any(|asked| asked.status == Some(409));
        let shown: String = pages(&service, &scenes).into_iter().map(|(_, text)| text).collect();
        let heard = met(PlexOp::Item) && met(PlexOp::Edit) && by_stash && shown.contains("edit_rejected");
        (heard && world.is_synced(&world.pairs[0])).then_some(())
    });
    let shown = pages(&service, &scenes);
    assert!(shown.iter().any(|(_, text)| text.contains("***")), "the answers are kept, without the secrets");
    for (path, text) in shown {
        assert_clean(&path, text.as_bytes());
    }
    for wrong in ["", "wrong"] {
        let request = agent().get(format!("{}/api/v1/status", service.url));
        let mut refusal = request.header("x-plexsync-token", wrong).call().unwrap();
        assert_clean("a refusal", refusal.body_mut().read_to_string().unwrap().as_bytes());
    }
    let refused = scenes[3].to_string();
    let commands: [&[&str]; 7] = [
        &["config", "show"],
        &["status"],
        &["status", "--json"],
        &["queue", "list"],
        &["queue", "show", &refused],
        &["dead", "list"],
        &["dead", "export"],
    ];
    for command in commands {
        assert_clean(&command.join(" "), &both(&run(folder.path(), command)));
    }
    service.signal("-TERM");
    assert_eq!(service.ended(), 0);
    assert_clean_folder(folder.path());
}

#[rstest]
#[case::unknown_key("plex.tokn = \"{}\"")]
#[case::in_the_address("plex.url = \"http://user:{}@plex:32400/web?X-Plex-Token={}\"")]
#[case::not_a_text("plex.token = [\"{}\"]")]
#[case::broken_line("plex.token = \"{}")]
#[case::with_a_space("plex.token = \"{} \\n\"")]
fn a_configuration_that_is_wrong_is_told_without_its_secrets(#[case] line: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), line.replace("{}", PLEX_TOKEN)).unwrap();
    for command in [["run"].as_slice(), &["config", "show"]] {
        let output = run(folder.path(), command);
        assert_eq!(output.status.code(), Some(78), "{}", String::from_utf8_lossy(&both(&output)));
        assert_clean(line, &both(&output));
    }
}
