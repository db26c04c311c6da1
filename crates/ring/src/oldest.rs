//! Dropping the oldest frames: how producers that find no room take it from the front.
//!
//! Invariants:
//! 1. Only a ring that was told so before it had a consumer lets producers drop
//!    ([`Ring::let_drop_oldest`]); no other pays for it.
//! 2. The consumer of such a ring looks at frames through a [`Front`] only, which keeps everybody else
//!    off, and copies what it wants: it never works on what another thread may drop.
//! 3. What was copied is the consumer's. It stays in the ring until the consumer releases it, so that
//!    a crash leaves it there, or until somebody needs the room, who frees it without dropping it; in a
//!    ring that [keeps](Ring::keep_copied) what was copied, nobody does.
//! 4. Frames are dropped from the front, in ring order, each shown once to whoever counts it, under the
//!    lock of [`Ring::hold`]: a snapshot finds each frame in the ring or in the count.
//! 5. What is not decided is never dropped: where the oldest frame is still being written, there is no
//!    room to be had.
//!
//! The way through: a producer that was refused takes the lock and frees frame by frame until its own
//! fits, so no more is dropped than that takes. The lock is held for a copy of the consumer's, or for
//! the frames that one reservation costs; nobody waits for anything under it.
//!
//! Pinned by the loom models in `tests/loom_oldest.rs`, and by `tests/the_oldest_make_room.rs`.

use crate::consumer::{Consumer, Frames};
use crate::error::Refusal;
use crate::reservation::Reservation;
use crate::ring::Ring;
use crate::sync::Ordering::{Relaxed, Release};
use crate::sync::{AtomicU64, MutexGuard, lock};
use crate::walk::Walk;

/// What a ring knows of it.
#[derive(Default)]
pub(crate) struct Oldest {
    may_drop: bool,
    keeps_copied: bool,
    /// Where the consumer's last copy ended. Changes and is read under the ring's hold.
    copied: AtomicU64,
}

impl Oldest {
    /// Where the first frame begins that is in the ring and not copied.
    pub(crate) fn first_behind(&self, tail: u64) -> u64 {
        self.copied.load(Relaxed).max(tail)
    }

    /// Up to where to release, if the consumer says `to`.
    pub(crate) fn checked(&self, to: u64, tail: u64) -> u64 {
        let copied = self.copied.load(Relaxed);
        assert!(to == copied || to <= tail, "{to} was not copied");
        to.max(tail)
    }
}

impl Ring {
    /// From here on producers may have the oldest frames dropped.
    pub fn let_drop_oldest(&mut self) {
        self.oldest.may_drop = true;
    }

    /// From here on what the consumer has copied stays until it is released, so that it outlives the
    /// process with a ring in a file. A producer that finds the ring full with such a frame at its front
    /// is refused, [`Refusal::Full`].
    pub fn keep_copied(&mut self) {
        self.oldest.keeps_copied = true;
    }

    /// Whether they may.
    pub fn drops_oldest(&self) -> bool {
        self.oldest.may_drop
    }

    /// Reserves a frame of `len` bytes, all zero; where there is no room, drops as many of the oldest
    /// frames as it takes. Each is shown to `dropped` first, which runs under the same lock as
    /// [`Ring::hold`]; it must not panic, wait, or touch the ring. Waits for nobody but whoever has
    /// that lock.
    ///
    /// # Errors
    /// [`Refusal::Full`] where the oldest frame is still being written, and in a ring that does not
    /// [let](Ring::let_drop_oldest) its oldest be dropped. [`Refusal::TooLarge`] or
    /// [`Refusal::Closed`]; what was dropped by then stays so.
    pub fn reserve_over_oldest(
        &self,
        len: usize,
        mut dropped: impl FnMut(&[u8]),
    ) -> Result<Reservation<'_>, Refusal> {
        let guard = self.oldest.may_drop.then(|| lock(&self.hold));
        let start = loop {
            match self.claim(len, false, self.capacity_bytes()) {
                // Producers that wait in line are served by the consumer.
                Err(Refusal::Full)
                    if guard.is_some()
                        && self.queue.waiting() == 0
                        && self.drop_first(&mut dropped) => {}
                outcome => break outcome?,
            }
        };
        drop(guard);
        // SAFETY: the frame at `start` was just claimed.
        Ok(unsafe { Reservation::new(self, start, len) })
    }

    /// Frees the first frame, under the hold. False where it is not decided.
    fn drop_first(&self, dropped: &mut impl FnMut(&[u8])) -> bool {
        let memory = self.memory();
        let header = &memory.header().consumer;
        let tail = header.tail.load(Relaxed);
        // SAFETY: a frame begins at the tail, which moves only under the hold, which our caller has.
        let mut walk = unsafe { Walk::new(memory, tail, tail) };
        let Some(step) = walk.step() else { return false };
        let is_copied = step.end <= self.oldest.copied.load(Relaxed);
        if is_copied && self.oldest.keeps_copied {
            return false;
        }
        if let Some(bytes) = step.bytes.filter(|_| !is_copied) {
            dropped(bytes);
        }
        let to = step.end;
        // As in `Consumer::release`: a reader after a crash must not find it half zeroed.
        header.consumed.store(to, Release);
        // SAFETY: the frame is decided, so no producer accesses it; the consumer and `Held` look at
        // frames under the hold only, and what `step` showed is not used any more.
        unsafe { memory.zero(tail, to) };
        header.tail.store(to, Release);
        true
    }
}

/// The frames that a consumer has not copied yet, while nobody drops any. Made by
/// [`Consumer::front`]; holds the lock of [`Ring::hold`], so live shortly.
pub struct Front<'c> {
    consumer: &'c Consumer,
    _guard: MutexGuard<'c, ()>,
}

impl Consumer {
    /// Keeps everybody off who would drop the oldest frames, to look at them and to copy some.
    pub fn front(&mut self) -> Front<'_> {
        let consumer = &*self;
        Front { consumer, _guard: lock(&consumer.ring().hold) }
    }
}

impl Front<'_> {
    /// Where the first frame begins that is neither released nor copied.
    pub fn position(&self) -> u64 {
        let ring = self.consumer.ring();
        ring.oldest.first_behind(ring.released())
    }

    /// The committed frames from there on, as [`Consumer::frames`] shows them.
    pub fn frames(&self, max_bytes: usize) -> Frames<'_> {
        let ring = self.consumer.ring();
        let (from, tail) = (self.position(), ring.released());
        // SAFETY: a frame begins at the tail, and where a copy ended; neither moves without the lock.
        self.consumer.show(unsafe { Walk::new(ring.memory(), from, tail) }, max_bytes)
    }

    /// Everything before `to` is copied: it is the consumer's, and never dropped. `account` runs
    /// before anybody else looks at the ring; it must not panic.
    ///
    /// # Panics
    /// If no frame that was shown ends at `to`.
    pub fn keep(self, to: u64, account: impl FnOnce()) {
        if to != self.position() {
            self.consumer.check(to);
        }
        self.consumer.ring().oldest.copied.store(to, Relaxed);
        account();
    }
}
