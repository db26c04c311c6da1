//! The lock by which processes that write one file take turns: `flock` on a file beside it.
//!
//! Invariants:
//! 1. The system gives the lock back when its holder ends, however it ends. The file itself is made
//!    at need and never removed; where somebody removed it all the same, the lock is the one that has
//!    the name now.
//! 2. Nobody waits for longer than `patience`, and once somebody did in vain, not at all until the
//!    lock was free again: a holder that was stopped keeps no other process from writing.
//!
//! A child that was forked while its parent held the lock has it open, too: the parent gives it back
//! for both. Only if the parent is killed before, within that one batch, does it stay held until the
//! child ends; the second invariant then keeps everybody writing, without rotation.
//!
//! Waiting is looking again after a nap: the lock is held for the length of one write, and a queue of
//! sleepers would leave it unused for as long as each takes to wake up.

use super::state::{STATE_BYTES, State};
use crate::fs::{File, FileMode, FileSystem, LockOwner};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FIRST_NAP: Duration = Duration::from_micros(20);
const LONGEST_NAP: Duration = Duration::from_micros(500);

type Identity = Option<(u64, u64)>;

/// A lock that others may have opened, too.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    fs: Arc<dyn FileSystem>,
    file: Option<(Arc<dyn File>, Identity)>,
    patience: Duration,
    stuck: bool,
}

impl Lock {
    pub(super) fn new(path: PathBuf, fs: Arc<dyn FileSystem>, patience: Duration) -> Lock {
        Lock { path, fs, file: None, patience, stuck: false }
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// The system's; a time-out.
    pub(super) fn acquire(&mut self) -> io::Result<()> {
        let patience = if self.stuck { Duration::ZERO } else { self.patience };
        let since = Instant::now();
        let mut nap = FIRST_NAP;
        loop {
            let (file, identity) = self.opened()?;
            if file.try_lock(LockOwner::Handle)? {
                match self.fs.metadata(&self.path) {
                    Ok(there) if there.identity == identity => {
                        self.stuck = false;
                        return Ok(());
                    }
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        self.release();
                        return Err(error);
                    }
                    // It was removed since: the lock is another file.
                    _ => self.file = None,
                }
                continue;
            }
            if since.elapsed() >= patience {
                self.stuck = true;
                let text = format!("`{}` is locked", self.path.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            std::thread::sleep(nap);
            nap = (nap * 2).min(LONGEST_NAP);
        }
    }

    /// Gives the lock back.
    pub(super) fn release(&mut self) {
        let unlocked = self.file.as_ref().map(|(file, _)| file.unlock(LockOwner::Handle));
        if unlocked.is_some_and(|outcome| outcome.is_err()) {
            // Closing it does the same.
            self.file = None;
        }
    }

    /// What the last holder left; held.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn state(&mut self) -> io::Result<Option<State>> {
        let (file, _) = self.opened()?;
        let mut bytes = [0; STATE_BYTES];
        let mut read = 0;
        while read < STATE_BYTES {
            match file.read_at(read as u64, &mut bytes[read..]) {
                Ok(0) => return Ok(None),
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(State::from_bytes(&bytes))
    }

    /// Leaves a state for the next holder; held.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn note(&mut self, state: &State) -> io::Result<()> {
        let (file, _) = self.opened()?;
        let bytes = state.to_bytes();
        let mut written = 0;
        while written < STATE_BYTES {
            match file.write_at(written as u64, &bytes[written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn opened(&mut self) -> io::Result<(Arc<dyn File>, Identity)> {
        if self.file.is_none() {
            let file = self.fs.open(&self.path, FileMode::Update)?;
            let identity = file.metadata()?.identity;
            self.file = Some((file, identity));
        }
        self.file.clone().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
