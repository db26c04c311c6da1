//! Submitting: a record into the ring, or a refusal that is counted; and what callers count of their
//! own. What is done about a full ring is in `room.rs`.

use crate::engine::Engine;
use crate::engine::room::Step;
use crate::generation::Generation;
use crate::metrics;
use crate::record::{Record, RouteId};
use logboom_ring::{Refusal, Reservation};
use std::sync::Arc;
use std::time::Instant;

/// What became of a record at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It is in the ring; the writer has it from here on.
    Accepted,
    /// The ring is full and the policy is to wait, which [`Engine::try_submit`] does not. Nothing
    /// is counted: have it [wait](Engine::wait_for_room), submit it again, or it was never there.
    Full,
    /// It is too long for the ring and the policy is to wait, which [`Engine::try_submit`] and
    /// [`Waiting::wait`](super::Waiting::wait) leave to [`Engine::submit_large`]. Nothing is counted.
    TooLarge,
    /// The ring was full; the deliveries count as dropped. Where the oldest are dropped in its place, a
    /// record is accepted.
    Dropped,
    /// It is too large, or the engine is shut down; the deliveries count as rejected.
    Rejected,
}

impl Engine {
    /// Submits a record. What happens when the ring is full, [`Config::overflow`] says; only
    /// [`Overflow::Block`] waits, and [`Overflow::Sample`] with what is grave, and not on the writer's
    /// own thread. A record that is too long for the
    /// ring waits until the writer has delivered it, see [`Engine::submit_large`].
    ///
    /// [`Config::overflow`]: crate::config::Config::overflow
    /// [`Overflow::Block`]: crate::overflow::Overflow::Block
    /// [`Overflow::Sample`]: crate::overflow::Overflow::Sample
    #[inline]
    pub fn submit(&self, record: &Record<'_>) -> Outcome {
        match self.try_submit(record) {
            Outcome::Full => self.wait(record),
            Outcome::TooLarge => self.deliver(record),
            outcome => outcome,
        }
    }

    /// As [`Engine::submit`], but never waits: where that would, it answers [`Outcome::Full`] or
    /// [`Outcome::TooLarge`].
    #[inline(always)]
    pub fn try_submit(&self, record: &Record<'_>) -> Outcome {
        let Some(len) = record.encoded_len() else { return self.reject(record) };
        match self.generation.ring.try_reserve(len) {
            Ok(reservation) => self.commit(&self.generation, reservation, record),
            Err(refusal) => self.refused(record, len, refusal),
        }
    }

    /// As [`Engine::submit`], but never waits: where that would, the record is dropped and counted; one
    /// that is too long for the ring is rejected. For callers that must not be held up, whatever the
    /// overflow policy says to others.
    pub fn submit_or_drop(&self, record: &Record<'_>) -> Outcome {
        match self.try_submit(record) {
            Outcome::Full => self.drop_newest(record),
            Outcome::TooLarge => self.reject(record),
            outcome => outcome,
        }
    }

    /// Counts a record that never came to be, because what it was made of could not be made text: one
    /// failed delivery for each of `routes`. The caller reports it where that is expected of them; the
    /// engine's reporter is not told, and no flush answers for it.
    ///
    /// What counts as submitted includes it. Takes a lock for reading, and waits for nothing.
    #[cold]
    pub fn count_failed(&self, routes: &[RouteId]) {
        self.generation.shared.registry.count(routes, |counters| counters.count_failed(1));
    }

    #[inline(always)]
    pub(super) fn commit(
        &self,
        generation: &Generation,
        mut reservation: Reservation<'_>,
        record: &Record<'_>,
    ) -> Outcome {
        record.encode(&mut reservation);
        if reservation.commit().consumer_absent {
            self.start(generation);
        }
        Outcome::Accepted
    }

    #[cold]
    pub(super) fn start(&self, generation: &Generation) {
        self.alive.host.start(generation);
    }

    #[cold]
    fn refused(&self, record: &Record<'_>, len: usize, refusal: Refusal) -> Outcome {
        let generation = Arc::clone(&self.generation);
        match self.make_room(generation, record, len, refusal, Instant::now()) {
            Step::Over(outcome) => outcome,
            Step::Wait(_) => Outcome::Full,
        }
    }

    #[cold]
    fn wait(&self, record: &Record<'_>) -> Outcome {
        match self.wait_for_room(record).wait(None) {
            Some(Outcome::TooLarge) => self.deliver(record),
            outcome => outcome.unwrap_or(Outcome::Full),
        }
    }

    #[cold]
    fn deliver(&self, record: &Record<'_>) -> Outcome {
        self.submit_large(record).wait(None).unwrap_or(Outcome::Rejected)
    }

    #[cold]
    pub(super) fn reject(&self, record: &Record<'_>) -> Outcome {
        let shared = &self.generation.shared;
        shared.registry.count(record.routes, |counters| counters.count_rejected(1));
        metrics::add(&shared.meters.rejections, record.routes.len() as u64);
        Outcome::Rejected
    }

    #[cold]
    pub(super) fn drop_newest(&self, record: &Record<'_>) -> Outcome {
        let shared = &self.generation.shared;
        shared
            .registry
            .count(record.routes, |counters| counters.count_dropped(record.level, record.time_ns));
        metrics::add(&shared.meters.drops, record.routes.len() as u64);
        Outcome::Dropped
    }
}

pub(super) fn passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}
