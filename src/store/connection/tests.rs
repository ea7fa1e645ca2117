//! Tests of opening: what is refused, and what is left untouched then.

use std::fs;
use std::path::PathBuf;

use super::super::tests::{Database, updated};
use super::*;

fn refused(path: &Path) -> StoreError {
    open(path).err().unwrap_or_else(|| panic!("{} was opened", path.display()))
}

/// Changes a closed database in a way that the store itself cannot.
fn altered(statement: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a?b#c %20.db");
    open(&path).unwrap().raw().batch_execute(statement).unwrap();
    (dir, path)
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_untouched() {
    let (_dir, path) = altered("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    let before = fs::read(&path).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::TooNew { .. }), "{error:?}");
    assert!(error.to_string().contains("29991231000000"), "{error}");
    assert!(Writer::open(&path).is_err() && Reader::open(&path).is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_of_an_older_version_is_brought_up_to_date_only_by_the_service() {
    let (_dir, path) = altered("PRAGMA user_version = 1");
    let connection = &mut Writer::open(&path).unwrap();
    let tables: Vec<OneText> = diesel::sql_query(
        "SELECT name AS text FROM sqlite_schema WHERE type = 'table' AND name <> '__diesel_schema_migrations'",
    )
    .load(connection.raw())
    .unwrap();
    for table in tables {
        connection.raw().batch_execute(&format!("DROP TABLE {}", table.text)).unwrap();
    }
    connection.raw().batch_execute("DELETE FROM __diesel_schema_migrations").unwrap();
    assert!(matches!(Reader::open(&path).err(), Some(StoreError::Outdated { .. })));
    assert!(matches!(Writer::open(&path).err(), Some(StoreError::Outdated { .. })));
    open(&path).unwrap();
    Reader::open(&path).unwrap();
}

#[test]
fn a_damaged_database_is_refused_with_its_path_and_left_untouched() {
    let (_dir, path) = altered("PRAGMA wal_checkpoint(TRUNCATE)");
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[8192..16384] {
        *byte = 0xA5;
    }
    fs::write(&path, &bytes).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("a?b#c %20.db"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    let text = "not a database ".repeat(1000);
    fs::write(&path, &text).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_database_of_another_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("CREATE TABLE scenes (id INTEGER)").unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
}

#[test]
fn a_missing_database_is_named_and_not_created_by_those_that_need_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing.db");
    for error in [Writer::open(&path).err(), Reader::open(&path).err()] {
        assert!(matches!(error, Some(StoreError::Missing { .. })), "{error:?}");
    }
    assert!(!path.exists());
    let error = refused(&dir.path().join("no such directory/plexsync.db")).to_string();
    assert!(error.contains("no such directory"), "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_database_and_its_companions() {
    use std::os::unix::fs::PermissionsExt;
    let mut db = Database::new();
    db.accept(&[updated(1)]);
    let dir = db.path.parent().unwrap();
    let names = ["plexsync.db", "plexsync.db-wal", "plexsync.db-shm"];
    for name in names {
        let mode = fs::metadata(dir.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    fs::set_permissions(&db.path, PermissionsExt::from_mode(0o644)).unwrap();
    open(&db.path).unwrap();
    assert_eq!(fs::metadata(&db.path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn commits_are_durable_and_readers_cannot_write() {
    let db = Database::new();
    let mut writer = Writer::open(&db.path).unwrap();
    assert_eq!(number(writer.raw(), "SELECT synchronous AS number FROM pragma_synchronous").unwrap(), 2);
    let mut reader = db.reader();
    assert!(reader.raw().batch_execute("DELETE FROM settings").is_err());
    integrity(&mut reader).unwrap();
}

#[test]
fn a_failed_transaction_leaves_nothing_behind() {
    let mut db = Database::new();
    let failed: Result<(), _> = db.writer.write(|tx| {
        super::super::settings::put(tx, "client_id", "x")?;
        Err(StoreError::bad_row("settings", &"made up"))
    });
    assert!(failed.is_err());
    assert_eq!(super::super::settings::get(&mut db.reader(), "client_id").unwrap(), None);
    db.writer.write(|tx| super::super::settings::put(tx, "client_id", "y")).unwrap();
    db.writer.write(|tx| super::super::settings::put(tx, "client_id", "z")).unwrap();
    assert_eq!(super::super::settings::get(&mut db.reader(), "client_id").unwrap().as_deref(), Some("z"));
}

#[test]
fn a_writer_goes_on_after_a_panic_that_somebody_caught() {
    let mut db = Database::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.writer.write(|tx| {
            super::super::settings::put(tx, "client_id", "lost").unwrap();
            panic!("made up")
        })
    }));
    assert!(panicked.map(|_: Result<(), StoreError>| ()).is_err());
    db.writer.write(|tx| super::super::settings::put(tx, "machine_id", "kept")).unwrap();
    assert_eq!(super::super::settings::get(&mut db.reader(), "client_id").unwrap(), None);
}

#[test]
fn a_sqlite_that_can_lose_commits_is_refused() {
    for old in ["3.51.2", "3.7.0", "2.99.99", "", "x"] {
        assert!(matches!(check_version(old), Err(StoreError::SqliteTooOld { .. })), "{old}");
    }
    for new in ["3.51.3", "3.52.0", "4.0", "3.51.3.1"] {
        check_version(new).unwrap();
    }
}
