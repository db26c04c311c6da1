//! The gate before everything that changes the engine's set-up, and what keeps a forked child safe.
//!
//! Invariants:
//! 1. Whoever changes the map of routes, the map of interned texts or the line of successors holds
//!    the [`Gate`]. It is held for a moment, never during I/O of a sink, a wait or a user's code.
//! 2. So while somebody holds it, none of those maps' own locks is held for writing. A child whose
//!    parent forked with the gate held reads them all without waiting, even though the threads that
//!    would have released a lock are gone.
//! 3. The thread that holds it passes it again: what runs between the hooks before and after a fork may
//!    change the set-up.
//! 4. A child never touches the gate itself, a ring's locks, the writer or the barrier of its
//!    parent.
//!
//! Callers that only read (counting a drop, finding a text) do not pass the gate.

use std::mem::ManuallyDrop;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::ThreadId;

/// A lock without data whose guard can be kept anywhere, across the hooks before and after a fork.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    holder: Mutex<Option<Holder>>,
    opened: Condvar,
}

#[derive(Debug)]
struct Holder {
    thread: ThreadId,
    times: usize,
}

/// The gate, held. Opens when dropped.
#[derive(Debug)]
pub(crate) struct GateGuard(Arc<Gate>);

impl Gate {
    /// Waits for the gate and holds it.
    pub(crate) fn hold(self: &Arc<Self>) -> GateGuard {
        let thread = std::thread::current().id();
        let mut holder = self.lock();
        loop {
            match &mut *holder {
                None => break *holder = Some(Holder { thread, times: 1 }),
                Some(held) if held.thread == thread => break held.times += 1,
                Some(_) => {}
            }
            holder = self.opened.wait(holder).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        drop(holder);
        GateGuard(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Holder>> {
        self.holder.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl GateGuard {
    fn open(&self) {
        let mut holder = self.0.lock();
        if let Some(held) = &mut *holder {
            held.times -= 1;
            if held.times > 0 {
                return;
            }
        }
        *holder = None;
        drop(holder);
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
        assert!(gate.lock().is_some(), "as it was at the fork");
        *gate.lock() = None;
        drop(ForkGuard::new(gate.hold()));
        assert!(gate.lock().is_none());
    }

    #[test]
    fn the_thread_that_holds_it_passes_again() {
        let gate = Arc::new(Gate::default());
        let first = gate.hold();
        drop(gate.hold());
        assert!(gate.lock().is_some(), "still held");
        drop(first);
        assert!(gate.lock().is_none());
    }
}
