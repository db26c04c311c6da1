//! Records beside the ring: those that are too long for it, and those whose callers must not wait.
//!
//! Invariants:
//! 1. Such a record has its place among the others: it goes as a control, which the writer reaches
//!    when everything submitted before is with the sinks.
//! 2. Its caller waits, so there is at most one for a thread beside the ring, no longer than what the
//!    caller has in memory anyway. Until it is delivered it is in no count; then it is counted as one
//!    that was written, failed or filtered.
//! 3. Where nobody delivers it in the time that the policy gives, it counts as dropped; after a
//!    shutdown as rejected. One that the writer has begun with is waited for.
//!
//! 4. A record whose caller must not wait goes the same way, and nobody waits for it: it counts as
//!    pending until it is delivered. There are at most 1 MiB of those beside a ring; more are dropped
//!    and counted.
//!
//! What it does not do: survive a crash of the process, whatever the ring lies in.
//! Pinned by `tests/records_too_large_for_the_ring_go_beside_it.rs`.

use super::submit::passed;
use super::{Engine, Outcome};
use crate::barrier::{Action, BESIDE_BYTES, Flush, Ticket};
use crate::generation::Generation;
use crate::record::Record;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// While no thread serves the ring, a caller looks this often whether it has to.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A record on its way beside the ring; the caller has to [`wait`](Large::wait) for it. Dropped before
/// that, it is taken back if the writer has not begun with it, as if it had never been submitted.
#[must_use]
pub struct Large<'e> {
    engine: &'e Engine,
    record: &'e Record<'e>,
    state: State,
}

enum State {
    Queued { generation: Arc<Generation>, ticket: Arc<Ticket>, deadline: Option<Instant> },
    Over(Outcome),
}

impl Engine {
    /// Submits a record that is too long for the ring; for callers that were answered
    /// [`Outcome::TooLarge`]. It allocates the record's length, and takes a lock.
    ///
    /// On the writer's own thread, and where the engine is shut down, it is rejected.
    pub fn submit_large<'e>(&'e self, record: &'e Record<'e>) -> Large<'e> {
        let state = self.queue_large(record).unwrap_or_else(|| State::Over(self.reject(record)));
        Large { engine: self, record, state }
    }

    /// As [`Engine::submit`], but never waits: where that would, the record goes beside the ring and is
    /// delivered at its place among the others; it allocates the record's length and takes a lock. With
    /// more than 1 MiB of such records waiting it is dropped and counted.
    ///
    /// For calls that would wait for themselves: a signal handler that runs while its own thread waits
    /// for room.
    pub fn submit_beside(&self, record: &Record<'_>) -> Outcome {
        match self.try_submit(record) {
            Outcome::Full | Outcome::TooLarge => self.put_beside(record),
            outcome => outcome,
        }
    }

    #[cold]
    fn put_beside(&self, record: &Record<'_>) -> Outcome {
        let Some(len) = record.encoded_len() else { return self.reject(record) };
        if len > BESIDE_BYTES {
            return self.reject(record);
        }
        let mut bytes = vec![0; len];
        record.encode(&mut bytes);
        let (bytes, generation): (Arc<[u8]>, _) = (bytes.into(), self.newest());
        if !generation.barrier.push_beside(bytes, || generation.ring.position()) {
            return self.drop_newest(record);
        }
        generation.ring.wake();
        Outcome::Accepted
    }

    fn queue_large(&self, record: &Record<'_>) -> Option<State> {
        if super::is_writer_thread() {
            return None;
        }
        let mut bytes = vec![0; record.encoded_len()?];
        record.encode(&mut bytes);
        let ticket = Arc::new(Ticket::default());
        let action = Action::Deliver(bytes.into());
        let generation = self.push(action, Some(Arc::clone(&ticket))).ok()?;
        self.alive.host.start(&generation);
        let deadline = generation.config.block_timeout.map(|timeout| Instant::now() + timeout);
        Some(State::Queued { generation, ticket, deadline })
    }
}

impl Large<'_> {
    /// Waits until the record is delivered, at most until `limit`; `None` if it is not by then, and
    /// the caller may wait again. Counts whatever becomes of it.
    pub fn wait(&mut self, limit: Option<Instant>) -> Option<Outcome> {
        let (generation, ticket, deadline) = match &self.state {
            State::Over(outcome) => return Some(*outcome),
            State::Queued { generation, ticket, deadline } => (generation, ticket, deadline),
        };
        loop {
            self.engine.drive(generation);
            let look = Instant::now() + LOOK_EVERY;
            let until = [limit, *deadline].into_iter().flatten().fold(look, Instant::min);
            let outcome = match ticket.wait(Some(until)) {
                Some(Flush::Done) => Outcome::Accepted,
                Some(_) => self.engine.reject(self.record),
                None if passed(*deadline) && generation.barrier.withdraw(ticket) => {
                    self.engine.drop_newest(self.record)
                }
                None if passed(limit) => return None,
                None => continue,
            };
            self.state = State::Over(outcome);
            return Some(outcome);
        }
    }
}

impl Drop for Large<'_> {
    fn drop(&mut self) {
        if self.engine.alive.process != std::process::id() {
            // In a forked child: the lock may be held by a thread that is the parent's.
            return;
        }
        if let State::Queued { generation, ticket, .. } = &self.state {
            generation.barrier.withdraw(ticket);
        }
    }
}
