//! How is the database opened, and who may write? Every write runs in one immediate transaction: in autocommit a
//! statement that returns rows can report success for a row that a full disk then refuses (a test shows it).

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{StoreError, migrations};

/// The first version with the fix for commits that are lost when a checkpoint meets the reset of the log.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
/// Four letters, as the first migration writes them.
const APPLICATION_ID: i64 = 1_349_276_537;

/// The connection that writes.
pub struct Writer {
    target: Target,
    connection: SqliteConnection,
}

impl Writer {
    /// Opens a database that is there and up to date, whether or not the service runs.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let target = Target::new(path)?;
        target.existing(Check::Schema)?;
        target.into_writer()
    }

    /// Runs `work` in one transaction: all of it is on stable storage when this returns `Ok`, and nothing otherwise.
    pub fn write<T>(
        &mut self,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.recover()?;
        let mut cause = None;
        let result = self.connection.immediate_transaction(|connection| {
            work(&mut WriteTx { connection }).map_err(|error| {
                cause = Some(error);
                diesel::result::Error::RollbackTransaction
            })
        });
        // When the disk is full SQLite rolls back by itself, and what diesel reports then is that it could not do so.
        result.map_err(|error| cause.unwrap_or_else(|| error.into()))
    }

    /// Connects anew when the last transaction neither committed nor rolled back as far as diesel knows: after a
    /// rollback by SQLite itself, and after a panic that somebody caught.
    fn recover(&mut self) -> Result<(), StoreError> {
        let status = AnsiTransactionManager::transaction_manager_status_mut(&mut self.connection);
        if !matches!(status.transaction_depth(), Ok(None)) {
            self.connection = self.target.connect_writer()?;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn raw(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

/// A running transaction; the only thing that can write.
pub struct WriteTx<'a> {
    connection: &'a mut SqliteConnection,
}

/// A connection that cannot write. Reads are single statements, because an open snapshot keeps the log growing.
pub struct Reader {
    connection: SqliteConnection,
}

impl Reader {
    /// Opens a database that is there and up to date, whether or not the service runs.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let target = Target::new(path)?;
        target.existing(Check::Schema).map(|connection| Self { connection })
    }

    #[cfg(test)]
    pub(super) fn raw(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

mod sealed {
    /// Keeps [`super::ReadConn`] to the types of this file.
    pub trait Connected {
        fn connection(&mut self) -> &mut diesel::SqliteConnection;
    }
}
pub(super) use sealed::Connected;

/// What can be read from: a [`Reader`], or a [`WriteTx`] that has to see its own changes.
pub trait ReadConn: Connected {}

impl Connected for Reader {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
impl ReadConn for Reader {}

impl Connected for WriteTx<'_> {
    fn connection(&mut self) -> &mut SqliteConnection {
        self.connection
    }
}
impl ReadConn for WriteTx<'_> {}

/// Opens the database of the service: creates it when it is not there, refuses a damaged, foreign or newer one
/// without touching it, and brings an older one up to date, after a copy of it was made.
pub fn open(path: &Path) -> Result<Writer, StoreError> {
    let target = Target::new(path)?;
    target.create_if_missing()?;
    match target.existing(Check::Everything) {
        Ok(_) | Err(StoreError::Outdated { .. }) => {}
        Err(error) => return Err(error),
    }
    target.keep_private()?;
    let mut writer = target.into_writer()?;
    migrations::run(&mut writer.connection, &writer.target.path)?;
    Ok(writer)
}

/// Looks through the whole database for damage.
pub fn integrity(conn: &mut impl ReadConn) -> Result<(), StoreError> {
    quick_check(conn.connection(), "the database")
}

/// Lets only the owner read and write a file that is made with these options.
pub(super) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    drop(options);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Schema,
    /// Reads every page, which takes seconds when the index is large.
    Everything,
}

struct Target {
    path: PathBuf,
    /// For messages.
    file: String,
    /// For SQLite, without its query.
    uri: String,
}

impl Target {
    fn new(path: &Path) -> Result<Self, StoreError> {
        const SPECIAL: &AsciiSet = &CONTROLS.add(b'?').add(b'#').add(b'%');
        let file = path.display().to_string();
        let unopenable =
            |problem: &str| StoreError::Unopenable { file: file.clone(), problem: problem.to_owned() };
        let absolute = std::path::absolute(path).map_err(|error| unopenable(&error.to_string()))?;
        let text = absolute.to_str().ok_or_else(|| unopenable("the path is not UTF-8"))?;
        let uri = format!("file:{}", utf8_percent_encode(text, SPECIAL));
        Ok(Self { path: absolute, file, uri })
    }

    fn unopenable(&self, problem: &impl ToString) -> StoreError {
        StoreError::Unopenable { file: self.file.clone(), problem: problem.to_string() }
    }

    /// SQLite would make the file readable for others, and gives its companions the same permissions as the file.
    fn create_if_missing(&self) -> Result<(), StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        owner_only(&mut options);
        match options.open(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.unopenable(&error)),
        }
    }

    /// A file that came from a backup may have been readable for others.
    fn keep_private(&self) -> Result<(), StoreError> {
        #[cfg(unix)]
        {
            let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&self.path, owner_only).map_err(|error| self.unopenable(&error))?;
        }
        Ok(())
    }

    /// Opens and checks without the means to change anything.
    fn existing(&self, check: Check) -> Result<SqliteConnection, StoreError> {
        if !self.path.try_exists().map_err(|error| self.unopenable(&error))? {
            return Err(StoreError::Missing { file: self.file.clone() });
        }
        let mut connection = self.connect("mode=ro")?;
        let opening = |error| StoreError::opening(&self.file, error);
        connection.batch_execute("PRAGMA query_only = ON; PRAGMA cache_size = -2000;").map_err(opening)?;
        let tables = number(&mut connection, "SELECT count(*) AS number FROM sqlite_schema");
        if tables.map_err(opening)? == 0 {
            return Err(StoreError::Outdated { file: self.file.clone() });
        }
        let id = "SELECT application_id AS number FROM pragma_application_id";
        if number(&mut connection, id).map_err(opening)? != APPLICATION_ID {
            return Err(StoreError::Foreign { file: self.file.clone() });
        }
        if check == Check::Everything {
            quick_check(&mut connection, &self.file)?;
        }
        migrations::check(&mut connection, &self.file)?;
        Ok(connection)
    }

    fn into_writer(self) -> Result<Writer, StoreError> {
        let connection = self.connect_writer()?;
        Ok(Writer { target: self, connection })
    }

    fn connect_writer(&self) -> Result<SqliteConnection, StoreError> {
        // Recycled in place from 1000 pages on; the limit gives back what one large transaction made it grow.
        const PRAGMAS: &str =
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 16777216;";
        let mut connection = self.connect("mode=rw")?;
        let opening = |error| StoreError::opening(&self.file, error);
        let mode = "SELECT journal_mode AS text FROM pragma_journal_mode";
        connection.batch_execute("PRAGMA journal_mode = WAL;").map_err(opening)?;
        let mode = diesel::sql_query(mode).get_result::<OneText>(&mut connection).map_err(opening)?;
        if mode.text != "wal" {
            return Err(self.unopenable(&format!("its file system allows no WAL, only {:?}", mode.text)));
        }
        connection.batch_execute(PRAGMAS).map_err(opening)?;
        Ok(connection)
    }

    fn connect(&self, mode: &str) -> Result<SqliteConnection, StoreError> {
        let uri = format!("{}?{mode}", self.uri);
        let mut connection = SqliteConnection::establish(&uri).map_err(|error| self.unopenable(&error))?;
        connection
            .batch_execute("PRAGMA busy_timeout = 5000;")
            .map_err(|error| StoreError::opening(&self.file, error))?;
        let version = diesel::sql_query("SELECT sqlite_version() AS text")
            .get_result::<OneText>(&mut connection)
            .map_err(|error| StoreError::opening(&self.file, error))?;
        check_version(&version.text)?;
        Ok(connection)
    }
}

fn check_version(found: &str) -> Result<(), StoreError> {
    let numbers: Vec<u32> = found.split('.').map_while(|number| number.parse().ok()).collect();
    if numbers.as_slice() >= OLDEST_SQLITE.as_slice() {
        return Ok(());
    }
    let needed = OLDEST_SQLITE.map(|number| number.to_string()).join(".");
    Err(StoreError::SqliteTooOld { found: found.to_owned(), needed })
}

fn quick_check(connection: &mut SqliteConnection, file: &str) -> Result<(), StoreError> {
    let problem = diesel::sql_query("PRAGMA quick_check(1)")
        .get_result::<QuickCheck>(connection)
        .map_err(|error| StoreError::opening(file, error))?
        .quick_check;
    if problem == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt { file: file.to_owned(), problem })
}

fn number(connection: &mut SqliteConnection, query: &str) -> QueryResult<i64> {
    diesel::sql_query(query).get_result::<OneNumber>(connection).map(|row| row.number)
}

#[derive(QueryableByName)]
struct QuickCheck {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

#[derive(QueryableByName)]
struct OneText {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct OneNumber {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[cfg(test)]
mod tests;
