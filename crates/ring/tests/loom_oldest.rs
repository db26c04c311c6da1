//! Models of producers that drop the oldest frames, run through every order of their steps, as those in
//! `loom.rs`: a ring has 64 bytes, four frames of 8 bytes fill it.
#![cfg(loom)]

use logboom_ring::{Consumer, Park, Refusal, Ring};
use loom::thread;
use std::sync::Arc;

/// Runs `model` through every order in which threads are preempted so many times.
fn check_bounded(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn put(ring: &Ring, number: u64) -> Result<u64, Refusal> {
    let mut frame = ring.try_reserve(8)?;
    frame.copy_from_slice(&number.to_le_bytes());
    Ok(frame.commit().end)
}

/// A full ring whose oldest may be dropped, and its consumer.
fn dropping() -> (Arc<Ring>, Consumer) {
    let mut ring = Ring::anonymous(64, 0).unwrap();
    ring.let_drop_oldest();
    let ring = Arc::new(ring);
    let consumer = ring.consumer().unwrap();
    for number in 0..4 {
        put(&ring, number).unwrap();
    }
    (ring, consumer)
}

/// Puts a number, over the oldest if need be; what that dropped, and whether it was put.
fn put_over(ring: &Ring, number: u64) -> (Vec<u64>, bool) {
    let mut dropped = Vec::new();
    let number_of = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    match ring.reserve_over_oldest(8, |bytes| dropped.push(number_of(bytes))) {
        Ok(mut frame) => {
            frame.copy_from_slice(&number.to_le_bytes());
            frame.commit();
            (dropped, true)
        }
        Err(refusal) => {
            assert_eq!(refusal, Refusal::Full);
            (dropped, false)
        }
    }
}

/// Copies what there is, and releases it.
fn copy(consumer: &mut Consumer, taken: &mut Vec<u64>) {
    let front = consumer.front();
    let mut frames = front.frames(usize::MAX);
    for frame in frames.by_ref() {
        taken.push(u64::from_le_bytes(frame.bytes.try_into().unwrap()));
    }
    let to = frames.position();
    front.keep(to, || ());
    consumer.release(to, || ());
}

#[test]
fn dropping_the_oldest_loses_nothing_uncounted() {
    check_bounded(2, || {
        let (ring, mut consumer) = dropping();
        let producers = [4, 5].map(|number| {
            let ring = ring.clone();
            thread::spawn(move || put_over(&ring, number))
        });
        let mut taken = Vec::new();
        copy(&mut consumer, &mut taken);
        let mut all: Vec<u64> = (0..4).collect();
        let mut dropped = Vec::new();
        for (number, producer) in (4..).zip(producers) {
            let (its, put) = producer.join().unwrap();
            dropped.extend(its);
            // Refused where the oldest is the other's, who has not written it yet.
            if put {
                all.push(number);
            }
        }
        copy(&mut consumer, &mut taken);
        let mut found = [dropped, taken.clone()].concat();
        found.sort_unstable();
        assert_eq!(found, all);
        assert!(taken.iter().filter(|&&number| number < 4).is_sorted());
        assert!(consumer.is_idle());
    });
}

#[test]
fn a_copied_frame_is_freed_and_not_dropped() {
    check_bounded(3, || {
        let (ring, mut consumer) = dropping();
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || put_over(&ring, 4))
        };
        let mut taken = Vec::new();
        let front = consumer.front();
        let mut frames = front.frames(16);
        let first = frames.next().unwrap();
        taken.push(u64::from_le_bytes(first.bytes.try_into().unwrap()));
        let end = first.end;
        front.keep(end, || ());
        let (dropped, put) = producer.join().unwrap();
        assert!(put && dropped.iter().all(|number| !taken.contains(number)));
        consumer.release(end, || ());
        copy(&mut consumer, &mut taken);
        let mut found = [dropped, taken].concat();
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_sleeping_consumer_misses_nothing_that_is_put_over_the_oldest() {
    check_bounded(2, || {
        let (ring, mut consumer) = dropping();
        let producer = {
            let ring = ring.clone();
            thread::spawn(move || assert!(put_over(&ring, 4).1))
        };
        let mut taken = Vec::new();
        while taken.last() != Some(&4) {
            copy(&mut consumer, &mut taken);
            if taken.last() != Some(&4) {
                consumer.park(Park::Sleep);
            }
        }
        producer.join().unwrap();
    });
}
