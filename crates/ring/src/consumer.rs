//! The one that takes frames out of the ring.
//!
//! Invariants:
//! 1. At most one consumer exists for a ring.
//! 2. Frames are only read from where a frame begins, and only released up to where one ends: each
//!    position that a caller gives is checked, at once if it is one of the two it usually is.
//! 3. What is released is zeroed before a producer can reserve it.
//!
//! Why zeroed: a producer moves the head first and writes its frame's word afterwards. In between,
//! the word must read as "nothing here yet", not as the frame of an earlier lap or as some payload.
//! Frames begin anywhere, so all bytes have to be zero. It costs the consumer a few nanoseconds for
//! a record and spares producers a second store that all others would have to wait for.

use crate::layout::{MAX_PAYLOAD_BYTES, State, WORD_BYTES, Word};
use crate::ring::Ring;
use crate::signal::Park;
use crate::sync::Ordering::{Relaxed, Release};
use crate::sync::lock;
use crate::walk::Walk;
use std::cell::Cell;
use std::sync::Arc;

/// The right to take frames out of a ring. Made by [`Ring::consumer`].
///
/// Dropping it gives the right back. After that, [`Ring::position`] equal to [`Ring::released`] says
/// that nothing was left behind; a producer that commits later is told that nobody is there.
pub struct Consumer {
    ring: Arc<Ring>,
    /// The furthest position that was shown: a frame begins there, or will.
    seen: Cell<u64>,
}

/// A committed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'c> {
    /// What the producer wrote.
    pub bytes: &'c [u8],
    /// The position behind it, as the producer's [`Committed::end`](crate::Committed::end).
    pub end: u64,
}

/// Committed frames in ring order. Made by [`Consumer::frames`].
pub struct Frames<'c> {
    walk: Walk<'c>,
    seen: &'c Cell<u64>,
    until: u64,
}

impl Consumer {
    pub(crate) fn new(ring: Arc<Ring>) -> Self {
        let seen = Cell::new(ring.released());
        Consumer { ring, seen }
    }

    /// The ring that it consumes.
    pub fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// The committed frames behind `from`, in ring order, up to the first that is still being
    /// written, or until about `max_bytes` of the ring were gone over; at least one, if there is one.
    ///
    /// `from` is [`Ring::released`], the end of a frame, or [`Frames::position`]. Nothing is taken
    /// out: the same `from` shows the same frames until they are released.
    ///
    /// # Panics
    /// If no frame that is not yet released, and was shown, ends at `from`; and in a ring whose oldest
    /// frames may be dropped, where a [`Front`](crate::Front) shows them.
    pub fn frames(&self, from: u64, max_bytes: usize) -> Frames<'_> {
        assert!(!self.ring.drops_oldest(), "what is shown might be dropped");
        self.check(from);
        let tail = self.ring.released();
        // SAFETY: a frame begins at `from`, as just checked. Only `release` moves the tail, which
        // needs this consumer for itself.
        let walk = unsafe { Walk::new(self.ring.memory(), from, tail) };
        self.show(walk, max_bytes)
    }

    pub(crate) fn show<'c>(&'c self, walk: Walk<'c>, max_bytes: usize) -> Frames<'c> {
        let until = walk.position().saturating_add(max_bytes as u64);
        Frames { walk, seen: &self.seen, until }
    }

    /// Frees everything before `to`, and lets a producer that waits for room have it. `account` runs
    /// under the same lock as [`Ring::hold`], so that counters and ring move as one; it must not panic.
    ///
    /// `to` is as `from` in [`Consumer::frames`]. In a ring whose oldest frames may be dropped it is
    /// where the last [`Front::keep`](crate::Front::keep) ended, or [`Ring::released`] at some time;
    /// what producers have freed meanwhile is passed over.
    ///
    /// # Panics
    /// If no frame that is not yet released, and was shown, ends at `to`.
    pub fn release(&mut self, to: u64, account: impl FnOnce()) {
        if !self.ring.drops_oldest() {
            self.check(to);
        }
        let memory = self.ring.memory();
        let header = &memory.header().consumer;
        let guard = lock(&self.ring.hold);
        let tail = header.tail.load(Relaxed);
        let to = if self.ring.drops_oldest() { self.ring.oldest.checked(to, tail) } else { to };
        // First, so that a reader after a crash does not take half-zeroed frames for whole ones.
        header.consumed.store(to, Release);
        // SAFETY: from the tail to `to` every frame is decided, so no producer accesses it; `&mut
        // self` ends what `frames` and a `Front` showed, and the lock excludes `Held` and whoever
        // drops the oldest.
        unsafe { memory.zero(tail, to) };
        header.tail.store(to, Release);
        account();
        drop(guard);
        self.ring.serve_queue();
    }

    /// Lets the next frame begin at the ring's start, if the ring is empty and more than an eighth of
    /// it was used since it did so last. `false` if there was nothing to do.
    ///
    /// A ring that is emptied now and then so keeps to its first part: the rest of its memory is
    /// never touched, and what is touched stays in the processor's caches. To producers it looks as
    /// if somebody had reserved, and at once released, the ring's whole rest; in between they have
    /// only the part that was used.
    pub fn fold(&mut self) -> bool {
        let memory = self.ring.memory();
        let consumer = &memory.header().consumer;
        // Moved meanwhile, by whoever drops the oldest, it is no longer the head's.
        let tail = consumer.tail.load(Relaxed);
        let offset = memory.offset(tail);
        let left = memory.capacity() - offset;
        // A word cannot say more; a ring so large has its last part to do this in.
        if offset <= memory.capacity() / 8 || left > MAX_PAYLOAD_BYTES {
            return false;
        }
        let end = tail + left as u64;
        let guard = lock(&self.ring.hold);
        // Fails if somebody reserved, or closed the ring.
        let head = &memory.header().producers.head;
        if head.compare_exchange(tail, end, Relaxed, Relaxed).is_err() {
            return false;
        }
        // For a reader after a crash, which starts at `consumed` and may find frames behind this.
        memory.word(tail).store(Word::encode(State::Pad, left - WORD_BYTES), Release);
        consumer.consumed.store(end, Release);
        memory.word(tail).store(0, Relaxed);
        consumer.tail.store(end, Release);
        self.seen.set(end);
        drop(guard);
        self.ring.serve_queue();
        true
    }

    /// Waits as `depth` says. Returns at once if there is something to do already: for
    /// [`Park::Sleep`] a frame at [`Ring::released`], for [`Park::Nap`] a ring that is more than a
    /// quarter full, for both a [`Ring::wake`] or [`Ring::close`] since the last park. May return
    /// early without a reason.
    ///
    /// Frames that were shown but not released count, so sleep only after releasing.
    pub fn park(&mut self, depth: Park) {
        let ring = &self.ring;
        ring.signal().park(depth, || match depth {
            Park::Nap(_) => ring.used_bytes() > ring.capacity_bytes() / 4,
            Park::Sleep => self.has_frames(),
        });
    }

    /// Whether the next frame to release is decided.
    pub fn has_frames(&self) -> bool {
        let _guard = self.ring.drops_oldest().then(|| lock(&self.ring.hold));
        let tail = self.ring.released();
        // SAFETY: a frame begins at the tail, or will; only `release` moves it, and who has the lock.
        unsafe { Walk::new(self.ring.memory(), tail, tail) }.step().is_some()
    }

    /// Whether everything that was reserved is released. On a closed ring it then stays so.
    pub fn is_idle(&self) -> bool {
        self.ring.position() == self.ring.released()
    }

    /// Panics unless a frame that was shown ends at `position`, or it is the tail, which must not move
    /// meanwhile.
    pub(crate) fn check(&self, position: u64) {
        let tail = self.ring.released();
        if position == self.seen.get() || position == tail {
            return;
        }
        // SAFETY: a frame begins at the tail; only `release` moves it, which waits for `&mut self`, and
        // whoever drops the oldest, which a `Front` keeps off.
        let mut walk = unsafe { Walk::new(self.ring.memory(), tail, tail) };
        while walk.position() < position.min(self.seen.get()) && walk.step().is_some() {}
        assert!(walk.position() == position, "no frame that was shown ends at {position}");
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.ring.signal().leave();
    }
}

impl Frames<'_> {
    /// How far this has come: behind the last frame that was shown and the abandoned ones after it.
    /// Everything before it may be released.
    pub fn position(&self) -> u64 {
        self.walk.position()
    }
}

impl<'c> Iterator for Frames<'c> {
    type Item = Frame<'c>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'c>> {
        while self.walk.position() < self.until {
            let step = self.walk.step()?;
            self.seen.set(self.seen.get().max(step.end));
            if let Some(bytes) = step.bytes {
                return Some(Frame { bytes, end: step.end });
            }
        }
        None
    }
}
