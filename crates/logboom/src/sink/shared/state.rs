//! What the holder of a lock leaves in it for the next one, should it be killed: what it was about
//! to write, or that it was about to move the files.
//!
//! Invariants:
//! 1. A state is noted before what it tells of is begun, and speaks of one file, known by its
//!    identity: of another file it says nothing.
//! 2. A record that is torn, foreign or damaged is no state.

use std::ops::Range;

/// How many bytes of the lock file a state takes; what lies behind is others' (`_shared.py`).
pub(super) const STATE_BYTES: usize = 64;
const MAGIC: u64 = u64::from_le_bytes(*b"logboom1");
const ROTATING: u64 = 1;
const WRITING: u64 = 2;

/// What the last holder was doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The file this is about: its device and inode.
    pub(super) identity: (u64, u64),
    /// It has to make room for a new one, and some of the older files may have moved already.
    pub(super) rotating: bool,
    /// The bytes that are being written, which are whole lines.
    pub(super) batch: Option<Range<u64>>,
}

impl State {
    pub(super) fn to_bytes(&self) -> [u8; STATE_BYTES] {
        let flags = if self.rotating { ROTATING } else { 0 }
            | if self.batch.is_some() { WRITING } else { 0 };
        let Range { start, end } = self.batch.clone().unwrap_or_default();
        let words = [MAGIC, flags, self.identity.0, self.identity.1, start, end, 0];
        let mut bytes = [0; STATE_BYTES];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let sum = checksum(&bytes[..STATE_BYTES - 8]);
        bytes[STATE_BYTES - 8..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; STATE_BYTES]) -> Option<State> {
        let mut words = [0; STATE_BYTES / 8];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(place);
            *word = u64::from_le_bytes(eight);
        }
        let [magic, flags, device, inode, start, end, _, sum] = words;
        let whole = magic == MAGIC && sum == checksum(&bytes[..STATE_BYTES - 8]);
        whole.then(|| State {
            identity: (device, inode),
            rotating: flags & ROTATING != 0,
            batch: (flags & WRITING != 0).then_some(start..end),
        })
    }
}

/// FNV-1a: tells accidents, not malice; who may write the lock may write the log.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_state_comes_back_and_a_damaged_one_does_not(
            identity in any::<(u64, u64)>(),
            rotating in any::<bool>(),
            batch in prop::option::of(any::<(u64, u64)>()),
            damage in (0..STATE_BYTES, 1..=255_u8),
        ) {
            let state = State { identity, rotating, batch: batch.map(|(start, end)| start..end) };
            let mut bytes = state.to_bytes();
            prop_assert_eq!(State::from_bytes(&bytes), Some(state));
            bytes[damage.0] ^= damage.1;
            prop_assert_eq!(State::from_bytes(&bytes), None);
        }
    }

    #[test]
    fn an_empty_lock_file_has_no_state() {
        assert_eq!(State::from_bytes(&[0; STATE_BYTES]), None);
    }
}
