//! The seam to the file system: what sinks ask of it, and the real one.
//!
//! Invariants:
//! 1. Sinks touch files through [`FileSystem`] and [`File`] only, so that the same code runs on a
//!    file system that fails on purpose (`logboom::testing::FaultFs`).
//! 2. A [`File`] writes behind what is there already, whoever wrote it, in one system call a time:
//!    many processes may share a file. It buffers nothing.
//! 3. A file is closed when its last `Arc` goes.
//!
//! What it does not do: retry, count, or wait. That is the sinks' part.

use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

/// What to do with what an existing file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileMode {
    /// Leave it and write behind it: Python's `"a"`.
    #[default]
    Append,
    /// Empty the file once, when it is opened: Python's `"w"`. Writes go to its end all the same.
    Truncate,
}

/// Opens, moves and removes files.
pub trait FileSystem: Send + Sync + fmt::Debug + 'static {
    /// Opens a file for writing at its end; makes it where there is none, with the permissions that
    /// the process' umask leaves of `rw-rw-rw-`. Children that `exec` do not inherit it.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path, mode: FileMode) -> io::Result<Arc<dyn File>>;

    /// What the file behind `path` is now.
    ///
    /// # Errors
    /// The system's.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// Moves a file, replacing what is at `to`.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name. Who has it open can go on with it.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// An open file.
pub trait File: Send + Sync + fmt::Debug {
    /// Gives some of `bytes` to the system, in one call, and says how many it took.
    ///
    /// # Errors
    /// The system's, [`Interrupted`](io::ErrorKind::Interrupted) among them. Nothing was taken then.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Asks the system to put the file's contents onto the device. What has no device (a pipe, a
    /// terminal) is always in sync.
    ///
    /// # Errors
    /// The system's.
    fn sync(&self) -> io::Result<()>;

    /// What this file is now, wherever its name points.
    ///
    /// # Errors
    /// The system's.
    fn metadata(&self) -> io::Result<Metadata>;
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Its length in bytes.
    pub len_bytes: u64,
    /// Which file it is, to tell whether a name still points to it: the numbers of the device and
    /// the inode on Unix, `None` where the system has none to offer.
    pub identity: Option<(u64, u64)>,
    /// Whether it is a regular file: no directory, pipe, terminal or device.
    pub is_file: bool,
}

impl From<std::fs::Metadata> for Metadata {
    fn from(metadata: std::fs::Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt as _;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let identity = None;
        Metadata { len_bytes: metadata.len(), identity, is_file: metadata.is_file() }
    }
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFs;

impl FileSystem for SystemFs {
    fn open(&self, path: &Path, mode: FileMode) -> io::Result<Arc<dyn File>> {
        open_std(path, mode).map(|file| Arc::new(SystemFile(file)) as Arc<dyn File>)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        std::fs::metadata(path).map(Metadata::from)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

#[cfg(unix)]
fn open_std(path: &Path, mode: FileMode) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // The standard library refuses append and truncate together, for no reason of the system's.
    let flags = match mode {
        FileMode::Append => 0,
        FileMode::Truncate => rustix::fs::OFlags::TRUNC.bits() as i32,
    };
    std::fs::OpenOptions::new().append(true).create(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_std(path: &Path, mode: FileMode) -> io::Result<std::fs::File> {
    if mode == FileMode::Truncate {
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    }
    std::fs::OpenOptions::new().append(true).create(true).open(path)
}

/// A file of the operating system's that is open already.
pub(crate) fn system_file(file: std::fs::File) -> Arc<dyn File> {
    Arc::new(SystemFile(file))
}

#[derive(Debug)]
struct SystemFile(std::fs::File);

impl File for SystemFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        nothing_to_sync_is_in_sync(self.0.sync_data())
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata().map(Metadata::from)
    }
}

/// Pipes, sockets and terminals answer "invalid argument" to a sync.
pub(crate) fn nothing_to_sync_is_in_sync(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}
