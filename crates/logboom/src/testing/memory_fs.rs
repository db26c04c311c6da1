//! A file system in memory: names, contents, and how many files are open.

use crate::fs::{File, FileMode, FileSystem, Metadata};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

type Contents = Arc<Mutex<Vec<u8>>>;

/// Files in memory. A clone is the same file system.
#[derive(Clone, Debug, Default)]
pub struct MemoryFs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, Contents>,
    open: Vec<Weak<MemoryFile>>,
}

impl MemoryFs {
    /// What the file of this name holds, or `None` where there is none.
    pub fn contents(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.state().names.get(path.as_ref()).map(|contents| lock(contents).clone())
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
        let contents = state.names.entry(path.to_owned()).or_default().clone();
        if mode == FileMode::Truncate {
            lock(&contents).clear();
        }
        let file = Arc::new(MemoryFile(contents));
        state.open.retain(|file| file.strong_count() > 0);
        state.open.push(Arc::downgrade(&file));
        Ok(file)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.state().names.get(path).map(metadata).ok_or_else(not_found)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let contents = state.names.remove(from).ok_or_else(not_found)?;
        state.names.insert(to.to_owned(), contents);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.state().names.remove(path).map(drop).ok_or_else(not_found)
    }
}

#[derive(Debug)]
struct MemoryFile(Contents);

impl File for MemoryFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Ok(metadata(&self.0))
    }
}

fn metadata(contents: &Contents) -> Metadata {
    Metadata {
        len_bytes: lock(contents).len() as u64,
        // The address tells files apart for as long as one of them is open or has a name.
        identity: Some((0, Arc::as_ptr(contents) as usize as u64)),
        is_file: true,
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
