//! Older files, compressed: one at a time, beside the writing.
//!
//! Invariants:
//! 1. At every moment each line is in a file that the family knows. A copy is made under a name of its
//!    own, put onto the device, then given its name, and then the file is removed; the last two under
//!    the family's lock.
//! 2. One process compresses at a time: the one that has the unfinished copy locked. Whoever finds an
//!    unfinished copy that nobody has locked writes over it.
//! 3. Files may move meanwhile: which one it was is known by its identity, and what was written to it
//!    after all makes the copy void.
//!
//! On a thread of its own that ends with the work, see [`super::packer`]. Pinned by
//! `tests/old_files_are_compressed_once.rs`.

use super::family::Family;
use super::lock::Lock;
use crate::fs::{File, FileMode, LockOwner, beside};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// How older files are compressed. Needs the feature `compress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// As by `gzip -6` (RFC 1952): `name.1.gz`.
    Gzip,
    /// As by `zstd -3` (RFC 8878), with a checksum: `name.1.zst`.
    Zstd,
}

/// What compressed files end in, whatever made them.
pub(super) const ENDINGS: [&str; 2] = [".gz", ".zst"];

impl Compression {
    pub(super) fn ending(self) -> &'static str {
        match self {
            Compression::Gzip => ENDINGS[0],
            Compression::Zstd => ENDINGS[1],
        }
    }

    #[cfg(feature = "compress")]
    fn copy(self, from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
        match self {
            Compression::Gzip => {
                let mut packed = flate2::write::GzEncoder::new(to, flate2::Compression::new(6));
                let count = io::copy(from, &mut packed)?;
                packed.finish()?.flush()?;
                Ok(count)
            }
            Compression::Zstd => {
                let mut packed = zstd::Encoder::new(to, 3)?;
                packed.include_checksum(true)?;
                let count = io::copy(from, &mut packed)?;
                packed.finish()?.flush()?;
                Ok(count)
            }
        }
    }

    #[cfg(not(feature = "compress"))]
    fn copy(self, _: &mut impl Read, _: &mut impl Write) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The unfinished copy: `name.compressing`.
pub(super) const UNFINISHED: &str = ".compressing";

/// Compresses everything of a family that is to be, or leaves it to the process that is at it.
///
/// # Errors
/// The system's. What is there then, the next attempt goes on with.
pub(super) fn compress_all(family: &Family, lock: &mut Lock, how: Compression) -> io::Result<()> {
    while let Some(copy) = Copy::begin(family)? {
        let outcome = copy.run(lock, how);
        // A child that was forked meanwhile has the file open, too.
        let _ = copy.file.unlock(LockOwner::Process);
        if !outcome? {
            break;
        }
    }
    Ok(())
}

/// A copy that is being made, locked.
struct Copy<'a> {
    family: &'a Family,
    file: Arc<dyn File>,
}

impl<'a> Copy<'a> {
    /// `None` where somebody else is at it.
    fn begin(family: &'a Family) -> io::Result<Option<Copy<'a>>> {
        let path = family.beside(UNFINISHED);
        let fs = &family.fs;
        let file = fs.open(&path, FileMode::Update)?;
        if !file.try_lock(LockOwner::Process)? {
            return Ok(None);
        }
        // Between the two it may have been finished, and be a file of the family by now.
        let ours = match fs.metadata(&path) {
            Ok(there) => there.identity == file.metadata()?.identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        Ok(ours.then_some(Copy { family, file }))
    }

    /// Compresses one file; false once there is none.
    fn run(&self, lock: &mut Lock, how: Compression) -> io::Result<bool> {
        let Family { fs, .. } = self.family;
        let unfinished = self.family.beside(UNFINISHED);
        let Some(source) = held(lock, || {
            let Some(old) = self.family.uncompressed(how)?.into_iter().next() else {
                fs.remove(&unfinished)?;
                return Ok(None);
            };
            // Before the first byte is in it: it may be for fewer eyes than files usually are.
            self.file.imitate(&old.path)?;
            fs.open(&old.path, FileMode::Read).map(Some)
        })?
        else {
            return Ok(false);
        };
        self.file.set_len(0)?;
        let mut from = io::BufReader::with_capacity(PIECE_BYTES, At::new(&source));
        let mut to = io::BufWriter::with_capacity(PIECE_BYTES, At::new(&self.file));
        let copied = how.copy(&mut from, &mut to)?;
        to.flush()?;
        self.file.sync()?;
        held(lock, || self.finish(&*source, copied, how))?;
        Ok(true)
    }

    /// Puts the copy in the place of what it was made of, wherever that is now.
    fn finish(&self, source: &dyn File, copied: u64, how: Compression) -> io::Result<()> {
        let Family { fs, .. } = self.family;
        let unfinished = self.family.beside(UNFINISHED);
        let source = source.metadata()?;
        for old in self.family.uncompressed(how)? {
            if fs.metadata(&old.path)?.identity != source.identity {
                continue;
            }
            if source.len_bytes != copied {
                break;
            }
            self.file.imitate(&old.path)?;
            fs.rename(&unfinished, &beside(&old.path, how.ending()))?;
            fs.remove(&old.path)?;
            break;
        }
        Ok(())
    }
}

/// Does something under the lock.
fn held<T>(lock: &mut Lock, what: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    lock.acquire()?;
    let outcome = what();
    lock.release();
    outcome
}

const PIECE_BYTES: usize = 64 << 10;

/// A file, read or written from its beginning.
struct At<'a> {
    file: &'a Arc<dyn File>,
    at: u64,
}

impl<'a> At<'a> {
    fn new(file: &'a Arc<dyn File>) -> Self {
        At { file, at: 0 }
    }
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.at, into)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Write for At<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write_at(self.at, bytes)?;
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
