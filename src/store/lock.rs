//! Which process owns the database? One at a time: a start takes back every job in hand, and must not take it from
//! another process that is still working on it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Held as long as the process may run jobs. The system lets go of it even when the process is killed.
#[derive(Debug)]
pub struct InstanceLock {
    _locked: File,
}

impl InstanceLock {
    /// Locks the file beside the database. `owner` is what the next one who tries gets to read: process id, command
    /// and time of the start.
    pub fn acquire(database: &Path, owner: &str) -> Result<Self, StoreError> {
        let unopenable = |error: std::io::Error| StoreError::Unopenable {
            file: lock_path(database).display().to_string(),
            problem: error.to_string(),
        };
        let mut file = open(&lock_path(database)).map_err(unopenable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Busy {
                    file: database.display().to_string(),
                    owner: owner_in(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unopenable(error)),
        }
        file.set_len(0).and_then(|()| file.write_all(owner.as_bytes())).map_err(unopenable)?;
        Ok(Self { _locked: file })
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = OsString::from(database);
    path.push(".lock");
    path.into()
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    // Not truncated: the text belongs to whoever holds the lock.
    options.read(true).write(true).create(true).truncate(false);
    super::connection::owner_only(&mut options);
    options.open(path)
}

fn owner_in(file: &mut File) -> String {
    const LONGEST: u64 = 500;
    let mut owner = String::new();
    let read = file.rewind().and_then(|()| file.take(LONGEST).read_to_string(&mut owner));
    match read {
        Ok(_) if !owner.trim().is_empty() => owner.trim().to_owned(),
        Ok(_) | Err(_) => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_instance_is_told_who_the_first_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("plexsync.db");
        let first = InstanceLock::acquire(&database, "process 4711 (plexsync run)").unwrap();
        let error = InstanceLock::acquire(&database, "process 4712").unwrap_err().to_string();
        assert!(error.contains("process 4711 (plexsync run)"), "{error}");
        drop(first);
        InstanceLock::acquire(&database, "process 4712").unwrap();
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = InstanceLock::acquire(&dir.path().join("no/x.db"), "me").unwrap_err().to_string();
        assert!(error.contains("no/x.db.lock"), "{error}");
    }
}
