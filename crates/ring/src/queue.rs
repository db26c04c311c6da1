//! The line of producers that wait for room.
//!
//! Invariants:
//! 1. Producers that wait are served in the order in which they came.
//! 2. While somebody waits, nobody else is given room that the consumer frees; a newcomer can at most
//!    use up what was known to be free when the line began, less than one capacity.
//! 3. Room that is there is given to the whole line at once, by whoever found it: the consumer after
//!    a release, or a producer that joins or leaves.
//! 4. No frame is given to somebody who is not there to write it, for the consumer would stop at it: who
//!    looks after something else meanwhile leaves its frame's bytes in the line, and whoever gives it
//!    room writes them.
//!
//! The third one is what keeps a saturated ring fast. Were the first one only woken to help itself,
//! every producer would find a line before it at each record, join it, and all of them would go from
//! wake-up to wake-up. As it is, the line is empty again before anybody in it has woken up; their
//! frames lie one ring's length ahead of the consumer, so it does not come to wait for them.
//!
//! Pinned by the loom model `a_blocked_producer_gets_the_room_that_is_released` and the tests of
//! `blocking_is_fair_and_ends.rs`.

use crate::error::Refusal;
use crate::ring::Ring;
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::sync::{AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, fence, lock};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

pub(crate) struct Queue {
    /// How many wait: the length of `seats`, for those who do not hold the lock.
    waiting: AtomicUsize,
    seats: Mutex<VecDeque<Arc<Seat>>>,
}

/// A place in the line.
pub(crate) struct Seat {
    wanted: Wanted,
    /// Where the frame begins that this producer was given, or one of the two below. Written under
    /// the line's lock.
    outcome: AtomicU64,
    served: Condvar,
}

/// What a producer waits for.
pub(crate) enum Wanted {
    /// A frame of this length, which it will write itself.
    Room(usize),
    /// That these bytes are in the ring.
    Frame(Box<[u8]>),
}

impl Wanted {
    fn len(&self) -> usize {
        match self {
            Wanted::Room(len) => *len,
            Wanted::Frame(bytes) => bytes.len(),
        }
    }
}

const WAITING: u64 = u64::MAX;
const CLOSED: u64 = u64::MAX - 1;

impl Queue {
    pub(crate) fn new() -> Self {
        Queue { waiting: AtomicUsize::new(0), seats: Mutex::new(VecDeque::new()) }
    }

    /// How many producers wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Takes a place at the end of the line.
    pub(crate) fn join(&self, ring: &Ring, wanted: Wanted) -> Arc<Seat> {
        let outcome = AtomicU64::new(WAITING);
        let seat = Arc::new(Seat { wanted, outcome, served: Condvar::new() });
        let mut seats = lock(&self.seats);
        seats.push_back(Arc::clone(&seat));
        self.waiting.store(seats.len(), Relaxed);
        // Pairs with the one in `serve`: either this thread sees the room, or the consumer sees
        // that somebody waits for it.
        fence(SeqCst);
        self.serve_line(&mut seats, ring);
        drop(seats);
        seat
    }

    /// Waits at a place until it is served, and returns where the frame begins. On a time-out the
    /// place is kept.
    pub(crate) fn wait(&self, seat: &Seat, deadline: Option<Instant>) -> Result<u64, Refusal> {
        let mut seats = lock(&self.seats);
        loop {
            match seat.outcome.load(Relaxed) {
                WAITING => {}
                CLOSED => return Err(Refusal::Closed),
                start => return Ok(start),
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Err(Refusal::TimedOut);
            }
            seats = seat.sit(seats, deadline);
        }
    }

    /// Gives a place up; where a frame was given meanwhile, where that begins.
    pub(crate) fn leave(&self, ring: &Ring, seat: &Arc<Seat>) -> Option<u64> {
        let mut seats = lock(&self.seats);
        match seat.outcome.load(Relaxed) {
            WAITING => {
                seats.retain(|other| !Arc::ptr_eq(other, seat));
                // What this one was too large for may do for the next.
                self.serve_line(&mut seats, ring);
                None
            }
            CLOSED => None,
            start => Some(start),
        }
    }

    /// Gives the line what there is, after room was freed or the ring was closed.
    pub(crate) fn serve(&self, ring: &Ring) {
        fence(SeqCst);
        if self.waiting.load(Relaxed) > 0 {
            self.serve_line(&mut lock(&self.seats), ring);
        }
    }

    fn serve_line(&self, seats: &mut VecDeque<Arc<Seat>>, ring: &Ring) {
        while let Some(first) = seats.front() {
            let outcome = match ring.claim_for_first(first.wanted.len()) {
                Ok(start) => start,
                Err(Refusal::Closed) => CLOSED,
                Err(_) => break,
            };
            if let Wanted::Frame(bytes) = &first.wanted
                && outcome != CLOSED
            {
                ring.write(outcome, bytes);
            }
            first.outcome.store(outcome, Relaxed);
            first.served.notify_one();
            seats.pop_front();
        }
        self.waiting.store(seats.len(), Relaxed);
    }
}

impl Seat {
    /// Gives the line's lock away until something has changed or the deadline is over.
    fn sit<'q>(
        &self,
        seats: MutexGuard<'q, VecDeque<Arc<Seat>>>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'q, VecDeque<Arc<Seat>>> {
        let Some(deadline) = deadline else {
            return self.served.wait(seats).unwrap_or_else(|poison| poison.into_inner());
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.served.wait_timeout(seats, left);
        waited.unwrap_or_else(|poison| poison.into_inner()).0
    }
}
