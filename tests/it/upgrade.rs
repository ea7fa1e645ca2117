//! Is there a way back from an upgrade? The built program meets a database as its first version made it.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use plexsync::sim::world::World;

use crate::process::{errors, free_port, run, write_settings};

const FIRST: &str = "2026-11-20-000000_create_tables";
const COPY: &str = "p.db.before-20261120000000";

/// What the migrations of the first version leave behind, with the table in which they are recorded.
fn write_first_version(database: &Path) {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(FIRST).join("up.sql");
    let mut connection = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    let recorded = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
        run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
        INSERT INTO __diesel_schema_migrations (version) VALUES ('20261120000000')";
    connection.batch_execute(&fs::read_to_string(tables).unwrap()).unwrap();
    connection.batch_execute(recorded).unwrap();
}

#[test]
fn an_upgrade_leaves_a_copy_says_where_and_is_refused_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (world, port) = (World::start(0).unwrap(), free_port());
    write_settings(folder, &world, port);
    write_first_version(&folder.join("p.db"));
    let early = run(folder, &["queue", "list"]);
    assert_eq!(early.status.code(), Some(65), "only the service brings it up to date: {}", errors(&early));

    let in_the_way = folder.join("p.db.before-unfinished");
    fs::create_dir_all(in_the_way.join("something")).unwrap();
    let refused = run(folder, &["run", "--until-idle"]);
    assert_eq!(refused.status.code(), Some(74), "{}", errors(&refused));
    assert!(errors(&refused).contains("no backup of it could be made"), "{}", errors(&refused));
    assert_eq!(run(folder, &["queue", "list"]).status.code(), Some(65), "nothing was changed");

    fs::remove_dir_all(in_the_way).unwrap();
    let upgraded = run(folder, &["run", "--until-idle"]);
    assert_eq!(upgraded.status.code(), Some(0), "{}", errors(&upgraded));
    let log = format!("{}{}", String::from_utf8_lossy(&upgraded.stdout), errors(&upgraded));
    assert!(log.contains(COPY), "{log}");
    assert_eq!(run(folder, &["queue", "list"]).status.code(), Some(0));

    // Back to where it was, as README tells it, and up again: the copy of the copy gets a number.
    fs::copy(folder.join(COPY), folder.join("p.db")).unwrap();
    for companion in ["p.db-wal", "p.db-shm"] {
        fs::remove_file(folder.join(companion)).unwrap_or_default();
    }
    assert_eq!(run(folder, &["queue", "list"]).status.code(), Some(65));
    assert_eq!(run(folder, &["run", "--until-idle"]).status.code(), Some(0));
    assert!(folder.join(format!("{COPY}.2")).exists());
}
