//! A frame between its reservation and its commit.

use crate::layout::{State, WORD_BYTES, Word, frame_bytes};
use crate::ring::Ring;
use crate::sync::Ordering::Release;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

/// A frame that is being written: exactly as many bytes as were reserved, zero at first.
///
/// Dropping it without [`Reservation::commit`] abandons the frame; the consumer passes over it. The
/// consumer waits at a frame that is neither, so hold it for as long as it takes to copy. Leaked, it
/// stops the ring for good.
#[must_use = "dropping a reservation abandons its frame"]
pub struct Reservation<'r> {
    ring: &'r Ring,
    start: u64,
    len: usize,
}

/// What a producer learns from its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The position behind the frame. Among all frames it ascends in ring order.
    pub end: u64,
    /// Nobody is there to consume it: somebody should start.
    pub consumer_absent: bool,
}

impl<'r> Reservation<'r> {
    /// # Safety
    /// The frame at `start` with `len` bytes of payload belongs to the caller alone.
    #[inline]
    pub(crate) unsafe fn new(ring: &'r Ring, start: u64, len: usize) -> Self {
        Reservation { ring, start, len }
    }

    /// Hands the frame to the consumer. One store, and a look at whether the consumer sleeps: only
    /// then, or if it naps while the ring is more than a quarter full, a system call.
    #[inline]
    pub fn commit(self) -> Committed {
        let frame = ManuallyDrop::new(self);
        frame.decide(State::Committed)
    }

    #[inline]
    fn decide(&self, state: State) -> Committed {
        let end = self.start + frame_bytes(self.len) as u64;
        self.ring.memory().word(self.start).store(Word::encode(state, self.len), Release);
        Committed { end, consumer_absent: self.ring.announce(end) }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.decide(State::Abandoned);
    }
}

impl Deref for Reservation<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: the frame lies inside the ring and is this reservation's alone.
        unsafe { self.ring.memory().slice(self.start + WORD_BYTES as u64, self.len) }
    }
}

impl DerefMut for Reservation<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: the frame lies inside the ring and is this reservation's alone.
        unsafe { self.ring.memory().slice_mut(self.start + WORD_BYTES as u64, self.len) }
    }
}
