//! Models of a process that is killed at any moment, run through every order of its threads' steps, as
//! those in `loom.rs`: what the reader then finds in the ring.
//!
//! A ring has 64 bytes, four frames of 8 bytes fill it.
#![cfg(loom)]

use logboom_ring::{Consumer, Moment, Refusal, Ring, read};
use loom::thread;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A ring, and what its threads know of their frames: numbers from 1 on, a bit for each. Not loom's
/// atomics: what is known changes with the step before it.
struct Seen {
    ring: Arc<Ring>,
    /// Its producer has begun with it.
    begun: AtomicU64,
    /// Its commit has returned.
    committed: AtomicU64,
    /// Its release has begun.
    releasing: AtomicU64,
    /// Its release has returned.
    released: AtomicU64,
}

impl Seen {
    fn put(&self, number: u64) -> bool {
        let mut frame = match self.ring.try_reserve(8) {
            Ok(frame) => frame,
            Err(Refusal::Full | Refusal::Closed) => return false,
            Err(other) => panic!("{other:?}"),
        };
        self.begun.fetch_or(1 << number, Relaxed);
        frame.copy_from_slice(&number.to_le_bytes());
        frame.commit();
        self.committed.fetch_or(1 << number, Relaxed);
        true
    }

    /// Takes out what is there.
    fn take(&self, consumer: &mut Consumer) {
        let mut frames = consumer.frames(self.ring.released(), usize::MAX);
        let taken = frames.by_ref().fold(0, |all, frame| all | 1 << number_of(frame.bytes));
        let position = frames.position();
        self.releasing.fetch_or(taken, Relaxed);
        consumer.release(position, || ());
        self.released.fetch_or(taken, Relaxed);
    }

    /// What a stranger reads after the kill: every frame that was committed and whose release had not
    /// begun, none whose release was over, none that nobody wrote, whole and in ring order.
    fn check_what_is_left(&self) {
        let image = self.ring.left_behind();
        let contents = read(&image).expect("a header at every moment");
        let mut remains = contents.frames();
        let found: Vec<u64> = remains.by_ref().map(number_of).collect();
        assert_eq!(remains.damaged_at(), None);
        let set = |bits: &AtomicU64| -> BTreeSet<u64> {
            let bits = bits.load(Relaxed);
            (0..64).filter(|number| bits >> number & 1 == 1).collect()
        };
        let (releasing, found_set) = (set(&self.releasing), found.iter().copied().collect());
        let certain: BTreeSet<u64> = &set(&self.committed) - &releasing;
        assert!(certain.is_subset(&found_set), "{certain:?} are not in {found:?}");
        let possible: BTreeSet<u64> = &set(&self.begun) - &set(&self.released);
        assert!(found_set.is_subset(&possible), "{found:?} are more than {possible:?}");
        assert_eq!(found.len(), found_set.len(), "shown twice: {found:?}");
    }
}

fn number_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("a whole frame"))
}

/// Runs `model` through every order in which threads are preempted up to twice, and kills it at every
/// moment.
fn check(model: impl Fn(&Arc<Seen>) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let moment = Moment::new();
        let [begun, committed, releasing, released] = [0; 4].map(AtomicU64::new);
        let ring = Arc::new(Ring::anonymous(64, 0).unwrap());
        let seen = Arc::new(Seen { ring, begun, committed, releasing, released });
        let killer = {
            let seen = Arc::clone(&seen);
            thread::spawn(move || {
                moment.come();
                seen.check_what_is_left();
                moment
            })
        };
        model(&seen);
        killer.join().unwrap().over();
        seen.check_what_is_left();
    });
}

#[test]
fn what_was_committed_and_not_released_is_read() {
    check(|seen| {
        let mut consumer = seen.ring.consumer().unwrap();
        let producer = {
            let seen = Arc::clone(seen);
            thread::spawn(move || assert!(seen.put(1) && seen.put(2)))
        };
        seen.take(&mut consumer);
        producer.join().unwrap();
        seen.take(&mut consumer);
    });
}

#[test]
fn a_frame_that_a_dead_producer_left_unfinished_hides_none_behind_it() {
    check(|seen| {
        let producers = [1, 2].map(|number| {
            let seen = Arc::clone(seen);
            thread::spawn(move || assert!(seen.put(number)))
        });
        for producer in producers {
            producer.join().unwrap();
        }
    });
}

#[test]
fn the_next_lap_shows_nothing_of_the_one_before() {
    check(|seen| {
        let mut consumer = seen.ring.consumer().unwrap();
        assert!(seen.put(1) && seen.put(2) && seen.put(3));
        let producer = {
            let seen = Arc::clone(seen);
            thread::spawn(move || [seen.put(4), seen.put(5)])
        };
        seen.take(&mut consumer);
        producer.join().unwrap();
    });
}

#[test]
fn a_ring_that_folds_hides_nothing() {
    check(|seen| {
        let mut consumer = seen.ring.consumer().unwrap();
        assert!(seen.put(1));
        seen.take(&mut consumer);
        let producer = {
            let seen = Arc::clone(seen);
            thread::spawn(move || seen.put(2))
        };
        consumer.fold();
        producer.join().unwrap();
    });
}

#[test]
fn a_ring_that_is_closed_keeps_what_it_has() {
    check(|seen| {
        let producer = {
            let seen = Arc::clone(seen);
            thread::spawn(move || [seen.put(1), seen.put(2)])
        };
        seen.ring.close();
        producer.join().unwrap();
    });
}
