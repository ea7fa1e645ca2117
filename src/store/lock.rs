//! Who owns the database? One process at a time, by a lock that ends with the process.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::StoreError;

/// Held for as long as the process owns the database.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Takes the lock beside the database and writes into it who holds it.
    pub fn acquire(database: &Path, owner: &str) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let failed =
            |error: std::io::Error| StoreError::Open { path: path.clone(), problem: error.to_string() };
        let mut file = open.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // Only for the message: a lock whose owner cannot be read is held all the same.
                file.read_to_string(&mut owner).unwrap_or_default();
                return Err(StoreError::Busy { owner: owner.trim().to_owned() });
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{owner}").map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// Whether some process holds the lock right now.
    pub fn is_held(database: &Path) -> bool {
        let Ok(file) = File::open(lock_path(database)) else { return false };
        matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_and_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("p.db");
        assert!(!InstanceLock::is_held(&database));
        let first = InstanceLock::acquire(&database, "process 7, plexsync run").unwrap();
        let refused = InstanceLock::acquire(&database, "another").unwrap_err();
        assert!(refused.to_string().contains("process 7, plexsync run"), "{refused}");
        assert!(InstanceLock::is_held(&database));
        drop(first);
        InstanceLock::acquire(&database, "another").unwrap();
    }
}
