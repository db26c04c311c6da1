//! Who a ring's file belongs to: the process that lives by it, or the one that recovers it.
//!
//! The owner's lock is one of the process (`F_SETLK`): a forked child does not have it, so the file of
//! a dead parent is free although its children live; and closing a descriptor that a child inherited
//! gives nothing up. The recoverer's is one of the open file (`F_OFD_SETLK`): it is refused while the
//! owner's holds, and between two recoverers of one process as between those of two.
//!
//! A program that closes all descriptors, as daemons do, loses the owner's lock. So who finds a file
//! free still has to look whether the process that it names is alive.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as _,
        l_whence: libc::SEEK_SET as _,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn set(file: &File, command: libc::c_int) -> io::Result<bool> {
    let lock = whole_file();
    // SAFETY: the descriptor is open, and the structure lives as long as the call.
    if unsafe { libc::fcntl(file.as_raw_fd(), command, &lock) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => Ok(false),
        _ => Err(error),
    }
}

/// Makes the file this process' own, as long as it lives and closes no descriptor of it. False if
/// another process has it.
///
/// # Errors
/// The system's.
pub fn lock_as_owner(file: &File) -> io::Result<bool> {
    set(file, libc::F_SETLK)
}

/// Takes the file over from an owner that is gone, as long as it is open. False if its owner, or
/// another recoverer, has it.
///
/// Must not be asked for a file of this very process: closing it again would give up its lock.
///
/// # Errors
/// The system's.
pub fn lock_as_recoverer(file: &File) -> io::Result<bool> {
    set(file, libc::F_OFD_SETLK)
}
