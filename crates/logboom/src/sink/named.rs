//! A file that is known by its name: what the sinks share that go on to another file.
//!
//! Invariants:
//! 1. A spec knows the file that its sink writes to now, so that a sink opened later (in a forked
//!    child, after a panic) starts there. Nobody waits for that knowledge: where its lock is taken,
//!    which in a child may be for ever, who asks opens the file of that name, and who tells tells
//!    again at the next batch.
//! 2. The rest of a torn frame goes to the file that has its beginning: a sink moves on only once
//!    nothing is kept.
//! 3. If the next file cannot be opened, the sink stays with the one it has. No frame is lost by it.
//!
//! Pinned by `tests/rotation_agrees_with_a_model.rs` and `tests/a_watched_file_is_followed.rs`.

use super::{FrameWriter, Frames, Place, Written};
use crate::fs::{File, FileMode, FileSystem, Metadata};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

/// How often a sink went on to another file. A clone counts the same.
#[derive(Clone, Debug, Default)]
pub struct Turns(Arc<AtomicU64>);

impl Turns {
    /// The count at this moment.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A name, and the file that is written to under it. What a spec and its sinks share.
#[derive(Debug)]
pub(super) struct NamedFile {
    path: PathBuf,
    fs: Arc<dyn FileSystem>,
    current: Mutex<Arc<dyn File>>,
    turns: Turns,
}

impl NamedFile {
    pub(super) fn new(path: PathBuf, file: Arc<dyn File>, fs: Arc<dyn FileSystem>) -> Arc<Self> {
        Arc::new(NamedFile { path, fs, current: Mutex::new(file), turns: Turns::default() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another process finds the file by this path.
    pub(super) fn is_systems(&self) -> bool {
        self.fs.is_systems()
    }

    pub(super) fn turns(&self) -> Turns {
        self.turns.clone()
    }

    /// What the name leads to.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.fs.metadata(&self.path)
    }

    /// Whether this file is the one that is written to now.
    pub(super) fn is_at(&self, file: &Metadata) -> bool {
        let current = self.current().ok().and_then(|current| current.metadata().ok());
        file.identity.is_some() && current.is_some_and(|current| current.identity == file.identity)
    }

    /// The file that a sink begins with.
    pub(super) fn current(&self) -> io::Result<Arc<dyn File>> {
        match self.current.try_lock() {
            Ok(current) => Ok(Arc::clone(&current)),
            Err(TryLockError::Poisoned(current)) => Ok(Arc::clone(&current.into_inner())),
            Err(TryLockError::WouldBlock) => self.open(),
        }
    }

    fn open(&self) -> io::Result<Arc<dyn File>> {
        self.fs.open(&self.path, FileMode::Append)
    }

    pub(super) fn fs(&self) -> &Arc<dyn FileSystem> {
        &self.fs
    }

    /// Opens what the name leads to, made where there is none, for a sink to go on with. Whether it
    /// is known as the current one, or has to be told again.
    pub(super) fn go_on(&self) -> io::Result<(Arc<dyn File>, bool)> {
        let file = self.open()?;
        let told = self.set_current(&file);
        // Behind it: who finds the old count may find the new file, and not the other way round.
        self.turns.0.fetch_add(1, Ordering::Release);
        Ok((file, told))
    }

    /// Makes `file` the current one; false where it has to be told again.
    pub(super) fn set_current(&self, file: &Arc<dyn File>) -> bool {
        let old = match self.current.try_lock() {
            Ok(mut current) => std::mem::replace(&mut *current, Arc::clone(file)),
            Err(TryLockError::Poisoned(current)) => {
                std::mem::replace(&mut *current.into_inner(), Arc::clone(file))
            }
            Err(TryLockError::WouldBlock) => return false,
        };
        drop(old);
        true
    }
}

/// Where a name leads.
pub(super) enum Leads {
    /// To the file that is open.
    Here(Metadata),
    /// To another.
    Elsewhere,
    /// Nothing has it.
    Nowhere,
}

/// A sink's hold of a named file.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) named: Arc<NamedFile>,
    file: Arc<dyn File>,
    frames: FrameWriter,
    /// Whether the spec knows of `file`.
    told: bool,
    /// The ends of frames, as `FrameWriter` wants them for a part of a batch.
    ends: Vec<usize>,
}

impl Follower {
    pub(super) fn new(named: &Arc<NamedFile>) -> io::Result<Follower> {
        Ok(Follower {
            file: named.current()?,
            named: Arc::clone(named),
            frames: FrameWriter::default(),
            told: true,
            ends: Vec::new(),
        })
    }

    /// Gives what was kept.
    pub(super) fn flush(&mut self) -> Written {
        if !self.told {
            self.told = self.named.set_current(&self.file);
        }
        self.frames.flush(|bytes| self.file.write(bytes))
    }

    /// Gives some frames of a batch.
    pub(super) fn give(&mut self, batch: &Frames<'_>, which: Range<usize>) -> Written {
        let start = which.start.checked_sub(1).map_or(0, |before| batch.ends[before]);
        if which == (0..batch.ends.len()) {
            return self.frames.write(batch, |bytes| self.file.write(bytes));
        }
        let end = which.end.checked_sub(1).map_or(0, |last| batch.ends[last]);
        self.ends.clear();
        self.ends.extend(batch.ends[which].iter().map(|end| end - start));
        let part = Frames { bytes: &batch.bytes[start..end], ends: &self.ends };
        self.frames.write(&part, |bytes| self.file.write(bytes))
    }

    /// Where the next byte goes.
    pub(super) fn end(&self) -> io::Result<u64> {
        self.file.metadata().map(|metadata| metadata.len_bytes)
    }

    /// Where the name leads.
    ///
    /// # Errors
    /// The system's, but not that nothing has the name.
    pub(super) fn leads(&self) -> io::Result<Leads> {
        match self.named.metadata() {
            Ok(there) if self.file.metadata()?.identity == there.identity => Ok(Leads::Here(there)),
            Ok(_) => Ok(Leads::Elsewhere),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Leads::Nowhere),
            Err(error) => Err(error),
        }
    }

    /// Goes on with the file that the name leads to, made where there is none.
    ///
    /// # Errors
    /// The system's; the file is the old one then.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        debug_assert!(!self.frames.is_torn(), "a rest belongs to the file that has its beginning");
        (self.file, self.told) = self.named.go_on()?;
        Ok(())
    }

    /// Moves a file of the same file system; nothing to move is no error.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.named.fs.rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    pub(super) fn place(&self) -> Option<Place<'_>> {
        Place::of(&*self.file, &self.frames)
    }
}

/// The same error with what was tried before it.
pub(super) fn while_trying(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
