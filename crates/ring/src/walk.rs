//! Walking over the frames of a live ring, for the consumer and for whoever holds it off.

use crate::layout::{State, WORD_BYTES, Word, frame_bytes};
use crate::memory::Memory;
use crate::sync::Ordering::Acquire;

/// A way from frame to frame, up to the first one that is not decided.
pub(crate) struct Walk<'r> {
    memory: &'r Memory,
    at: u64,
    /// One lap behind the tail. A full ring has no empty word in it to stop at.
    limit: u64,
}

/// A frame that was walked over.
pub(crate) struct Step<'r> {
    /// The payload; `None` for a frame that was abandoned or only fills the ring's end.
    pub(crate) bytes: Option<&'r [u8]>,
    /// The position behind it.
    pub(crate) end: u64,
}

impl<'r> Walk<'r> {
    /// # Safety
    /// A frame begins at `from`, which is not before `tail`; `tail` is the ring's and stays where it
    /// is for `'r`.
    pub(crate) unsafe fn new(memory: &'r Memory, from: u64, tail: u64) -> Self {
        Walk { memory, at: from, limit: tail + memory.capacity() as u64 }
    }

    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    #[inline]
    pub(crate) fn step(&mut self) -> Option<Step<'r>> {
        if self.at >= self.limit {
            return None;
        }
        // Acquires what the producer wrote before it decided the frame.
        let (state, len) = match Word::decode(self.memory.word(self.at).load(Acquire)) {
            Word::Frame(State::Reserved, _) | Word::Empty => return None,
            Word::Frame(state, len) => (state, len),
            Word::Damaged => damaged(self.at),
        };
        let (offset, size) = (self.memory.offset(self.at), frame_bytes(len));
        if offset + size > self.memory.capacity() {
            damaged(self.at);
        }
        let payload = self.at + WORD_BYTES as u64;
        self.at += size as u64;
        let bytes = (state == State::Committed).then(|| {
            // SAFETY: inside the ring, as just checked; a committed frame has no writer before the
            // consumer releases it, which it does not during `'r`, by the promise made to `new`.
            unsafe { self.memory.slice(payload, len) }
        });
        Some(Step { bytes, end: self.at })
    }
}

/// The ring writes no such word, so somebody wrote into memory that is not theirs. Going on would
/// show garbage as records, stopping quietly would look like a ring that stays full.
#[cold]
fn damaged(position: u64) -> ! {
    panic!("the ring's memory is damaged at position {position}")
}
