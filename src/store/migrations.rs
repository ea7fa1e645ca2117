//! Is the schema the one that this version knows, and how is an older one brought up to date?

use std::path::Path;

use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{StoreError, backup};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Compares what was applied with what is known. Only reads. `file` is for messages.
pub(super) fn check(connection: &mut SqliteConnection, file: &str) -> Result<(), StoreError> {
    let applied = diesel::sql_query("SELECT version FROM __diesel_schema_migrations")
        .load::<Applied>(connection)
        .map_err(|error| StoreError::opening(file, error))?;
    let known = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(StoreError::Other)?;
    let known: Vec<_> = known.iter().map(|one| one.name().version().to_string()).collect();
    if let Some(newer) = applied.iter().find(|applied| !known.contains(&applied.version)) {
        return Err(StoreError::TooNew { file: file.to_owned(), version: newer.version.clone() });
    }
    if applied.len() < known.len() {
        return Err(StoreError::Outdated { file: file.to_owned() });
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Runs what is pending, after a copy was made of a database that is not new.
pub(super) fn run(connection: &mut SqliteConnection, database: &Path) -> Result<(), StoreError> {
    if !connection.has_pending_migration(MIGRATIONS).map_err(StoreError::Other)? {
        return Ok(());
    }
    let Some(before) = newest(connection)? else { return run_pending(connection) };
    let copy = backup::before_migrations(connection, database, &before)?;
    tracing::info!(
        "{} is of an older version; it was copied to {} and is brought up to date now",
        database.display(),
        copy.display()
    );
    let migrated = run_pending(connection);
    if migrated.is_err() && newest(connection)? == Some(before) {
        // Nothing was changed, and each further start would leave another copy of the same.
        std::fs::remove_file(&copy).unwrap_or_default();
    }
    migrated
}

fn run_pending(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    match connection.run_pending_migrations(MIGRATIONS) {
        Ok(_) => Ok(()),
        Err(source) => match source.downcast::<diesel::result::Error>() {
            Ok(error) => Err(StoreError::from(*error)),
            Err(source) => Err(StoreError::Other(source)),
        },
    }
}

/// `None` for a database that is new.
fn newest(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let newest = connection.applied_migrations().map_err(StoreError::Other)?.into_iter().max();
    Ok(newest.map(|version| version.to_string()))
}

/// Makes a new database what the first version made of it.
#[cfg(test)]
pub(super) fn run_first(connection: &mut SqliteConnection) {
    connection.run_next_migration(MIGRATIONS).unwrap();
}
