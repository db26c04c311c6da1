//! A fence on every processor that runs a thread of this process, by the kernel's `membarrier`.

/// Asks the kernel for the right to [`run`] it; `false` where there is no such thing.
pub(crate) fn register() -> bool {
    imp::register()
}

/// A full fence on every processor that runs a thread of this process. `false` if it was not run.
pub(crate) fn run() -> bool {
    imp::run()
}

#[cfg(all(target_os = "linux", not(loom), not(miri)))]
mod imp {
    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: takes numbers only and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    pub(super) fn register() -> bool {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }

    pub(super) fn run() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
}

#[cfg(not(all(target_os = "linux", not(loom), not(miri))))]
mod imp {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn run() -> bool {
        false
    }
}
