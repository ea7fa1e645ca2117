//! What was acknowledged is stored, also when the disk is full. A child process runs with a limit on the size of its
//! files, which stops the log of the database the way a full disk does.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::super::jobs::jobs;
use super::super::schema::settings;
use super::super::settings::get;
use super::super::{Reader, StoreError, Writer, open};
use super::updated;
use crate::domain::job::JobState;

/// Holds the path of the database in the child.
const CHILD: &str = "PLEXSYNC_TEST_DISK_FULL";
const TRIES: i64 = 3000;

#[test]
fn an_event_is_acknowledged_only_when_it_is_stored() {
    let (_dir, path, lines) = run_with_small_files("accepts_until_the_disk_is_full");
    let accepted = with_word(&lines, "accepted");
    assert!(!accepted.is_empty(), "{lines:?}");
    assert!(!with_word(&lines, "refused").is_empty(), "the limit was not reached");
    let stored = jobs(&mut Reader::open(&path).unwrap(), Some(JobState::Ready), None, 10_000).unwrap();
    let stored: Vec<_> = stored.iter().map(|job| job.scene.to_string()).collect();
    let lost: Vec<_> = accepted.iter().filter(|id| !stored.contains(id)).collect();
    assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
    assert_eq!(stored.len(), accepted.len(), "refused and stored all the same");
}

#[test]
fn a_single_statement_that_returns_rows_would_acknowledge_what_is_not_stored() {
    let (_dir, path, lines) = run_with_small_files("inserts_in_autocommit_until_the_disk_is_full");
    let accepted = with_word(&lines, "accepted");
    let mut reader = Reader::open(&path).unwrap();
    let lost = accepted.iter().filter(|key| get(&mut reader, key).unwrap().is_none()).count();
    assert!(
        lost > 0,
        "SQLite or diesel tells the truth now: writing only in transactions may be reconsidered"
    );
}

#[test]
#[ignore = "runs as a child of the tests above"]
fn accepts_until_the_disk_is_full() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut writer = Writer::open(Path::new(&path)).unwrap();
    let now = jiff::Timestamp::UNIX_EPOCH;
    for id in 1..TRIES {
        let accepted =
            writer.write(|tx| super::super::queue::accept(tx, &[updated(id)], &super::DEBOUNCE, now));
        match accepted {
            Ok(_) => say("accepted", id),
            Err(StoreError::Io(_) | StoreError::DiskFull(_)) => {
                say("refused", id);
                break;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    // The same connection goes on as soon as there is room; here the log is what gives some back.
    writer.raw().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    writer.write(|tx| super::super::queue::accept(tx, &[updated(TRIES)], &super::DEBOUNCE, now)).unwrap();
    say("accepted", TRIES);
}

#[test]
fn a_batch_that_does_not_fit_is_refused_as_a_whole_and_the_next_one_is_taken() {
    let (_dir, path, lines) = run_with_small_files("accepts_one_batch_that_is_too_large");
    assert_eq!(with_word(&lines, "refused"), ["1"], "{lines:?}");
    let stored = jobs(&mut Reader::open(&path).unwrap(), None, None, 10_000).unwrap();
    assert_eq!(stored.iter().map(|job| job.scene.get()).collect::<Vec<_>>(), [TRIES]);
}

#[test]
#[ignore = "runs as a child of the test above"]
fn accepts_one_batch_that_is_too_large() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut writer = Writer::open(Path::new(&path)).unwrap();
    let now = jiff::Timestamp::UNIX_EPOCH;
    // With so small a cache the pages go to the log before the commit, so that a statement fails and not the commit.
    writer.raw().batch_execute("PRAGMA cache_size = 5").unwrap();
    let batch: Vec<_> = (1..20 * TRIES).map(updated).collect();
    let refused = writer.write(|tx| super::super::queue::accept(tx, &batch, &super::DEBOUNCE, now));
    assert!(matches!(refused, Err(StoreError::Io(_) | StoreError::DiskFull(_))), "{:?}", refused.err());
    say("refused", 1);
    writer.raw().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    writer.write(|tx| super::super::queue::accept(tx, &[updated(TRIES)], &super::DEBOUNCE, now)).unwrap();
}

#[test]
#[ignore = "runs as a child of the tests above"]
fn inserts_in_autocommit_until_the_disk_is_full() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut writer = Writer::open(Path::new(&path)).unwrap();
    for id in 1..TRIES {
        let inserted = diesel::insert_into(settings::table)
            .values((settings::key.eq(id.to_string()), settings::value.eq("x".repeat(100))))
            .returning(settings::key)
            .get_result::<String>(writer.raw());
        say(if inserted.is_ok() { "accepted" } else { "refused" }, id);
    }
}

fn say(word: &str, id: i64) {
    // To the pipe itself: what the test harness captures would not arrive when a test passes. On a line of its own: with a
    // single processor the harness begins one with the name of the test.
    writeln!(std::io::stdout(), "\n{word} {id}").unwrap();
}

fn with_word(lines: &[String], word: &str) -> Vec<String> {
    lines.iter().filter_map(|line| line.strip_prefix(word)).map(|id| id.trim().to_owned()).collect()
}

/// Runs one of the ignored tests on a fresh database, in a process whose files end at half a megabyte or one, as
/// the shell counts.
fn run_with_small_files(test: &str) -> (tempfile::TempDir, std::path::PathBuf, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plexsync.db");
    drop(open(&path).unwrap());
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    // Without the trap the signal would end the process before any write could fail.
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" --exact --ignored --nocapture \"$1\"";
    let Output { status, stdout, stderr } = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(CHILD, &path)
        .output()
        .unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let lines = String::from_utf8_lossy(&stdout).lines().map(str::to_owned).collect();
    (dir, path, lines)
}
