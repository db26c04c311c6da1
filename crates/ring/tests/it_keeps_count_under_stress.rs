//! Many threads and one consumer: nothing lost, nothing twice, each thread's frames in its order, and
//! positions that ascend.

use logboom_ring::{Committed, Consumer, Park, Refusal, Ring};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const PRODUCERS: usize = 6;
const FRAMES: usize = 20_000;

/// A frame of a length that depends on its number, filled with it.
fn submit(ring: &Ring, producer: usize, number: usize, blocking: bool) -> Option<Committed> {
    let len = 16 + (number * 7919 + producer) % 300;
    let reserved = if blocking { ring.reserve(len, None) } else { ring.try_reserve(len) };
    let mut frame = match reserved {
        Ok(frame) => frame,
        Err(refusal) => {
            assert!(!blocking && refusal == Refusal::Full);
            return None;
        }
    };
    frame[..8].copy_from_slice(&producer.to_le_bytes());
    frame[8..16].copy_from_slice(&number.to_le_bytes());
    frame[16..].fill(number as u8);
    if number % 101 == 100 {
        return None;
    }
    Some(frame.commit())
}

struct Seen {
    next: [usize; PRODUCERS],
    counts: [usize; PRODUCERS],
    last_end: u64,
}

fn look(seen: &mut Seen, bytes: &[u8], end: u64) {
    let producer = usize::from_le_bytes(bytes[..8].try_into().unwrap());
    let number = usize::from_le_bytes(bytes[8..16].try_into().unwrap());
    assert_eq!(bytes.len(), 16 + (number * 7919 + producer) % 300);
    assert!(bytes[16..].iter().all(|&byte| byte == number as u8), "a torn frame");
    assert!(number >= seen.next[producer], "out of order or twice");
    assert!(end > seen.last_end);
    seen.next[producer] = number + 1;
    seen.counts[producer] += 1;
    seen.last_end = end;
}

fn consume_until_closed(consumer: &mut Consumer) -> Seen {
    let mut seen = Seen { next: [0; PRODUCERS], counts: [0; PRODUCERS], last_end: 0 };
    let mut round = 0_usize;
    loop {
        let closed = consumer.ring().is_closed();
        let mut frames = consumer.frames(consumer.ring().released(), 8 << 10);
        for frame in frames.by_ref() {
            look(&mut seen, frame.bytes, frame.end);
        }
        let position = frames.position();
        let progress = position > consumer.ring().released();
        consumer.release(position, || ());
        if closed && consumer.is_idle() {
            return seen;
        }
        round += 1;
        match (progress, round % 3) {
            (true, _) => {}
            (false, 0) => consumer.park(Park::Nap(Duration::from_micros(50))),
            (false, _) => consumer.park(Park::Sleep),
        }
    }
}

fn stress(blocking: bool) {
    let ring = Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap());
    let mut consumer = ring.consumer().unwrap();
    let (seen, committed) = thread::scope(|scope| {
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let ring = &ring;
                scope.spawn(move || {
                    let ends = (0..FRAMES).filter_map(|n| submit(ring, producer, n, blocking));
                    ends.inspect(|committed| assert!(!committed.consumer_absent)).count()
                })
            })
            .collect();
        let seen = scope.spawn(|| consume_until_closed(&mut consumer));
        let committed: Vec<_> = producers.into_iter().map(|p| p.join().unwrap()).collect();
        ring.close();
        (seen.join().unwrap(), committed)
    });
    assert_eq!(seen.counts[..], committed[..]);
    if blocking {
        assert_eq!(seen.counts, [FRAMES - FRAMES / 101; PRODUCERS]);
    }
    assert_eq!(ring.used_bytes(), 0);
}

#[test]
fn producers_that_block_lose_nothing() {
    stress(true);
}

#[test]
fn producers_that_drop_know_what_they_dropped() {
    stress(false);
}
