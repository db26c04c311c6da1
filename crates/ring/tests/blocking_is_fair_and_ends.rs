//! A producer that waits for room is served in its turn, and released by a deadline or the closing.

use logboom_ring::{Park, Refusal, Ring};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what any of this takes.
const LONG: Duration = Duration::from_secs(60);

fn full_ring() -> Arc<Ring> {
    let ring = Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap());
    fill(&ring);
    ring
}

/// Puts frames of 1 KiB into it until it is full.
fn fill(ring: &Ring) {
    while let Ok(frame) = ring.try_reserve(1016) {
        frame.commit();
    }
}

fn deadline() -> Option<Instant> {
    Some(Instant::now() + LONG)
}

/// Waits until `count` producers wait for room: until then a newcomer cannot tell.
fn until_waiting(ring: &Ring, count: usize) {
    let end = Instant::now() + LONG;
    while ring.waiting_producers() < count {
        assert!(Instant::now() < end, "nobody waits");
        thread::yield_now();
    }
}

#[test]
fn the_first_to_wait_is_the_first_to_be_served() {
    let ring = full_ring();
    let mut consumer = ring.consumer().unwrap();
    let (sender, order) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..5_usize {
            let (ring, sender) = (&ring, sender.clone());
            scope.spawn(move || {
                let frame = ring.reserve(1016, deadline()).unwrap();
                sender.send((frame.commit().end, number)).unwrap();
            });
            until_waiting(ring, number + 1);
        }
        // Room for two, then for the others.
        for frames in [2, 3] {
            let to = consumer.frames(ring.released(), usize::MAX).nth(frames - 1).unwrap().end;
            consumer.release(to, || ());
        }
        let mut served: Vec<_> = (0..5).map(|_| order.recv_timeout(LONG).unwrap()).collect();
        served.sort_unstable();
        assert_eq!(served.iter().map(|&(_, number)| number).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn newcomers_do_not_get_the_room_that_somebody_waits_for() {
    let ring = full_ring();
    let mut consumer = ring.consumer().unwrap();
    thread::scope(|scope| {
        let large = scope.spawn(|| ring.reserve(4000, deadline()).map(|frame| frame.commit()));
        until_waiting(&ring, 1);
        for _ in 0..3 {
            let to = consumer.frames(ring.released(), 1).next().unwrap().end;
            consumer.release(to, || ());
            assert_eq!(ring.try_reserve(8).err(), Some(Refusal::Full), "3 KiB are not for it");
        }
        let to = consumer.frames(ring.released(), 1).next().unwrap().end;
        consumer.release(to, || ());
        assert!(large.join().unwrap().is_ok());
        assert!(ring.try_reserve(8).is_ok());
    });
}

#[test]
fn a_deadline_ends_the_wait() {
    let ring = full_ring();
    let soon = Instant::now() + Duration::from_millis(5);
    assert_eq!(ring.reserve(8, Some(soon)).err(), Some(Refusal::TimedOut));
    assert!(Instant::now() >= soon);
    assert_eq!(ring.reserve(8, Some(soon)).err(), Some(Refusal::TimedOut), "one that is over");
    assert_eq!(ring.waiting_producers(), 0);
}

#[test]
fn who_gives_up_lets_the_next_have_the_room() {
    let ring = full_ring();
    let mut consumer = ring.consumer().unwrap();
    thread::scope(|scope| {
        let give_up = Some(Instant::now() + Duration::from_millis(100));
        let large = scope.spawn({
            let ring = &ring;
            move || ring.reserve(16_000, give_up).map(drop)
        });
        // On a machine that stalls it may have given up before the small one comes; then the small
        // one finds the room by itself.
        while ring.waiting_producers() < 1 && !large.is_finished() {
            thread::yield_now();
        }
        let small = scope.spawn(|| ring.reserve(8, deadline()).map(drop));
        let to = consumer.frames(ring.released(), 1).next().unwrap().end;
        consumer.release(to, || ());
        assert_eq!(large.join().unwrap().err(), Some(Refusal::TimedOut));
        assert_eq!(small.join().unwrap(), Ok(()));
    });
}

#[test]
fn closing_ends_every_wait() {
    let ring = full_ring();
    thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..4).map(|_| scope.spawn(|| ring.reserve(8, None).map(drop))).collect();
        until_waiting(&ring, 4);
        ring.close();
        for producer in waiting {
            assert_eq!(producer.join().unwrap(), Err(Refusal::Closed));
        }
    });
}

#[test]
fn a_ring_that_fills_up_ends_a_nap() {
    let ring = Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap());
    let mut consumer = ring.consumer().unwrap();
    let (sender, woken) = mpsc::channel();
    let napper = thread::spawn(move || {
        // Longer than the test is willing to wait.
        consumer.park(Park::Nap(100 * LONG));
        sender.send(consumer.has_frames()).unwrap();
    });
    fill(&ring);
    assert_eq!(woken.recv_timeout(LONG), Ok(true));
    napper.join().unwrap();
}

#[test]
fn a_commit_ends_a_sleep_and_a_wake_is_remembered() {
    let ring = Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap());
    let mut consumer = ring.consumer().unwrap();
    // Each of these would sleep for ever if it were not so.
    ring.wake();
    consumer.park(Park::Sleep);
    ring.wake();
    consumer.park(Park::Nap(100 * LONG));
    let (sender, woken) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        for _ in 0..100 {
            while !consumer.has_frames() {
                consumer.park(Park::Sleep);
            }
            let mut frames = consumer.frames(consumer.ring().released(), usize::MAX);
            frames.by_ref().for_each(drop);
            let position = frames.position();
            consumer.release(position, || ());
            sender.send(position).unwrap();
        }
    });
    for _ in 0..100 {
        let end = ring.try_reserve(8).unwrap().commit().end;
        assert_eq!(woken.recv_timeout(LONG), Ok(end));
    }
    sleeper.join().unwrap();
}

#[test]
fn a_place_is_served_in_its_turn_while_its_producer_looks_after_something_else() {
    let ring = full_ring();
    let mut consumer = ring.consumer().unwrap();
    let first = ring.line_up(vec![1; 1000].into()).unwrap();
    assert_eq!(first.wait(Some(Instant::now())).unwrap_err(), Refusal::TimedOut);
    let second = thread::spawn({
        let ring = ring.clone();
        move || ring.reserve(1000, deadline()).unwrap().commit().end
    });
    until_waiting(&ring, 2);
    let third = ring.line_up(vec![3; 1000].into()).unwrap();
    let end = ring.position();
    // Room for one, then for another: nobody waits at the first place.
    for waiting in [2, 1] {
        let to = consumer.frames(ring.released(), usize::MAX).next().unwrap().end;
        consumer.release(to, || ());
        assert_eq!(ring.waiting_producers(), waiting);
    }
    let second = second.join().unwrap();
    let mut frames = consumer.frames(ring.released(), usize::MAX);
    let last: Vec<_> = frames.by_ref().filter(|frame| frame.end > end).collect();
    assert_eq!((last[0].bytes, last[1].end), (&[1; 1000][..], second));
    assert!(first.wait(None).is_ok() && first.leave(), "it was served");
    assert!(!third.leave(), "it was not");
    assert_eq!(ring.waiting_producers(), 0);
}

#[test]
fn closing_ends_a_place_and_dropping_it_makes_way() {
    let ring = full_ring();
    let mut consumer = ring.consumer().unwrap();
    let too_long = vec![0; ring.max_frame_bytes() + 1];
    assert_eq!(ring.line_up(too_long.into()).map(drop).unwrap_err(), Refusal::TooLarge);
    let large = ring.line_up(vec![1; 10_000].into()).unwrap();
    let small = ring.line_up(vec![2; 1000].into()).unwrap();
    let to = consumer.frames(ring.released(), usize::MAX).next().unwrap().end;
    consumer.release(to, || ());
    assert_eq!(ring.waiting_producers(), 2, "room for the second, but not for the first");
    drop(large);
    assert!(small.wait(None).is_ok());
    let closed = ring.line_up(vec![3; 1000].into()).unwrap();
    ring.close();
    assert_eq!(closed.wait(None).unwrap_err(), Refusal::Closed);
}

#[test]
fn what_is_kept_back_is_for_those_who_ask_for_it() {
    let mut ring = Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap();
    ring.keep_back(ring.capacity_bytes() / 4);
    let capacity = ring.capacity_bytes();
    while ring.try_reserve(56).map(|frame| frame.commit()).is_ok() {}
    assert_eq!(ring.used_bytes(), capacity / 4 * 3, "to the byte");
    assert!(ring.try_reserve_all(56).map(|frame| frame.commit()).is_ok());
    while ring.used_bytes() < capacity {
        ring.reserve(56, deadline()).unwrap().commit();
    }
    assert_eq!(ring.try_reserve_all(56).map(drop).unwrap_err(), Refusal::Full);
}
