//! The sink into a file that others may move away: `logrotate`, `newsyslog`, an operator.
//!
//! Invariants:
//! 1. Before each batch it looks whether the name still leads to the file that it has open, and
//!    opens what the name leads to if not. Frames are never split between two files.
//! 2. Where it cannot look or open, it goes on with the file it has, and says so with the batch.
//!
//! On systems that do not tell which file it is (not Unix) it notices only that the name is gone.
//!
//! What it does not do: move or remove anything. Pinned by `tests/a_watched_file_is_followed.rs`.

use super::again::SinkPlan;
use super::named::{Follower, Leads, NamedFile, Turns, while_trying};
use super::{Frames, Place, Sink, SinkSpec, Written};
use crate::blueprint::Blueprint;
use crate::fs::{self, FileMode, FileSystem, Metadata, SystemFs};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is followed by its name.
#[derive(Clone, Debug)]
pub struct WatchedFileSinkSpec {
    named: Arc<NamedFile>,
}

impl WatchedFileSinkSpec {
    /// Opens `path` now, on this thread, for appending; makes the file where there is none, but no
    /// directory. A relative path is taken from the working directory of this moment.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: impl AsRef<Path>, fs: impl FileSystem) -> io::Result<WatchedFileSinkSpec> {
        let path = std::path::absolute(path)?;
        let file = fs.open(&path, FileMode::Append)?;
        Ok(WatchedFileSinkSpec { named: NamedFile::new(path, file, Arc::new(fs)) })
    }

    /// A file that somebody else opened for appending, under this absolute path.
    pub fn from_file(path: impl Into<PathBuf>, file: std::fs::File) -> WatchedFileSinkSpec {
        let file = fs::system_file(file);
        WatchedFileSinkSpec { named: NamedFile::new(path.into(), file, Arc::new(SystemFs)) }
    }

    /// How often its sink went on to another file.
    pub fn turns(&self) -> Turns {
        self.named.turns()
    }

    /// Whether this file is the one that is written to now.
    pub fn is_at(&self, file: &Metadata) -> bool {
        self.named.is_at(file)
    }
}

impl SinkSpec for WatchedFileSinkSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(WatchedFileSink { follower: Follower::new(&self.named)? }))
    }

    fn describe(&self) -> String {
        format!("file:{}", self.named.path().display())
    }

    fn blueprint(&self) -> Option<Blueprint> {
        let path = self.named.path().to_owned();
        self.named.is_systems().then(|| SinkPlan::Watched(path).blueprint())?
    }
}

/// Writes batches to whatever file the name of a [`WatchedFileSinkSpec`] leads to.
#[derive(Debug)]
pub struct WatchedFileSink {
    follower: Follower,
}

impl WatchedFileSink {
    fn follow(&mut self) -> io::Result<()> {
        match self.follower.leads() {
            Ok(Leads::Here(_)) => Ok(()),
            Ok(Leads::Elsewhere | Leads::Nowhere) => self
                .follower
                .reopen()
                .map_err(|error| while_trying("written to the file that was moved away", &error)),
            Err(error) => Err(while_trying("could not look where the name leads", &error)),
        }
    }
}

impl Sink for WatchedFileSink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        let mut written = self.follower.flush();
        if written.error.is_some() || batch.ends.is_empty() {
            return written;
        }
        let fault = self.follow().err();
        let given = self.follower.give(batch, 0..batch.ends.len());
        written.frames += given.frames;
        written.kept = given.kept;
        written.error = given.error.or(fault);
        written
    }

    fn flush(&mut self) -> Written {
        self.follower.flush()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.follower.sync()
    }

    fn place(&self) -> Option<Place<'_>> {
        self.follower.place()
    }
}
