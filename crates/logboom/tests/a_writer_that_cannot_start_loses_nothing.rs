//! Where the writer's thread cannot be started, callers write; nothing hangs, panics or is lost.

mod support;

use logboom::engine::{Engine, Flush, Outcome, Wait};
use logboom::overflow::Overflow;
use logboom::spawn::{Spawner, ThreadSpawner};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use support::*;

#[derive(Default)]
struct Refusing {
    allowed: AtomicBool,
    asked: AtomicUsize,
}

impl Spawner for Refusing {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        self.asked.fetch_add(1, SeqCst);
        if self.allowed.load(SeqCst) {
            return ThreadSpawner.spawn(name, body);
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

fn run(overflow: Overflow) {
    let spawner = Arc::new(Refusing::default());
    let reports = Arc::new(Mutex::new(Vec::new()));
    let reporter = Arc::new({
        let reports = Arc::clone(&reports);
        move |text: &str| reports.lock().unwrap().push(text.to_owned())
    });
    let config = config()
        .capacity_bytes(64 << 10)
        .overflow(overflow)
        .spawner(spawner.clone())
        .reporter(reporter);
    let engine = Engine::new(config).unwrap();
    let (sink, closed) = (memory(), memory());
    let route = engine.open_route(spec("memory", sink.clone())).unwrap();
    let closed_id = engine.open_route(spec("closed", closed.clone())).unwrap();
    // Many times what the ring holds, from several threads.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..2000 {
                    let outcome = say_number(&engine, "n", number, &[route, closed_id]);
                    // Another caller may just be writing; then the ring is full for this one.
                    let droppable = overflow == Overflow::DropNewest;
                    assert!(outcome == Outcome::Accepted || droppable, "{outcome:?}");
                }
            });
        }
    });
    assert_eq!(engine.close_route(closed_id, Wait::Forever), Flush::Done);
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.pending), (16_000, 0));
    assert_eq!(totals.written + totals.dropped, 16_000);
    let lines = |sink: &logboom::sink::MemorySinkSpec| {
        sink.lines().iter().filter(|line| line.starts_with('n')).count() as u64
    };
    assert_eq!(lines(&sink) + lines(&closed), totals.written);
    assert_eq!(engine.thread_count(), 0);
    assert_eq!(
        reports.lock().unwrap()[0],
        format!(
            "cannot start thread `logboom-writer`: {}",
            io::Error::from(io::ErrorKind::WouldBlock)
        )
    );
    assert!(spawner.asked.load(SeqCst) < 100, "tried again once a second at most");
    assert_eq!(say(&engine, "last", &[route]), Outcome::Accepted);
    assert!(engine.shutdown(Some(DEADLINE)).completed);
    assert_eq!(sink.lines().last().unwrap(), "last");
}

#[test]
fn a_full_ring_is_emptied_by_whoever_needs_room() {
    within_deadline(|| run(Overflow::Block));
    within_deadline(|| run(Overflow::DropNewest));
}

#[test]
fn a_later_attempt_takes_over() {
    let spawner = Arc::new(Refusing::default());
    let engine = Engine::new(config().spawner(spawner.clone())).unwrap();
    let sink = memory();
    let route = engine.open_route(spec("memory", sink.clone())).unwrap();
    assert_eq!(say(&engine, "first", &[route]), Outcome::Accepted);
    spawner.allowed.store(true, SeqCst);
    wait_until(&engine, "the thread is there", || {
        assert_eq!(say(&engine, "another", &[route]), Outcome::Accepted);
        engine.thread_count() == 1
    });
    assert!(engine.shutdown(Some(DEADLINE)).completed);
    assert_eq!(sink.lines()[0], "first");
}
