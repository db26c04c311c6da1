//! `cargo +nightly fuzz run ring_file`: whatever was changed in the file of a ring, its reader neither
//! panics nor shows more than there is.
//!
//! An input is a list of changes to a real file, four bytes of place and one to turn bits with, since
//! bytes without that file's checksums would be refused at once. The head's checksum is made good again
//! where the first byte is odd.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logboom_ring::{CellGroup, Owner, Ring, crc32, read_file};
use std::sync::LazyLock;

const GROUPS: [CellGroup; 2] =
    [CellGroup { count: 3, value_bytes: 24 }, CellGroup { count: 2, value_bytes: 100 }];

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("logboom-fuzz-{}", std::process::id()));
    let file =
        std::fs::File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    let owner = Owner { process: 1, started: 2, ..Owner::default() };
    let made = Ring::in_file(&file, &owner, &GROUPS, 64 << 10, 4 << 10).unwrap();
    made.ring.table().append(b"a text").unwrap();
    for len in [0, 5, 100, 9] {
        made.ring.try_reserve(len).unwrap().commit();
    }
    made.cells[0].store(1, b"one");
    made.cells[1].store(0, b"two");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    bytes
});

fuzz_target!(|changes: &[u8]| {
    let mut bytes = FILE.clone();
    for change in changes.chunks_exact(5) {
        let at = u32::from_le_bytes(change[..4].try_into().unwrap()) as usize % bytes.len();
        bytes[at] ^= change[4];
    }
    if changes.first().is_some_and(|first| first % 2 == 1) {
        let sum = crc32(&bytes[..128]).to_ne_bytes();
        bytes[128..132].copy_from_slice(&sum);
    }
    let Ok(contents) = read_file(&bytes) else { return };
    let total: usize = contents.ring.frames().map(|frame| frame.len() + 8).sum();
    assert!(total <= contents.ring.capacity_bytes());
    for group in 0..5 {
        for (index, value) in contents.cells(group) {
            assert_eq!(contents.cell(group, index), Some(value));
        }
    }
});
