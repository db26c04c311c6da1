//! Who runs the writer: its one thread, or a caller where there is none.
//!
//! Invariants:
//! 1. The thread is started at first need, at most once; a start that fails is tried again at most
//!    once a second, and until then callers who need room or an answer run the writer themselves.
//! 2. Whoever runs the writer has taken it out of the slot, so nobody else can.
//! 3. The slot's lock is never held while a sink is called or a user's code runs, but for the
//!    spawner's.
//! 4. A call made on the writer's thread, from a sink or a formatter, never waits for the writer.

use crate::generation::Generation;
use crate::metrics;
use crate::writer::{Ended, Patience, Writer, report, words};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a start that failed is not tried again, and the thread rests after a panic in it.
const RETRY: Duration = Duration::from_secs(1);

thread_local! {
    static RUNS_WRITER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread runs a writer at the moment: the call comes out of a filter, a
/// formatter, a sink or a reporter.
pub fn is_writer_thread() -> bool {
    RUNS_WRITER.try_with(Cell::get).unwrap_or(false)
}

/// Marks the calling thread as the writer's while it lives.
struct Mark(bool);

impl Mark {
    fn new() -> Self {
        Mark(RUNS_WRITER.try_with(|runs| runs.replace(true)).unwrap_or(true))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _ = RUNS_WRITER.try_with(|runs| runs.set(self.0));
    }
}

/// Who has the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody; it lies in the slot.
    Idle,
    /// Its thread.
    Thread,
    /// A caller, for a moment.
    Caller,
    /// Everything is written and closed.
    Finished,
}

struct Slot {
    writer: Option<Writer>,
    phase: Phase,
    thread: Option<JoinHandle<()>>,
    refused_at: Option<Instant>,
}

/// The place where the writer lies and its thread is known.
pub(super) struct Host {
    slot: Mutex<Slot>,
    changed: Condvar,
}

impl Host {
    pub(super) fn new(generation: Arc<Generation>) -> Self {
        let slot = Slot {
            writer: Some(Writer::new(generation)),
            phase: Phase::Idle,
            thread: None,
            refused_at: None,
        };
        Host { slot: Mutex::new(slot), changed: Condvar::new() }
    }

    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Threads that exist for the writer: 0 or 1.
    pub(super) fn threads(&self) -> usize {
        usize::from(self.lock().thread.is_some())
    }

    /// Sees to it that somebody runs the writer. False if the thread cannot be started now, so that
    /// the caller may have to.
    pub(super) fn start(self: &Arc<Self>, generation: &Generation) -> bool {
        let mut slot = self.lock();
        if slot.phase != Phase::Idle {
            return true;
        }
        if slot.refused_at.is_some_and(|at| at.elapsed() < RETRY) {
            return false;
        }
        let config = &generation.config;
        let host = Arc::clone(self);
        let body = Box::new(move || host.run_thread());
        // The body waits for the slot, which is ours until the phase is right.
        let spawned =
            catch_unwind(AssertUnwindSafe(|| config.spawner.spawn(&config.thread_name, body)));
        let error = match spawned {
            Ok(Ok(thread)) => {
                slot.phase = Phase::Thread;
                slot.thread = Some(thread);
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("the spawner panicked: {}", words(&*panic)),
        };
        slot.refused_at = Some(Instant::now());
        drop(slot);
        let meters = &generation.shared.meters;
        // If it is not told now, the next attempt comes.
        if meters.reported.take_turn(config.clock.elapsed(), config.notice_interval, false) {
            report(config, &format!("cannot start thread `{}`: {error}", config.thread_name));
            metrics::add(&meters.reports, 1);
        }
        false
    }

    /// Runs the writer on the calling thread until there is nothing to do, if nobody else does.
    pub(super) fn run_here(self: &Arc<Self>) {
        let mut slot = self.lock();
        if slot.phase != Phase::Idle || is_writer_thread() {
            return;
        }
        let Some(mut writer) = slot.writer.take() else { return };
        slot.phase = Phase::Caller;
        drop(slot);
        let ended = run(&mut writer, Patience::UntilEmpty);
        let generation = Arc::clone(writer.generation());
        self.put_back(writer, ended);
        // A producer that committed in the meantime saw that somebody was there.
        if ended != Some(Ended::Finished) && !generation.is_empty() {
            self.start(&generation);
        }
    }

    /// Waits until everything is written and closed, at most until `deadline`; then ends the
    /// thread. False if the time was up.
    pub(super) fn join(&self, deadline: Option<Instant>) -> bool {
        let mut slot = self.lock();
        while slot.phase != Phase::Finished {
            let Some(deadline) = deadline else {
                slot = self.changed.wait(slot).unwrap_or_else(|p| p.into_inner());
                continue;
            };
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
            slot = self.changed.wait_timeout(slot, left).unwrap_or_else(|p| p.into_inner()).0;
        }
        let thread = slot.thread.take();
        drop(slot);
        // It has nothing left to do but to end. Its body does not panic.
        thread.is_none_or(|thread| thread.join().is_ok())
    }

    fn run_thread(&self) {
        let Some(mut writer) = self.lock().writer.take() else { return };
        loop {
            match run(&mut writer, Patience::UntilClosed) {
                Some(Ended::Finished) => return self.put_back(writer, Some(Ended::Finished)),
                // A defect of ours, told already: rest, so that it is not told without end.
                _ => std::thread::park_timeout(RETRY),
            }
        }
    }

    fn put_back(&self, writer: Writer, ended: Option<Ended>) {
        let finished = ended == Some(Ended::Finished);
        let kept = if finished {
            drop(writer);
            None
        } else {
            Some(writer)
        };
        let mut slot = self.lock();
        slot.writer = kept;
        slot.phase = if finished { Phase::Finished } else { Phase::Idle };
        drop(slot);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Runs the writer as the marked thread; `None` after a panic, which can only be a defect in the
/// engine, since everything of others is fenced.
fn run(writer: &mut Writer, patience: Patience) -> Option<Ended> {
    let _mark = Mark::new();
    match catch_unwind(AssertUnwindSafe(|| writer.run(patience))) {
        Ok(ended) => Some(ended),
        Err(panic) => {
            let config = &writer.generation().config;
            report(config, &format!("the writer panicked: {}", words(&*panic)));
            None
        }
    }
}
