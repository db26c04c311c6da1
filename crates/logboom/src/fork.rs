//! The gate before everything that changes the engine's set-up, and what keeps a forked child safe.
//!
//! Invariants:
//! 1. Whoever changes the map of routes, the map of interned texts or the line of successors holds
//!    the [`Gate`]. It is held for a moment, never during I/O of a sink, a wait or a user's code.
//! 2. So while somebody holds it, none of those maps' own locks is held for writing. A child whose
//!    parent forked with the gate held reads them all without waiting, even though the threads that
//!    would have released a lock are gone.
//! 3. A child never touches the gate itself, a ring's locks, the writer or the barrier of its
//!    parent.
//!
//! Callers that only read (counting a drop, finding a text) do not pass the gate.

use std::mem::ManuallyDrop;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A lock without data whose guard can be kept anywhere, across the hooks before and after a fork.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    held: Mutex<bool>,
    opened: Condvar,
}

/// The gate, held. Opens when dropped.
#[derive(Debug)]
pub(crate) struct GateGuard(Arc<Gate>);

impl Gate {
    /// Waits for the gate and holds it.
    pub(crate) fn hold(self: &Arc<Self>) -> GateGuard {
        let mut held = self.lock();
        while *held {
            held = self.opened.wait(held).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        *held = true;
        GateGuard(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.held.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl GateGuard {
    fn open(&self) {
        *self.0.lock() = false;
        self.0.opened.notify_one();
    }
}

impl Drop for GateGuard {
    fn drop(&mut self) {
        self.open();
    }
}

/// Keeps every change of the engine off while the process forks; made by
/// [`Engine::lock_for_fork`](crate::engine::Engine::lock_for_fork).
///
/// The parent drops it right after the fork. The child may drop it, to no effect, or forget it,
/// before or after [`Engine::child`](crate::engine::Engine::child).
#[derive(Debug)]
#[must_use = "the engine is kept off only while the guard lives"]
pub struct ForkGuard {
    gate: ManuallyDrop<GateGuard>,
    process: u32,
}

impl ForkGuard {
    pub(crate) fn new(guard: GateGuard) -> Self {
        ForkGuard { gate: ManuallyDrop::new(guard), process: std::process::id() }
    }
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        // In a child the gate's own lock may be held for ever by a thread that did not come along.
        if self.process == std::process::id() {
            self.gate.open();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_gate_lets_one_through_at_a_time() {
        let gate = Arc::new(Gate::default());
        let guard = gate.hold();
        let (through, was_through) = mpsc::channel();
        let second = std::thread::spawn({
            let gate = Arc::clone(&gate);
            move || {
                let _guard = gate.hold();
                through.send(()).unwrap();
            }
        });
        assert!(was_through.try_recv().is_err());
        drop(guard);
        was_through.recv().unwrap();
        second.join().unwrap();
    }

    #[test]
    fn a_child_that_drops_the_guard_touches_nothing() {
        let gate = Arc::new(Gate::default());
        let mut guard = ForkGuard::new(gate.hold());
        guard.process = 0;
        drop(guard);
        assert!(*gate.lock(), "as it was at the fork");
        *gate.lock() = false;
        drop(ForkGuard::new(gate.hold()));
        assert!(!*gate.lock());
    }
}
