//! How does one get back from an upgrade? By the copy that is made before the database is changed, since there are no
//! down migrations.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::StoreError;
use super::connection::owner_only;

/// Copies the database to `<database>.before-<version>`, where `version` is the newest migration that it has. A copy
/// that is there already is kept: then the name gets a number. Only one process at a time may do this.
pub(super) fn before_migrations(
    connection: &mut SqliteConnection,
    database: &Path,
    version: &str,
) -> Result<PathBuf, StoreError> {
    let unfinished = beside(database, ".before-unfinished");
    let refused = |backup: &Path, problem: String| StoreError::NotBackedUp {
        file: database.display().to_string(),
        backup: backup.display().to_string(),
        problem,
    };
    let wanted = free_name(database, version)
        .and_then(|wanted| make_private(&unfinished).map(|()| wanted))
        .map_err(|error| refused(&unfinished, error.to_string()))?;
    let made = copy(connection, &unfinished)
        .and_then(|()| finish(&unfinished, &wanted).map_err(|error| error.to_string()));
    if let Err(problem) = made {
        // What is not whole must not lie around; if even this fails, its name says what it is.
        fs::remove_file(&unfinished).unwrap_or_default();
        return Err(refused(&wanted, problem));
    }
    Ok(wanted)
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn free_name(database: &Path, version: &str) -> io::Result<PathBuf> {
    let first = beside(database, &format!(".before-{version}"));
    if !first.try_exists()? {
        return Ok(first);
    }
    for number in 2_u32.. {
        let next = beside(database, &format!(".before-{version}.{number}"));
        if !next.try_exists()? {
            return Ok(next);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// SQLite takes an empty file for the copy, and would make one that others can read.
fn make_private(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    options.open(path).map(drop)
}

fn copy(connection: &mut SqliteConnection, to: &Path) -> Result<(), String> {
    let name = to.to_str().ok_or("the path is not UTF-8")?;
    let copied = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(connection);
    copied.map(drop).map_err(|error| error.to_string())
}

/// Gives the copy its name when all of it is on the disk.
fn finish(unfinished: &Path, wanted: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    fs::rename(unfinished, wanted)?;
    let folder = wanted.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
