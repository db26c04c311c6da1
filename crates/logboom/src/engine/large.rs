//! Records that are too long for the ring.
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
//! What it does not do: survive a crash of the process, whatever the ring lies in.
//! Pinned by `tests/records_too_large_for_the_ring_go_beside_it.rs`.

use super::submit::passed;
use super::{Engine, Outcome};
use crate::barrier::{Action, Flush, Ticket};
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
        if let State::Queued { generation, ticket, .. } = &self.state {
            generation.barrier.withdraw(ticket);
        }
    }
}
