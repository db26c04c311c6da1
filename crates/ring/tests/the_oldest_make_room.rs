//! In a ring whose oldest frames may be dropped, each frame is copied by the consumer or dropped and
//! shown to whoever dropped it, once; the newest are there; and no more is dropped than that takes.

use logboom_ring::{Consumer, Refusal, Ring};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

fn dropping() -> (Arc<Ring>, Consumer) {
    let mut ring = Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap();
    ring.let_drop_oldest();
    let ring = Arc::new(ring);
    let consumer = ring.consumer().unwrap();
    (ring, consumer)
}

fn number_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}

#[derive(Clone, Debug)]
enum Action {
    /// A frame of so many bytes behind its number.
    Put(usize),
    /// One that its producer gives up.
    Abandon(usize),
    Copy(usize),
    Release,
    Fold,
    Hold,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        8 => prop_oneof![0_usize..200, 4000_usize..16_000].prop_map(Action::Put),
        1 => (0_usize..9000).prop_map(Action::Abandon),
        2 => (1_usize..30_000).prop_map(Action::Copy),
        2 => Just(Action::Release),
        1 => Just(Action::Fold),
        1 => Just(Action::Hold),
    ];
    prop::collection::vec(action, 1..200)
}

#[derive(Default)]
struct Model {
    /// In the ring, neither copied nor dropped.
    waiting: VecDeque<u64>,
    copied: Vec<u64>,
    copied_to: u64,
    dropped: Vec<u64>,
    next: u64,
}

impl Model {
    fn put(&mut self, ring: &Ring, len: usize, commits: bool) {
        let before = self.dropped.len();
        let dropped = &mut self.dropped;
        let mut frame =
            ring.reserve_over_oldest(8 + len, |bytes| dropped.push(number_of(bytes))).unwrap();
        assert!(frame.iter().all(|&byte| byte == 0));
        frame[..8].copy_from_slice(&self.next.to_le_bytes());
        frame[8..].fill(b'x');
        if commits {
            frame.commit();
            self.waiting.push_back(self.next);
            self.next += 1;
        }
        for &number in &self.dropped[before..] {
            assert_eq!(self.waiting.pop_front(), Some(number), "the oldest first");
        }
    }

    fn copy(&mut self, consumer: &mut Consumer, max_bytes: usize) {
        let front = consumer.front();
        let mut frames = front.frames(max_bytes);
        for frame in frames.by_ref() {
            assert!(frame.bytes[8..].iter().all(|&byte| byte == b'x'));
            let number = number_of(frame.bytes);
            assert_eq!(self.waiting.pop_front(), Some(number));
            self.copied.push(number);
        }
        self.copied_to = frames.position();
        front.keep(self.copied_to, || ());
    }
}

proptest! {
    #[test]
    fn it_agrees_with_a_queue_that_forgets_its_front(actions in actions()) {
        let (ring, mut consumer) = dropping();
        let mut model = Model::default();
        for action in actions {
            match action {
                Action::Put(len) => model.put(&ring, len, true),
                Action::Abandon(len) => model.put(&ring, len, false),
                Action::Copy(max_bytes) => model.copy(&mut consumer, max_bytes),
                Action::Release => consumer.release(model.copied_to, || ()),
                Action::Fold => {
                    let _ = consumer.fold();
                }
                Action::Hold => {
                    let held: Vec<_> = ring.hold().frames().map(number_of).collect();
                    prop_assert_eq!(held, Vec::from(model.waiting.clone()));
                }
            }
            prop_assert!(ring.used_bytes() <= ring.capacity_bytes());
        }
        model.copy(&mut consumer, usize::MAX);
        consumer.release(model.copied_to, || ());
        prop_assert!(consumer.is_idle() && model.waiting.is_empty());
        let mut all = [model.copied, model.dropped].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..model.next).collect::<Vec<_>>());
    }
}

#[test]
fn no_more_is_dropped_than_makes_room() {
    let (ring, _consumer) = dropping();
    let mut count = 0_u64;
    while let Ok(mut frame) = ring.try_reserve(56) {
        frame[..8].copy_from_slice(&count.to_le_bytes());
        frame.commit();
        count += 1;
    }
    assert_eq!(count, 1024);
    let mut dropped = Vec::new();
    let mut put = |len| {
        let frame = ring.reserve_over_oldest(len, |bytes| dropped.push(number_of(bytes)));
        frame.unwrap().commit();
        dropped.len()
    };
    assert_eq!(put(56), 1);
    assert_eq!(put(40), 2);
    assert_eq!(put(1), 2, "there were 16 bytes left");
    assert_eq!(put(64 * 5 - 8), 7);
    assert_eq!(dropped, (0..7).collect::<Vec<_>>());
}

#[test]
fn a_frame_that_is_being_written_is_not_dropped() {
    let (ring, mut consumer) = dropping();
    let slow = ring.try_reserve(8).unwrap();
    while ring.try_reserve(1000).map(|frame| frame.commit()).is_ok() {}
    let refused = ring.reserve_over_oldest(1000, |_| panic!("nothing can be dropped"));
    assert_eq!(refused.map(drop).unwrap_err(), Refusal::Full);
    slow.commit();
    let mut dropped = 0;
    ring.reserve_over_oldest(1000, |_| dropped += 1).unwrap().commit();
    assert!(dropped > 0);
    assert!(consumer.front().frames(usize::MAX).next().is_some());
}

#[test]
fn what_was_copied_stays_where_that_was_asked_for() {
    let mut ring = Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap();
    ring.let_drop_oldest();
    ring.keep_copied();
    let ring = Arc::new(ring);
    let mut consumer = ring.consumer().unwrap();
    let mut dropped = 0;
    let mut put = |ring: &Ring| {
        let frame = ring.reserve_over_oldest(16_000, |_| dropped += 1);
        frame.map(|frame| {
            frame.commit();
        })
    };
    for _ in 0..5 {
        put(&ring).unwrap();
    }
    let front = consumer.front();
    let mut frames = front.frames(1);
    assert!(frames.next().is_some());
    let position = frames.position();
    front.keep(position, || ());
    // The copied one is the oldest, and in the way of what could be dropped behind it.
    assert_eq!(put(&ring), Err(Refusal::Full));
    consumer.release(position, || ());
    put(&ring).unwrap();
    put(&ring).unwrap();
    assert_eq!(dropped, 2, "the first lap's, and one since");
}

#[test]
fn only_a_ring_that_was_told_so_drops() {
    let ring = Arc::new(Ring::anonymous(Ring::MIN_CAPACITY_BYTES, 0).unwrap());
    while ring.try_reserve(1000).map(|frame| frame.commit()).is_ok() {}
    let refused = ring.reserve_over_oldest(1000, |_| panic!("nothing may be dropped"));
    assert_eq!(refused.map(drop).unwrap_err(), Refusal::Full);
}

#[test]
#[should_panic(expected = "might be dropped")]
fn frames_that_may_be_dropped_are_not_shown_in_place() {
    let (ring, consumer) = dropping();
    let _ = consumer.frames(ring.released(), usize::MAX);
}

#[test]
fn several_producers_and_a_slow_consumer_lose_nothing_uncounted() {
    const PRODUCERS: u64 = 4;
    const FRAMES: u64 = 40_000;
    let (ring, mut consumer) = dropping();
    let dropped = Mutex::new(Vec::new());
    let (left, refused) = (AtomicU64::new(PRODUCERS), AtomicU64::new(0));
    let torn = AtomicBool::new(false);
    let copied = thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (ring, dropped, left, refused) = (&ring, &dropped, &left, &refused);
            scope.spawn(move || {
                for count in 0..FRAMES {
                    let number = producer << 32 | count;
                    let len = 8 + (count % 90) as usize;
                    let frame = ring.try_reserve(len).or_else(|_| {
                        ring.reserve_over_oldest(len, |bytes| {
                            dropped.lock().unwrap().push(number_of(bytes));
                        })
                    });
                    match frame {
                        Ok(mut frame) => {
                            frame[..8].copy_from_slice(&number.to_le_bytes());
                            frame[8..].fill(b'x');
                            frame.commit();
                        }
                        Err(_) => {
                            refused.fetch_add(1, Relaxed);
                        }
                    }
                }
                left.fetch_sub(1, Relaxed);
            });
        }
        let (left, torn) = (&left, &torn);
        let consumer = scope.spawn(move || {
            let mut copied = Vec::new();
            loop {
                let last = left.load(Relaxed) == 0;
                let front = consumer.front();
                let mut frames = front.frames(4096);
                for frame in frames.by_ref() {
                    if frame.bytes[8..].iter().any(|&byte| byte != b'x') {
                        torn.store(true, Relaxed);
                    }
                    copied.push(number_of(frame.bytes));
                }
                let to = frames.position();
                front.keep(to, || ());
                // The producers overtake a copy that is not released yet.
                thread::yield_now();
                consumer.release(to, || ());
                if last && consumer.is_idle() {
                    return copied;
                }
            }
        });
        consumer.join().unwrap()
    });
    let dropped = dropped.into_inner().unwrap();
    assert!(!torn.load(Relaxed) && !dropped.is_empty());
    for list in [&copied, &dropped] {
        for producer in 0..PRODUCERS {
            assert!(list.iter().filter(|&&number| number >> 32 == producer).is_sorted());
        }
    }
    let mut all = [copied, dropped].concat();
    let refused = refused.into_inner();
    assert_eq!(all.len() as u64 + refused, PRODUCERS * FRAMES);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len() as u64 + refused, PRODUCERS * FRAMES, "each once");
}
