//! Tests of the way back from an upgrade.

use std::os::unix::fs::PermissionsExt as _;

use diesel::connection::SimpleConnection as _;

use super::super::counts::counts;
use super::super::{Reader, Writer, migrations, open};
use super::*;

const FIRST: &str = "20261120000000";

fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

/// A database of the first version with an event that was counted.
fn of_the_first_version() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a?b#c %20.db");
    let mut connection = connect(&path);
    migrations::run_first(&mut connection);
    connection.batch_execute("UPDATE tallies SET received = 7, ignored = 7").unwrap();
    (dir, path)
}

/// The files beside the database that could be its backups.
fn backups(database: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(database.parent().unwrap()).unwrap();
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.to_str().unwrap().contains(".before-"));
    found.sort();
    found
}

#[test]
fn an_older_database_is_copied_before_it_is_brought_up_to_date() {
    let (_dir, path) = of_the_first_version();
    assert!(matches!(Writer::open(&path).err(), Some(StoreError::Outdated { .. })));
    open(&path).unwrap();
    let copy = beside(&path, &format!(".before-{FIRST}"));
    assert_eq!(backups(&path), std::slice::from_ref(&copy));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let upgraded = counts(&mut Reader::open(&path).unwrap()).unwrap();
    assert!(matches!(Reader::open(&copy).err(), Some(StoreError::Outdated { .. })), "it is as it was");
    // The way back, and up again.
    fs::rename(&copy, &path).unwrap();
    open(&path).unwrap();
    assert_eq!(counts(&mut Reader::open(&path).unwrap()).unwrap(), upgraded);
    assert_eq!(upgraded.tallies.received, 7);
}

#[test]
fn a_copy_is_never_overwritten_and_what_was_left_unfinished_is() {
    let (_dir, path) = of_the_first_version();
    let earlier = beside(&path, &format!(".before-{FIRST}"));
    fs::write(&earlier, "precious").unwrap();
    fs::write(beside(&path, ".before-unfinished"), "half").unwrap();
    open(&path).unwrap();
    assert_eq!(fs::read(&earlier).unwrap(), b"precious");
    assert_eq!(backups(&path), [earlier, beside(&path, &format!(".before-{FIRST}.2"))]);
}

#[test]
fn a_new_database_and_one_that_is_up_to_date_are_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.db");
    open(&path).unwrap();
    open(&path).unwrap();
    assert_eq!(backups(&path), Vec::<PathBuf>::new());
}

#[test]
fn without_a_copy_the_start_is_refused_and_the_database_left_as_it_is() {
    let (_dir, path) = of_the_first_version();
    // A folder of that name, which is not empty, can be neither removed nor written.
    fs::create_dir_all(beside(&path, ".before-unfinished").join("x")).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, StoreError::NotBackedUp { .. }), "{error:?}");
    assert!(error.to_string().contains(".before-unfinished"), "{error}");
    assert!(matches!(Writer::open(&path).err(), Some(StoreError::Outdated { .. })));
}

#[test]
fn a_copy_is_not_kept_when_the_upgrade_fails_and_changed_nothing() {
    let (_dir, path) = of_the_first_version();
    let refusal = "CREATE TRIGGER t BEFORE INSERT ON __diesel_schema_migrations
        BEGIN SELECT RAISE(ABORT, 'made up'); END";
    connect(&path).batch_execute(refusal).unwrap();
    for _ in 0..3 {
        assert!(open(&path).is_err());
    }
    assert_eq!(backups(&path), Vec::<PathBuf>::new());
}
