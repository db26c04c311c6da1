//! The reader: what a ring's memory says to a stranger who has its bytes and nothing else.
//!
//! Invariants:
//! 1. Any bytes are read without a panic, without an access out of bounds, and in time and memory
//!    proportional to their number.
//! 2. Of a ring whose process was killed at any instruction it shows every frame that was committed and
//!    not released, in ring order, and no other.
//! 3. Where the bytes cannot have been left by a ring it stops and says so, [`Remains::damaged_at`].
//!
//! How a frame is passed that a dead producer left unfinished: its word says how long it is, and is
//! written before anything else of it. A producer that died before that has written nothing, so its
//! frame is all zero, and whatever comes next begins at the next word that is not. That is why the
//! consumer zeroes what it releases, and why the reader begins at `consumed`, which moves before the
//! zeroing begins, not at `tail`, which moves after its end.
//!
//! It does not look for frames behind a damage: a payload can contain what looks like a frame, and
//! whoever wrote the payload would then write the log.
//!
//! Pinned by `read/tests.rs`, which replays the corpus of the fuzz target `ring_reader`.

use crate::layout::{
    CLOSED, HEADER_BYTES, MAGIC, State, VERSION, WORD_BYTES, Word, frame_bytes, offset,
};
use crate::table::halves;
use std::num::NonZeroU32;
use std::{error, fmt};

/// Reads the memory of a ring. `bytes` may be longer than the ring.
///
/// # Errors
/// If they are not the memory of a ring, of this version, on a machine of this byte order, or shorter
/// than the ring.
pub fn read(bytes: &[u8]) -> Result<Contents<'_>, ReadError> {
    let number = |at| u64_at(bytes, at).ok_or(ReadError(Kind::Short));
    match number(offset::MAGIC)? {
        MAGIC => {}
        magic if magic == MAGIC.swap_bytes() => return Err(ReadError(Kind::ByteOrder)),
        _ => return Err(ReadError(Kind::NoRing)),
    }
    let version = u32_at(bytes, offset::VERSION).ok_or(ReadError(Kind::Short))?;
    if version != VERSION {
        return Err(ReadError(Kind::Version(version)));
    }
    let header_bytes = u32_at(bytes, offset::HEADER_BYTES).ok_or(ReadError(Kind::Short))?;
    let capacity = number(offset::CAPACITY)?;
    let ring = area(bytes, number(offset::RING_OFFSET)?, capacity)?;
    let table = area(bytes, number(offset::TABLE_OFFSET)?, number(offset::TABLE_BYTES)?)?;
    let head = number(offset::HEAD)?;
    let (tail, consumed) = (number(offset::TAIL)?, number(offset::CONSUMED)?);
    let position = head & !CLOSED;
    let (texts, text_bytes) = halves(number(offset::TABLE_USED)?);
    let possible = header_bytes as usize == HEADER_BYTES
        && capacity.is_power_of_two()
        && capacity >= 64
        && tail <= consumed
        && consumed <= position
        && position - tail <= capacity
        && (tail | consumed | position).is_multiple_of(8)
        && texts
            .checked_mul(8)
            .and_then(|words| words.checked_add(text_bytes))
            .is_some_and(|used| used <= table.len())
        && table.len().is_multiple_of(8);
    if !possible {
        return Err(ReadError(Kind::Damaged));
    }
    let is_closed = head & CLOSED != 0;
    let released = consumed;
    Ok(Contents { ring, table, texts, text_bytes, position, released, is_closed })
}

/// What a ring's memory says. Made by [`read`].
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    ring: &'a [u8],
    table: &'a [u8],
    texts: usize,
    text_bytes: usize,
    position: u64,
    released: u64,
    is_closed: bool,
}

impl<'a> Contents<'a> {
    /// As [`Ring::capacity_bytes`](crate::Ring::capacity_bytes).
    pub fn capacity_bytes(&self) -> usize {
        self.ring.len()
    }

    /// As [`Ring::position`](crate::Ring::position).
    pub fn position(&self) -> u64 {
        self.position
    }

    /// As [`Ring::released`](crate::Ring::released); also where a release had begun.
    pub fn released(&self) -> u64 {
        self.released
    }

    /// Whether the ring was closed.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The text with this id, or `None` where there is none.
    pub fn text(&self, id: NonZeroU32) -> Option<&'a [u8]> {
        let index = id.get() as usize - 1;
        if index >= self.texts {
            return None;
        }
        let (len, end) = halves(u64_at(self.table, self.table.len() - 8 * (index + 1))?);
        let offset = end.checked_sub(1)?;
        self.table[..self.text_bytes].get(offset..)?.get(..len)
    }

    /// All texts in the order of their ids.
    pub fn texts(&self) -> impl Iterator<Item = (NonZeroU32, &'a [u8])> + use<'a> {
        let contents = *self;
        let ids = (1..=self.texts as u32).filter_map(NonZeroU32::new);
        ids.filter_map(move |id| Some((id, contents.text(id)?)))
    }

    /// The frames that were committed and not released, in ring order.
    pub fn frames(&self) -> Remains<'a> {
        Remains { contents: *self, at: self.released, unfinished: 0, damaged_at: None }
    }
}

/// The frames that a ring's memory still holds. Made by [`Contents::frames`].
#[derive(Clone, Debug)]
pub struct Remains<'a> {
    contents: Contents<'a>,
    at: u64,
    unfinished: u64,
    damaged_at: Option<u64>,
}

impl<'a> Remains<'a> {
    /// How far this has come.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Over how many frames it has come so far that a producer was still writing. One that had not
    /// got so far as to say how long its frame is counts together with others next to it.
    pub fn unfinished(&self) -> u64 {
        self.unfinished
    }

    /// The position of something that no ring writes, behind which nothing is read.
    pub fn damaged_at(&self) -> Option<u64> {
        self.damaged_at
    }

    /// The offset at which `self.at` lies.
    fn offset(&self) -> usize {
        // The capacity is a power of two.
        self.at as usize & (self.contents.ring.len() - 1)
    }

    /// Passes what is zero.
    fn skip_zeros(&mut self) {
        self.unfinished += 1;
        while self.at < self.contents.position
            && u64_at(self.contents.ring, self.offset()) == Some(0)
        {
            self.at += WORD_BYTES as u64;
        }
    }

    fn damaged<T>(&mut self) -> Option<T> {
        self.damaged_at = Some(self.at);
        None
    }
}

impl<'a> Iterator for Remains<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.at < self.contents.position && self.damaged_at.is_none() {
            let start = self.offset();
            let (state, len) = match Word::decode(u64_at(self.contents.ring, start)?) {
                Word::Empty => {
                    self.skip_zeros();
                    continue;
                }
                Word::Frame(state, len) => (state, len),
                Word::Damaged => return self.damaged(),
            };
            let (payload, size) = (start + WORD_BYTES, frame_bytes(len));
            let fits = size as u64 <= self.contents.position - self.at;
            let Some(bytes) = self.contents.ring.get(payload..payload + len).filter(|_| fits)
            else {
                return self.damaged();
            };
            self.at += size as u64;
            match state {
                State::Committed => return Some(bytes),
                State::Reserved => self.unfinished += 1,
                State::Abandoned | State::Pad => {}
            }
        }
        None
    }
}

/// Bytes that are not the memory of a ring that this version reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Short,
    NoRing,
    ByteOrder,
    Version(u32),
    Damaged,
}

#[cfg(all(target_os = "linux", not(loom)))]
impl ReadError {
    pub(crate) fn short() -> Self {
        ReadError(Kind::Short)
    }

    pub(crate) fn no_ring() -> Self {
        ReadError(Kind::NoRing)
    }

    pub(crate) fn byte_order() -> Self {
        ReadError(Kind::ByteOrder)
    }

    pub(crate) fn version(got: u32) -> Self {
        ReadError(Kind::Version(got))
    }

    pub(crate) fn damaged() -> Self {
        ReadError(Kind::Damaged)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Short => f.write_str("the memory of a ring is cut off"),
            Kind::NoRing => f.write_str("not the memory of a ring"),
            Kind::ByteOrder => f.write_str("the ring is from a machine of another byte order"),
            Kind::Version(got) => {
                write!(f, "unknown version of a ring: got {got}, expected {VERSION}")
            }
            Kind::Damaged => f.write_str("the header of the ring is damaged"),
        }
    }
}

impl error::Error for ReadError {}

fn area(bytes: &[u8], offset: u64, len: u64) -> Result<&[u8], ReadError> {
    let (offset, len) = (usize::try_from(offset), usize::try_from(len));
    let (Ok(offset), Ok(len)) = (offset, len) else { return Err(ReadError(Kind::Short)) };
    let area = bytes.get(offset..).and_then(|rest| rest.get(..len));
    area.ok_or(ReadError(Kind::Short))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(all(test, not(loom)))]
mod tests;
