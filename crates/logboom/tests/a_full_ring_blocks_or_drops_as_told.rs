//! What happens at a full ring: wait, wait for so long, drop, or say so; and never a wait on the
//! writer's own thread.

mod support;

use logboom::engine::{Engine, Flush, Outcome, Wait, is_writer_thread};
use logboom::format::{FormatCache, FormatError, Formatter, Needs};
use logboom::level::Level;
use logboom::overflow::Overflow;
use logboom::record::{RecordView, RouteId};
use logboom::route::RouteSpec;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use support::*;

/// An engine whose ring is full and whose only sink stands at a gate.
fn full(config: logboom::config::Config) -> (Engine, GatedSpec, RouteId, u64) {
    let engine = Engine::new(config.capacity_bytes(64 << 10)).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    let mut accepted = 0;
    while engine.try_submit(&record("x", Level::INFO, &[route])) == Outcome::Accepted {
        accepted += 1;
    }
    (engine, sink, route, accepted)
}

#[test]
fn a_blocked_caller_goes_on_when_there_is_room() {
    let (engine, sink, route, accepted) = full(config());
    let full = engine.try_submit(&record("x", Level::INFO, &[route]));
    assert_eq!(full, Outcome::Full);
    assert_eq!(engine.stats().totals.submitted, accepted, "a full ring counts nothing");
    let blocked: Vec<_> = (0..4)
        .map(|_| {
            let engine = engine.clone();
            std::thread::spawn(move || say(&engine, "waited", &[route]))
        })
        .collect();
    sink.gate.open();
    for blocked in blocked {
        assert_eq!(blocked.join().unwrap(), Outcome::Accepted);
    }
    assert!(engine.flush(Some(DEADLINE)).is_done());
    assert_eq!(engine.stats().totals.written, accepted + 4);
}

#[test]
fn a_timeout_drops_and_counts() {
    let (engine, sink, route, accepted) =
        full(config().block_timeout(Some(Duration::from_millis(2))));
    assert_eq!(say(&engine, "too late", &[route]), Outcome::Dropped);
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.dropped), (accepted + 1, 1));
    sink.gate.open();
    assert!(engine.flush(Some(DEADLINE)).is_done());
}

#[test]
fn shutdown_ends_the_wait() {
    let (engine, sink, route, _) = full(config());
    let blocked = std::thread::spawn({
        let engine = engine.clone();
        move || say(&engine, "waits", &[route])
    });
    assert!(!engine.shutdown(Some(Duration::ZERO)).completed);
    assert_eq!(blocked.join().unwrap(), Outcome::Rejected);
    sink.gate.open();
    assert!(engine.shutdown(Some(DEADLINE)).completed);
}

/// Logs more than the ring holds, flushes, and closes, all from within the writer.
struct Loquacious {
    engine: OnceLock<Engine>,
    other: RouteId,
    dropped: Mutex<u64>,
}

impl Formatter for &'static Loquacious {
    fn format(
        &self,
        _: &RecordView<'_>,
        _: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        assert!(is_writer_thread());
        let engine = self.engine.get().unwrap();
        let mut dropped = self.dropped.lock().unwrap();
        for _ in 0..2000 {
            if say(engine, "from within", &[self.other]) == Outcome::Dropped {
                *dropped += 1;
            }
        }
        assert!(matches!(engine.flush(None), Flush::TimedOut { .. }));
        assert!(!engine.shutdown(None).completed);
        let closed = engine.close_route(self.other, Wait::Forever);
        assert!(matches!(closed, Flush::TimedOut { .. }));
        out.extend_from_slice(b"said");
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}

#[test]
fn the_writer_itself_never_waits() {
    the_writer_never_waits(Overflow::Block);
    the_writer_never_waits(Overflow::DropNewest);
    the_writer_never_waits(Overflow::Sample);
}

#[test]
fn the_writer_itself_may_drop_the_oldest() {
    the_writer_never_waits(Overflow::DropOldest);
}

fn the_writer_never_waits(overflow: Overflow) {
    let (engine, sink, other) = {
        let config = config().capacity_bytes(64 << 10).overflow(overflow);
        let engine = Engine::new(config).unwrap();
        let sink = memory();
        let other = engine.open_route(spec("other", sink.clone())).unwrap();
        (engine, sink, other)
    };
    let formatter: &'static Loquacious = Box::leak(Box::new(Loquacious {
        engine: OnceLock::new(),
        other,
        dropped: Mutex::default(),
    }));
    let said = memory();
    let route = engine.open_route(RouteSpec::new("inner", formatter, said.clone())).unwrap();
    assert!(formatter.engine.set(engine.clone()).is_ok());
    assert_eq!(say(&engine, "start", &[route]), Outcome::Accepted);
    within_deadline({
        let engine = engine.clone();
        move || {
            let _ = engine.flush(None);
            assert!(engine.shutdown(None).completed);
        }
    });
    assert_eq!(said.lines(), ["said"]);
    let totals = engine.stats().totals;
    let dropped = totals.dropped;
    assert_eq!(totals.submitted, 2001);
    assert!(dropped > 0);
    let refused = *formatter.dropped.lock().unwrap();
    assert_eq!(refused, if overflow == Overflow::DropOldest { 0 } else { dropped });
    let lines = sink.lines();
    assert_eq!(lines.iter().filter(|line| *line == "from within").count() as u64, 2000 - dropped);
}

#[test]
fn who_comes_first_is_served_first_also_by_turns() {
    let (engine, sink, route, accepted) = full(config());
    let waiters: Vec<_> = (0..6)
        .map(|number| {
            let engine = engine.clone();
            let waiter = std::thread::spawn({
                let engine = engine.clone();
                move || {
                    let (text, routes) = (format!("waited {number}"), [route]);
                    let record = record(&text, Level::INFO, &routes);
                    let mut waiting = engine.wait_for_room(&record);
                    // Looks after something else again and again, as a caller with signals to handle.
                    let mut turns = 0;
                    loop {
                        let soon = Instant::now() + Duration::from_millis(1);
                        match waiting.wait(Some(soon)) {
                            Some(outcome) => return (outcome, turns),
                            None => turns += 1,
                        }
                    }
                }
            });
            // Until it has its place the next one must not come.
            wait_until(&engine, "it waits", || engine.stats().ring.waiting_callers == number + 1);
            waiter
        })
        .collect();
    sink.gate.open();
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap().0, Outcome::Accepted);
    }
    assert!(engine.flush(Some(DEADLINE)).is_done());
    let lines = sink.memory.lines();
    let expected: Vec<_> = (0..6).map(|number| format!("waited {number}")).collect();
    assert_eq!(lines[accepted as usize..], expected[..]);
}
