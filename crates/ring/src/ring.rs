//! The ring itself: reserving, and what everybody may ask of it.

use crate::consumer::Consumer;
use crate::error::{Refusal, RingError};
use crate::held::Held;
use crate::layout::{CLOSED, MAX_PAYLOAD_BYTES, State, WORD_BYTES, Word, frame_bytes};
use crate::memory::Memory;
use crate::oldest::Oldest;
use crate::queue::{Queue, Wanted};
use crate::reservation::Reservation;
use crate::signal::{ABSENT, AWAKE, NAPPING, Signal};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::{Mutex, compiler_fence, lock};
use crate::table::Table;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// A bounded ring of bytes for many producers and one consumer. See the [crate's text](crate).
pub struct Ring {
    table: Table,
    max_frame_bytes: usize,
    signal: Signal,
    pub(crate) queue: Queue,
    /// Keeps `release` and [`Held`] apart, and whoever drops the oldest from both.
    pub(crate) hold: Mutex<()>,
    /// How much of the ring [`Ring::try_reserve`] may have.
    shared_bytes: usize,
    /// Whether producers may drop the oldest frames, and what the consumer copied out before.
    pub(crate) oldest: Oldest,
}

impl Ring {
    /// The smallest capacity, 64 KiB.
    #[cfg(not(loom))]
    pub const MIN_CAPACITY_BYTES: usize = 64 << 10;
    /// The smallest capacity; a model check has to fill a ring in a few steps.
    #[cfg(loom)]
    pub const MIN_CAPACITY_BYTES: usize = 64;
    /// The largest capacity, 16 GiB.
    pub const MAX_CAPACITY_BYTES: usize = 16 << 30;

    /// A ring in memory of this process, open and empty.
    ///
    /// `capacity_bytes` is rounded up to a power of two, `table_bytes` to a multiple of 8. Pages
    /// that were never touched cost no memory; after one lap of the ring all of them were.
    ///
    /// # Errors
    /// If `capacity_bytes` is not within [`Ring::MIN_CAPACITY_BYTES`] and
    /// [`Ring::MAX_CAPACITY_BYTES`] or `table_bytes` is more than [`Table::MAX_BYTES`], and if the
    /// system has no address space left.
    pub fn anonymous(capacity_bytes: usize, table_bytes: usize) -> Result<Ring, RingError> {
        let (capacity, table_bytes) = Self::check(capacity_bytes, table_bytes)?;
        Self::with_sizes(capacity, table_bytes)
    }

    /// The sizes, rounded up.
    pub(crate) fn check(
        capacity_bytes: usize,
        table_bytes: usize,
    ) -> Result<(usize, usize), RingError> {
        let (min, max) = (Self::MIN_CAPACITY_BYTES, Self::MAX_CAPACITY_BYTES);
        if !(min..=max).contains(&capacity_bytes) {
            return Err(RingError::bounds("capacity_bytes", capacity_bytes, min, max));
        }
        Ok((capacity_bytes.next_power_of_two(), Table::check(table_bytes)?))
    }

    /// The same with a table as large as `table` that starts as its copy, so that the ids of its
    /// texts stay valid. For a forked child, and for another capacity.
    ///
    /// Takes no lock of the ring that `table` belongs to: a child can call it whatever its parent's
    /// threads were doing. A text that is appended to `table` after this call has no place in the
    /// new ring, and its id will name another text there.
    ///
    /// # Errors
    /// As [`Ring::anonymous`].
    pub fn anonymous_with_table(capacity_bytes: usize, table: &Table) -> Result<Ring, RingError> {
        let mut ring = Self::anonymous(capacity_bytes, table.capacity_bytes())?;
        ring.copy_table(table);
        Ok(ring)
    }

    pub(crate) fn copy_table(&mut self, table: &Table) {
        self.table.copy_from(table);
    }

    pub(crate) fn with_sizes(capacity: usize, table_bytes: usize) -> Result<Ring, RingError> {
        Ok(Self::over(Memory::anonymous(capacity, table_bytes)?))
    }

    pub(crate) fn over(memory: Memory) -> Ring {
        let capacity = memory.capacity();
        Ring {
            table: Table { memory },
            max_frame_bytes: (capacity / 4 - WORD_BYTES).min(MAX_PAYLOAD_BYTES),
            signal: Signal::new(),
            queue: Queue::new(),
            hold: Mutex::new(()),
            shared_bytes: capacity,
            oldest: Oldest::default(),
        }
    }

    /// Keeps the last `bytes` of the ring for [`Ring::try_reserve_all`] and [`Ring::reserve`]: what
    /// asks by [`Ring::try_reserve`] is refused where the ring would be fuller than that. More than
    /// three quarters of the capacity are not kept, so that the longest frame finds room.
    pub fn keep_back(&mut self, bytes: usize) {
        let capacity = self.capacity_bytes();
        self.shared_bytes = capacity - bytes.min(capacity / 4 * 3);
    }

    /// How many bytes the ring holds. Each frame takes its length, a word of 8 bytes and what is
    /// missing to the next multiple of 8; where a frame does not fit before the ring's end, that
    /// rest is lost for one lap.
    pub fn capacity_bytes(&self) -> usize {
        self.memory().capacity()
    }

    /// The longest frame: a quarter of the capacity less its word, at most 1 GiB.
    pub fn max_frame_bytes(&self) -> usize {
        self.max_frame_bytes
    }

    /// Reserves a frame of `len` bytes, all zero. Never blocks, takes no lock, calls no system.
    ///
    /// Producers that wait in [`Ring::reserve`] come first: while there are any, at most the room
    /// that was known to be free before they came is given to others, less than one capacity.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::TooLarge`] or [`Refusal::Closed`].
    #[inline]
    pub fn try_reserve(&self, len: usize) -> Result<Reservation<'_>, Refusal> {
        let start = match self.claim_at_once(len) {
            Some(start) => start,
            None => self.claim(len, false, self.shared_bytes)?,
        };
        // SAFETY: the frame at `start` was just claimed.
        Ok(unsafe { Reservation::new(self, start, len) })
    }

    /// The same, also out of what the ring [keeps back](Ring::keep_back).
    ///
    /// # Errors
    /// As [`Ring::try_reserve`].
    pub fn try_reserve_all(&self, len: usize) -> Result<Reservation<'_>, Refusal> {
        let start = self.claim(len, false, self.capacity_bytes())?;
        // SAFETY: the frame at `start` was just claimed.
        Ok(unsafe { Reservation::new(self, start, len) })
    }

    /// Reserves a frame of `len` bytes, all zero, and blocks the calling thread while the ring is
    /// full, until `deadline`, or for ever without one. Whoever came first is served first.
    ///
    /// A thread that holds a [`Reservation`] must not call this: the consumer cannot pass a frame
    /// that is neither committed nor dropped, so it might wait for itself.
    ///
    /// # Errors
    /// [`Refusal::TimedOut`], [`Refusal::TooLarge`] or [`Refusal::Closed`]; also if the ring is
    /// closed while it waits.
    #[inline]
    pub fn reserve(
        &self,
        len: usize,
        deadline: Option<Instant>,
    ) -> Result<Reservation<'_>, Refusal> {
        let start = match self.claim_at_once(len) {
            Some(start) => start,
            None => self.claim_in_line(len, deadline)?,
        };
        // SAFETY: the frame at `start` was just claimed.
        Ok(unsafe { Reservation::new(self, start, len) })
    }

    /// Claims a frame of `len` bytes for the caller alone and returns where it begins, if that takes
    /// no more than one exchange: the usual path, small enough to be inlined.
    #[inline]
    fn claim_at_once(&self, len: usize) -> Option<u64> {
        if len > self.max_frame_bytes {
            return None;
        }
        let producers = &self.memory().header().producers;
        // In this order: no tail is ahead of a head that is read after it.
        let tail = producers.cached_tail.load(Acquire);
        let head = producers.head.load(Relaxed);
        let size = frame_bytes(len);
        let end = head + size as u64;
        // The bit that closes the ring puts the head far beyond any capacity.
        if end - tail > self.shared_bytes as u64
            || self.memory().offset(head) + size > self.capacity_bytes()
        {
            return None;
        }
        producers.head.compare_exchange(head, end, Relaxed, Relaxed).ok()?;
        self.mark(head, len);
        Some(head)
    }

    /// Claims a frame for the caller, or for the first in line, if the ring then holds no more than
    /// `limit_bytes`.
    #[cold]
    pub(crate) fn claim(
        &self,
        len: usize,
        first_in_line: bool,
        limit_bytes: usize,
    ) -> Result<u64, Refusal> {
        if len > self.max_frame_bytes {
            return Err(Refusal::TooLarge);
        }
        let producers = &self.memory().header().producers;
        let size = frame_bytes(len);
        let mut tail = producers.cached_tail.load(Acquire);
        loop {
            let head = producers.head.load(Relaxed);
            if head & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            // A frame does not wrap: it begins with the next lap where it does not fit.
            let left = self.capacity_bytes() - self.memory().offset(head);
            let pad = if left < size { left } else { 0 };
            let start = head + pad as u64;
            let end = start + size as u64;
            if end - tail > limit_bytes as u64 {
                tail = self.newer_tail(tail, first_in_line)?;
            } else if producers.head.compare_exchange(head, end, Relaxed, Relaxed).is_ok() {
                if pad > 0 {
                    let word = Word::encode(State::Pad, pad - WORD_BYTES);
                    self.memory().word(head).store(word, Release);
                }
                self.mark(start, len);
                return Ok(start);
            }
        }
    }

    #[cold]
    fn claim_in_line(&self, len: usize, deadline: Option<Instant>) -> Result<u64, Refusal> {
        match self.claim(len, false, self.capacity_bytes()) {
            Err(Refusal::Full) => {
                let seat = self.queue.join(self, Wanted::Room(len));
                match self.queue.wait(&seat, deadline) {
                    // It may have been served in the last moment.
                    Err(refusal) => self.queue.leave(self, &seat).ok_or(refusal),
                    served => served,
                }
            }
            other => other,
        }
    }

    /// Claims a frame for the first in line.
    pub(crate) fn claim_for_first(&self, len: usize) -> Result<u64, Refusal> {
        self.claim(len, true, self.capacity_bytes())
    }

    /// Says how long the frame at `start` will be. Nobody in this process needs that before it is
    /// committed. A reader after a crash does: it tells how far to skip. So nothing of the payload
    /// may be written before it.
    #[inline]
    fn mark(&self, start: u64, len: usize) {
        self.memory().word(start).store(Word::encode(State::Reserved, len), Relaxed);
        compiler_fence();
    }

    /// Gives producers that wait what room there is, or the refusal of a closed ring.
    pub(crate) fn serve_queue(&self) {
        self.queue.serve(self);
    }

    /// The tail, if it has moved since `tail` was seen, and is for such as this producer.
    #[cold]
    fn newer_tail(&self, tail: u64, first_in_line: bool) -> Result<u64, Refusal> {
        let header = self.memory().header();
        // Acquires the consumer's zeroes.
        let now = header.consumer.tail.load(Acquire);
        if now == tail || (!first_in_line && self.queue.waiting() > 0) {
            // The consumer may be in a nap that began before the ring filled up.
            self.signal.unpark();
            return Err(Refusal::Full);
        }
        // Not published while somebody waits: newcomers would take the room bit by bit and never
        // leave enough of it.
        if !first_in_line {
            header.producers.cached_tail.store(now, Release);
        }
        Ok(now)
    }

    /// Tells the consumer that the frame that ends at `end` is decided; `true` if there is none.
    #[inline]
    pub(crate) fn announce(&self, end: u64) -> bool {
        match self.signal.state_after_commit() {
            AWAKE => false,
            ABSENT => true,
            state => {
                if state != NAPPING || self.is_filling(end) {
                    self.unpark_for(end, state);
                }
                false
            }
        }
    }

    /// Whether more than a quarter of the ring is used before `end`, as far as a producer knows.
    #[inline]
    fn is_filling(&self, end: u64) -> bool {
        let tail = self.memory().header().producers.cached_tail.load(Relaxed);
        end.saturating_sub(tail) > self.capacity_bytes() as u64 / 4
    }

    /// Wakes the consumer, out of a nap only if the ring really fills up.
    #[cold]
    fn unpark_for(&self, end: u64, state: u32) {
        if state == NAPPING && self.queue.waiting() == 0 {
            let header = self.memory().header();
            header.producers.cached_tail.store(header.consumer.tail.load(Acquire), Release);
            if !self.is_filling(end) {
                return;
            }
        }
        self.signal.unpark();
    }

    /// Everything reserved so far lies before it: a number of bytes since the ring was made, which
    /// only grows. Past 2^63 bytes, centuries away, the ring would be closed.
    pub fn position(&self) -> u64 {
        self.memory().header().producers.head.load(Acquire) & !CLOSED
    }

    /// Everything before it was released by the consumer.
    pub fn released(&self) -> u64 {
        self.memory().header().consumer.tail.load(Acquire)
    }

    /// How many bytes lie between [`Ring::released`] and [`Ring::position`], as read one after the
    /// other: under load a moment's estimate, never more than the capacity.
    pub fn used_bytes(&self) -> usize {
        let released = self.released();
        ((self.position() - released) as usize).min(self.capacity_bytes())
    }

    /// How many producers wait in [`Ring::reserve`], as a moment's estimate. For statistics.
    pub fn waiting_producers(&self) -> usize {
        self.queue.waiting()
    }

    /// Refuses new reservations and wakes everybody. What was reserved before may still be committed
    /// and consumed; [`Ring::position`] no longer moves.
    pub fn close(&self) {
        self.memory().header().producers.head.fetch_or(CLOSED, Release);
        self.serve_queue();
        self.wake();
    }

    /// Whether [`Ring::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.memory().header().producers.head.load(Relaxed) & CLOSED != 0
    }

    /// Wakes the consumer out of a nap or sleep. Is it awake, its next [`Consumer::park`] returns at
    /// once, so that what the caller did before is not overlooked. Costs a fence if it is awake, a
    /// system call if it is parked.
    pub fn wake(&self) {
        self.signal.wake();
    }

    /// Has the system give the ring its memory now, up to `bytes` of it. Producers that come to a page
    /// first wait for it otherwise, a microsecond or more. For whoever sees much traffic; takes a
    /// millisecond for 4 MiB.
    pub fn populate(&self, bytes: usize) {
        self.memory().populate(bytes);
    }

    /// The texts beside the ring.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The right to consume, or `None` while somebody has it. Dropping the consumer gives it back.
    pub fn consumer(self: &Arc<Self>) -> Option<Consumer> {
        self.signal.arrive().then(|| Consumer::new(self.clone()))
    }

    /// Holds the consumer's `release` off while the guard lives, so that the frames it shows stay
    /// what they are, and counters kept under [`Consumer::release`] stand still with them.
    ///
    /// Blocks while the consumer releases. Producers are not held off.
    pub fn hold(&self) -> Held<'_> {
        Held::new(self, lock(&self.hold))
    }

    /// A copy of all its memory, as a crash at this moment would leave it; [`read`](crate::read())
    /// understands it. For tests and post-mortems.
    #[cfg(not(loom))]
    pub fn image(&mut self) -> Vec<u8> {
        self.table.memory.image()
    }

    /// The same in a model check, in the midst of what threads do; see [`Moment`](crate::Moment).
    #[cfg(loom)]
    pub fn left_behind(&self) -> Vec<u8> {
        self.table.memory.image()
    }

    #[inline]
    pub(crate) fn memory(&self) -> &Memory {
        &self.table.memory
    }

    pub(crate) fn signal(&self) -> &Signal {
        &self.signal
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("capacity_bytes", &self.capacity_bytes())
            .field("position", &self.position())
            .field("released", &self.released())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
