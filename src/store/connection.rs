//! How is the database opened, written and read? One writer, some readers, one way to each.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager};
use diesel::migration::{Migration as _, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::StoreError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The first version without the WAL-reset bug, by which two connections on one database can lose commits.
const OLDEST_SQLITE: &str = "3.51.3";

/// `FULL`: a commit is on the disk when it returns; that is what an acknowledgement promises.
const WRITER_PRAGMAS: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;";
const READER_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -2048;";

/// Anything that can be read through.
pub trait ReadConnection {
    fn connection(&mut self) -> &mut SqliteConnection;
}

/// The one connection that writes.
pub struct Writer {
    path: PathBuf,
    connection: SqliteConnection,
}

/// A write in progress. It exists only inside [`Writer::write`].
pub struct WriteTx<'a>(&'a mut SqliteConnection);

impl ReadConnection for WriteTx<'_> {
    fn connection(&mut self) -> &mut SqliteConnection {
        self.0
    }
}

impl Writer {
    /// Makes the database ready at the start of the process: creates it readable for its owner alone, checks SQLite's
    /// version and the file, and brings the schema up to date.
    pub fn prepare(path: &Path) -> Result<Self, StoreError> {
        let failed =
            |error: std::io::Error| StoreError::Open { path: path.to_owned(), problem: error.to_string() };
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failed)?;
        let mut connection = connect(path)?;
        check_version(&mut connection)?;
        check_file(path, &mut connection)?;
        check_schema(path, &mut connection)?;
        let mut writer = Self::with(path, connection)?;
        let migrated = writer.connection.run_pending_migrations(MIGRATIONS).map(drop);
        migrated.map_err(|error| StoreError::Open { path: path.to_owned(), problem: error.to_string() })?;
        Ok(writer)
    }

    /// Opens a database that is ready.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        Self::with(path, connect(path)?)
    }

    fn with(path: &Path, mut connection: SqliteConnection) -> Result<Self, StoreError> {
        connection.batch_execute(WRITER_PRAGMAS)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Writes everything or nothing, and returns only when it is on the disk.
    pub fn write<T>(
        &mut self,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.connection.immediate_transaction(|connection| work(&mut WriteTx(connection)));
        // A commit that fails on a full disk may leave diesel unsure whether a transaction is open; it would then
        // refuse everything for ever, also once there is room again.
        if done.is_err() && AnsiTransactionManager::is_broken_transaction_manager(&mut self.connection) {
            self.connection = Self::open(&self.path)?.connection;
        }
        done
    }
}

fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let text = path.to_string_lossy();
    // A leading dot keeps a name from being taken for a URI.
    let name = if path.is_absolute() { text.into_owned() } else { format!("./{text}") };
    SqliteConnection::establish(&name).map_err(|error| StoreError::open(path, &error))
}

fn check_version(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: String =
        diesel::select(diesel::dsl::sql::<Text>("sqlite_version()")).get_result(connection)?;
    let number =
        |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    if number(&found) < number(OLDEST_SQLITE) {
        return Err(StoreError::SqliteTooOld { found, needed: OLDEST_SQLITE });
    }
    Ok(())
}

fn check_file(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let corrupt = |problem: String| StoreError::Corrupt { path: path.to_owned(), problem };
    let answer =
        diesel::select(diesel::dsl::sql::<Text>("(SELECT quick_check FROM pragma_quick_check LIMIT 1)"));
    match answer.get_result::<String>(connection) {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(corrupt(verdict)),
        Err(error) => {
            let text = error.to_string();
            let damaged = text.contains("not a database") || text.contains("malformed");
            Err(if damaged { corrupt(text) } else { error.into() })
        }
    }
}

/// A schema that we do not know is not touched.
fn check_schema(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let is_new = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "(SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations')",
    ));
    if is_new.get_result::<i64>(connection)? == 0 {
        return Ok(());
    }
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let known: Vec<MigrationVersion<'_>> = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)
        .map_err(unreadable)?
        .iter()
        .map(|migration| migration.name().version().as_owned())
        .collect();
    let applied = connection.applied_migrations().map_err(unreadable)?;
    if applied.iter().all(|version| known.contains(version)) {
        return Ok(());
    }
    Err(StoreError::TooNew { path: path.to_owned() })
}

/// A connection that cannot write.
pub struct Reader(SqliteConnection);

impl ReadConnection for Reader {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// Connections for reading, opened when needed and kept. Cheap to clone.
#[derive(Clone)]
pub struct Readers {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Reader>>>,
}

impl Readers {
    /// Reads from a database that is ready, whether or not a service runs on it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let readers = Self { path: path.into(), idle: Arc::default() };
        readers.with(|reader| check_schema(path, reader.connection()))?;
        Ok(readers)
    }

    /// Reads with a connection of its own. Keep it short: an open read keeps the log from being reused.
    pub fn with<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => self.connect()?,
        };
        let answer = read(&mut reader);
        if answer.is_ok() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
        answer
    }

    fn connect(&self) -> Result<Reader, StoreError> {
        let mut connection = connect(&self.path)?;
        connection.batch_execute(READER_PRAGMAS)?;
        Ok(Reader(connection))
    }
}
