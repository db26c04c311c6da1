//! How far a sink's file had got: what the writer notes beside the ring, and how it is read back.
//!
//! A note says: this file had this length when everything for the sink before this position of the ring
//! was in it, and nothing behind it. It is stored before the sink's first write, and after each batch,
//! before the ring releases what the batch held. So whenever the process is killed, what stands in the
//! file behind the noted length is what was written of the records behind the noted position.

use crate::blueprint::{Blueprint, Parts};
use crate::sink::Place;

/// The longest rest of a frame that a note keeps.
const REST_BYTES: usize = 460;
/// The room that a note takes.
pub(super) const NOTE_BYTES: u32 = (6 * 8 + 4 + REST_BYTES) as u32;

/// A note, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The position of the ring.
    pub(super) position: u64,
    /// The device and inode of the file.
    pub(super) file: (u64, u64),
    /// Its length then.
    pub(super) len_bytes: u64,
    /// Whether others were seen to write to it.
    pub(super) shared: bool,
    /// The rest of a line whose beginning is in the file; `None` where it was too long to keep.
    pub(super) rest: Option<Vec<u8>>,
}

/// The bytes of a note.
pub(super) fn encode(position: u64, place: &Place<'_>, shared: bool) -> Blueprint {
    let keeps = place.rest.len() <= REST_BYTES;
    Blueprint::default()
        .number(position)
        .number(place.file.0)
        .number(place.file.1)
        .number(place.len_bytes)
        .number(shared.into())
        .number(keeps.into())
        .text(if keeps { place.rest } else { &[] })
}

/// A note from its bytes; `None` where there is none.
pub(super) fn decode(bytes: &[u8]) -> Option<Note> {
    let mut parts = Parts::of(bytes);
    let position = parts.number()?;
    let file = (parts.number()?, parts.number()?);
    let (len_bytes, shared, keeps) = (parts.number()?, parts.truth()?, parts.truth()?);
    let rest = parts.bytes()?;
    Some(Note { position, file, len_bytes, shared, rest: keeps.then(|| rest.to_vec()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_fits_into_its_cell() {
        let rest = vec![b'x'; REST_BYTES + 1];
        for (len, kept) in [(0, true), (REST_BYTES, true), (REST_BYTES + 1, false)] {
            let rest = &rest[..len];
            let place = Place { file: (1, 2), len_bytes: 3, taken_bytes: 4, rest };
            let bytes = encode(99, &place, true);
            assert!(bytes.as_bytes().len() <= NOTE_BYTES as usize);
            let note = decode(bytes.as_bytes()).unwrap();
            assert_eq!((note.position, note.file, note.len_bytes), (99, (1, 2), 3));
            assert_eq!((note.shared, note.rest), (true, kept.then(|| rest.to_vec())));
        }
        assert_eq!(decode(&[]), None);
    }
}
