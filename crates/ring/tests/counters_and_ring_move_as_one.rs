//! Who holds the ring sees counters and frames of one moment.

use logboom_ring::{Park, Ring};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

fn put(ring: &Ring, number: u64) {
    let mut frame = ring.reserve(8, None).unwrap();
    frame.copy_from_slice(&number.to_le_bytes());
    frame.commit();
}

#[test]
fn the_first_frame_shown_is_the_one_behind_the_last_that_was_counted() {
    const FRAMES: u64 = 50_000;
    let ring = Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap());
    let mut consumer = ring.consumer().unwrap();
    let released = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| (0..FRAMES).for_each(|number| put(&ring, number)));
        scope.spawn(|| {
            while released.load(Relaxed) < FRAMES {
                let mut frames = consumer.frames(consumer.ring().released(), 1000);
                let count = frames.by_ref().count() as u64;
                let position = frames.position();
                consumer.release(position, || {
                    released.fetch_add(count, Relaxed);
                });
                if count == 0 {
                    consumer.park(Park::Sleep);
                }
            }
        });
        while released.load(Relaxed) < FRAMES {
            let held = ring.hold();
            let counted = released.load(Relaxed);
            for (number, bytes) in (counted..).zip(held.frames()) {
                assert_eq!(bytes, number.to_le_bytes());
            }
            assert_eq!(released.load(Relaxed), counted);
        }
    });
}

#[test]
fn nothing_is_released_while_the_ring_is_held() {
    let ring = Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap());
    put(&ring, 7);
    let mut consumer = ring.consumer().unwrap();
    let to = consumer.frames(0, usize::MAX).next().unwrap().end;
    let may_release = AtomicBool::new(false);
    thread::scope(|scope| {
        let held = ring.hold();
        let frame = held.frames().next().unwrap();
        scope.spawn(|| consumer.release(to, || assert!(may_release.load(Relaxed))));
        for _ in 0..1000 {
            assert_eq!(frame, 7_u64.to_le_bytes());
            thread::yield_now();
        }
        may_release.store(true, Relaxed);
        drop(held);
    });
    assert_eq!(ring.hold().frames().count(), 0);
}
