//! Where do events stay while the service is away? In a file of the plugin's folder, one JSON object a line, until the
//! service has taken them.
//!
//! Two locks, because no call may wait for another one's sending: `lock` is held for as long as a line is appended or some
//! are cut off, `sending.lock` by whoever delivers. Only they cut off lines, so what they send stays the file's beginning.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use thiserror::Error;

/// Some 20,000 events; further ones are refused, so that the oldest are kept.
pub(super) const LARGEST: u64 = 4 << 20;
/// Refused events are kept for a person to look at, not for ever.
const LARGEST_ASIDE: u64 = 1 << 20;
/// The service takes no more at once, and no more than this fits any sensible limit of it.
const MOST_AT_ONCE: usize = 500;
const LARGEST_BATCH: u64 = 128 << 10;
/// How often a lock that is taken is tried again.
const LOOK: Duration = Duration::from_millis(2);

const WAITING: &str = "waiting.jsonl";
const REFUSED: &str = "refused.jsonl";
const LOCK: &str = "lock";
const SENDING: &str = "sending.lock";

/// Why the spool cannot be used.
#[derive(Debug, Error)]
pub(super) enum SpoolError {
    #[error("the spool {0} is full ({LARGEST} bytes); the oldest events are kept")]
    Full(PathBuf),
    #[error("the spool {0} is in use by another call")]
    Taken(PathBuf),
    #[error("the spool {0} cannot be used: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// The spool in one folder.
#[derive(Debug, Clone)]
pub(super) struct Spool {
    folder: PathBuf,
}

/// The right to deliver what waits. Nobody else has it until it is dropped.
#[derive(Debug)]
pub(super) struct Backlog<'a> {
    spool: &'a Spool,
    _sending: File,
}

/// The oldest events that wait.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) lines: Vec<Line>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// Where the next line begins, in bytes from the beginning of the file.
    pub(super) end: u64,
}

impl Batch {
    /// All as one JSON array, if each is JSON.
    pub(super) fn as_array(&self) -> String {
        let texts: Vec<_> = self.lines.iter().map(|line| line.text.as_str()).collect();
        format!("[{}]", texts.join(","))
    }

    pub(super) fn end(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.end)
    }
}

impl Spool {
    /// Nothing is made before it is needed.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Bytes that wait.
    pub(super) fn size(&self) -> u64 {
        fs::metadata(self.folder.join(WAITING)).map_or(0, |file| file.len())
    }

    /// Keeps an event. It is on stable storage when this returns `Ok`.
    pub(super) fn append(&self, line: &str, until: Instant) -> Result<(), SpoolError> {
        self.append_to(WAITING, LARGEST, line, until)
    }

    /// Keeps an event that the service will never take, and why, for a person.
    pub(super) fn set_aside(&self, line: &str, why: &str, until: Instant) -> Result<(), SpoolError> {
        let text = serde_json::json!({ "refused": why, "event": line }).to_string();
        match self.append_to(REFUSED, LARGEST_ASIDE, &text, until) {
            // There are plenty to look at already.
            Err(SpoolError::Full(_)) => Ok(()),
            other => other,
        }
    }

    /// The right to deliver, if something waits and nobody else delivers.
    pub(super) fn backlog(&self) -> Result<Option<Backlog<'_>>, SpoolError> {
        if self.size() == 0 {
            return Ok(None);
        }
        let sending = self.open(SENDING)?;
        match sending.try_lock() {
            Ok(()) => Ok(Some(Backlog { spool: self, _sending: sending })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.failed(error)),
        }
    }

    fn append_to(&self, name: &str, largest: u64, line: &str, until: Instant) -> Result<(), SpoolError> {
        fs::create_dir_all(&self.folder).map_err(|error| self.failed(error))?;
        let _locked = self.lock(until)?;
        let mut file = self.open(name)?;
        self.append_line(&mut file, largest, line)
    }

    fn append_line(&self, file: &mut File, largest: u64, line: &str) -> Result<(), SpoolError> {
        let failed = |error| self.failed(error);
        let size = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut text = String::with_capacity(line.len() + 2);
        // A power cut may have left half a line: it must not spoil this one.
        if size > 0 && !ends_line(file).map_err(failed)? {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
        if size + text.len() as u64 > largest {
            return Err(SpoolError::Full(self.folder.clone()));
        }
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // Half a line is worth nothing; if it cannot be taken back, the next append ends it.
            drop(file.set_len(size));
            return Err(failed(error));
        }
        if size == 0 {
            self.sync_folder().map_err(failed)?;
        }
        Ok(())
    }

    /// A new file is on stable storage only when its folder is.
    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn open(&self, name: &str) -> Result<File, SpoolError> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        // The events name files.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.folder.join(name)).map_err(|error| self.failed(error))
    }

    fn lock(&self, until: Instant) -> Result<File, SpoolError> {
        let file = self.open(LOCK)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < until => pause(),
                Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken(self.folder.clone())),
                Err(TryLockError::Error(error)) => return Err(self.failed(error)),
            }
        }
    }

    fn failed(&self, error: io::Error) -> SpoolError {
        SpoolError::Io(self.folder.clone(), error)
    }
}

impl Backlog<'_> {
    /// The oldest events, as many as are sent at once; none when nothing waits any more.
    pub(super) fn head(&self, until: Instant) -> Result<Batch, SpoolError> {
        let _locked = self.spool.lock(until)?;
        let file = self.spool.open(WAITING)?;
        let mut batch = Batch::default();
        let mut lines = BufReader::new(file.take(LARGEST_BATCH));
        let mut bytes = Vec::new();
        while batch.lines.len() < MOST_AT_ONCE {
            bytes.clear();
            let read = lines.read_until(b'\n', &mut bytes).map_err(|error| self.spool.failed(error))?;
            let is_whole = bytes.last() == Some(&b'\n');
            // What the batch has no room for comes with the next one; what has no end at all was cut by a power cut.
            if read == 0 || (!is_whole && !batch.lines.is_empty()) {
                break;
            }
            let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            batch.lines.push(Line { text, end: batch.end() + read as u64 });
        }
        Ok(batch)
    }

    /// Takes the first `bytes` off. Whatever happens on the way, events stay twice rather than not at all.
    pub(super) fn cut(&self, bytes: u64, until: Instant) -> Result<(), SpoolError> {
        if bytes == 0 {
            return Ok(());
        }
        let _locked = self.spool.lock(until)?;
        self.cut_locked(bytes).map_err(|error| self.spool.failed(error))
    }

    fn cut_locked(&self, bytes: u64) -> io::Result<()> {
        let path = self.spool.folder.join(WAITING);
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        if file.metadata()?.len() <= bytes {
            return file.set_len(0);
        }
        file.seek(SeekFrom::Start(bytes))?;
        let fresh = self.spool.folder.join(format!("{WAITING}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut rest = options.open(&fresh)?;
        io::copy(&mut file, &mut rest)?;
        rest.sync_data()?;
        fs::rename(fresh, path)
    }
}

fn ends_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[expect(clippy::disallowed_methods, reason = "the process has nothing else to do")]
fn pause() {
    std::thread::sleep(LOOK);
}
