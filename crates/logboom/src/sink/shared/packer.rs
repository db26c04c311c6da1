//! Who compresses: the shipper's thread, started when there is something, ended when there is not.
//!
//! Invariants:
//! 1. A process has at most one such thread, whatever the number of its files. What is wanted lies in
//!    a queue until it comes to it.
//! 2. Nobody waits for the queue's lock, which in a forked child may be held for ever: who finds it
//!    held asks again with the next batch. A child finds that the thread it knows of was its
//!    parent's.
//! 3. A thread that cannot be started, and work that failed, are told with the next batch, and done
//!    after the next rotation.

use super::compress::{Compression, compress_all};
use super::family::Family;
use super::lock::Lock;
use crate::spawn::Spawner;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// The process whose thread is at work; 0: none is.
static AT_WORK: AtomicU32 = AtomicU32::new(0);
static QUEUE: Mutex<VecDeque<Job>> = Mutex::new(VecDeque::new());

/// All of a family that is to be compressed.
#[derive(Clone)]
struct Job {
    how: Compression,
    family: Family,
    patience: Duration,
    failed: Arc<Mutex<Option<io::Error>>>,
}

impl Job {
    fn run(&self) {
        let Job { how, family, patience, failed } = self;
        let mut lock = Lock::new(family.beside(super::LOCK), Arc::clone(&family.fs), *patience);
        let outcome = catch_unwind(AssertUnwindSafe(|| compress_all(family, &mut lock, *how)));
        if let Err(error) = outcome.unwrap_or_else(|_| Err(io::Error::other("panicked"))) {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

/// What a sink knows of the compressing.
pub(super) struct Packer {
    job: Option<Job>,
    spawner: Arc<dyn Spawner>,
    wanted: bool,
}

impl Packer {
    pub(super) fn new(
        how: Option<Compression>,
        family: Family,
        spawner: Arc<dyn Spawner>,
        patience: Duration,
    ) -> Packer {
        let job = how.map(|how| Job { how, family, patience, failed: Arc::default() });
        // Files may have been left by somebody who ended first.
        Packer { wanted: job.is_some(), job, spawner }
    }

    /// There is something to compress.
    pub(super) fn want(&mut self) {
        self.wanted = self.job.is_some();
    }

    /// Has what is wanted done.
    ///
    /// # Errors
    /// What went wrong since the last time.
    pub(super) fn start(&mut self) -> io::Result<()> {
        let Some(job) = &self.job else { return Ok(()) };
        if self.wanted
            && let Some(mut queue) = queue()
        {
            self.wanted = false;
            if !queue.iter().any(|queued| queued.family.path == job.family.path) {
                queue.push_back(job.clone());
            }
            drop(queue);
            if begin()
                && let Err(error) = self.spawner.spawn("logboom-shipper", Box::new(work))
            {
                AT_WORK.store(0, Ordering::SeqCst);
                return Err(error);
            }
        }
        match job.failed.try_lock() {
            Ok(mut failed) => failed.take().map_or(Ok(()), Err),
            Err(_) => Ok(()),
        }
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = self.job.as_ref().map(|job| job.how);
        f.debug_struct("Packer").field("how", &how).field("wanted", &self.wanted).finish()
    }
}

fn queue() -> Option<MutexGuard<'static, VecDeque<Job>>> {
    match QUEUE.try_lock() {
        Ok(queue) => Some(queue),
        Err(TryLockError::Poisoned(queue)) => Some(queue.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Whether it is for the caller to work.
fn begin() -> bool {
    let us = std::process::id();
    let other = AT_WORK.load(Ordering::SeqCst);
    let exchanged = || AT_WORK.compare_exchange(other, us, Ordering::SeqCst, Ordering::SeqCst);
    other != us && exchanged().is_ok()
}

/// Works until there is nothing to do.
fn work() {
    loop {
        while let Some(job) = next() {
            job.run();
        }
        AT_WORK.store(0, Ordering::SeqCst);
        // Who queued something before that relies on us.
        let more = queue().is_some_and(|queue| !queue.is_empty());
        if !more || !begin() {
            return;
        }
    }
}

fn next() -> Option<Job> {
    // Held for a moment only: this process has a thread, so it was not forked meanwhile.
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
