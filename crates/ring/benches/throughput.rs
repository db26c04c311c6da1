//! Prints what a record of 100 bytes costs: `cargo bench -p logboom-ring`.
//!
//! One thread in bursts that fit into the ring, which the same thread empties outside of the
//! measured time: the cost of the call itself. Then 1 and 4 threads against a consumer that polls and
//! naps as a writer would: the throughput of the whole. Medians of eleven rounds.
#![expect(clippy::print_stdout, reason = "the result of a benchmark is what it prints")]

use logboom_ring::{Consumer, Park, Ring};
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

const ROUNDS: usize = 11;
const LINE: [u8; 100] = [b'x'; 100];

fn main() {
    println!("call, one thread, bursts of {BURST}:     {:6.1} ns a record", median(call));
    println!("consumer's part of the same:         {:6.1} ns a record", median(consume));
    for threads in [1, 4] {
        let ns = median(|| through(threads));
        println!("through the ring, {threads} thread(s):       {ns:6.1} ns a record");
    }
}

fn median(round: impl Fn() -> f64) -> f64 {
    let mut figures: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    figures.sort_by(f64::total_cmp);
    figures[ROUNDS / 2]
}

fn submit(ring: &Ring) {
    let mut frame = ring.reserve(black_box(LINE.len()), None).expect("the ring is open");
    frame.copy_from_slice(black_box(&LINE));
    frame.commit();
}

/// Releases everything there is and returns how many frames that were.
fn drain(consumer: &mut Consumer) -> usize {
    let mut frames = consumer.frames(consumer.ring().released(), 256 << 10);
    let mut count = 0;
    for frame in frames.by_ref() {
        black_box(frame.bytes);
        count += 1;
    }
    let position = frames.position();
    consumer.release(position, || ());
    count
}

const BURST: usize = 2_000;
const BURSTS: usize = 200;

/// Nanoseconds of the call and of the release, for each record.
fn bursts() -> (f64, f64) {
    let ring = Arc::new(Ring::anonymous(4 << 20, 4096).expect("4 MiB"));
    let mut consumer = ring.consumer().expect("the first consumer");
    // Settles the way in which producers and the consumer find each other, as a first idle does.
    ring.wake();
    consumer.park(Park::Sleep);
    let (mut call, mut release) = (Duration::ZERO, Duration::ZERO);
    for burst in 0..BURSTS + 2 {
        let start = Instant::now();
        (0..BURST).for_each(|_| submit(&ring));
        let between = Instant::now();
        while drain(&mut consumer) > 0 {}
        // The first laps pay for the pages.
        if burst >= 2 {
            call += between - start;
            release += between.elapsed();
        }
    }
    let records = (BURST * BURSTS) as f64;
    (call.as_nanos() as f64 / records, release.as_nanos() as f64 / records)
}

fn call() -> f64 {
    bursts().0
}

fn consume() -> f64 {
    bursts().1
}

/// Nanoseconds for each record until the last one is released.
fn through(threads: usize) -> f64 {
    const RECORDS: usize = 1_000_000;
    let ring = Arc::new(Ring::anonymous(4 << 20, 4096).expect("4 MiB"));
    let mut consumer = ring.consumer().expect("the first consumer");
    let barrier = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                barrier.wait();
                (0..RECORDS / threads).for_each(|_| submit(&ring));
            });
        }
        barrier.wait();
        let start = Instant::now();
        let mut left = RECORDS / threads * threads;
        while left > 0 {
            match drain(&mut consumer) {
                0 => consumer.park(Park::Nap(Duration::from_micros(200))),
                count => left -= count,
            }
        }
        start.elapsed().as_nanos() as f64 / RECORDS as f64
    })
}
