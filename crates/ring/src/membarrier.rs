//! A fence on every processor that runs a thread of this process, by the kernel's `membarrier`.

/// Asks the kernel for the right to [`run`] it; `false` where there is no such thing.
pub(crate) fn register() -> bool {
    imp::register()
}

/// Whether [`register`] takes no time: this process has one thread, or did it before.
pub(crate) fn is_at_hand() -> bool {
    imp::is_at_hand()
}

/// A full fence on every processor that runs a thread of this process. `false` if it was not run.
pub(crate) fn run() -> bool {
    imp::run()
}

#[cfg(all(target_os = "linux", not(loom), not(miri)))]
mod imp {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    /// Of this process, and so of its children.
    static REGISTERED: AtomicBool = AtomicBool::new(false);

    pub(super) fn is_at_hand() -> bool {
        REGISTERED.load(Relaxed) || threads() == Some(1)
    }

    /// How many threads this process has (`proc_pid_status(5)`).
    fn threads() -> Option<u32> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        status.lines().find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok())
    }

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: takes numbers only and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    pub(super) fn register() -> bool {
        let registered = membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        REGISTERED.fetch_or(registered, Relaxed);
        registered
    }

    pub(super) fn run() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
}

#[cfg(not(all(target_os = "linux", not(loom), not(miri))))]
mod imp {
    pub(super) fn is_at_hand() -> bool {
        false
    }

    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn run() -> bool {
        false
    }
}
