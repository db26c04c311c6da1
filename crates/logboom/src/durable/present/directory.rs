//! The directory that rings lie in: who may have one, and what is done in it.
//!
//! Invariants:
//! 1. It is opened once, not through a link, and looked at: it is ours, and nobody else may write to it;
//!    or, as `/tmp` is, it belongs to the system's administrator and everybody can remove only their
//!    own. Everything further goes through that descriptor, whatever becomes of the path.
//! 2. Files are made anew for us alone; a file that is opened to be read is a regular one of ours with
//!    one name, that nobody else may read or write, and is not opened through a link.

use crate::error::{ConfigError, Error};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat, flock, fstat,
    mkdirat, openat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An open directory that rings may lie in.
#[derive(Debug)]
pub(crate) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
    identity: (u64, u64),
    /// Whether other users may have files of theirs in it.
    is_open: bool,
}

/// Where rings lie if nobody says where: a directory of this user alone on a memory file system,
/// `/dev/shm/logboom-UID`, or, where there is no `/dev/shm`, `$XDG_RUNTIME_DIR/logboom`. `None` where
/// there is neither.
pub fn default_directory() -> Option<PathBuf> {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        return Some(shared.join(format!("logboom-{}", rustix::process::geteuid().as_raw())));
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from)?;
    runtime.is_absolute().then(|| runtime.join("logboom"))
}

impl Directory {
    /// Opens it; makes it, for this user alone, where there is none and `make`s says so.
    pub(crate) fn open(path: &Path, make: bool) -> Result<Directory, Error> {
        let refused = |why: String| ConfigError::new("durable", path, why);
        let path = &std::path::absolute(path).map_err(|error| refused(error.to_string()))?;
        if make
            && let Err(error) = mkdirat(CWD, path, Mode::RWXU)
            && error != Errno::EXIST
        {
            return Err(refused(format!("a directory that can be made: {error}")).into());
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = openat(CWD, path, flags, Mode::empty())
            .map_err(|error| refused(format!("a directory, and no link to one: {error}")))?;
        let stat = fstat(&fd).map_err(|error| refused(error.to_string()))?;
        judge(&stat, rustix::process::geteuid().as_raw()).map_err(|why| refused(why.into()))?;
        let identity = (stat.st_dev, stat.st_ino);
        let is_open = is_open(&stat);
        Ok(Directory { fd, path: path.clone(), identity, is_open })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the descriptor still leads to it: the program may have closed it and opened something else.
    pub(crate) fn is_there(&self) -> bool {
        fstat(&self.fd).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == self.identity)
    }

    /// Keeps other recoverers off until [`Directory::unlock`]. False if one was at work all the time.
    pub(crate) fn lock(&self, patience: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + patience;
        loop {
            match flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(true),
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(Errno::WOULDBLOCK) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Lets others in, although a child that was forked meanwhile has the descriptor, too.
    pub(crate) fn unlock(&self) {
        let _ = flock(&self.fd, FlockOperation::Unlock);
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            // Ours are plain text.
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether this is a file of another user, in a directory where they may have some.
    pub(crate) fn is_anothers(&self, name: &str) -> bool {
        let user = rustix::process::geteuid().as_raw();
        let stat = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        self.is_open && stat.is_ok_and(|stat| stat.st_uid != user)
    }

    /// Makes a file for us alone.
    pub(crate) fn make(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.fd, name, flags | OFlags::RDWR, Mode::RUSR | Mode::WUSR)?;
        Ok(file.into())
    }

    /// Opens a file to append to it; makes it for us alone where there is none.
    pub(crate) fn append(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY | OFlags::NOFOLLOW;
        let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)?;
        is_ours_alone(&fstat(&file)?).map_err(io::Error::other)?;
        Ok(file.into())
    }

    /// Opens a file that we made, for reading and to lock it.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        // Without waiting for somebody at the other end of a pipe, should it be one.
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = openat(&self.fd, name, flags, Mode::empty())?;
        is_ours_alone(&fstat(&file)?).map_err(io::Error::other)?;
        Ok(file.into())
    }

    /// Whether the name leads to this file.
    pub(crate) fn leads_to(&self, name: &str, file: &File) -> bool {
        let there = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        match (there, fstat(file.as_fd())) {
            (Ok(there), Ok(here)) => (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino),
            _ => false,
        }
    }

    /// Gives a file another name, which nothing may have.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE)?)
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, AtFlags::empty())?)
    }
}

/// Whether others may make files in it.
fn is_open(stat: &Stat) -> bool {
    Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH)
}

/// Whether rings may lie in a directory like this.
fn judge(stat: &Stat, user: u32) -> Result<(), &'static str> {
    let (mode, is_open) = (Mode::from_raw_mode(stat.st_mode), is_open(stat));
    if stat.st_uid != user && stat.st_uid != 0 {
        return Err("a directory of this user, or of the administrator");
    }
    if is_open && !mode.contains(Mode::SVTX) {
        return Err("a directory that nobody else may write to, or with the sticky bit");
    }
    if stat.st_uid != user && !is_open {
        return Err("a directory that this user may write to");
    }
    Ok(())
}

/// Whether a file can be what we made.
fn is_ours_alone(stat: &Stat) -> Result<(), &'static str> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err("it is no regular file");
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user");
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
        return Err("others may read or write it: expected the permissions 0600");
    }
    if stat.st_nlink != 1 {
        return Err("it has more names than this one");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(mode: u32, user: u32) -> Stat {
        let mut stat = fstat(File::open("/").unwrap()).unwrap();
        (stat.st_mode, stat.st_uid) = (mode, user);
        stat
    }

    #[test]
    fn only_a_directory_that_others_cannot_change_is_good_enough() {
        assert!(judge(&stat(0o40700, 5), 5).is_ok());
        assert!(judge(&stat(0o40755, 5), 5).is_ok());
        assert!(judge(&stat(0o41777, 0), 5).is_ok(), "as /tmp is");
        assert!(judge(&stat(0o41777, 5), 5).is_ok());
        assert!(judge(&stat(0o40777, 5), 5).is_err());
        assert!(judge(&stat(0o40770, 5), 5).is_err());
        assert!(judge(&stat(0o40700, 6), 5).is_err());
        assert!(judge(&stat(0o40777, 0), 5).is_err());
        assert!(judge(&stat(0o40755, 0), 5).is_err(), "it could make nothing there");
    }
}
