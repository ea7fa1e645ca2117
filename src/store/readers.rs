//! How do many read at once? Connections for reading, opened when needed and kept.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Reader, StoreError};

/// A pool of readers. Cheap to clone.
#[derive(Clone)]
pub struct Readers {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Reader>>>,
}

impl Readers {
    /// Reads from a database that is there and up to date, whether or not the service runs.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let first = Reader::open(path)?;
        Ok(Self { path: path.into(), idle: Arc::new(Mutex::new(vec![first])) })
    }

    /// Reads with a connection that nobody else uses meanwhile.
    pub fn with<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        let answer = read(&mut reader);
        if answer.is_ok() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
        answer
    }
}
