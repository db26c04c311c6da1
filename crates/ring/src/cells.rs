//! Cells: small values that are replaced as a whole, whenever the process dies.
//!
//! Invariants:
//! 1. Whoever reads a cell after the process was killed at any instruction finds the value that was
//!    stored last, or the one before it while a store was under way; never a mixture.
//! 2. A value is believed only with its checksum.
//!
//! A cell has two copies, each with a number and a checksum over number, length and bytes. A store goes
//! over the copy with the smaller number, and writes the number last. A copy that was half written has
//! a wrong checksum, and the other one holds.
//!
//! ```text
//! Copy   number u64 | length u32, checksum u32 | bytes, zeros up to the next multiple of 8
//! ```
//!
//! Pinned by the tests below and those of `file.rs`.

use crate::crc::crc32_of;
use crate::file::Map;
use crate::sync::Ordering::{Relaxed, Release};
use crate::sync::{Mutex, lock};
use std::sync::Arc;

/// The number, the length and the checksum before a copy's bytes.
const HEAD_BYTES: usize = 16;

/// How many cells there are, and how long a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellGroup {
    /// How many.
    pub count: u32,
    /// The longest value in bytes.
    pub value_bytes: u32,
}

impl CellGroup {
    fn copy_bytes(self) -> usize {
        HEAD_BYTES + (self.value_bytes as usize).next_multiple_of(8)
    }

    /// The room that they take.
    pub(crate) fn bytes(self) -> usize {
        self.count as usize * 2 * self.copy_bytes()
    }
}

/// The cells of a group in a ring's file.
pub struct Cells {
    map: Arc<Map>,
    offset: usize,
    group: CellGroup,
    /// One store at a time.
    storing: Mutex<()>,
}

impl Cells {
    /// The cells at `offset`, a multiple of 8, in the map.
    pub(crate) fn new(map: Arc<Map>, offset: usize, group: CellGroup) -> Cells {
        assert!(offset.is_multiple_of(8) && offset + group.bytes() <= map.len());
        Cells { map, offset, group, storing: Mutex::new(()) }
    }

    /// Replaces the value of a cell. A lock of this process and some stores.
    ///
    /// # Panics
    /// If there is no such cell, or the value is too long.
    pub fn store(&self, index: usize, value: &[u8]) {
        let group = self.group;
        assert!(index < group.count as usize, "no such cell");
        assert!(value.len() <= group.value_bytes as usize, "too long for a cell");
        let _storing = lock(&self.storing);
        let copies = [0, 1].map(|copy| self.offset + (2 * index + copy) * group.copy_bytes());
        let numbers = copies.map(|at| self.map.word(at).load(Relaxed));
        let older = usize::from(numbers[1] < numbers[0]);
        let number = numbers[0].max(numbers[1]) + 1;
        let at = copies[older];
        for (word, bytes) in value.chunks(8).enumerate() {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            let at = at + HEAD_BYTES + 8 * word;
            self.map.word(at).store(u64::from_ne_bytes(padded), Relaxed);
        }
        self.map.word(at + 8).store(head(number, value), Relaxed);
        self.map.word(at).store(number, Release);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.group.count as usize
    }

    /// Everything of them, for tests.
    #[cfg(test)]
    pub(crate) fn image(&self) -> Vec<u8> {
        let words = (self.offset..self.offset + self.group.bytes()).step_by(8);
        words.flat_map(|at| self.map.word(at).load(Relaxed).to_ne_bytes()).collect()
    }
}

/// The value of a cell among these bytes of its group; `None` where nothing whole was stored.
pub(crate) fn value(bytes: &[u8], group: CellGroup, index: usize) -> Option<&[u8]> {
    if index >= group.count as usize {
        return None;
    }
    let size = group.copy_bytes();
    let copies = bytes.get(2 * index * size..)?.get(..2 * size)?.chunks_exact(size);
    copies.filter_map(|copy| whole(copy, group)).max_by_key(|found| found.0).map(|found| found.1)
}

/// What a store writes: where among the bytes of the group, a copy without its number, and the number,
/// which is to be written last. `None` if there is no such cell, or the value is too long.
pub(crate) fn replacement(
    bytes: &[u8],
    group: CellGroup,
    index: usize,
    value: &[u8],
) -> Option<(usize, Vec<u8>)> {
    if index >= group.count as usize || value.len() > group.value_bytes as usize {
        return None;
    }
    let size = group.copy_bytes();
    let copies = [2 * index * size, (2 * index + 1) * size];
    // A copy that is not whole is not worth anything, whatever its number.
    let numbers = copies.map(|at| {
        bytes.get(at..at + size).and_then(|copy| whole(copy, group)).map_or(0, |found| found.0)
    });
    let at = copies[usize::from(numbers[1] < numbers[0])];
    let number = numbers[0].max(numbers[1]).checked_add(1)?;
    let mut copy = number.to_ne_bytes().to_vec();
    copy.extend_from_slice(&head(number, value).to_ne_bytes());
    copy.extend_from_slice(value);
    Some((at, copy))
}

/// The word behind a copy's number: the value's length, and the checksum.
fn head(number: u64, value: &[u8]) -> u64 {
    let len = value.len() as u32;
    let sum = crc32_of(&[&number.to_ne_bytes(), &len.to_ne_bytes(), value]);
    u64::from(sum) << 32 | u64::from(len)
}

/// The number and the value of a copy, if it is whole.
fn whole(copy: &[u8], group: CellGroup) -> Option<(u64, &[u8])> {
    let number = u64::from_ne_bytes(*copy.first_chunk()?);
    let stored = u64::from_ne_bytes(*copy.get(8..)?.first_chunk()?);
    let len = stored as u32;
    if number == 0 || len > group.value_bytes {
        return None;
    }
    let value = copy.get(HEAD_BYTES..)?.get(..len as usize)?;
    (head(number, value) == stored).then_some((number, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::map;

    const GROUP: CellGroup = CellGroup { count: 3, value_bytes: 13 };

    #[test]
    fn a_cell_has_the_value_that_was_stored_last() {
        let cells = Cells::new(map(GROUP.bytes()), 0, GROUP);
        assert_eq!(value(&cells.image(), GROUP, 1), None);
        for stored in [&b"one"[..], b"", b"thirteen byte", b"3"] {
            cells.store(1, stored);
            assert_eq!(value(&cells.image(), GROUP, 1), Some(stored));
        }
        assert_eq!(value(&cells.image(), GROUP, 0), None);
        assert_eq!(value(&cells.image(), GROUP, 3), None, "there is no such cell");
    }

    /// Words are what is stored at once, so a kill leaves some of a store's words written. Whichever
    /// those are, and in whatever order: the old value or the new one.
    #[test]
    fn whatever_part_of_a_store_was_made_the_value_is_the_old_or_the_new_one() {
        let cells = Cells::new(map(GROUP.bytes()), 0, GROUP);
        for (old, new) in
            [(&b"thirteen byte"[..], &b"another value"[..]), (b"short", b"longer one")]
        {
            cells.store(2, old);
            let before = cells.image();
            cells.store(2, new);
            let after = cells.image();
            let changed: Vec<_> = (0..before.len() / 8)
                .filter(|word| before[8 * word..][..8] != after[8 * word..][..8])
                .collect();
            assert!((3..=4).contains(&changed.len()));
            for made in 0..1_u32 << changed.len() {
                let mut torn = before.clone();
                for (bit, word) in changed.iter().enumerate() {
                    if made >> bit & 1 == 1 {
                        torn[8 * word..][..8].copy_from_slice(&after[8 * word..][..8]);
                    }
                }
                let found = value(&torn, GROUP, 2);
                let all = made + 1 == 1 << changed.len();
                assert_eq!(found, Some(if all { new } else { old }));
            }
        }
    }
}
