//! Where things lie in the memory of a ring, and what the words in front of frames say.
//!
//! ```text
//! Header (512 bytes)
//!   0    magic u64 | version u32 | header_bytes u32 | capacity u64 | ring_offset u64
//!        table_bytes u64 | table_offset u64 | zeros
//!   128  head u64 | cached_tail u64                    written by producers
//!   256  tail u64 | consumed u64                       written by the consumer
//!   384  table u64: texts (high half), their bytes     written by whoever appends
//! Table  texts from the front, one u64 a text from the back: length (high half), offset + 1
//! Ring   frames: word u64, payload, zeros up to the next multiple of 8
//! ```
//!
//! Numbers are in the byte order of the machine; [`MAGIC`] tells which. Positions count bytes since
//! the ring was made, a frame lies at `position % capacity`. Nothing is an address.
//!
//! The lines that different threads write are 128 bytes apart, since common processors fetch lines
//! of 64 bytes in pairs.

#[cfg(loom)]
use crate::moment::AtomicU64;
#[cfg(not(loom))]
use crate::sync::AtomicU64;

/// The first word of the memory.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"logboom\n");
/// Changes with every change of this layout.
pub(crate) const VERSION: u32 = 1;
/// The size of [`Header`], which is where the table begins.
pub(crate) const HEADER_BYTES: usize = 512;
/// The bit of `head` that says that the ring is closed. In the same word as the position, so that
/// a reservation and the closing are in one order.
pub(crate) const CLOSED: u64 = 1 << 63;
/// The longest payload, whatever the capacity: a length has 32 bits, and the record format ends
/// there as well.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 1 << 30;
/// The word in front of a payload.
pub(crate) const WORD_BYTES: usize = 8;

/// The state of a ring, at the start of its memory.
#[cfg_attr(loom, derive(Default))]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) fixed: Fixed,
    pub(crate) producers: Producers,
    pub(crate) consumer: ConsumerSide,
    pub(crate) table: TableSide,
}

/// What never changes.
#[cfg_attr(loom, derive(Default))]
#[repr(C, align(128))]
pub(crate) struct Fixed {
    pub(crate) magic: u64,
    pub(crate) version: u32,
    pub(crate) header_bytes: u32,
    pub(crate) capacity: u64,
    pub(crate) ring_offset: u64,
    pub(crate) table_bytes: u64,
    pub(crate) table_offset: u64,
}

/// What producers write.
#[cfg_attr(loom, derive(Default))]
#[repr(C, align(128))]
pub(crate) struct Producers {
    /// Everything reserved lies before it; and [`CLOSED`].
    pub(crate) head: AtomicU64,
    /// A `tail` that some producer saw, so that the others need not touch the consumer's line.
    pub(crate) cached_tail: AtomicU64,
}

/// What the consumer writes.
#[cfg_attr(loom, derive(Default))]
#[repr(C, align(128))]
pub(crate) struct ConsumerSide {
    /// Everything before it is zeroed and free.
    pub(crate) tail: AtomicU64,
    /// Everything before it is done with, though perhaps not yet zeroed. A reader starts here.
    pub(crate) consumed: AtomicU64,
}

/// What whoever appends to the table writes.
#[cfg_attr(loom, derive(Default))]
#[repr(C, align(128))]
pub(crate) struct TableSide {
    /// The number of texts in the high half, the bytes they take in the low one.
    pub(crate) used: AtomicU64,
}

impl Header {
    /// Describes a ring in a header that is all zero, which is that of an empty ring otherwise.
    ///
    /// Field by field, since a header that is written as a whole brings along whatever bytes its
    /// gaps happen to have.
    pub(crate) fn describe(&mut self, capacity: usize, table_bytes: usize) {
        let fixed = &mut self.fixed;
        fixed.magic = MAGIC;
        fixed.version = VERSION;
        fixed.header_bytes = HEADER_BYTES as u32;
        fixed.capacity = capacity as u64;
        fixed.ring_offset = ring_offset(table_bytes) as u64;
        fixed.table_bytes = table_bytes as u64;
        fixed.table_offset = HEADER_BYTES as u64;
    }
}

/// Where the ring begins. A multiple of 128, so that frames are aligned and share no line with the
/// table.
pub(crate) const fn ring_offset(table_bytes: usize) -> usize {
    (HEADER_BYTES + table_bytes).next_multiple_of(128)
}

/// The offsets of the fields, for a reader that has bytes and no [`Header`].
pub(crate) mod offset {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const VERSION: usize = 8;
    pub(crate) const HEADER_BYTES: usize = 12;
    pub(crate) const CAPACITY: usize = 16;
    pub(crate) const RING_OFFSET: usize = 24;
    pub(crate) const TABLE_BYTES: usize = 32;
    pub(crate) const TABLE_OFFSET: usize = 40;
    pub(crate) const HEAD: usize = 128;
    pub(crate) const TAIL: usize = 256;
    pub(crate) const CONSUMED: usize = 264;
    pub(crate) const TABLE_USED: usize = 384;
}

// Loom's atomics are larger; its headers are never read as bytes.
#[cfg(not(loom))]
const _: () = {
    use std::mem::{offset_of, size_of};
    assert!(size_of::<Header>() == HEADER_BYTES);
    assert!(offset_of!(Header, fixed.magic) == offset::MAGIC);
    assert!(offset_of!(Header, fixed.version) == offset::VERSION);
    assert!(offset_of!(Header, fixed.header_bytes) == offset::HEADER_BYTES);
    assert!(offset_of!(Header, fixed.capacity) == offset::CAPACITY);
    assert!(offset_of!(Header, fixed.ring_offset) == offset::RING_OFFSET);
    assert!(offset_of!(Header, fixed.table_bytes) == offset::TABLE_BYTES);
    assert!(offset_of!(Header, fixed.table_offset) == offset::TABLE_OFFSET);
    assert!(offset_of!(Header, producers.head) == offset::HEAD);
    assert!(offset_of!(Header, consumer.tail) == offset::TAIL);
    assert!(offset_of!(Header, consumer.consumed) == offset::CONSUMED);
    assert!(offset_of!(Header, table.used) == offset::TABLE_USED);
};

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum State {
    /// A producer is writing it.
    Reserved = MARK | 1,
    /// It is whole.
    Committed = MARK | 2,
    /// Its producer gave it up.
    Abandoned = MARK | 3,
    /// It fills the end of the ring, where the next frame did not fit.
    Pad = MARK | 4,
}

const MARK: u32 = 0x6C62_0000;

/// The word in front of a frame, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nothing was reserved here, or whoever did has not got further than that.
    Empty,
    /// A frame in this state, with a payload of so many bytes.
    Frame(State, usize),
    /// Nothing that the ring writes.
    Damaged,
}

impl Word {
    #[inline]
    pub(crate) fn encode(state: State, len: usize) -> u64 {
        u64::from(state as u32) << 32 | len as u64
    }

    #[inline]
    pub(crate) fn decode(word: u64) -> Self {
        let state = match (word >> 32) as u32 {
            RESERVED => State::Reserved,
            COMMITTED => State::Committed,
            ABANDONED => State::Abandoned,
            PAD => State::Pad,
            _ if word == 0 => return Word::Empty,
            _ => return Word::Damaged,
        };
        Word::Frame(state, word as u32 as usize)
    }
}

const RESERVED: u32 = State::Reserved as u32;
const COMMITTED: u32 = State::Committed as u32;
const ABANDONED: u32 = State::Abandoned as u32;
const PAD: u32 = State::Pad as u32;

/// The room that a payload of `len` bytes takes with its word.
#[inline]
pub(crate) const fn frame_bytes(len: usize) -> usize {
    (len + WORD_BYTES + 7) & !7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_back_as_it_was() {
        for state in [State::Reserved, State::Committed, State::Abandoned, State::Pad] {
            for len in [0, 1, MAX_PAYLOAD_BYTES] {
                assert_eq!(Word::decode(Word::encode(state, len)), Word::Frame(state, len));
            }
        }
        assert_eq!(Word::decode(0), Word::Empty);
        assert_eq!(Word::decode(1), Word::Damaged);
        assert_eq!(Word::decode(u64::MAX), Word::Damaged);
    }
}
