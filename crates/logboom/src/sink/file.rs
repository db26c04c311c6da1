//! The sink into a file.
//!
//! Invariants:
//! 1. The file is opened once, on the caller's thread, by [`FileSinkSpec::open`]. Sinks share it, so
//!    making one cannot block or fail, and a forked child goes on with the same description.
//! 2. A batch is one `write` where the system takes it whole, and nothing is buffered here but the
//!    rest of a torn frame. The file is open for appending, so whole batches of several processes
//!    follow each other.
//! 3. The descriptor is closed when the spec and its last sink are gone.
//!
//! What it does not do: reopen a file that was moved away, or repair a line that was torn when the
//! process ended. Pinned by `tests/sinks_*.rs`.

use super::again::SinkPlan;
use super::{FrameWriter, Frames, Place, Sink, SinkSpec, Written};
use crate::blueprint::Blueprint;
use crate::fs::{self, File, FileSystem, SystemFs};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::fs::FileMode;

/// A file, open for appending.
#[derive(Clone, Debug)]
pub struct FileSinkSpec {
    path: PathBuf,
    file: Arc<dyn File>,
    /// Whether the path leads to the file, on the system's own file system.
    found_by_path: bool,
}

impl FileSinkSpec {
    /// Opens `path` now, on this thread; makes the file where there is none, but no directory. A
    /// relative path is taken from the working directory of this moment.
    ///
    /// # Errors
    /// The system's.
    pub fn open(
        path: impl AsRef<Path>,
        mode: FileMode,
        fs: &dyn FileSystem,
    ) -> io::Result<FileSinkSpec> {
        let path = std::path::absolute(path)?;
        let file = fs.open(&path, mode)?;
        Ok(FileSinkSpec { path, file, found_by_path: fs.is_systems() })
    }

    /// [`open`](Self::open) for appending, on the real file system.
    ///
    /// # Errors
    /// The system's.
    pub fn append(path: impl AsRef<Path>) -> io::Result<FileSinkSpec> {
        Self::open(path, FileMode::Append, &SystemFs)
    }

    /// A file that somebody else opened. `name` is what it is called in messages; what is written
    /// goes where the file's own position and flags say.
    pub fn from_file(name: impl AsRef<Path>, file: std::fs::File) -> FileSinkSpec {
        let (path, file) = (name.as_ref().to_owned(), fs::system_file(file));
        let found_by_path = path.is_absolute() && fs::leads_to(&path, &*file);
        FileSinkSpec { path, file, found_by_path }
    }

    /// The file's absolute path, or the name it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl SinkSpec for FileSinkSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(FileSink { file: Arc::clone(&self.file), frames: FrameWriter::default() }))
    }

    fn describe(&self) -> String {
        format!("file:{}", self.path.display())
    }

    fn blueprint(&self) -> Option<Blueprint> {
        self.found_by_path.then(|| SinkPlan::File(self.path.clone()).blueprint())?
    }
}

/// Writes batches to the file of a [`FileSinkSpec`].
#[derive(Debug)]
pub struct FileSink {
    file: Arc<dyn File>,
    frames: FrameWriter,
}

impl Sink for FileSink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        self.frames.write(batch, |bytes| self.file.write(bytes))
    }

    fn flush(&mut self) -> Written {
        self.frames.flush(|bytes| self.file.write(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn place(&self) -> Option<Place<'_>> {
        Place::of(&*self.file, &self.frames)
    }
}
