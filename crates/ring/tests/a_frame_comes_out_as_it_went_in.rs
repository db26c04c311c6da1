//! What is committed comes out, whole and in order; what is abandoned does not.

use logboom_ring::{Consumer, Refusal, Ring};
use std::sync::Arc;

fn ring() -> Arc<Ring> {
    Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 4096).unwrap())
}

fn put(ring: &Ring, bytes: &[u8]) -> u64 {
    let mut frame = ring.try_reserve(bytes.len()).unwrap();
    assert!(frame.iter().all(|&byte| byte == 0), "a new frame is zero");
    frame.copy_from_slice(bytes);
    frame.commit().end
}

/// Takes out everything there is.
fn take(consumer: &mut Consumer) -> Vec<Vec<u8>> {
    let mut frames = consumer.frames(consumer.ring().released(), usize::MAX);
    let taken = frames.by_ref().map(|frame| frame.bytes.to_vec()).collect();
    let position = frames.position();
    consumer.release(position, || ());
    taken
}

#[test]
fn frames_come_out_in_order_over_many_laps() {
    let ring = ring();
    let mut consumer = ring.consumer().unwrap();
    for round in 0..2000_u32 {
        let lens = [0, 1, 7, 8, 9, 100, round as usize % 5000];
        let frames = lens.map(|len| vec![round as u8; len]);
        for frame in &frames {
            put(&ring, frame);
        }
        assert_eq!(take(&mut consumer), frames);
        assert!(consumer.is_idle());
    }
    assert!(ring.position() > 10 * ring.capacity_bytes() as u64);
}

#[test]
fn an_abandoned_frame_is_passed_over() {
    let ring = ring();
    let mut consumer = ring.consumer().unwrap();
    put(&ring, b"a");
    ring.try_reserve(50).unwrap().fill(b'x');
    put(&ring, b"b");
    drop(ring.try_reserve(3).unwrap());
    assert_eq!(take(&mut consumer), [b"a", b"b"]);
    assert_eq!(ring.used_bytes(), 0, "abandoned frames are released as well");
}

#[test]
fn a_frame_that_is_being_written_holds_back_the_ones_behind_it() {
    let ring = ring();
    let mut consumer = ring.consumer().unwrap();
    let mut first = ring.try_reserve(1).unwrap();
    put(&ring, b"b");
    assert!(take(&mut consumer).is_empty());
    assert!(!consumer.has_frames());
    first[0] = b'a';
    first.commit();
    assert_eq!(take(&mut consumer), [b"a", b"b"]);
}

#[test]
fn frames_are_shown_again_until_they_are_released() {
    let ring = ring();
    let mut consumer = ring.consumer().unwrap();
    let ends = [put(&ring, b"a"), put(&ring, b"b"), put(&ring, b"c")];
    for _ in 0..2 {
        assert_eq!(consumer.frames(0, usize::MAX).map(|frame| frame.end).collect::<Vec<_>>(), ends);
    }
    assert_eq!(consumer.frames(ends[0], 1).map(|frame| frame.bytes).collect::<Vec<_>>(), [b"b"]);
    let mut accounted = false;
    consumer.release(ends[1], || accounted = true);
    assert!(accounted);
    assert_eq!(ring.released(), ends[1]);
    assert_eq!(take(&mut consumer), [b"c"]);
}

#[test]
fn a_full_ring_refuses_and_shows_each_frame_once() {
    let ring = ring();
    let mut consumer = ring.consumer().unwrap();
    // Frames that divide the capacity, so that not a byte of it stays free.
    for number in 0..64_u8 {
        put(&ring, &[number; 1016]);
    }
    assert_eq!(ring.used_bytes(), ring.capacity_bytes());
    assert_eq!(ring.try_reserve(0).err(), Some(Refusal::Full));
    assert_eq!(ring.hold().frames().count(), 64);
    assert_eq!(take(&mut consumer).len(), 64);
    assert!(ring.try_reserve(0).is_ok());
}

#[test]
fn a_frame_longer_than_the_limit_is_refused_for_good() {
    let ring = ring();
    assert_eq!(ring.max_frame_bytes(), ring.capacity_bytes() / 4 - 8);
    assert!(ring.try_reserve(ring.max_frame_bytes()).is_ok());
    assert_eq!(ring.try_reserve(ring.max_frame_bytes() + 1).err(), Some(Refusal::TooLarge));
    assert_eq!(ring.reserve(usize::MAX, None).err(), Some(Refusal::TooLarge));
}

#[test]
fn a_closed_ring_refuses_and_still_gives_what_it_has() {
    let ring = ring();
    let mut consumer = ring.consumer().unwrap();
    let mut reserved = ring.try_reserve(1).unwrap();
    let before = ring.position();
    ring.close();
    assert!(ring.is_closed());
    assert_eq!(ring.try_reserve(1).err(), Some(Refusal::Closed));
    assert_eq!(ring.reserve(1, None).err(), Some(Refusal::Closed));
    assert_eq!(ring.position(), before);
    reserved[0] = b'z';
    reserved.commit();
    assert_eq!(take(&mut consumer), [b"z"]);
    assert!(consumer.is_idle());
}

#[test]
fn only_one_consumer_exists_and_producers_learn_when_there_is_none() {
    let ring = ring();
    assert!(ring.try_reserve(1).unwrap().commit().consumer_absent);
    let mut consumer = ring.consumer().unwrap();
    assert!(ring.consumer().is_none());
    assert!(!ring.try_reserve(1).unwrap().commit().consumer_absent);
    assert_eq!(take(&mut consumer).len(), 2);
    drop(consumer);
    assert!(ring.try_reserve(1).unwrap().commit().consumer_absent);
    assert_eq!(take(&mut ring.consumer().unwrap()).len(), 1);
}

#[test]
#[should_panic(expected = "no frame that was shown ends at 8")]
fn a_position_inside_of_a_frame_is_refused() {
    let ring = ring();
    put(&ring, b"0123456789");
    let mut consumer = ring.consumer().unwrap();
    assert_eq!(consumer.frames(0, usize::MAX).count(), 1);
    consumer.release(8, || ());
}

#[test]
#[should_panic(expected = "no frame that was shown")]
fn a_frame_that_was_not_shown_is_not_released() {
    let ring = ring();
    let end = put(&ring, b"a");
    ring.consumer().unwrap().release(end, || ());
}

#[test]
fn sizes_are_checked_and_rounded() {
    for capacity in [0, Ring::MIN_CAPACITY_BYTES - 1, Ring::MAX_CAPACITY_BYTES + 1] {
        let error = Ring::anonymous(capacity, 0).unwrap_err();
        assert!(error.is_invalid_argument());
        assert_eq!(
            error.to_string(),
            format!("invalid `capacity_bytes`: got {capacity}, expected 65536 to 17179869184")
        );
    }
    assert!(Ring::anonymous(65536, (1 << 30) + 1).unwrap_err().is_invalid_argument());
    assert_eq!(Ring::anonymous(65537, 0).unwrap().capacity_bytes(), 131072);
}

/// Untouched pages cost nothing, or this would need 16 GiB.
#[cfg(target_os = "linux")]
#[test]
fn the_largest_ring_can_be_made() {
    let ring = Arc::new(Ring::anonymous(Ring::MAX_CAPACITY_BYTES, 1 << 20).unwrap());
    put(&ring, b"a");
    assert_eq!(take(&mut ring.consumer().unwrap()), [b"a"]);
    assert_eq!(ring.max_frame_bytes(), 1 << 30);
}
