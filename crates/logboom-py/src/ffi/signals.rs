//! The writer's thread takes no signals.
//!
//! A signal that reaches the process may be handled by any of its threads that does not block it.
//! Python's handler then only notes it, and the main thread, asleep in a system call, would not be
//! woken by a signal that the writer took. So the writer's thread blocks them all but those that
//! tell of a fault of its own.

use logboom::spawn::{Spawner, ThreadSpawner};
use std::io;
use std::thread::JoinHandle;

/// Starts threads that block signals.
#[derive(Debug)]
pub(crate) struct QuietSpawner;

impl Spawner for QuietSpawner {
    fn spawn(&self, name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        // A thread starts with the mask of the one that makes it.
        let _blocked = Blocked::all();
        ThreadSpawner.spawn(name, run)
    }
}

#[cfg(unix)]
struct Blocked(libc::sigset_t);

#[cfg(unix)]
impl Blocked {
    fn all() -> Blocked {
        const FAULTS: [i32; 5] =
            [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];
        // SAFETY: a signal set is plain numbers, and all zero is one.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut old: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: both sets are ours; nothing else is passed.
        unsafe {
            libc::sigfillset(&mut set);
            for fault in FAULTS {
                libc::sigdelset(&mut set, fault);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &set, &mut old);
        }
        Blocked(old)
    }
}

#[cfg(unix)]
impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set is the one this thread had.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

#[cfg(not(unix))]
struct Blocked;

#[cfg(not(unix))]
impl Blocked {
    fn all() -> Blocked {
        Blocked
    }
}
