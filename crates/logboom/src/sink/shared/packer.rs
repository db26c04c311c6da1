//! Who compresses: the shipper's thread, started when there is something, ended when there is not.
//!
//! Invariants:
//! 1. A process has at most one such thread, whatever the number of its files. Whoever finds it at
//!    work asks again with its next batch.
//! 2. No lock: a forked child finds that the thread it knows of was its parent's.
//! 3. A thread that cannot be started, and work that failed, are told with the next batch, and done
//!    after the next rotation.

use super::compress::{Compression, compress_all};
use super::family::Family;
use super::lock::Lock;
use crate::spawn::Spawner;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The process whose thread is at work; 0: none is.
static AT_WORK: AtomicU32 = AtomicU32::new(0);

/// What a sink knows of the compressing.
pub(super) struct Packer {
    how: Option<Compression>,
    family: Family,
    spawner: Arc<dyn Spawner>,
    patience: Duration,
    wanted: bool,
    failed: Arc<Mutex<Option<io::Error>>>,
}

impl Packer {
    pub(super) fn new(
        how: Option<Compression>,
        family: Family,
        spawner: Arc<dyn Spawner>,
        patience: Duration,
    ) -> Packer {
        // Files may have been left by somebody who ended first.
        Packer { how, family, spawner, patience, wanted: how.is_some(), failed: Arc::default() }
    }

    /// There is something to compress.
    pub(super) fn want(&mut self) {
        self.wanted = self.how.is_some();
    }

    /// Starts what is wanted, if nothing else is at work.
    ///
    /// # Errors
    /// What went wrong since the last time.
    pub(super) fn start(&mut self) -> io::Result<()> {
        if self.wanted
            && let Some(how) = self.how
        {
            let us = std::process::id();
            let other = AT_WORK.load(Ordering::Acquire);
            let free = other != us
                && AT_WORK.compare_exchange(other, us, Ordering::AcqRel, Ordering::Acquire).is_ok();
            if free {
                self.wanted = false;
                let body = self.body(how);
                if let Err(error) = self.spawner.spawn("logboom-shipper", body) {
                    AT_WORK.store(0, Ordering::Release);
                    return Err(error);
                }
            }
        }
        match self.failed.try_lock() {
            Ok(mut failed) => failed.take().map_or(Ok(()), Err),
            Err(_) => Ok(()),
        }
    }

    fn body(&self, how: Compression) -> Box<dyn FnOnce() + Send> {
        let (family, failed) = (self.family.clone(), Arc::clone(&self.failed));
        let mut lock = Lock::new(family.beside(super::LOCK), Arc::clone(&family.fs), self.patience);
        Box::new(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| compress_all(&family, &mut lock, how)));
            let outcome = outcome.unwrap_or_else(|_| Err(io::Error::other("panicked")));
            if let Err(error) = outcome {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            // What the lock and the files had open is closed first.
            drop((family, lock));
            AT_WORK.store(0, Ordering::Release);
        })
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").field("how", &self.how).field("wanted", &self.wanted).finish()
    }
}
