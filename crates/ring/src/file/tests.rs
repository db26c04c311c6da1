//! Files as a crash leaves them: whole, cut at every byte that matters, and with bits turned.

use super::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

const GROUPS: [CellGroup; 2] =
    [CellGroup { count: 2, value_bytes: 16 }, CellGroup { count: 1, value_bytes: 100 }];

/// A file of its own, which is gone when it is closed.
fn scratch() -> File {
    static NUMBERS: AtomicU32 = AtomicU32::new(0);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("logboom-ring-{}-{number}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

/// Pages for tests of what lies in them.
pub(crate) fn map(bytes: usize) -> Arc<Map> {
    let file = scratch();
    reserve(&file, bytes).unwrap();
    Arc::new(Map::shared(&file, bytes).unwrap())
}

fn bytes_of(file: &File) -> Vec<u8> {
    use std::os::unix::fs::FileExt as _;
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn owner() -> Owner {
    let boot = *b"0123456789abcdef";
    Owner { process: 4711, started: 99, boot, space: 7, created_ns: -5, number: 3 }
}

/// A small file of a ring with a text, two frames and values in its cells.
fn small() -> (File, FileRing) {
    let file = scratch();
    let made = Ring::in_file(&file, &owner(), &GROUPS, 64 << 10, 4 << 10).unwrap();
    assert_eq!(made.ring.table().append(b"a text").unwrap().get(), 1);
    for bytes in [&b"one"[..], b"two"] {
        let mut frame = made.ring.try_reserve(bytes.len()).unwrap();
        frame.copy_from_slice(bytes);
        let _ = frame.commit();
    }
    made.cells[0].store(1, b"first");
    made.cells[1].store(0, b"second");
    (file, made)
}

#[test]
fn what_was_stored_is_in_the_file_whatever_becomes_of_the_process() {
    let (file, made) = small();
    // Nothing is closed, unmapped or written back.
    let bytes = bytes_of(&file);
    let contents = read_file(&bytes).unwrap();
    assert_eq!(contents.owner, owner());
    assert_eq!(contents.ring.frames().collect::<Vec<_>>(), [b"one", b"two"]);
    assert_eq!(contents.ring.texts().map(|(_, text)| text).collect::<Vec<_>>(), [b"a text"]);
    assert_eq!(contents.cells(0).collect::<Vec<_>>(), [(1, &b"first"[..])]);
    assert_eq!((contents.cell(1, 0), contents.cell(1, 1)), (Some(&b"second"[..]), None));
    assert_eq!(contents.cell(2, 0), None);
    drop(made);
}

#[test]
fn what_is_loaded_reads_as_the_whole_file_wherever_the_ring_stands() {
    let (file, made) = small();
    let ring = Arc::new(made.ring);
    let mut consumer = ring.consumer().unwrap();
    for round in 0..200_usize {
        // Lengths that come to stand everywhere, with one to five frames left.
        let mut frame = ring.try_reserve(7919 * (round % 2) + 31 * (round % 13)).unwrap();
        frame.fill(round as u8);
        let _ = frame.commit();
        if round % 5 == 4 {
            let mut frames = consumer.frames(ring.released(), usize::MAX);
            frames.by_ref().for_each(drop);
            let position = frames.position();
            consumer.release(position, || ());
        }
        let (loaded, whole) = (load_file(&file).unwrap(), bytes_of(&file));
        let (loaded, whole) = (read_file(&loaded).unwrap(), read_file(&whole).unwrap());
        assert!(loaded.ring.frames().eq(whole.ring.frames()), "round {round}");
        assert!(loaded.ring.texts().eq(whole.ring.texts()));
        assert!(loaded.cells(0).chain(loaded.cells(1)).eq(whole.cells(0).chain(whole.cells(1))));
    }
    ring.close();
    assert!(read_file(&load_file(&file).unwrap()).unwrap().ring.is_closed());
    file.set_len(70_000).unwrap();
    assert_eq!(read_file(&load_file(&file).unwrap()).unwrap_err(), ReadError::short());
    file.set_len(100).unwrap();
    assert!(read_file(&load_file(&file).unwrap()).is_err());
    // What must not be read or written any more, now that the file is shorter than its mapping.
    std::mem::forget((consumer, ring, made.cells, made.room));
}

#[test]
fn a_drained_ring_gives_its_room_back_and_stays_closed() {
    use std::os::unix::fs::MetadataExt as _;
    let (file, made) = small();
    let before = file.metadata().unwrap().blocks();
    made.ring.close();
    made.room.give_back();
    let after = file.metadata().unwrap().blocks();
    assert!(before >= (64 << 10) / 512 && after <= 16, "{before} {after}");
    assert!(made.ring.is_closed());
    assert!(made.ring.try_reserve(1).is_err());
}

#[test]
fn a_recoverer_replaces_a_cell_as_the_owner_would() {
    let (file, made) = small();
    for value in [&b"one"[..], b"and another", b""] {
        let bytes = bytes_of(&file);
        read_file(&bytes).unwrap().replace_cell(&file, 1, 0, value).unwrap();
        assert_eq!(read_file(&bytes_of(&file)).unwrap().cell(1, 0), Some(value));
    }
    let bytes = bytes_of(&file);
    let contents = read_file(&bytes).unwrap();
    assert!(contents.replace_cell(&file, 0, 2, b"").is_err(), "there is no such cell");
    assert!(contents.replace_cell(&file, 0, 0, &[0; 17]).is_err(), "too long");
    contents.replace_cell(&file, 0, 0, b"new").unwrap();
    assert_eq!(bytes_of(&file).len(), bytes.len());
    made.cells[0].store(0, b"newer");
    assert_eq!(read_file(&bytes_of(&file)).unwrap().cell(0, 0), Some(&b"newer"[..]));
}

#[test]
fn a_successor_has_the_texts() {
    let (_file, made) = small();
    let file = scratch();
    let next =
        Ring::in_file_with_table(&file, &owner(), &GROUPS, 128 << 10, made.ring.table()).unwrap();
    assert_eq!(next.ring.capacity_bytes(), 128 << 10);
    assert_eq!(next.ring.table().append(b"more").unwrap().get(), 2);
    let bytes = bytes_of(&file);
    let texts: Vec<_> = read_file(&bytes).unwrap().ring.texts().map(|(_, text)| text).collect();
    assert_eq!(texts, [&b"a text"[..], b"more"]);
}

#[test]
fn a_file_that_is_cut_off_is_refused_wherever_it_was_cut() {
    let (file, _made) = small();
    let bytes = bytes_of(&file);
    let mut cuts: Vec<_> = (0..300).chain((300..bytes.len()).step_by(509)).collect();
    cuts.extend([PAGE_BYTES, bytes.len() - 1]);
    for cut in cuts {
        assert!(read_file(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert!(read_owner(&bytes[..136]).is_ok());
}

#[test]
fn a_bit_that_was_turned_in_the_head_is_told() {
    let (file, _made) = small();
    let bytes = bytes_of(&file);
    for bit in 0..8 * (SUMMED_BYTES + 4) {
        let mut turned = bytes.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert!(read_file(&turned).is_err(), "bit {bit}");
    }
}

#[test]
fn a_bit_that_was_turned_in_a_cell_costs_its_value() {
    let (file, _made) = small();
    let bytes = bytes_of(&file);
    let copy = PAGE_BYTES + 2 * 32;
    for bit in 0..8 * (HEAD + b"first".len()) {
        let mut turned = bytes.clone();
        turned[copy + bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read_file(&turned).unwrap().cell(0, 1), None, "bit {bit}");
    }
}

const HEAD: usize = 16;

#[test]
fn the_owners_lock_keeps_a_recoverer_off_and_ends_with_the_descriptor() {
    use crate::lock::{lock_as_owner, lock_as_recoverer};
    let path: PathBuf = std::env::temp_dir().join(format!("logboom-lock-{}", std::process::id()));
    let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let (owned, first, second) = (open().unwrap(), open().unwrap(), open().unwrap());
    assert!(lock_as_owner(&owned).unwrap());
    assert!(!lock_as_recoverer(&first).unwrap());
    drop(owned);
    assert!(lock_as_recoverer(&first).unwrap());
    assert!(!lock_as_recoverer(&second).unwrap(), "between two of one process, too");
    drop(first);
    assert!(lock_as_recoverer(&second).unwrap());
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_file_system_without_room_says_so_before_anything_is_mapped() {
    let Ok(full) = File::options().read(true).write(true).open("/dev/full") else { return };
    let Err(error) = Ring::in_file(&full, &owner(), &GROUPS, 64 << 10, 4 << 10) else {
        panic!("a device is no file")
    };
    assert!(error.to_string().contains("file for the ring"), "{error}");
}
