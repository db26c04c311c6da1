//! A file system that fails on purpose, over any other.
//!
//! Invariants:
//! 1. A fault happens instead of the operation, except [`Fault::Short`], which lets a write take
//!    its first bytes and nothing more.
//! 2. Operations are counted from 1, each kind for itself and all together ([`Operation::Any`]), over
//!    all files, failed ones included. So a test can have each one of a run fail in turn, and knows by
//!    [`FaultFs::fired`] when it was through all of them.
//! 3. The first fault that applies is the one that happens; a full disk comes after all of them.
//! 4. After [`FaultFs::kill_at`] it behaves as for a process that was killed at that operation: a
//!    write gets half of its bytes through, anything else nothing, and no later operation does.

use crate::fs::{File, FileMode, FileSystem, LockOwner, Metadata};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// [`FileSystem::open`]
    Open,
    /// [`File::write`]
    Write,
    /// [`File::sync`]
    Sync,
    /// [`FileSystem::metadata`] and [`File::metadata`]
    Metadata,
    /// [`FileSystem::rename`]
    Rename,
    /// [`FileSystem::remove`]
    Remove,
    /// [`FileSystem::list`]
    List,
    /// [`File::imitate`]
    Imitate,
    /// [`File::read_at`]
    ReadAt,
    /// [`File::write_at`]
    WriteAt,
    /// [`File::set_len`]
    SetLen,
    /// [`File::try_lock`] and [`File::unlock`]
    Lock,
    /// Whichever of them.
    Any,
}

/// At which of the operations of its kind a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this one, counted from 1 since the file system was made.
    At(u64),
    /// At each one whose number this divides; 1 is always.
    Every(u64),
    /// At this one and all behind it.
    From(u64),
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails: [`StorageFull`](io::ErrorKind::StorageFull),
    /// [`Interrupted`](io::ErrorKind::Interrupted), [`WouldBlock`](io::ErrorKind::WouldBlock) …
    Error(io::ErrorKind),
    /// The operation fails with an error of the operating system's, by its number: `EIO`, `EMFILE` …
    Os(i32),
    /// A write takes this many bytes at the most. Other operations are not affected.
    Short(usize),
}

/// How many bytes a write may take that the process dies in.
const HALF: usize = usize::MAX / 2;

/// Does what the file system below it does, but for the faults it was given. A clone is the same.
#[derive(Clone, Debug)]
pub struct FaultFs {
    below: Arc<dyn FileSystem>,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    faults: Vec<(Operation, When, Fault)>,
    counts: BTreeMap<Operation, u64>,
    fired: u64,
    room_bytes: Option<usize>,
    /// At which of all operations the process is killed.
    killed_at: Option<u64>,
}

impl Plan {
    /// How many operations there were of all kinds.
    fn total(&self) -> u64 {
        self.counts.get(&Operation::Any).copied().unwrap_or_default()
    }
}

impl FaultFs {
    /// Over `below`, without any fault yet.
    pub fn new(below: impl FileSystem) -> Self {
        FaultFs { below: Arc::new(below), plan: Arc::default() }
    }

    /// Makes `operation` go wrong.
    pub fn inject(&self, operation: Operation, when: When, fault: Fault) {
        self.plan().faults.push((operation, when, fault));
    }

    /// Makes the disk full once this many more bytes are written; `None` means never.
    pub fn set_room_bytes(&self, room_bytes: Option<usize>) {
        self.plan().room_bytes = room_bytes;
    }

    /// Takes all faults back, a full disk among them. What was counted stays counted.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.faults.clear();
        plan.room_bytes = None;
    }

    /// Has the process die at the operation after `n` more, counted over all kinds.
    pub fn kill_at(&self, n: u64) {
        let mut plan = self.plan();
        plan.killed_at = Some(plan.total() + n);
    }

    /// Whether it died.
    pub fn is_killed(&self) -> bool {
        let plan = self.plan();
        plan.killed_at.is_some_and(|at| plan.total() >= at)
    }

    /// How many operations of all kinds there were.
    pub fn total(&self) -> u64 {
        self.plan().total()
    }

    /// How often `operation` was asked for.
    pub fn count(&self, operation: Operation) -> u64 {
        self.plan().counts.get(&operation).copied().unwrap_or(0)
    }

    /// How many faults happened, but for those of a full disk.
    pub fn fired(&self) -> u64 {
        self.plan().fired
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the operation and lets it go on, with how many bytes it may write.
    fn begin(&self, operation: Operation) -> io::Result<usize> {
        let mut plan = self.plan();
        let mut count = |operation| {
            let count = plan.counts.entry(operation).or_default();
            *count += 1;
            *count
        };
        let (of_its_kind, of_all) = (count(operation), count(Operation::Any));
        match plan.killed_at {
            Some(at) if of_all > at => return Err(io::Error::other("killed")),
            Some(at) if of_all == at && operation == Operation::Write => return Ok(HALF),
            Some(at) if of_all == at => return Err(io::Error::other("killed")),
            _ => {}
        }
        let applies = |of, when| {
            let now = match of {
                Operation::Any => of_all,
                of if of == operation => of_its_kind,
                _ => return false,
            };
            match when {
                When::At(n) => n == now,
                When::Every(n) => now.is_multiple_of(n),
                When::From(n) => n <= now,
            }
        };
        let fault = plan.faults.iter().find(|(of, when, _)| applies(*of, *when));
        let fault = fault.map(|(_, _, fault)| *fault);
        plan.fired += u64::from(fault.is_some());
        match fault {
            None => Ok(usize::MAX),
            Some(Fault::Short(bytes)) => Ok(bytes),
            Some(Fault::Error(kind)) => Err(kind.into()),
            Some(Fault::Os(number)) => Err(io::Error::from_raw_os_error(number)),
        }
    }
}

impl FileSystem for FaultFs {
    fn open(&self, path: &Path, mode: FileMode) -> io::Result<Arc<dyn File>> {
        self.begin(Operation::Open)?;
        let below = self.below.open(path, mode)?;
        Ok(Arc::new(FaultFile { below, fs: self.clone() }))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.begin(Operation::Metadata)?;
        self.below.metadata(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin(Operation::Rename)?;
        self.below.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::Remove)?;
        self.below.remove(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.begin(Operation::List)?;
        self.below.list(directory)
    }
}

#[derive(Debug)]
struct FaultFile {
    below: Arc<dyn File>,
    fs: FaultFs,
}

impl File for FaultFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let allowed = match self.fs.begin(Operation::Write)? {
            HALF => bytes.len() / 2,
            allowed => allowed.min(bytes.len()),
        };
        let mut plan = self.fs.plan();
        let Some(room_bytes) = &mut plan.room_bytes else {
            drop(plan);
            return self.below.write(&bytes[..allowed]);
        };
        if *room_bytes == 0 && allowed > 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = self.below.write(&bytes[..allowed.min(*room_bytes)])?;
        *room_bytes -= taken;
        Ok(taken)
    }

    fn sync(&self) -> io::Result<()> {
        self.fs.begin(Operation::Sync)?;
        self.below.sync()
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.fs.begin(Operation::Metadata)?;
        self.below.metadata()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.fs.begin(Operation::ReadAt)?;
        self.below.read_at(at, into)
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        self.fs.begin(Operation::WriteAt)?;
        self.below.write_at(at, bytes)
    }

    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        self.fs.begin(Operation::SetLen)?;
        self.below.set_len(len_bytes)
    }

    fn imitate(&self, like: &Path) -> io::Result<()> {
        self.fs.begin(Operation::Imitate)?;
        self.below.imitate(like)
    }

    fn try_lock(&self, owner: LockOwner) -> io::Result<bool> {
        self.fs.begin(Operation::Lock)?;
        self.below.try_lock(owner)
    }

    fn unlock(&self, owner: LockOwner) -> io::Result<()> {
        self.fs.begin(Operation::Lock)?;
        self.below.unlock(owner)
    }
}
