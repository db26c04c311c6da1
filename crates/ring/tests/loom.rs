//! Models of what threads do to a ring, run through every order of their steps:
//! `RUSTFLAGS="--cfg loom" cargo test -p logboom-ring --test loom --release`
//!
//! A ring has 64 bytes here. A frame takes its word of 8 bytes and up to 8 of payload, which is also
//! the longest one, so four frames of 8 bytes, or eight empty ones, fill it.
#![cfg(loom)]

use logboom_ring::{Consumer, Park, Refusal, Ring};
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread;
use std::sync::Arc;

/// Runs `model` through every order in which threads are preempted up to three times.
fn check(model: impl Fn() + Sync + Send + 'static) {
    check_bounded(3, model);
}

fn check_bounded(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn ring() -> Arc<Ring> {
    Arc::new(Ring::anonymous(64, 0).unwrap())
}

fn put(ring: &Ring, number: u64) -> Result<u64, Refusal> {
    let mut frame = ring.try_reserve(8)?;
    frame.copy_from_slice(&number.to_le_bytes());
    Ok(frame.commit().end)
}

/// Takes out what is there, onto `taken`.
fn take(consumer: &mut Consumer, taken: &mut Vec<u64>) {
    let mut frames = consumer.frames(consumer.ring().released(), usize::MAX);
    for frame in frames.by_ref() {
        taken.push(u64::from_le_bytes(frame.bytes.try_into().unwrap()));
    }
    let position = frames.position();
    consumer.release(position, || ());
}

/// Takes out `count` frames, asleep while there are none.
fn take_sleeping(consumer: &mut Consumer, count: usize) -> Vec<u64> {
    let mut taken = Vec::new();
    while taken.len() < count {
        take(consumer, &mut taken);
        if taken.len() < count {
            consumer.park(Park::Sleep);
        }
    }
    taken
}

#[test]
fn what_is_committed_comes_out_whole() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || {
                put(&ring, 1).unwrap();
                drop(ring.try_reserve(8).unwrap());
                put(&ring, 2).unwrap();
            })
        };
        let mut taken = Vec::new();
        take(&mut consumer, &mut taken);
        take(&mut consumer, &mut taken);
        assert!([&[][..], &[1], &[1, 2]].contains(&&taken[..]), "{taken:?}");
        producer.join().unwrap();
        take(&mut consumer, &mut taken);
        assert_eq!(taken, [1, 2]);
    });
}

#[test]
fn a_ring_that_folds_loses_no_frame() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        let mut taken = Vec::new();
        put(&ring, 0).unwrap();
        take(&mut consumer, &mut taken);
        let producer = {
            let ring = ring.clone();
            // While it folds, the ring is fuller than it will be: the second may be refused.
            thread::spawn(move || [put(&ring, 1).is_ok(), put(&ring, 2).is_ok()])
        };
        consumer.fold();
        take(&mut consumer, &mut taken);
        consumer.fold();
        let accepted = producer.join().unwrap();
        assert!(accepted[0], "there is room for one all the time");
        take(&mut consumer, &mut taken);
        assert_eq!(taken, if accepted[1] { &[0, 1, 2][..] } else { &[0, 1] });
    });
}

#[test]
fn two_producers_get_different_frames() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        let producers = [1, 3].map(|first| {
            let ring = ring.clone();
            thread::spawn(move || [put(&ring, first).unwrap(), put(&ring, first + 1).unwrap()])
        });
        let mut taken = Vec::new();
        take(&mut consumer, &mut taken);
        let ends = producers.map(|producer| producer.join().unwrap());
        take(&mut consumer, &mut taken);
        let mut ordered: Vec<(u64, u64)> =
            (1..).zip(ends.into_iter().flatten()).map(|(number, end)| (end, number)).collect();
        ordered.sort_unstable();
        assert_eq!(taken, ordered.iter().map(|&(_, number)| number).collect::<Vec<_>>());
        assert_eq!(ordered.last().unwrap().0, ring.position());
    });
}

#[test]
fn room_is_reused_only_after_it_was_zeroed() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        // Leaves 8 bytes before the end, too few for the next frame, which is padded into the next lap.
        for number in 0..3 {
            put(&ring, number).unwrap();
        }
        ring.try_reserve(0).unwrap().commit();
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let mut number = 3;
                for _ in 0..3 {
                    match ring.try_reserve(8) {
                        Ok(mut frame) => {
                            assert_eq!(*frame, [0; 8]);
                            frame.copy_from_slice(&u64::to_le_bytes(number));
                            frame.commit();
                            number += 1;
                        }
                        Err(refusal) => assert_eq!(refusal, Refusal::Full),
                    }
                }
                number
            })
        };
        let mut taken = Vec::new();
        for max_bytes in [32, usize::MAX] {
            let mut frames = consumer.frames(consumer.ring().released(), max_bytes);
            taken.extend(
                frames
                    .by_ref()
                    .filter(|frame| !frame.bytes.is_empty())
                    .map(|frame| u64::from_le_bytes(frame.bytes.try_into().unwrap())),
            );
            let position = frames.position();
            consumer.release(position, || ());
        }
        let end = producer.join().unwrap();
        let mut rest = consumer.frames(consumer.ring().released(), usize::MAX);
        taken.extend(
            rest.by_ref()
                .filter(|frame| !frame.bytes.is_empty())
                .map(|frame| u64::from_le_bytes(frame.bytes.try_into().unwrap())),
        );
        assert_eq!(taken, (0..end).collect::<Vec<_>>());
    });
}

#[test]
fn a_sleeping_consumer_misses_no_commit() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || {
                put(&ring, 1).unwrap();
                put(&ring, 2).unwrap();
            })
        };
        // A lost wake-up is a deadlock here.
        assert_eq!(take_sleeping(&mut consumer, 2), [1, 2]);
        producer.join().unwrap();
    });
}

#[test]
fn a_sleeping_consumer_misses_no_wake() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        let asked = Arc::new(AtomicBool::new(false));
        let waker = {
            let (ring, asked) = (ring.clone(), asked.clone());
            thread::spawn(move || {
                asked.store(true, Relaxed);
                ring.wake();
            })
        };
        while !asked.load(Relaxed) {
            consumer.park(Park::Sleep);
        }
        waker.join().unwrap();
    });
}

#[test]
fn a_consumer_that_leaves_strands_nothing_unnoticed() {
    check(|| {
        let ring = ring();
        let consumer = ring.consumer().unwrap();
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let mut frame = ring.try_reserve(8).unwrap();
                frame.fill(1);
                frame.commit().consumer_absent
            })
        };
        drop(consumer);
        let seen = ring.position() != ring.released();
        let told = producer.join().unwrap();
        assert!(seen || told);
    });
}

#[test]
fn closing_and_reserving_are_in_one_order() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || put(&ring, 1))
        };
        ring.close();
        let end = ring.position();
        let mut taken = Vec::new();
        while !consumer.is_idle() {
            take(&mut consumer, &mut taken);
            if !consumer.is_idle() {
                consumer.park(Park::Sleep);
            }
        }
        match producer.join().unwrap() {
            Ok(its_end) => assert_eq!((its_end, &taken[..]), (end, &[1][..])),
            Err(refusal) => assert_eq!((refusal, &taken[..]), (Refusal::Closed, &[][..])),
        }
        assert_eq!(ring.position(), end);
    });
}

#[test]
fn a_blocked_producer_gets_the_room_that_is_released() {
    check(|| {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        for number in 0..4 {
            put(&ring, number).unwrap();
        }
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let mut frame = ring.reserve(8, None).unwrap();
                frame.copy_from_slice(&u64::to_le_bytes(4));
                frame.commit();
            })
        };
        assert_eq!(take_sleeping(&mut consumer, 5), [0, 1, 2, 3, 4]);
        producer.join().unwrap();
    });
}

#[test]
fn two_blocked_producers_both_get_room() {
    // Three threads and a lock: three preemptions would take hours.
    check_bounded(1, || {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        for number in 0..4 {
            put(&ring, number).unwrap();
        }
        let producers = [4, 5].map(|number| {
            let ring = ring.clone();
            thread::spawn(move || {
                let mut frame = ring.reserve(8, None).unwrap();
                frame.copy_from_slice(&u64::to_le_bytes(number));
                frame.commit();
            })
        });
        let mut taken = take_sleeping(&mut consumer, 6);
        taken[4..].sort_unstable();
        assert_eq!(taken, [0, 1, 2, 3, 4, 5]);
        for producer in producers {
            producer.join().unwrap();
        }
    });
}

#[test]
fn closing_ends_the_wait_for_room() {
    check(|| {
        let ring = ring();
        for number in 0..4 {
            put(&ring, number).unwrap();
        }
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || ring.reserve(8, None).map(drop).unwrap_err())
        };
        ring.close();
        assert_eq!(producer.join().unwrap(), Refusal::Closed);
    });
}

#[test]
fn a_text_is_found_whole_or_not_at_all() {
    check(|| {
        let ring = Arc::new(Ring::anonymous(64, 64).unwrap());
        // Loom only remembers the last access to an atomic, so it does not see that a look at the
        // table competes with an append, which loads before it exchanges. It sees that these do.
        let begun = Arc::new(AtomicBool::new(false));
        let appenders = [b"ab", b"cd"].map(|text| {
            let (ring, begun) = (ring.clone(), begun.clone());
            thread::spawn(move || {
                begun.store(true, Relaxed);
                ring.table().append(text).unwrap()
            })
        });
        begun.load(Relaxed);
        let one = std::num::NonZeroU32::MIN;
        let early = ring.table().get(one).map(<[u8]>::to_vec);
        let ids = appenders.map(|appender| appender.join().unwrap());
        assert_eq!(ring.table().get(ids[0]), Some(&b"ab"[..]));
        assert_eq!(ring.table().get(ids[1]), Some(&b"cd"[..]));
        assert!(early.is_none_or(|early| Some(&early[..]) == ring.table().get(one)));
    });
}

#[test]
fn a_place_is_served_in_its_turn_or_given_up() {
    check_bounded(2, || {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        for number in 0..4 {
            put(&ring, number).unwrap();
        }
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let place = ring.line_up(Box::new(u64::to_le_bytes(4))).unwrap();
                // A deadline in the past: looks once.
                let past = Some(std::time::Instant::now());
                match place.wait(past) {
                    Ok(()) => true,
                    Err(refusal) => {
                        assert_eq!(refusal, Refusal::TimedOut);
                        place.leave()
                    }
                }
            })
        };
        let mut taken = Vec::new();
        take(&mut consumer, &mut taken);
        let served = producer.join().unwrap();
        take(&mut consumer, &mut taken);
        assert_eq!(taken, if served { &[0, 1, 2, 3, 4][..] } else { &[0, 1, 2, 3] });
    });
}

#[test]
fn a_place_misses_no_room() {
    check_bounded(2, || {
        let ring = ring();
        let mut consumer = ring.consumer().unwrap();
        for number in 0..4 {
            put(&ring, number).unwrap();
        }
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || {
                ring.line_up(Box::new(u64::to_le_bytes(4))).unwrap().wait(None).unwrap();
            })
        };
        assert_eq!(take_sleeping(&mut consumer, 5), [0, 1, 2, 3, 4]);
        producer.join().unwrap();
    });
}
