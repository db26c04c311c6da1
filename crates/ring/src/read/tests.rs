//! Small real rings, as a crash would leave them, whole and mutated: also the fuzz target's corpus.

use super::*;
use crate::Ring;
use std::mem::forget;
use std::path::Path;
use std::sync::Arc;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/ring_reader");

/// What a process leaves that is killed after `fill`. A reservation that it forgets was still open.
fn image(fill: impl FnOnce(&Arc<Ring>)) -> Vec<u8> {
    let ring = Arc::new(Ring::with_sizes(256, 128).unwrap());
    fill(&ring);
    Arc::into_inner(ring).unwrap().image()
}

fn put(ring: &Ring, bytes: &[u8]) {
    let mut frame = ring.try_reserve(bytes.len()).unwrap();
    frame.copy_from_slice(bytes);
    frame.commit();
}

fn take(ring: &Arc<Ring>) {
    let mut consumer = ring.consumer().unwrap();
    let mut frames = consumer.frames(ring.released(), usize::MAX);
    frames.by_ref().for_each(drop);
    let position = frames.position();
    consumer.release(position, || ());
}

fn u64_of(image: &mut [u8], at: usize) -> &mut [u8; 8] {
    image[at..].first_chunk_mut().unwrap()
}

/// Where the ring begins in an [`image`].
const RING: usize = HEADER_BYTES + 128;

/// A ring in its third lap with all that there can be: texts, a pad, an abandoned frame, one that is
/// being written, and three that are whole.
fn lively(ring: &Arc<Ring>) {
    ring.table().append(b"app.db").unwrap();
    ring.table().append(b"").unwrap();
    for round in 0..11 {
        put(ring, &[round; 33]);
        take(ring);
    }
    put(ring, b"one");
    drop(ring.try_reserve(20).unwrap());
    let mut open = ring.try_reserve(5).unwrap();
    open.fill(b'?');
    forget(open);
    put(ring, b"");
    put(ring, &[b'3'; 56]);
    put(ring, b"four");
    ring.close();
}

fn lively_frames() -> [&'static [u8]; 4] {
    [b"one", b"", &[b'3'; 56], b"four"]
}

#[test]
fn everything_committed_and_nothing_else_is_read() {
    let bytes = image(lively);
    let contents = read(&bytes).unwrap();
    let mut frames = contents.frames();
    assert_eq!(frames.by_ref().collect::<Vec<_>>(), lively_frames());
    assert_eq!((frames.unfinished(), frames.damaged_at()), (1, None));
    assert_eq!(frames.position(), contents.position());
    assert!(contents.is_closed());
    let texts: Vec<_> = contents.texts().map(|(id, text)| (id.get(), text)).collect();
    assert_eq!(texts, [(1, &b"app.db"[..]), (2, b"")]);
    assert_eq!(contents.text(NonZeroU32::new(3).unwrap()), None);
    assert_eq!(contents.text(NonZeroU32::MAX), None);
}

#[test]
fn a_producer_killed_before_it_said_how_long_its_frame_is_costs_no_other() {
    let mut bytes = image(|ring| {
        put(ring, b"first");
        forget(ring.try_reserve(40).unwrap());
        forget(ring.try_reserve(0).unwrap());
        put(ring, b"last");
    });
    *u64_of(&mut bytes, RING + 16) = [0; 8];
    *u64_of(&mut bytes, RING + 16 + 48) = [0; 8];
    let mut frames = read(&bytes).unwrap().frames();
    assert_eq!(frames.by_ref().collect::<Vec<_>>(), [&b"first"[..], b"last"]);
    assert_eq!((frames.unfinished(), frames.damaged_at()), (1, None));
}

#[test]
fn a_producer_killed_before_it_filled_the_end_costs_no_other() {
    let mut bytes = image(|ring| {
        (0..4).for_each(|_| put(ring, &[b'.'; 48]));
        take(ring);
        // Needs 40 bytes of the 32 before the end, so it goes into the next lap.
        forget(ring.try_reserve(32).unwrap());
        put(ring, b"last");
    });
    assert_eq!(Word::decode(u64_at(&bytes, RING + 224).unwrap()), Word::Frame(State::Pad, 24));
    *u64_of(&mut bytes, RING + 224) = [0; 8];
    *u64_of(&mut bytes, RING) = [0; 8];
    let mut frames = read(&bytes).unwrap().frames();
    assert_eq!(frames.by_ref().collect::<Vec<_>>(), [b"last"]);
    assert_eq!((frames.unfinished(), frames.damaged_at()), (1, None));
}

#[test]
fn a_consumer_killed_while_it_zeroes_shows_nothing_twice() {
    let before = image(|ring| {
        put(ring, b"gone");
        put(ring, b"gone");
        put(ring, b"there");
    });
    // Released up to 32, of which the first word and a part of the second frame are zeroed already.
    let mut bytes = before;
    *u64_of(&mut bytes, offset::CONSUMED) = 32_u64.to_ne_bytes();
    *u64_of(&mut bytes, RING) = [0; 8];
    *u64_of(&mut bytes, RING + 16) = [0; 8];
    let contents = read(&bytes).unwrap();
    assert_eq!(contents.released(), 32);
    let mut frames = contents.frames();
    assert_eq!(frames.by_ref().collect::<Vec<_>>(), [b"there"]);
    assert_eq!(frames.damaged_at(), None);
}

#[test]
fn nothing_is_read_behind_a_damage() {
    let mut bytes = image(|ring| {
        put(ring, b"before");
        put(ring, b"damaged");
        put(ring, b"behind");
    });
    bytes[RING + 16 + 4] ^= 0x80;
    let mut frames = read(&bytes).unwrap().frames();
    assert_eq!(frames.by_ref().collect::<Vec<_>>(), [b"before"]);
    assert_eq!(frames.damaged_at(), Some(16));
    assert_eq!(frames.next(), None);
}

#[test]
fn what_is_no_ring_is_refused_with_a_reason() {
    let whole = image(lively);
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        read(&bytes).unwrap_err().to_string()
    };
    assert_eq!(error(&|bytes| bytes.clear()), "the memory of a ring is cut off");
    assert_eq!(error(&|bytes| bytes.truncate(RING)), "the memory of a ring is cut off");
    assert_eq!(error(&|bytes| bytes[0] = 0), "not the memory of a ring");
    assert_eq!(
        error(&|bytes| bytes[..8].reverse()),
        "the ring is from a machine of another byte order"
    );
    assert_eq!(
        error(&|bytes| *u64_of(bytes, offset::HEAD) = [0xFF; 8]),
        "the header of the ring is damaged"
    );
    assert_eq!(
        error(&|bytes| bytes[offset::VERSION] = 9),
        "unknown version of a ring: got 9, expected 1"
    );
}

/// Reads all there is and checks that it is bounded by what was given.
fn survey(bytes: &[u8]) {
    let Ok(contents) = read(bytes) else { return };
    let mut frames = contents.frames();
    let total: usize = frames.by_ref().map(|frame| frame.len() + WORD_BYTES).sum();
    assert!(total <= bytes.len());
    assert!(frames.position() <= contents.position());
    assert!(frames.damaged_at().is_some() || frames.position() == contents.position());
    assert!(contents.texts().count() <= bytes.len() / 8);
    contents.texts().for_each(|(id, text)| assert_eq!(contents.text(id), Some(text)));
}

#[test]
fn every_flipped_bit_and_every_cut_is_survived() {
    let whole = image(lively);
    for bit in 0..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        survey(&bytes);
    }
    for len in 0..whole.len() {
        assert!(read(&whole[..len]).is_err());
    }
}

/// The seeds: whole ones, and what a fuzzer would take long to find.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds = vec![
        ("whole-empty".to_owned(), image(|_| ())),
        ("whole-lively".to_owned(), image(lively)),
        ("whole-full".to_owned(), image(|ring| (0..16).for_each(|n| put(ring, &[n; 8])))),
    ];
    let numbers = [0, 1, 8, 255, 256, 1 << 31, u64::from(u32::MAX), 1 << 62, u64::MAX];
    let fields = [
        offset::CAPACITY,
        offset::RING_OFFSET,
        offset::TABLE_BYTES,
        offset::TABLE_OFFSET,
        offset::HEAD,
        offset::TAIL,
        offset::CONSUMED,
        offset::TABLE_USED,
        RING - 8,
        RING,
        RING + 64,
    ];
    for (index, field) in fields.into_iter().enumerate() {
        let mut bytes = image(lively);
        *u64_of(&mut bytes, field) = numbers[index % numbers.len()].to_ne_bytes();
        seeds.push((format!("mutated-{index}"), bytes));
    }
    seeds.push(("cut".to_owned(), image(lively)[..RING + 99].to_vec()));
    seeds
}

#[test]
fn the_fuzz_corpus_is_survived() {
    let files = std::fs::read_dir(CORPUS).unwrap().map(|file| file.unwrap().path());
    let count = files.inspect(|path| survey(&std::fs::read(path).unwrap())).count();
    assert!(count >= seeds().len(), "{count} files in {CORPUS}");
}

/// A ring of another build must be readable. If this fails, the layout changed: give it a new
/// `VERSION`, then make the seeds again.
#[cfg(target_endian = "little")]
#[test]
fn the_layout_is_the_one_that_was_committed() {
    for (name, bytes) in seeds().into_iter().filter(|(name, _)| name.starts_with("whole")) {
        let committed = std::fs::read(Path::new(CORPUS).join(&name)).unwrap();
        assert!(bytes == committed, "{name} has changed");
    }
}

/// `cargo test -p logboom-ring make_the_seeds -- --ignored`
#[test]
#[ignore = "writes the corpus"]
fn make_the_seeds() {
    for (name, bytes) in seeds() {
        std::fs::write(Path::new(CORPUS).join(name), bytes).unwrap();
    }
}
