//! Other options, the same log: order, routes, ids, counters and texts are kept, whoever submits
//! through whichever handle.

mod support;

use logboom::engine::{Engine, Outcome, Wait};
use logboom::overflow::Overflow;
use std::time::Duration;
use support::*;

#[test]
fn the_records_of_the_old_ring_come_first() {
    let engine = Engine::new(config()).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    let text = engine.intern(b"text").unwrap();
    assert_eq!(say_number(&engine, "n", 0, &[route]), Outcome::Accepted);
    sink.gate.wait_for_sink();
    let mut handles = vec![engine];
    for number in 1..=30 {
        let last = handles.last().unwrap();
        if number % 10 == 0 {
            let capacity = (64 << 10) * number as usize;
            handles.push(last.successor(config().capacity_bytes(capacity)).unwrap());
        }
        // Old handles lead to the newest ring.
        let handle = &handles[number as usize % handles.len()];
        assert_eq!(say_number(handle, "n", number, &[route]), Outcome::Accepted);
    }
    let engine = handles.last().unwrap();
    assert_eq!(engine.stats().totals.pending, 31, "in all rings together");
    assert_eq!(engine.config().capacity_bytes, 30 * (64 << 10));
    assert_eq!(handles[0].config().capacity_bytes, 30 * (64 << 10));
    assert_eq!(handles[0].intern(b"text"), Some(text));
    assert_eq!(handles[0].intern(b"more"), engine.intern(b"more"));
    sink.gate.open();
    assert!(handles[0].flush(Some(DEADLINE)).is_done());
    let expected: Vec<_> = (0..=30).map(|number| format!("n U64({number})")).collect();
    assert_eq!(sink.memory.lines(), expected);
    assert_eq!(engine.stats().totals.written, 31);
    assert!(handles[1].close_route(route, Wait::Forever).is_done());
    let report = handles[0].shutdown(Some(DEADLINE));
    assert!(report.completed, "{report}");
    assert!(engine.successor(config()).is_err(), "after the shutdown");
}

#[test]
fn many_changes_under_load_lose_and_repeat_nothing() {
    let engine = Engine::new(config()).unwrap();
    let sink = memory();
    let route = engine.open_route(spec("memory", sink.clone())).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let engine = engine.clone();
            scope.spawn(move || {
                for number in 0..3000 {
                    let outcome = say_number(&engine, &format!("{thread}"), number, &[route]);
                    assert_eq!(outcome, Outcome::Accepted);
                }
            });
        }
        scope.spawn(|| {
            let mut engine = engine.clone();
            for round in 0..60 {
                let config = config().capacity_bytes(64 << (10 + round % 3));
                engine = engine.successor(config).unwrap();
                if round % 7 == 0 {
                    assert!(engine.flush(Some(DEADLINE)).is_done());
                }
            }
        });
    });
    assert!(engine.flush(Some(DEADLINE)).is_done());
    let lines = sink.lines();
    assert_eq!(lines.len(), 9000);
    for thread in 0..3 {
        let own: Vec<_> =
            lines.iter().filter(|line| line.starts_with(&format!("{thread} "))).collect();
        let expected: Vec<_> = (0..3000).map(|n| format!("{thread} U64({n})")).collect();
        assert!(own.into_iter().eq(&expected), "thread {thread}: order or number is wrong");
    }
    assert_eq!(engine.stats().totals.submitted, 9000);
}

#[test]
fn a_caller_that_waits_for_room_goes_on_in_the_successor() {
    let engine = Engine::new(config().capacity_bytes(64 << 10)).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    while engine.try_submit(&record("x", logboom::level::Level::INFO, &[route]))
        == Outcome::Accepted
    {}
    let waiting = std::thread::spawn({
        let engine = engine.clone();
        move || say(&engine, "waited", &[route])
    });
    let larger = config().overflow(Overflow::DropNewest).block_timeout(Some(Duration::ZERO));
    let successor = engine.successor(larger).unwrap();
    assert_eq!(waiting.join().unwrap(), Outcome::Accepted);
    sink.gate.open();
    assert!(successor.flush(Some(DEADLINE)).is_done());
    assert_eq!(sink.memory.lines().last().unwrap(), "waited");
}

#[test]
fn rings_do_not_pile_up_behind_a_sink_that_is_stalled() {
    let engine = Engine::new(config().capacity_bytes(64 << 10)).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    assert_eq!(say(&engine, "0", &[route]), Outcome::Accepted);
    sink.gate.wait_for_sink();
    for number in 1..=8 {
        engine.successor(config().capacity_bytes(64 << 10)).unwrap();
        assert_eq!(say(&engine, &number.to_string(), &[route]), Outcome::Accepted);
    }
    let refused = engine.successor(config()).map(drop).unwrap_err();
    assert_eq!(refused.to_string(), "cannot change the ring: 8 earlier ones are not written yet");
    assert_eq!(engine.config().capacity_bytes, 64 << 10, "it is as it was");
    assert_eq!(say(&engine, "9", &[route]), Outcome::Accepted);
    sink.gate.open();
    let successor = engine.successor(config()).unwrap();
    assert!(successor.shutdown(Some(DEADLINE)).completed);
    let expected: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    assert_eq!(sink.memory.lines(), expected);
}
