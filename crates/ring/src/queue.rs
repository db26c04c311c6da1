//! The line of producers that wait for room.
//!
//! Invariants:
//! 1. Producers that wait are served in the order in which they came.
//! 2. While somebody waits, nobody else is given room that the consumer frees; a newcomer can at most
//!    use up what was known to be free when the line began, less than one capacity.
//! 3. Only the first in line is woken when room is freed: one wake-up a release, whoever waits.
//!
//! Pinned by the loom model `a_blocked_producer_gets_the_room_that_is_released` and the tests of
//! `blocking.rs`.

use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::sync::{AtomicUsize, Condvar, Mutex, MutexGuard, fence, lock};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

pub(crate) struct Queue {
    /// How many wait: the length of `seats`, for those who do not hold the lock.
    waiting: AtomicUsize,
    seats: Mutex<VecDeque<Arc<Condvar>>>,
}

/// A place in the line, and the line's lock.
pub(crate) struct Seat<'q> {
    queue: &'q Queue,
    seats: Option<MutexGuard<'q, VecDeque<Arc<Condvar>>>>,
    condvar: Arc<Condvar>,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Queue { waiting: AtomicUsize::new(0), seats: Mutex::new(VecDeque::new()) }
    }

    /// How many producers wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Takes the last place.
    pub(crate) fn join(&self) -> Seat<'_> {
        let condvar = Arc::new(Condvar::new());
        let mut seats = lock(&self.seats);
        seats.push_back(condvar.clone());
        self.waiting.store(seats.len(), Relaxed);
        // Pairs with the one in `room_freed`: either this producer sees the room, or the consumer
        // sees that somebody waits for it.
        fence(SeqCst);
        Seat { queue: self, seats: Some(seats), condvar }
    }

    /// Called by the consumer after it has freed room.
    pub(crate) fn room_freed(&self) {
        fence(SeqCst);
        if self.waiting.load(Relaxed) > 0
            && let Some(first) = lock(&self.seats).front()
        {
            first.notify_one();
        }
    }

    /// Wakes everybody, to find the ring closed.
    pub(crate) fn closed(&self) {
        lock(&self.seats).iter().for_each(|seat| seat.notify_one());
    }
}

impl Seat<'_> {
    /// Whether nobody is before this producer.
    pub(crate) fn is_first(&self) -> bool {
        let first = self.seats.as_ref().and_then(|seats| seats.front());
        first.is_some_and(|first| Arc::ptr_eq(first, &self.condvar))
    }

    /// Waits until something has changed or the deadline is over.
    pub(crate) fn wait(&mut self, deadline: Option<Instant>) {
        let Some(seats) = self.seats.take() else { return };
        self.seats = Some(match deadline {
            None => self.condvar.wait(seats).unwrap_or_else(|poison| poison.into_inner()),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let waited = self.condvar.wait_timeout(seats, left);
                waited.unwrap_or_else(|poison| poison.into_inner()).0
            }
        });
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Some(mut seats) = self.seats.take() else { return };
        seats.retain(|seat| !Arc::ptr_eq(seat, &self.condvar));
        self.queue.waiting.store(seats.len(), Relaxed);
        // There may be room left for the next one.
        if let Some(next) = seats.front() {
            next.notify_one();
        }
    }
}
