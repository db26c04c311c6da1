//! The table: texts that many records share, appended once and never moved.
//!
//! Invariants:
//! 1. A text never changes and its id never names another one, as long as the memory lives.
//! 2. [`Table::get`] is safe for every id: only texts that are whole are found.
//! 3. No lock is taken, so a forked child can read the table whatever its parent's threads did.
//!
//! Texts grow from the front of the table, one word for each from its back; both ends move with one
//! compare-and-swap. The text is copied, then its word is stored with release ordering, which
//! publishes it. An id is the number of the word, counted from 1.
//!
//! It does not find equal texts: whoever appends keeps the ids. Nothing is ever removed; a full table
//! refuses, and the text then goes along with each record.

use crate::error::RingError;
use crate::memory::Memory;
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use std::num::NonZeroU32;

/// The append-only texts of a [`Ring`](crate::Ring).
pub struct Table {
    /// The table's and the ring's: they lie in one memory, so that a stranger finds both.
    pub(crate) memory: Memory,
}

impl Table {
    /// The largest table, 1 GiB.
    pub const MAX_BYTES: usize = 1 << 30;

    pub(crate) fn check(table_bytes: usize) -> Result<usize, RingError> {
        if table_bytes > Self::MAX_BYTES {
            return Err(RingError::bounds("table_bytes", table_bytes, 0, Self::MAX_BYTES));
        }
        Ok(table_bytes.next_multiple_of(8))
    }

    /// Copies `text` into the table and returns its id, or `None` where there is no room for it.
    /// Runs on the caller's thread, without a lock.
    pub fn append(&self, text: &[u8]) -> Option<NonZeroU32> {
        let used = &self.memory.header().table.used;
        let mut before = used.load(Relaxed);
        let (count, offset) = loop {
            let (count, offset) = halves(before);
            let (texts, words) = (offset.checked_add(text.len())?, (count + 1) * 8);
            if texts.checked_add(words)? > self.memory.table_bytes() {
                return None;
            }
            let after = (count as u64 + 1) << 32 | texts as u64;
            match used.compare_exchange_weak(before, after, Relaxed, Relaxed) {
                Ok(_) => break (count, offset),
                Err(now) => before = now,
            }
        };
        // SAFETY: the exchange gave these bytes to this call alone, and they end before the words.
        unsafe { self.memory.table_slice_mut(offset, text.len()) }.copy_from_slice(text);
        self.memory.table_word(count).store(word(offset, text.len()), Release);
        NonZeroU32::new(count as u32 + 1)
    }

    /// The text with this id, or `None` where there is none (yet).
    #[inline]
    pub fn get(&self, id: NonZeroU32) -> Option<&[u8]> {
        let index = id.get() as usize - 1;
        if (index + 1) * 8 > self.memory.table_bytes() || index >= self.count() {
            return None;
        }
        let (len, end) = halves(self.memory.table_word(index).load(Acquire));
        let offset = end.checked_sub(1)?;
        // Always true for what `append` wrote; in a mapped file somebody else may have written.
        if offset + len > self.memory.table_bytes() {
            return None;
        }
        // SAFETY: the word is stored after the text is whole, and nobody writes to it after that.
        Some(unsafe { self.memory.table_slice(offset, len) })
    }

    /// How many bytes are taken, texts and their words.
    pub fn used_bytes(&self) -> usize {
        let (count, texts) = halves(self.memory.header().table.used.load(Relaxed));
        texts + 8 * count
    }

    /// How many bytes there are. A text takes its length and 8.
    pub fn capacity_bytes(&self) -> usize {
        self.memory.table_bytes()
    }

    fn count(&self) -> usize {
        halves(self.memory.header().table.used.load(Relaxed)).0
    }

    /// Takes over every text of `other`, which has the same size, under the same ids.
    ///
    /// A text that is being appended at this moment is left out, and its id is not given again.
    pub(crate) fn copy_from(&mut self, other: &Table) {
        assert_eq!(self.capacity_bytes(), other.capacity_bytes());
        let used = other.memory.header().table.used.load(Acquire);
        self.memory.header().table.used.store(used, Relaxed);
        for id in (1..=halves(used).0 as u32).filter_map(NonZeroU32::new) {
            let Some(text) = other.get(id) else { continue };
            let index = id.get() as usize - 1;
            let word = other.memory.table_word(index).load(Relaxed);
            // SAFETY: `get` found this text inside a table of the same size, and `&mut self`
            // excludes everybody else. It ends before the words, as in `other`.
            unsafe { self.memory.table_slice_mut(halves(word).1 - 1, text.len()) }
                .copy_from_slice(text);
            self.memory.table_word(index).store(word, Release);
        }
    }
}

/// The high and the low half of a word.
pub(crate) fn halves(word: u64) -> (usize, usize) {
    ((word >> 32) as usize, word as u32 as usize)
}

/// The word of a text. Never zero, since a zero says that the text is not there yet.
fn word(offset: usize, len: usize) -> u64 {
    (len as u64) << 32 | (offset as u64 + 1)
}
