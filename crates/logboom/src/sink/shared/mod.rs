//! The sink into a file that several processes write to, and that one of them at a time rotates.
//!
//! Invariants:
//! 1. A batch is written under a lock that all of them take ([`lock`]), to the file that the name leads
//!    to at that moment, in one write where the system takes it whole. What counts for a rotation is
//!    the real size of that file, so a file stays below `max_bytes` as with one process.
//! 2. Whoever finds the file full moves the files as [`super::RotatingFileSink`] does; the others find
//!    that the name leads to another file, and follow.
//! 3. What a holder of the lock is about to do stands in the lock ([`state`]). If it is killed, the
//!    next one cuts off the line that it left torn, and goes on with the rotation where it was.
//! 4. A frame of which the system took only a part is cut off again, and kept whole for the next time.
//!    Where that cannot be, its rest goes to the file that has its beginning, before anything else.
//! 5. Where the lock cannot be had, frames are written all the same, each batch behind what is there;
//!    nothing is moved or cut off, and the fault is told.
//!
//! What it does not do: repair what a process that takes no lock wrote, or bring back what
//! `copytruncate` cut off. Pinned by `tests/shared_files_*.rs` and `tests/python/test_shared*.py`.

mod compress;
mod family;
mod lock;
mod packer;
mod state;

pub use compress::Compression;
pub use family::{Naming, Retention};

use super::again::SinkPlan;
use super::frames::put_all;
use super::named::{NamedFile, Turns, while_trying};
use super::{Frames, Rotation, Sink, SinkSpec, Written};
use crate::blueprint::Blueprint;
use crate::fs::{self, File, FileMode, FileSystem, Metadata, SystemFs};
use crate::spawn::Spawner;
use family::Family;
use lock::Lock;
use packer::Packer;
use state::State;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What the lock's file has behind the name.
const LOCK: &str = ".lock";
/// How long anybody waits for the lock, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the processes that share a file agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sharing {
    /// When the file makes room, and how many older ones stay.
    pub rotation: Rotation,
    /// Which older files stay besides.
    pub retention: Retention,
    /// What they are called.
    pub naming: Naming,
    /// Whether they are compressed.
    pub compression: Option<Compression>,
}

/// A file, open for appending, that others write to as well.
#[derive(Clone)]
pub struct SharedFileSinkSpec {
    named: Arc<NamedFile>,
    sharing: Sharing,
    spawner: Arc<dyn Spawner>,
    patience: Duration,
}

impl SharedFileSinkSpec {
    /// Opens `path` now, on this thread, for appending; makes the file where there is none, but no
    /// directory. The lock, `path.lock`, is opened with the first batch. `spawner` starts the thread
    /// that compresses, which ends with its work.
    ///
    /// # Errors
    /// The system's.
    pub fn open(
        path: impl AsRef<Path>,
        sharing: Sharing,
        fs: impl FileSystem,
        spawner: Arc<dyn Spawner>,
    ) -> io::Result<SharedFileSinkSpec> {
        let path = std::path::absolute(path)?;
        let file = fs.open(&path, FileMode::Append)?;
        Ok(Self::new(NamedFile::new(path, file, Arc::new(fs)), sharing, spawner))
    }

    /// A file that somebody else opened for appending, under this absolute path.
    pub fn from_file(
        path: impl Into<PathBuf>,
        sharing: Sharing,
        file: std::fs::File,
        spawner: Arc<dyn Spawner>,
    ) -> SharedFileSinkSpec {
        let file = fs::system_file(file);
        Self::new(NamedFile::new(path.into(), file, Arc::new(SystemFs)), sharing, spawner)
    }

    fn new(named: Arc<NamedFile>, sharing: Sharing, spawner: Arc<dyn Spawner>) -> Self {
        SharedFileSinkSpec { named, sharing, spawner, patience: PATIENCE }
    }

    /// How long a batch waits for the lock before it is written without; default 3 s. Longer keeps
    /// the writer of this process waiting for a holder that was stopped, shorter lets files grow
    /// where a disk is slow.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        SharedFileSinkSpec { patience, ..self }
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

/// Rotates a shared file now, on this thread, for a caller who holds its lock: `path.lock`, by
/// `flock`. Does nothing to a file that is not rotated (`backup_count` 0). Sinks find out and follow.
///
/// # Errors
/// The system's.
pub fn rotate_shared(
    path: impl AsRef<Path>,
    sharing: &Sharing,
    fs: impl FileSystem,
) -> io::Result<()> {
    let (path, fs) = (std::path::absolute(path)?, Arc::new(fs) as Arc<dyn FileSystem>);
    let family = Family { fs: Arc::clone(&fs), path, naming: sharing.naming };
    let mut lock = Lock::new(family.beside(LOCK), fs, Duration::ZERO);
    let identity = match family.fs.metadata(&family.path) {
        Ok(metadata) => metadata.identity.unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Default::default(),
        Err(error) => return Err(error),
    };
    let left = lock.state()?.filter(|state| state.identity == identity);
    let resume = left.is_some_and(|state| state.rotating);
    let Rotation { max_bytes, backup_count, .. } = sharing.rotation;
    if backup_count > 0 {
        turn(&family, &mut lock, identity, backup_count, resume)?;
    }
    family.retain(&sharing.retention, max_bytes, SystemTime::now())
}

/// Has the older files of a shared file compressed, by the thread of [`SharedFileSinkSpec::open`], for
/// a caller who moved one: a sink finds out with its next batch only. Does not wait for it.
///
/// # Errors
/// The system's, where the thread cannot be started.
pub fn compress_shared(
    path: impl AsRef<Path>,
    sharing: &Sharing,
    fs: impl FileSystem,
    spawner: Arc<dyn Spawner>,
) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let family = Family { fs: Arc::new(fs), path, naming: sharing.naming };
    Packer::new(sharing.compression, family, spawner, PATIENCE).start()
}

/// Moves the files on and begins a new one; held.
fn turn(
    family: &Family,
    lock: &mut Lock,
    identity: (u64, u64),
    backup_count: u32,
    resume: bool,
) -> io::Result<()> {
    lock.note(&State { identity, rotating: true, batch: None })?;
    family.move_on(backup_count, resume)?;
    if let Err(error) = family.fs.open(&family.path, FileMode::Append) {
        // The name must not stay without a file: others would begin one that we do not write to.
        let _ = family.rename(&family.beside(".1"), &family.path);
        return Err(error);
    }
    Ok(())
}

impl std::fmt::Debug for SharedFileSinkSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SharedFileSinkSpec { named, sharing, .. } = self;
        f.debug_struct("SharedFileSinkSpec")
            .field("named", named)
            .field("sharing", sharing)
            .finish()
    }
}

impl SinkSpec for SharedFileSinkSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        let SharedFileSinkSpec { named, sharing, spawner, patience } = self;
        let (path, fs) = (named.path().to_owned(), Arc::clone(named.fs()));
        let family = Family { fs: Arc::clone(&fs), path, naming: sharing.naming };
        let file = named.current()?;
        Ok(Box::new(SharedFileSink {
            lock: Lock::new(family.beside(LOCK), fs, *patience),
            packer: Packer::new(
                sharing.compression,
                family.clone(),
                Arc::clone(spawner),
                *patience,
            ),
            identity: file.metadata()?.identity,
            file,
            family,
            named: Arc::clone(named),
            sharing: *sharing,
            told: true,
            kept: None,
            resume: false,
            fault: None,
        }))
    }

    fn blueprint(&self) -> Option<Blueprint> {
        let path = self.named.path().to_owned();
        self.named.is_systems().then(|| SinkPlan::Shared(path, self.sharing).blueprint())?
    }

    fn describe(&self) -> String {
        format!("file:{}", self.named.path().display())
    }
}

/// Writes batches to the file of a [`SharedFileSinkSpec`], in turns with other processes.
#[derive(Debug)]
pub struct SharedFileSink {
    named: Arc<NamedFile>,
    sharing: Sharing,
    family: Family,
    lock: Lock,
    packer: Packer,
    file: Arc<dyn File>,
    identity: Option<(u64, u64)>,
    /// Whether the spec knows of `file`.
    told: bool,
    kept: Option<Kept>,
    /// A rotation of this very file was begun, and not finished.
    resume: bool,
    /// What went wrong in this batch, and stopped no frame.
    fault: Option<io::Error>,
}

/// A frame of which only a part was taken.
#[derive(Debug)]
struct Kept {
    frame: Vec<u8>,
    /// How much of it is in the file; 0 once that was cut off again.
    given: usize,
    /// Where that ends, if that is known.
    end: Option<u64>,
}

/// Where frames go.
#[derive(Clone, Copy)]
struct Place {
    /// Where the next byte goes; `None` where we have no lock, or could not tell.
    end: Option<u64>,
    /// Whether files may be moved.
    turns: bool,
}

impl SharedFileSink {
    /// Gives what was kept, then the batch.
    fn give(&mut self, batch: &Frames<'_>, locked: bool) -> Written {
        let mut written = Written::default();
        if let Some(error) = self.give_rest(locked, &mut written) {
            return Written { kept: true, error: Some(error), ..written };
        }
        let mut place = self.enter(locked).unwrap_or_else(|error| {
            self.fault = Some(while_trying("could not follow the name", &error));
            Place { end: self.end().filter(|_| locked), turns: false }
        });
        if let Some(kept) = self.kept.take() {
            let one = Frames { bytes: &kept.frame, ends: &[kept.frame.len()] };
            let given = self.give_part(&one, 0..1, &mut place);
            written.frames += given.frames;
            if given.error.is_some() {
                let kept = self.kept.take().unwrap_or(Kept { given: 0, ..kept });
                self.kept = Some(kept);
                return Written { kept: true, error: given.error, ..written };
            }
        }
        let (mut from, mut exempt) = (0, false);
        loop {
            let due = place
                .end
                .filter(|_| place.turns)
                .and_then(|end| self.sharing.rotation.next_due(batch, from, end, exempt));
            let given = self.give_part(batch, from..due.unwrap_or(batch.ends.len()), &mut place);
            written.frames += given.frames;
            (written.kept, written.error) = (given.kept, given.error);
            let Some(next) = due.filter(|_| written.error.is_none()) else { return written };
            (from, exempt) = (next, true);
            let turned = self.turn().and_then(|()| self.file.metadata());
            match turned {
                Ok(metadata) => place.end = Some(metadata.len_bytes),
                Err(error) => {
                    self.fault = Some(while_trying("could not rotate, the file goes on", &error));
                    place = Place { end: self.end(), turns: false };
                }
            }
        }
    }

    /// Gives some frames of a batch.
    fn give_part(&mut self, batch: &Frames<'_>, which: Range<usize>, place: &mut Place) -> Written {
        if which.is_empty() {
            return Written::default();
        }
        let start = which.start.checked_sub(1).map_or(0, |before| batch.ends[before]);
        let bytes = &batch.bytes[start..batch.ends[which.end - 1]];
        if let (Some(at), Some(identity)) = (place.end, self.identity) {
            // What is made of other lines cannot be mended by looking for their ends.
            let lines = bytes.ends_with(b"\n").then_some(at..at + bytes.len() as u64);
            let noted = self.lock.note(&State { identity, rotating: self.resume, batch: lines });
            if let Err(error) = noted {
                self.fault = Some(while_trying("could not write to the lock", &error));
            }
        }
        let (taken, error) = put_all(bytes, |bytes| self.file.write(bytes));
        place.end = place.end.map(|end| end + taken as u64);
        let ends = &batch.ends[which];
        let whole = ends.partition_point(|end| end - start <= taken);
        let done = whole.checked_sub(1).map_or(0, |last| ends[last] - start);
        let torn = ends.get(whole).filter(|_| taken > done);
        if let Some(end) = torn {
            let frame = bytes[done..end - start].to_vec();
            let end = place.end.or_else(|| self.end());
            self.kept = Some(Kept { frame, given: taken - done, end });
            self.mend(place.end.is_some());
        }
        Written { frames: whole, kept: torn.is_some(), error }
    }

    /// Where the file ends, if the system tells.
    fn end(&self) -> Option<u64> {
        self.file.metadata().ok().map(|metadata| metadata.len_bytes)
    }

    /// Cuts off the beginning of the frame that is kept, which only the lock allows.
    fn mend(&mut self, locked: bool) {
        let Some(kept) = self.kept.as_mut().filter(|kept| kept.given > 0) else { return };
        let Some(end) = kept.end else { return };
        let start = end - kept.given as u64;
        let cut = match self.file.metadata() {
            Ok(now) if now.len_bytes == end => locked && self.file.set_len(start).is_ok(),
            // Somebody was there, and cut it off.
            Ok(_) => true,
            Err(_) => false,
        };
        if cut {
            kept.given = 0;
        }
    }

    /// Gives the rest of a frame whose beginning could not be cut off. Why that failed.
    fn give_rest(&mut self, locked: bool, written: &mut Written) -> Option<io::Error> {
        self.mend(locked);
        let kept = self.kept.as_mut().filter(|kept| kept.given > 0)?;
        let (taken, error) = put_all(&kept.frame[kept.given..], |bytes| self.file.write(bytes));
        kept.given += taken;
        kept.end = kept.end.map(|end| end + taken as u64);
        if kept.given == kept.frame.len() {
            self.kept = None;
            written.frames += 1;
        }
        error
    }

    /// Follows the name, and does under the lock what the one before left undone.
    fn enter(&mut self, locked: bool) -> io::Result<Place> {
        if !self.told {
            self.told = self.named.set_current(&self.file);
        }
        let there = match self.named.metadata() {
            Ok(there) => Some(there).filter(|there| there.identity == self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut here = match there {
            Some(there) => there,
            None => {
                self.go_on()?;
                self.file.metadata()?
            }
        };
        let Rotation { max_bytes, backup_count, .. } = self.sharing.rotation;
        let turns = locked && here.is_file && max_bytes > 0 && backup_count > 0;
        if !locked || !here.is_file {
            return Ok(Place { end: None, turns });
        }
        let about_it = |state: &State| Some(state.identity) == here.identity;
        let state = self.lock.state()?.filter(about_it).unwrap_or_default();
        self.resume = state.rotating;
        if let Some(batch) = state.batch.filter(|batch| batch.contains(&here.len_bytes)) {
            here.len_bytes = self.cut_off_torn(batch.start..here.len_bytes)?;
        }
        Ok(Place { end: Some(here.len_bytes), turns })
    }

    /// Cuts off the line that somebody was killed in, if there is one in these last bytes of the
    /// file; where the file ends.
    fn cut_off_torn(&self, tail: Range<u64>) -> io::Result<u64> {
        let mut bytes = vec![0; (tail.end - tail.start) as usize];
        let file = self.named.fs().open(self.named.path(), FileMode::Read)?;
        let mut read = 0;
        while read < bytes.len() {
            match file.read_at(tail.start + read as u64, &mut bytes[read..])? {
                0 => return Ok(tail.end),
                more => read += more,
            }
        }
        let lines = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
        let end = tail.start + lines as u64;
        if end < tail.end {
            self.file.set_len(end)?;
        }
        Ok(end)
    }

    /// Makes room: moves the files on, begins a new one, and removes what is too much.
    fn turn(&mut self) -> io::Result<()> {
        let Rotation { max_bytes, backup_count, .. } = self.sharing.rotation;
        let identity = self.identity.unwrap_or_default();
        let resume = std::mem::replace(&mut self.resume, true);
        turn(&self.family, &mut self.lock, identity, backup_count, resume)?;
        self.go_on()?;
        self.packer.want();
        let retention = &self.sharing.retention;
        if let Err(error) = self.family.retain(retention, max_bytes, SystemTime::now()) {
            self.fault = Some(while_trying("could not remove old files", &error));
        }
        Ok(())
    }

    /// Has old files compressed, if that is wanted; what went wrong with it since the last time.
    fn packed(&mut self) -> io::Result<()> {
        self.packer.start().map_err(|error| while_trying("could not compress", &error))
    }

    /// Goes on with the file that the name leads to, made where there is none.
    fn go_on(&mut self) -> io::Result<()> {
        let (file, told) = self.named.go_on()?;
        self.identity = file.metadata()?.identity;
        (self.file, self.told, self.resume) = (file, told, false);
        if self.sharing.naming == Naming::Dates {
            self.packer.want();
        }
        Ok(())
    }
}

impl Sink for SharedFileSink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        if batch.ends.is_empty() && self.kept.is_none() {
            let error = self.packed().err();
            return Written { error, ..Written::default() };
        }
        let locked = self.lock.acquire();
        let mut written = self.give(batch, locked.is_ok());
        let unlocked = locked.map(|()| self.lock.release()).err();
        let unlocked =
            unlocked.map(|error| while_trying("could not lock, wrote all the same", &error));
        let fault = self.fault.take().or(unlocked);
        let packed = self.packed();
        written.error = written.error.or(fault).or(packed.err());
        written
    }

    fn flush(&mut self) -> Written {
        self.write(&Frames { bytes: &[], ends: &[] })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}
