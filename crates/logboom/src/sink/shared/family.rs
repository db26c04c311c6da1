//! The files of one name: the one that is written to, and the older ones beside it.
//!
//! Invariants:
//! 1. Names are those of Python's handlers: `name.1` is the youngest of numbered ones, `name.DATE`
//!    has the date at which the file began. A compressed file has the same name and its own ending.
//! 2. Moving goes from the oldest to the youngest, so that at every moment there is at most one number
//!    without a file among those that are to move, and who continues begins there.
//! 3. A file and its compressed copy never move apart: where both are there, the copy is whole, and
//!    the file is removed first ([`Family::tidy`]).
//!
//! All of it under the lock.

use super::compress::{Compression, ENDINGS};
use crate::fs::{FileSystem, beside};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What older files are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Naming {
    /// `name.1` and so on.
    Numbers,
    /// `name.2026-02-03`, up to `name.2026-02-03_04-05-06`. Somebody else moves them.
    Dates,
}

/// Which older files stay, besides their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Retention {
    /// How many bytes all files may take together, the one that is written to counted with the size
    /// that it may grow to.
    pub max_total_bytes: Option<u64>,
    /// How long ago a file may have been written to last.
    pub max_age: Option<Duration>,
}

/// An older file.
#[derive(Clone, Debug)]
pub(super) struct Old {
    /// 0 for one with a date.
    pub(super) number: u32,
    pub(super) path: PathBuf,
    pub(super) compressed: bool,
}

/// The files of one name.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) path: PathBuf,
    pub(super) naming: Naming,
}

impl Family {
    /// A name beside that of the file.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        beside(&self.path, ending)
    }

    /// The older files, the oldest first.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn older(&self) -> io::Result<Vec<Old>> {
        let (Some(directory), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(Vec::new());
        };
        let name = name.as_encoded_bytes();
        let mut found = BTreeMap::new();
        for listed in self.fs.list(directory)? {
            let Some(rest) = listed
                .as_encoded_bytes()
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(b"."))
                .and_then(|rest| std::str::from_utf8(rest).ok())
            else {
                continue;
            };
            let stem = ENDINGS.iter().find_map(|ending| rest.strip_suffix(ending));
            let compressed = stem.is_some();
            let stem = stem.unwrap_or(rest);
            let number = match self.naming {
                Naming::Numbers => match number(stem) {
                    Some(number) => number,
                    None => continue,
                },
                Naming::Dates if is_date(stem) => 0,
                Naming::Dates => continue,
            };
            let path = directory.join(&listed);
            found.insert((u32::MAX - number, listed), Old { number, path, compressed });
        }
        Ok(found.into_values().collect())
    }

    /// Moves each file to the next number, and the file itself to the first. With `resume` files were
    /// on the move already when somebody was killed: those that are behind the first number without a
    /// file stay.
    ///
    /// # Errors
    /// The system's; what was moved by then stays moved.
    pub(super) fn move_on(&self, backups: u32, resume: bool) -> io::Result<()> {
        let older = self.tidy()?;
        let numbers: BTreeSet<u32> = older.iter().map(|old| old.number).collect();
        let free = (1..backups).find(|number| !numbers.contains(number)).filter(|_| resume);
        let last = free.unwrap_or(backups);
        // What the last one is moved onto; the system replaces only what has the very name.
        if last == 1 || numbers.contains(&(last - 1)) {
            self.remove(older.iter().filter(|old| old.number == last))?;
        }
        for old in older.iter().filter(|old| old.number > 0 && old.number < last) {
            let ending = self.ending_of(old);
            self.rename(&old.path, &self.beside(&format!(".{}{ending}", old.number + 1)))?;
        }
        self.rename(&self.path, &self.beside(".1"))
    }

    fn ending_of(&self, old: &Old) -> &'static str {
        let path = old.path.as_os_str().as_encoded_bytes();
        let has = |ending: &&&str| old.compressed && path.ends_with(ending.as_bytes());
        ENDINGS.iter().find(has).copied().unwrap_or_default()
    }

    /// Removes each file of which there is a whole compressed copy, which somebody was killed before.
    /// Gives what is left.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn tidy(&self) -> io::Result<Vec<Old>> {
        let mut older = self.older()?;
        let mut copied = Vec::new();
        for old in older.iter().filter(|old| !old.compressed) {
            for ending in ENDINGS {
                let copy = beside(&old.path, ending);
                if older.iter().any(|other| other.path == copy) && self.is_copy(&old.path, &copy)? {
                    copied.push(old.path.clone());
                }
            }
        }
        for path in copied {
            self.fs.remove(&path)?;
            older.retain(|old| old.path != path);
        }
        Ok(older)
    }

    /// A copy has the time of what it was made of, to the nanosecond.
    fn is_copy(&self, path: &Path, copy: &Path) -> io::Result<bool> {
        let of = |path| self.fs.metadata(path).map(|metadata| metadata.modified);
        let time = of(path)?;
        Ok(time.is_some() && time == of(copy)?)
    }

    /// Removes what is too old or too much, the oldest first.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn retain(
        &self,
        retention: &Retention,
        room_bytes: u64,
        now: SystemTime,
    ) -> io::Result<()> {
        if *retention == Retention::default() {
            return Ok(());
        }
        let mut kept = Vec::new();
        for old in self.older()? {
            let metadata = self.fs.metadata(&old.path)?;
            let age = metadata.modified.and_then(|modified| now.duration_since(modified).ok());
            if retention.max_age.is_some_and(|most| age.is_some_and(|age| age > most)) {
                self.fs.remove(&old.path)?;
            } else {
                kept.push((old, metadata.len_bytes));
            }
        }
        let Some(most) = retention.max_total_bytes else { return Ok(()) };
        let mut total = kept.iter().fold(room_bytes, |sum, (_, len)| sum.saturating_add(*len));
        for (old, len_bytes) in kept {
            if total <= most {
                break;
            }
            self.fs.remove(&old.path)?;
            total -= len_bytes;
        }
        Ok(())
    }

    /// What is to be compressed, the oldest first: a file whose copy's name is not taken.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn uncompressed(&self, how: Compression) -> io::Result<Vec<Old>> {
        let older = self.tidy()?;
        let taken = |old: &Old| {
            let copy = beside(&old.path, how.ending());
            older.iter().any(|other| other.path == copy)
        };
        Ok(older.iter().filter(|old| !old.compressed && !taken(old)).cloned().collect())
    }

    fn remove<'a>(&self, files: impl Iterator<Item = &'a Old>) -> io::Result<()> {
        for old in files {
            self.fs.remove(&old.path)?;
        }
        Ok(())
    }

    /// Nothing to move is no error.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.fs.rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Whether it is a date as Python's handlers write them, to the day or more closely.
fn is_date(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00_00-00-00";
    matches!(text.len(), 10 | 13 | 16 | 19)
        && text
            .bytes()
            .zip(SHAPE)
            .all(|(byte, &shape)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(["1", "10", "4294967295"].map(number), [Some(1), Some(10), Some(u32::MAX)]);
        assert_eq!(["", "0", "01", "+1", "1a", "4294967296"].map(number), [None; 6]);
        assert!(["2026-02-03", "2026-02-03_04", "2026-02-03_04-05-06"].map(is_date) == [true; 3]);
        assert!(["2026-02-3", "2026-02-03_", "2026-02-03x04", ""].map(is_date) == [false; 4]);
    }
}
