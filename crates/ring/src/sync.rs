//! The primitives that the ring is made of: the standard library's, or loom's in a model check.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

use std::sync::PoisonError;

/// Locks `mutex`, whatever a thread that panicked under it left: no data behind the ring's locks
/// can be half changed, since nothing of a caller runs before they are whole again.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the compiler from moving memory accesses over this point; no instruction.
#[inline]
pub(crate) fn compiler_fence() {
    // Loom runs what the compiler emitted and models no reordering by the compiler.
    #[cfg(not(loom))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
}
