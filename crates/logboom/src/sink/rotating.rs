//! The sink into a file that makes room for a new one when it is about to grow too large.
//!
//! Invariants:
//! 1. Before a frame is written that would bring the file to `max_bytes` or beyond, files move as
//!    those of Python's `RotatingFileHandler` do: `name.N-1` to `name.N` and so on down to `name` to
//!    `name.1`, what is there being replaced; then a new `name` is begun. What counts is the end of
//!    the file in bytes, read anew for each batch, plus the frame in *characters* (CPython
//!    `Lib/logging/handlers.py`, `RotatingFileHandler.shouldRollover` adds the length of a `str`).
//! 2. Frames are given whole, in order, each to one file; between two rotations in few large writes.
//!    The rest of a torn frame goes to the file that has its beginning.
//! 3. Where the name leads to another file by now, since another process rotated, the sink follows it
//!    and moves nothing. What is no regular file is never moved.
//! 4. A rotation that fails loses no frame: the sink goes on with the file that is open, says so with
//!    the batch, and tries again in the next one. What was moved by then is not moved twice.
//!
//! What it does not do: keep several processes from rotating at once, as `shared` does. Pinned by
//! `tests/rotation_agrees_with_a_model.rs` and `tests/a_rotation_that_fails_loses_nothing.rs`.

use super::again::SinkPlan;
use super::named::{Follower, Leads, NamedFile, Turns, while_trying};
use super::{Frames, Place, Sink, SinkSpec, Written};
use crate::blueprint::Blueprint;
use crate::fs::{self, FileMode, FileSystem, Metadata, SystemFs, beside};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// When a file makes room, and how many old ones stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rotation {
    /// The size in bytes that a file stays below, unless one frame alone is larger. 0: no rotation.
    pub max_bytes: u64,
    /// How many old files stay, `name.1` being the youngest. 0: no rotation; the sink only looks,
    /// once a batch that is due, whether the name leads to another file by now.
    pub backup_count: u32,
    /// Whether an empty file makes room for a frame that is too large for any. Python did that up to
    /// 3.13.0 (its issue 116263).
    pub rotates_empty: bool,
}

impl Rotation {
    /// Whether this frame asks for a rotation, `end` being where it would go.
    fn is_due(&self, end: u64, frame: &[u8]) -> bool {
        let Rotation { max_bytes, rotates_empty, .. } = *self;
        (end > 0 || rotates_empty)
            && end + frame.len() as u64 >= max_bytes
            && end + characters(frame) >= max_bytes
    }

    /// The first frame behind `from`, or at it unless that is `exempt`, that asks for a rotation.
    pub(super) fn next_due(
        &self,
        batch: &Frames<'_>,
        from: usize,
        end: u64,
        exempt: bool,
    ) -> Option<usize> {
        let mut start = from.checked_sub(1).map_or(0, |before| batch.ends[before]);
        // A frame has no more characters than bytes: mostly all of them fit at a glance.
        if self.max_bytes == 0 || end + ((batch.bytes.len() - start) as u64) < self.max_bytes {
            return None;
        }
        let mut at = end;
        for (index, &frame_end) in batch.ends.iter().enumerate().skip(from) {
            let frame = &batch.bytes[start..frame_end];
            if !(exempt && index == from) && self.is_due(at, frame) {
                return Some(index);
            }
            at += frame.len() as u64;
            start = frame_end;
        }
        None
    }
}

/// A file, open for appending, with its rotation.
#[derive(Clone, Debug)]
pub struct RotatingFileSinkSpec {
    named: Arc<NamedFile>,
    rotation: Rotation,
}

impl RotatingFileSinkSpec {
    /// Opens `path` now, on this thread, for appending; makes the file where there is none, but no
    /// directory. A relative path is taken from the working directory of this moment.
    ///
    /// # Errors
    /// The system's.
    pub fn open(
        path: impl AsRef<Path>,
        rotation: Rotation,
        fs: impl FileSystem,
    ) -> io::Result<RotatingFileSinkSpec> {
        let path = std::path::absolute(path)?;
        let file = fs.open(&path, FileMode::Append)?;
        Ok(RotatingFileSinkSpec { named: NamedFile::new(path, file, Arc::new(fs)), rotation })
    }

    /// A file that somebody else opened for appending, under this absolute path.
    pub fn from_file(
        path: impl Into<PathBuf>,
        rotation: Rotation,
        file: std::fs::File,
    ) -> RotatingFileSinkSpec {
        let file = fs::system_file(file);
        let named = NamedFile::new(path.into(), file, Arc::new(SystemFs));
        RotatingFileSinkSpec { named, rotation }
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

impl SinkSpec for RotatingFileSinkSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        let (follower, rotation) = (Follower::new(&self.named)?, self.rotation);
        Ok(Box::new(RotatingFileSink { follower, rotation, moved: false }))
    }

    fn describe(&self) -> String {
        format!("file:{}", self.named.path().display())
    }

    fn blueprint(&self) -> Option<Blueprint> {
        let path = self.named.path().to_owned();
        self.named.is_systems().then(|| SinkPlan::Rotating(path, self.rotation).blueprint())?
    }
}

/// Writes batches to the file of a [`RotatingFileSinkSpec`], and rotates it.
#[derive(Debug)]
pub struct RotatingFileSink {
    follower: Follower,
    rotation: Rotation,
    /// The files were moved, and the new one could not be opened yet.
    moved: bool,
}

/// What came of a rotation that was due.
enum Turn {
    /// There is another file; the frame goes there whatever its length.
    New,
    /// The name leads to another file, which may have room.
    Followed,
    /// This file stays, for all of the batch.
    Stays,
}

impl RotatingFileSink {
    /// Moves the files on and begins a new one, where that is to be done.
    fn turn(&mut self) -> io::Result<Turn> {
        if !self.moved {
            match self.follower.leads()? {
                Leads::Elsewhere => {
                    self.follower.reopen()?;
                    return Ok(Turn::Followed);
                }
                Leads::Here(metadata) if !metadata.is_file => return Ok(Turn::Stays),
                Leads::Here(_) if self.rotation.backup_count == 0 => return Ok(Turn::Stays),
                Leads::Here(_) | Leads::Nowhere => self.move_on()?,
            }
        }
        self.moved = true;
        self.follower.reopen()?;
        self.moved = false;
        Ok(Turn::New)
    }

    /// Moves each file to the next number; a number that is missing is passed over.
    fn move_on(&self) -> io::Result<()> {
        if self.rotation.backup_count == 0 {
            return Ok(());
        }
        for number in (1..self.rotation.backup_count).rev() {
            self.follower.rename(&self.numbered(number), &self.numbered(number + 1))?;
        }
        self.follower.rename(self.follower.named.path(), &self.numbered(1))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        beside(self.follower.named.path(), &format!(".{number}"))
    }

    /// Where the next byte goes; `None`, and a fault, where the system does not tell.
    fn end(&self, fault: &mut Option<io::Error>) -> Option<u64> {
        let told = self.follower.end();
        told.map_err(|error| fault.insert(while_trying("could not tell the size", &error))).ok()
    }

    /// Gives the frames, rotating before each that asks for it.
    fn give(&mut self, batch: &Frames<'_>) -> Written {
        let (mut written, mut fault) = (Written::default(), None);
        let (mut from, mut exempt, mut followed) = (0, false, None);
        // `None`: nothing is moved any more in this batch.
        let mut end = self.end(&mut fault);
        loop {
            let due = end.and_then(|end| self.rotation.next_due(batch, from, end, exempt));
            let given = self.follower.give(batch, from..due.unwrap_or(batch.ends.len()));
            written.frames += given.frames;
            (written.kept, written.error) = (given.kept, given.error);
            let Some(next) = due.filter(|_| written.error.is_none()) else { break };
            from = next;
            match self.turn() {
                Ok(Turn::New) => (exempt, end) = (true, self.end(&mut fault)),
                Ok(Turn::Followed) => {
                    // Who moves the file all the time cannot keep a frame waiting.
                    exempt = followed.replace(from) == Some(from);
                    end = self.end(&mut fault);
                }
                Ok(Turn::Stays) => end = None,
                Err(error) => {
                    fault = Some(while_trying("could not rotate, the file goes on", &error));
                    end = None;
                }
            }
        }
        written.error = written.error.or(fault);
        written
    }
}

/// How many characters these bytes are; a byte that begins none counts for none.
fn characters(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64
}

impl Sink for RotatingFileSink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        let mut written = self.follower.flush();
        if written.error.is_some() || batch.ends.is_empty() {
            return written;
        }
        let given = self.give(batch);
        written.frames += given.frames;
        (written.kept, written.error) = (given.kept, given.error);
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
