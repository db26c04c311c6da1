//! `cargo +nightly fuzz run ring_reader`: whatever the bytes, the reader of a ring's memory neither
//! panics nor shows more than there is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(contents) = logboom_ring::read(bytes) else { return };
    let mut frames = contents.frames();
    let total: usize = frames.by_ref().map(|frame| frame.len() + 8).sum();
    assert!(total <= contents.capacity_bytes());
    assert!(frames.damaged_at().is_some() || frames.position() == contents.position());
    assert!(contents.texts().count() <= bytes.len() / 8);
    contents.texts().for_each(|(id, text)| assert_eq!(contents.text(id), Some(text)));
});
