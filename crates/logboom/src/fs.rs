//! The seam to the file system: what sinks ask of it, and the real one.
//!
//! Invariants:
//! 1. Sinks touch files through [`FileSystem`] and [`File`] only, so that the same code runs on a
//!    file system that fails on purpose (`logboom::testing::FaultFs`).
//! 2. A [`File`] writes behind what is there already, whoever wrote it, in one system call a time:
//!    many processes may share a file. It buffers nothing.
//! 3. A file is closed when its last `Arc` goes, and what it had locked is free then.
//!
//! What it does not do: retry, count, or wait. That is the sinks' part.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What to do with what an existing file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileMode {
    /// Leave it and write behind it: Python's `"a"`.
    #[default]
    Append,
    /// Empty the file once, when it is opened: Python's `"w"`. Writes go to its end all the same.
    Truncate,
    /// Leave it, for reading and for [`File::write_at`]; made where there is none.
    Update,
    /// For reading only; none is made.
    Read,
}

/// Who holds a lock of [`File::try_lock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOwner {
    /// This opened file (`flock`): threads that opened it each for itself keep each other off. A
    /// forked child has the same one, until either unlocks it or both are gone.
    Handle,
    /// The process (`fcntl`): a forked child has none of it. Lost when any thread closes the file.
    Process,
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

    /// The names of what is in a directory, in any order.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let _ = directory;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether another process finds the same files under these paths. Default no.
    fn is_systems(&self) -> bool {
        false
    }
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

    /// Reads some bytes from this place on, and says how many; 0 at the end.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let _ = (at, into);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Writes some of `bytes` to this place of a file opened by [`FileMode::Update`], and says how
    /// many were taken.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let _ = (at, bytes);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Cuts the file off at this length.
    ///
    /// # Errors
    /// The system's.
    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        let _ = len_bytes;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives the file the permissions and the time of modification of another.
    ///
    /// # Errors
    /// The system's.
    fn imitate(&self, like: &Path) -> io::Result<()> {
        let _ = like;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Locks the file against others that ask for the same, if nobody has it. Does not wait.
    ///
    /// # Errors
    /// The system's; not that somebody has it.
    fn try_lock(&self, owner: LockOwner) -> io::Result<bool> {
        let _ = owner;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives the lock back, for whoever holds it with us.
    ///
    /// # Errors
    /// The system's.
    fn unlock(&self, owner: LockOwner) -> io::Result<()> {
        let _ = owner;
        Err(io::ErrorKind::Unsupported.into())
    }
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
    /// When its contents were changed last, where the system tells.
    pub modified: Option<SystemTime>,
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
        Metadata {
            len_bytes: metadata.len(),
            identity,
            is_file: metadata.is_file(),
            modified: metadata.modified().ok(),
        }
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

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn is_systems(&self) -> bool {
        true
    }
}

fn open_std(path: &Path, mode: FileMode) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    match mode {
        FileMode::Append => options.append(true).create(true),
        FileMode::Truncate => return above_standard(open_emptied(path)?),
        FileMode::Update => options.read(true).write(true).create(true),
        FileMode::Read => options.read(true),
    };
    above_standard(options.open(path)?)
}

/// Where a standard stream is closed, a file would come to be in its place, and get what is printed.
#[cfg(unix)]
fn above_standard(file: std::fs::File) -> io::Result<std::fs::File> {
    use std::os::fd::AsRawFd as _;
    match file.as_raw_fd() {
        ..=2 => Ok(rustix::io::fcntl_dupfd_cloexec(&file, 3)?.into()),
        _ => Ok(file),
    }
}

#[cfg(not(unix))]
fn above_standard(file: std::fs::File) -> io::Result<std::fs::File> {
    Ok(file)
}

#[cfg(unix)]
fn open_emptied(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // The standard library refuses append and truncate together, for no reason of the system's.
    let flags = rustix::fs::OFlags::TRUNC.bits() as i32;
    std::fs::OpenOptions::new().append(true).create(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_emptied(path: &Path) -> io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    std::fs::OpenOptions::new().append(true).create(true).open(path)
}

/// Whether a path leads to this file, and it is a regular one.
pub(crate) fn leads_to(path: &Path, file: &dyn File) -> bool {
    let (Ok(there), Ok(here)) = (SystemFs.metadata(path), file.metadata()) else { return false };
    here.is_file && here.identity.is_some() && there.identity == here.identity
}

/// A path with something behind its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
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

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(&self.0, into, at);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(&self.0, into, at);
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::write_at(&self.0, bytes, at);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_write(&self.0, bytes, at);
    }

    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        self.0.set_len(len_bytes)
    }

    fn imitate(&self, like: &Path) -> io::Result<()> {
        let like = std::fs::metadata(like)?;
        self.0.set_permissions(like.permissions())?;
        self.0.set_modified(like.modified()?)
    }

    fn try_lock(&self, owner: LockOwner) -> io::Result<bool> {
        #[cfg(unix)]
        if owner == LockOwner::Process {
            use rustix::fs::{FlockOperation, fcntl_lock};
            use rustix::io::Errno;
            return match fcntl_lock(&self.0, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(true),
                Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
                Err(error) => Err(error.into()),
            };
        }
        let _ = owner;
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(std::fs::TryLockError::WouldBlock) => Ok(false),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn unlock(&self, owner: LockOwner) -> io::Result<()> {
        #[cfg(unix)]
        if owner == LockOwner::Process {
            use rustix::fs::{FlockOperation, fcntl_lock};
            return Ok(fcntl_lock(&self.0, FlockOperation::Unlock)?);
        }
        let _ = owner;
        self.0.unlock()
    }
}

/// Pipes, sockets and terminals answer "invalid argument" to a sync.
pub(crate) fn nothing_to_sync_is_in_sync(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}
