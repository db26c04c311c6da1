//! A file system in memory: names, contents, locks, and how many files are open.

use crate::fs::{File, FileMode, FileSystem, LockOwner, Metadata};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// Counts changes and opened files, so that each has a number of its own.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[derive(Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    /// The number of the last change: its time of modification, in seconds.
    changed: u64,
    /// The opened file that has locked it.
    locked_by: Option<u64>,
}

type Node = Arc<Mutex<Contents>>;

/// Files in memory. A clone is the same file system.
#[derive(Clone, Debug, Default)]
pub struct MemoryFs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, Node>,
    open: Vec<Weak<MemoryFile>>,
}

impl MemoryFs {
    /// What the file of this name holds, or `None` where there is none.
    pub fn contents(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.state().names.get(path.as_ref()).map(|node| lock(node).bytes.clone())
    }

    /// How many files are open.
    pub fn open_files(&self) -> usize {
        self.state().open.iter().filter(|file| file.strong_count() > 0).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl FileSystem for MemoryFs {
    fn open(&self, path: &Path, mode: FileMode) -> io::Result<Arc<dyn File>> {
        let mut state = self.state();
        if mode == FileMode::Read && !state.names.contains_key(path) {
            return Err(not_found());
        }
        let node = state.names.entry(path.to_owned()).or_default().clone();
        if mode == FileMode::Truncate {
            lock(&node).bytes.clear();
        }
        let file = Arc::new(MemoryFile { node, number: next(), fs: self.clone() });
        state.open.retain(|file| file.strong_count() > 0);
        state.open.push(Arc::downgrade(&file));
        Ok(file)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.state().names.get(path).map(metadata).ok_or_else(not_found)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let node = state.names.remove(from).ok_or_else(not_found)?;
        state.names.insert(to.to_owned(), node);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.state().names.remove(path).map(drop).ok_or_else(not_found)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let inside = |path: &&PathBuf| path.parent() == Some(directory);
        let state = self.state();
        Ok(state
            .names
            .keys()
            .filter(inside)
            .filter_map(|path| path.file_name())
            .map(Into::into)
            .collect())
    }
}

#[derive(Debug)]
struct MemoryFile {
    node: Node,
    number: u64,
    fs: MemoryFs,
}

impl MemoryFile {
    fn change(&self) -> MutexGuard<'_, Contents> {
        let mut contents = lock(&self.node);
        contents.changed = next();
        contents
    }
}

impl File for MemoryFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.change().bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Ok(metadata(&self.node))
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let contents = lock(&self.node);
        let from = contents.bytes.get(at as usize..).unwrap_or_default();
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut contents = self.change();
        let (start, end) = (at as usize, at as usize + bytes.len());
        let len = contents.bytes.len().max(end);
        contents.bytes.resize(len, 0);
        contents.bytes[start..end].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        self.change().bytes.resize(len_bytes as usize, 0);
        Ok(())
    }

    fn imitate(&self, like: &Path) -> io::Result<()> {
        let state = self.fs.state();
        let changed = lock(state.names.get(like).ok_or_else(not_found)?).changed;
        lock(&self.node).changed = changed;
        Ok(())
    }

    fn try_lock(&self, _: LockOwner) -> io::Result<bool> {
        let mut contents = lock(&self.node);
        let free = contents.locked_by.is_none_or(|number| number == self.number);
        if free {
            contents.locked_by = Some(self.number);
        }
        Ok(free)
    }

    fn unlock(&self, _: LockOwner) -> io::Result<()> {
        let mut contents = lock(&self.node);
        contents.locked_by = contents.locked_by.filter(|&number| number != self.number);
        Ok(())
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        let _ = self.unlock(LockOwner::Handle);
    }
}

fn metadata(node: &Node) -> Metadata {
    let contents = lock(node);
    Metadata {
        len_bytes: contents.bytes.len() as u64,
        // The address tells files apart for as long as one of them is open or has a name.
        identity: Some((0, Arc::as_ptr(node) as usize as u64)),
        is_file: true,
        modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(contents.changed)),
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
