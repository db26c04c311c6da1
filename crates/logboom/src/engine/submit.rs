//! Submitting: a record into the ring, or a refusal that is counted; and what callers count of their
//! own.

use crate::engine::Engine;
use crate::engine::host::{Phase, is_writer_thread};
use crate::generation::Generation;
use crate::metrics;
use crate::overflow::Overflow;
use crate::record::{Record, RouteId};
use logboom_ring::{Refusal, Reservation};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What became of a record at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It is in the ring; the writer has it from here on.
    Accepted,
    /// The ring is full and the policy is to block, which [`Engine::try_submit`] does not. Nothing
    /// is counted: submit it again, or it was never there.
    Full,
    /// It is too long for the ring and the policy is to block, which [`Engine::try_submit`] and
    /// [`Engine::submit_until`] leave to [`Engine::submit_large`]. Nothing is counted.
    TooLarge,
    /// The ring was full; the deliveries count as dropped.
    Dropped,
    /// It is too large, or the engine is shut down; the deliveries count as rejected.
    Rejected,
}

/// While no thread serves the ring, a caller that waits for room looks itself this often.
const HELP_EVERY: Duration = Duration::from_millis(10);

/// How long a caller is willing to wait for room.
#[derive(Clone, Copy)]
enum Patience {
    /// Not at all.
    None,
    /// As long as the overflow policy says.
    Policy,
    /// The same, but no call longer than until `limit`.
    Until { since: Instant, limit: Instant },
}

impl Patience {
    /// When the waiting began.
    fn since(self) -> Instant {
        match self {
            Patience::Until { since, .. } => since,
            _ => Instant::now(),
        }
    }

    fn is_over(self) -> bool {
        match self {
            Patience::None => true,
            Patience::Policy => false,
            Patience::Until { limit, .. } => passed(Some(limit)),
        }
    }

    /// The earlier of the policy's deadline and the caller's limit.
    fn bound(self, deadline: Option<Instant>) -> Option<Instant> {
        match self {
            Patience::Until { limit, .. } => Some(deadline.map_or(limit, |d| d.min(limit))),
            _ => deadline,
        }
    }
}

impl Engine {
    /// Submits a record. What happens when the ring is full, [`Config::overflow`] says; only
    /// [`Overflow::Block`] waits, and not on the writer's own thread. A record that is too long for the
    /// ring waits until the writer has delivered it, see [`Engine::submit_large`].
    ///
    /// [`Config::overflow`]: crate::config::Config::overflow
    #[inline]
    pub fn submit(&self, record: &Record<'_>) -> Outcome {
        self.submit_with(record, Patience::Policy)
    }

    /// As [`Engine::submit`], but never waits: where that would, it answers [`Outcome::Full`].
    #[inline(always)]
    pub fn try_submit(&self, record: &Record<'_>) -> Outcome {
        self.submit_with(record, Patience::None)
    }

    /// As [`Engine::submit`], but where it would wait beyond `limit` it answers [`Outcome::Full`].
    /// For callers that have to look after something else in between, and ask again. The
    /// [`block_timeout`] runs from `since`, the first of these calls.
    ///
    /// [`block_timeout`]: crate::config::Config::block_timeout
    pub fn submit_until(&self, record: &Record<'_>, since: Instant, limit: Instant) -> Outcome {
        self.submit_with(record, Patience::Until { since, limit })
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
    fn submit_with(&self, record: &Record<'_>, patience: Patience) -> Outcome {
        let Some(len) = record.encoded_len() else { return self.reject(record) };
        match self.generation.ring.try_reserve(len) {
            Ok(reservation) => self.commit(&self.generation, reservation, record),
            Err(refusal) => self.refused(record, len, refusal, patience),
        }
    }

    #[inline(always)]
    fn commit(
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
    fn start(&self, generation: &Generation) {
        self.alive.host.start(generation);
    }

    #[cold]
    fn refused(
        &self,
        record: &Record<'_>,
        len: usize,
        mut refusal: Refusal,
        patience: Patience,
    ) -> Outcome {
        let mut generation = Arc::clone(&self.generation);
        let deadline = self.newest().config.block_timeout.map(|t| patience.since() + t);
        let mut helped = false;
        loop {
            let retried = match refusal {
                Refusal::TooLarge => return self.too_large(record, patience),
                Refusal::Closed => {
                    let newest = self.settled_newest();
                    if Arc::ptr_eq(&newest, &generation) {
                        return self.reject(record);
                    }
                    generation = newest;
                    generation.ring.try_reserve(len)
                }
                Refusal::Full if !helped && self.help(&generation) => {
                    helped = true;
                    generation.ring.try_reserve(len)
                }
                Refusal::Full | Refusal::TimedOut => {
                    let blocks = generation.config.overflow == Overflow::Block;
                    if !blocks || is_writer_thread() || passed(deadline) {
                        return self.drop_newest(record);
                    }
                    if patience.is_over() {
                        return Outcome::Full;
                    }
                    helped = false;
                    generation.ring.reserve(len, self.wake_at(patience.bound(deadline)))
                }
            };
            match retried {
                Ok(reservation) => return self.commit(&generation, reservation, record),
                Err(again) => refusal = again,
            }
        }
    }

    fn too_large(&self, record: &Record<'_>, patience: Patience) -> Outcome {
        if self.newest().config.overflow != Overflow::Block || is_writer_thread() {
            return self.reject(record);
        }
        match patience {
            Patience::Policy => self.submit_large(record).wait(None).unwrap_or(Outcome::Rejected),
            Patience::None | Patience::Until { .. } => Outcome::TooLarge,
        }
    }

    /// Makes room on this thread if nobody else can. False if the writer is in better hands.
    fn help(&self, generation: &Generation) -> bool {
        let host = &self.alive.host;
        if host.phase() != Phase::Idle || host.start(generation) {
            return false;
        }
        host.run_here();
        true
    }

    /// How long to wait for room before looking again at who makes it.
    fn wake_at(&self, deadline: Option<Instant>) -> Option<Instant> {
        if self.alive.host.phase() == Phase::Thread {
            return deadline;
        }
        let soon = Instant::now() + HELP_EVERY;
        Some(deadline.map_or(soon, |deadline| deadline.min(soon)))
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
        shared.registry.count(record.routes, |counters| counters.count_dropped(record.level));
        metrics::add(&shared.meters.drops, record.routes.len() as u64);
        Outcome::Dropped
    }
}

pub(super) fn passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}
