//! The table: what is appended is found under its id for ever, in a copy as well.

use logboom_ring::{Ring, Table};
use std::collections::HashSet;
use std::num::NonZeroU32;
use std::thread;

fn ring(table_bytes: usize) -> Ring {
    Ring::anonymous(Ring::MIN_CAPACITY_BYTES, table_bytes).unwrap()
}

fn id(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

#[test]
fn a_text_is_found_under_its_id_and_nothing_under_others() {
    let ring = ring(4096);
    let table: &Table = ring.table();
    assert_eq!(table.get(id(1)), None);
    let texts = [&b"app.db"[..], b"", b"\0\xFF"];
    let ids = texts.map(|text| table.append(text).unwrap());
    for (id, text) in ids.into_iter().zip(texts) {
        assert_eq!(table.get(id), Some(text));
    }
    assert_eq!(table.used_bytes(), 8 + 3 * 8);
    for absent in [4, 511, 512, 513, u32::MAX] {
        assert_eq!(table.get(id(absent)), None);
    }
}

#[test]
fn a_full_table_refuses_and_keeps_what_it_has() {
    let ring = ring(100);
    let table = ring.table();
    assert_eq!(table.capacity_bytes(), 104);
    assert_eq!(table.append(&[b'a'; 97]), None);
    let first = table.append(&[b'a'; 80]).unwrap();
    assert_eq!(table.append(&[b'b'; 9]), None);
    let second = table.append(&[b'b'; 8]).unwrap();
    assert_eq!(table.used_bytes(), 104);
    assert_eq!(table.append(b""), None);
    assert_eq!(table.get(first), Some(&[b'a'; 80][..]));
    assert_eq!(table.get(second), Some(&[b'b'; 8][..]));
    assert_eq!(super_small().append(b""), None);
}

/// A table of no bytes at all.
fn super_small() -> &'static Table {
    Box::leak(Box::new(ring(0))).table()
}

#[test]
fn a_copy_has_the_same_texts_and_goes_on_by_itself() {
    let old = ring(4096);
    let first = old.table().append(b"first").unwrap();
    let new = Ring::anonymous_with_table(1 << 20, old.table()).unwrap();
    assert_eq!(new.capacity_bytes(), 1 << 20);
    assert_eq!(new.table().get(first), Some(&b"first"[..]));
    let theirs = old.table().append(b"old").unwrap();
    let ours = new.table().append(b"new").unwrap();
    assert_eq!(theirs, ours, "the reason why an id belongs to its table");
    assert_eq!(new.table().get(ours), Some(&b"new"[..]));
    assert_eq!(old.table().get(theirs), Some(&b"old"[..]));
}

#[test]
fn threads_that_append_at_once_get_different_ids() {
    let ring = ring(1 << 20);
    let texts = |thread: usize| (0..1000).map(move |number| format!("{thread}/{number}"));
    let ids: Vec<Vec<NonZeroU32>> = thread::scope(|scope| {
        let append = |text: String| ring.table().append(text.as_bytes()).unwrap();
        let threads: Vec<_> =
            (0..4).map(|thread| scope.spawn(move || texts(thread).map(append).collect())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (thread, ids) in ids.iter().enumerate() {
        for (id, text) in ids.iter().zip(texts(thread)) {
            assert_eq!(ring.table().get(*id), Some(text.as_bytes()));
        }
    }
    assert_eq!(ids.iter().flatten().collect::<HashSet<_>>().len(), 4000);
}
