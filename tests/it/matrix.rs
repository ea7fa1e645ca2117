//! What becomes of the work for each way in which each question can go wrong? All of it, in one table.
//!
//! A cell says where two scenes stood while the trouble lasted; when it was over, both were synced: by themselves, or, where
//! they had been put aside, with the next event.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use plexsync::domain::failure::FailureClass;
use plexsync::domain::job::{Job, JobState};
use plexsync::sim::{Failing, Fault, SystemStatus};
use serde_json::Value;

use crate::support::asked::Asked;
use crate::support::{Setup, TestApp, tell, wait_for};

/// Longer than any answer that comes.
const TIME_OUTS: &str =
    "stash.read_timeout = \"400ms\"\nplex.read_timeout = \"400ms\"\nplex.write_timeout = \"400ms\"";
/// Cells that are tried at the same time; each of them mostly waits.
const AT_ONCE: usize = 4;

/// What is wrong.
#[derive(Debug, Clone)]
enum Trouble {
    With(Fault),
    /// Stash answers, but has no database to answer from.
    Stash(SystemStatus),
}

/// Where the scenes stand, for each trouble and each question.
const TABLE: &str = "
                   | Stash: a scene                         | Plex: a listing                            | Plex: an item                              | Plex: an edit
400                | stash: incompatible, bad_request       | plex_read: incompatible, unexpected_status | plex_read: incompatible, unexpected_status | dead: edit_rejected
401                | stash: unauthorized, api_key_refused   | plex_read: unauthorized, token_refused     | plex_read: unauthorized, token_refused     | plex_write: unauthorized, token_refused
403                | stash: unauthorized, access_denied     | parked: forbidden                          | parked: forbidden                          | parked: forbidden
404                | stash: incompatible, unexpected_status | again: library_gone                        | again: item_gone; waiting: no_candidate    | again: item_gone; waiting: no_candidate
408                | stash: outage, request_timeout         | plex_read: outage, request_timeout         | plex_read: outage, request_timeout         | plex_write: outage, write_unknown
409                | stash: incompatible, unexpected_status | plex_read: incompatible, unexpected_status | plex_read: incompatible, unexpected_status | dead: edit_rejected
422                | stash: incompatible, bad_request       | plex_read: incompatible, unexpected_status | plex_read: incompatible, unexpected_status | dead: edit_rejected
429                | stash: throttled, too_many_requests    | plex_read: throttled, too_many_requests    | plex_read: throttled, too_many_requests    | plex_write: throttled, too_many_requests
500                | stash: outage, server_error            | plex_read: outage, server_error            | plex_read: outage, server_error            | plex_write: outage, write_unknown
502                | stash: outage, server_error            | plex_read: outage, server_error            | plex_read: outage, server_error            | plex_write: outage, write_unknown
503                | stash: outage, server_error            | plex_read: outage, maintenance             | plex_read: outage, maintenance             | plex_write: outage, write_unknown
503, later         | stash: throttled, busy                 | plex_read: throttled, busy                 | plex_read: throttled, busy                 | plex_write: throttled, busy
429, absurdly late | stash: throttled, too_many_requests    | plex_read: throttled, too_many_requests    | plex_read: throttled, too_many_requests    | plex_write: throttled, too_many_requests
slow               | synced                                 | synced                                     | synced                                     | synced
late answer        | synced                                 | synced                                     | synced                                     | synced
hangs              | stash: outage, timeout                 | plex_read: outage, timeout                 | plex_read: outage, timeout                 | plex_write: outage, write_unknown
reset              | stash: outage, cut off                 | plex_read: outage, cut off                 | plex_read: outage, cut off                 | plex_write: outage, write_unknown
cut                | stash: outage, cut off                 | plex_read: outage, cut off                 | plex_read: outage, cut off                 | synced
garbage            | stash: outage, not_json                | plex_read: outage, not_json                | plex_read: outage, not_json                | synced
not HTTP           | stash: outage, cut off                 | plex_read: outage, cut off                 | plex_read: outage, cut off                 | plex_write: outage, write_unknown
a page             | stash: outage, not_json                | plex_read: outage, not_json                | plex_read: outage, not_json                | plex_write: outage, page_answered
done, a page       | stash: outage, not_json                | plex_read: outage, not_json                | plex_read: outage, not_json                | synced
huge               | stash: incompatible, answer_too_large  | plex_read: incompatible, answer_too_large  | plex_read: incompatible, answer_too_large  | plex_write: outage, write_unknown
sent elsewhere     | stash: incompatible, redirected        | plex_read: incompatible, redirected        | plex_read: incompatible, redirected        | plex_write: incompatible, redirected
sent to a login    | stash: unauthorized, login_redirect    | plex_read: unauthorized, login_redirect    | plex_read: unauthorized, login_redirect    | plex_write: unauthorized, login_redirect
done, answer lost  | stash: outage, cut off                 | plex_read: outage, cut off                 | plex_read: outage, cut off                 | synced
nothing done       | stash: outage, not_json                | plex_read: outage, not_json                | plex_read: outage, not_json                | parked: not_applied
starting up        | stash: outage, system_error            | plex_read: outage, starting_up             | plex_read: outage, starting_up             | plex_write: outage, starting_up
maintenance        | stash: outage, system_error            | plex_read: outage, maintenance             | plex_read: outage, maintenance             | plex_write: outage, write_unknown
database busy      | stash: outage, database_locked         | plex_read: outage, server_error            | plex_read: outage, server_error            | plex_write: outage, write_unknown
not set up         | stash: outage, system_error            | -                                          | -                                          | -
not migrated       | stash: outage, system_error            | -                                          | -                                          | -
";

/// The troubles, by their names in the table.
fn troubles() -> Vec<(&'static str, Trouble)> {
    let fault = |name, fault| (name, Trouble::With(fault));
    let status = |name: &'static str| (name, Trouble::With(Fault::status(name.parse().unwrap())));
    let elsewhere = Fault::Redirect("http://127.0.0.1:9/elsewhere".to_owned());
    let login = Fault::Redirect("/login?returnURL=%2F".to_owned());
    let statuses = ["400", "401", "403", "404", "408", "409", "422", "429", "500", "502", "503"].map(status);
    let others = [
        fault("503, later", Fault::retry_after(503, 30)),
        fault("429, absurdly late", Fault::retry_after(429, 10_000_000)),
        fault("slow", Fault::Latency(Duration::from_millis(50))),
        fault("late answer", Fault::LateAnswer(Duration::from_millis(50))),
        fault("hangs", Fault::Hang),
        fault("reset", Fault::Reset),
        fault("cut", Fault::CutBody),
        fault("garbage", Fault::Garbage),
        fault("not HTTP", Fault::NotHttp),
        fault("a page", Fault::Html),
        fault("done, a page", Fault::AppliedButHtml),
        fault("huge", Fault::Huge(20 << 20)),
        fault("sent elsewhere", elsewhere),
        fault("sent to a login", login),
        fault("done, answer lost", Fault::AppliedButLost),
        fault("nothing done", Fault::SilentDrop),
        fault("starting up", Fault::Failing(Failing::StartingUp)),
        fault("maintenance", Fault::Failing(Failing::Maintenance)),
        fault("database busy", Fault::Failing(Failing::DatabaseBusy)),
        ("not set up", Trouble::Stash(SystemStatus::Setup)),
        ("not migrated", Trouble::Stash(SystemStatus::NeedsMigration)),
    ];
    statuses.into_iter().chain(others).collect()
}

/// The cells of a row of the table, the name first.
fn cells(row: &str) -> Vec<String> {
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Where the scenes stand, once that can be told.
fn standing(app: &TestApp) -> Option<String> {
    // Before the status: what had become of the jobs by then may have opened a circuit.
    let jobs: Vec<_> = app.world.pairs.iter().filter_map(|pair| app.job(pair.scene)).collect();
    let (_, status) = app.get("/api/v1/status");
    let open = |outage: &&Value| outage["ended_at"].is_null();
    if let Some(outage) = status["outages"].as_array()?.iter().find(open) {
        let word = |key: &str| outage[key].as_str().unwrap_or_default().to_owned();
        // How the end of a connection reaches the other side is up to the system.
        let code = match word("code").as_str() {
            "connection_closed" | "connection_reset" | "truncated" => "cut off".to_owned(),
            code => code.to_owned(),
        };
        return Some(format!("{}: {}, {code}", word("circuit"), word("cause")));
    }
    // A circuit has opened, and in a moment that is on record.
    let circuits = status["service"]["circuits"].as_array()?;
    if circuits.iter().any(|circuit| circuit["state"] == "open") {
        return None;
    }
    let word = |job: &Job| match job.state {
        JobState::Done => Some("synced".to_owned()),
        JobState::Parked | JobState::Dead | JobState::Waiting => {
            Some(format!("{}: {}", job.state, job.code.as_deref().unwrap_or_default()))
        }
        // It has waited and is woken: whether it waits again is seen in a moment.
        JobState::Ready if job.class == Some(FailureClass::NotInPlex) => None,
        // Often enough to see that it goes on like this.
        JobState::Ready if job.streak >= 6 => {
            Some(format!("again: {}", job.code.as_deref().unwrap_or_default()))
        }
        JobState::Ready | JobState::Running => None,
    };
    let words: Option<BTreeSet<_>> = jobs.iter().map(word).collect();
    words.map(|words| Vec::from_iter(words).join("; "))
}

/// Lets the trouble last until it is seen where the scenes stand, then ends it and expects everything to be made up for.
fn cell(trouble: &Trouble, asked: Asked) -> String {
    let setup = Setup::new(2).manual_clock().settings(TIME_OUTS);
    // Before the service starts, which lists the libraries at once.
    match trouble {
        Trouble::With(fault) => asked.disturb(setup.world(), fault.clone(), None),
        Trouble::Stash(status) => setup.world().stash.set_status(*status),
    }
    let app = setup.start();
    let report = || {
        for pair in &app.world.pairs {
            app.expect_death(pair.scene);
            app.report(pair.scene);
        }
    };
    report();
    let mut looks = 0;
    let standing = wait_for(&format!("{asked:?}, {trouble:?}: it can be told"), || {
        looks += 1;
        // In small steps at first; later the scenes themselves wait for longer.
        app.advance(if looks <= 40 { Duration::from_millis(250) } else { Duration::from_secs(1) });
        standing(&app)
    });
    app.world.stash.faults().clear();
    app.world.plex.faults().clear();
    app.world.stash.set_status(SystemStatus::Ok);
    if ["parked", "dead", "waiting"].iter().any(|aside| standing.contains(&format!("{aside}: "))) {
        report();
    }
    wait_for(&format!("{asked:?}, {trouble:?}: all is made up for after {standing}"), || {
        app.advance(Duration::from_secs(30));
        (app.world.synced() == 2 && app.counts().open() == 0).then_some(())
    });
    standing
}

#[test]
fn whatever_goes_wrong_is_visible_and_made_up_for_afterwards() {
    let troubles = troubles();
    let concerns = |trouble: &Trouble, asked| matches!(trouble, Trouble::With(_)) || asked == Asked::Scene;
    let all =
        (0..troubles.len()).flat_map(|row| Asked::ALL.into_iter().enumerate().map(move |asked| (row, asked)));
    let left: Mutex<VecDeque<_>> =
        Mutex::new(all.filter(|(row, (_, asked))| concerns(&troubles[*row].1, *asked)).collect());
    let mut found: Vec<_> =
        troubles.iter().map(|(name, _)| [name, "-", "-", "-", "-"].map(str::to_owned)).collect();
    let seen = Mutex::new(&mut found);
    std::thread::scope(|scope| {
        let worker = || {
            while let Some((row, (column, asked))) = { left.lock().unwrap().pop_front() } {
                let standing = cell(&troubles[row].1, asked);
                seen.lock().unwrap()[row][column + 1] = standing;
            }
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
    let expected: Vec<_> = TABLE.trim_matches('\n').lines().map(cells).collect();
    for row in std::iter::once(expected[0].as_slice()).chain(found.iter().map(<[String; 5]>::as_slice)) {
        tell(&format!("{:<18} | {:<38} | {:<42} | {:<42} | {}", row[0], row[1], row[2], row[3], row[4]));
    }
    assert_eq!(found.len(), expected.len() - 1);
    for (found, expected) in found.iter().zip(&expected[1..]) {
        assert_eq!(found.as_slice(), expected.as_slice());
    }
}
