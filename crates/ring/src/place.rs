//! A place in the line of those who wait for room, for a producer that looks after something else in
//! between.
//!
//! Invariants:
//! 1. It is served in its turn, whether its producer waits at that moment or not: its frame's bytes are
//!    in the line, and whoever finds the room writes them.
//! 2. A frame is in the ring or its producer is told that it is not, never both: to give a place up says
//!    which.
//!
//! Pinned by `blocking_is_fair_and_ends.rs` and the loom model `a_place_is_served_in_its_turn_or_given_up`.

use crate::error::Refusal;
use crate::queue::{Seat, Wanted};
use crate::reservation::Reservation;
use crate::ring::Ring;
use std::sync::Arc;
use std::time::Instant;

/// A place in the line. Made by [`Ring::line_up`]; dropping it gives it up.
#[must_use = "dropping a place gives it up"]
pub struct Place {
    ring: Arc<Ring>,
    seat: Arc<Seat>,
}

impl Ring {
    /// Takes a place behind all who wait for room, with the bytes of a frame.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`].
    pub fn line_up(self: &Arc<Self>, frame: Box<[u8]>) -> Result<Place, Refusal> {
        if frame.len() > self.max_frame_bytes() {
            return Err(Refusal::TooLarge);
        }
        let seat = self.queue.join(self, Wanted::Frame(frame));
        Ok(Place { ring: Arc::clone(self), seat })
    }

    /// Writes and commits the frame at `start`, which was claimed for these bytes.
    pub(crate) fn write(&self, start: u64, bytes: &[u8]) {
        // SAFETY: the frame at `start` was just claimed, with the length of `bytes`.
        let mut frame = unsafe { Reservation::new(self, start, bytes.len()) };
        frame.copy_from_slice(bytes);
        frame.commit();
    }
}

impl Place {
    /// Waits until the frame is in the ring, until `deadline`, or for ever without one. May be asked
    /// again after a time-out.
    ///
    /// A thread that holds a [`Reservation`] must not call this, see [`Ring::reserve`].
    ///
    /// # Errors
    /// [`Refusal::TimedOut`]: the place is kept, and may be served from then on. [`Refusal::Closed`].
    pub fn wait(&self, deadline: Option<Instant>) -> Result<(), Refusal> {
        self.ring.queue.wait(&self.seat, deadline).map(drop)
    }

    /// Gives it up. True if the frame was put into the ring meanwhile.
    pub fn leave(self) -> bool {
        self.ring.queue.leave(&self.ring, &self.seat).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.ring.queue.leave(&self.ring, &self.seat);
    }
}
