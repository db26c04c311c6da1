//! A record whose caller must not wait finds its place beside a full ring: in order, counted at any
//! moment, bounded.

mod support;

use logboom::engine::{Engine, Outcome, Wait};
use logboom::level::Level;
use logboom::record::RouteId;
use support::*;

fn full() -> (Engine, GatedSpec, RouteId, u64) {
    let engine = Engine::new(config().capacity_bytes(64 << 10)).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    let mut accepted = 0;
    while engine.try_submit(&record("x", Level::INFO, &[route])) == Outcome::Accepted {
        accepted += 1;
    }
    (engine, sink, route, accepted)
}

#[test]
fn they_come_behind_what_the_ring_holds_and_count_as_pending() {
    let (engine, sink, route, accepted) = full();
    for number in 0..10 {
        let text = format!("beside {number}");
        let outcome = engine.submit_beside(&record(&text, Level::INFO, &[route]));
        assert_eq!(outcome, Outcome::Accepted);
        let totals = engine.stats().totals;
        assert_eq!(
            (totals.pending, totals.submitted),
            (accepted + number + 1, accepted + number + 1)
        );
    }
    let blocked = std::thread::spawn({
        let engine = engine.clone();
        move || say(&engine, "waited", &[route])
    });
    sink.gate.open();
    assert_eq!(blocked.join().unwrap(), Outcome::Accepted);
    assert!(engine.flush(Some(DEADLINE)).is_done());
    let lines = sink.memory.lines();
    let beside: Vec<_> = (0..10).map(|number| format!("beside {number}")).collect();
    assert_eq!(lines[accepted as usize..][..10], beside[..]);
    assert_eq!(lines.len() as u64, accepted + 11);
    assert_eq!(engine.stats().totals.written, accepted + 11);
}

#[test]
fn there_is_an_end_to_it() {
    let (engine, sink, route, accepted) = full();
    let text = "y".repeat(10_000);
    let mut beside = 0;
    while engine.submit_beside(&record(&text, Level::INFO, &[route])) == Outcome::Accepted {
        beside += 1;
    }
    assert!((50..=(1 << 20) / 10_000).contains(&beside), "{beside}");
    let totals = engine.stats().totals;
    assert_eq!((totals.pending, totals.dropped), (accepted + beside, 1));
    let huge = "z".repeat(2 << 20);
    let huge = engine.submit_beside(&record(&huge, Level::INFO, &[route]));
    assert_eq!(huge, Outcome::Rejected);
    sink.gate.open();
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.written, report.counts.pending), (accepted + beside, 0));
}

#[test]
fn a_close_writes_those_before_it_and_a_change_of_the_ring_keeps_them() {
    let (engine, sink, route, accepted) = full();
    let beside = |text| engine.submit_beside(&record(text, Level::INFO, &[route]));
    assert_eq!(beside("before the change"), Outcome::Accepted);
    let successor = engine.successor(config().capacity_bytes(64 << 10)).unwrap();
    assert_eq!(beside("after it"), Outcome::Accepted);
    let closer = std::thread::spawn({
        let engine = successor.clone();
        move || engine.close_route(route, Wait::For(DEADLINE))
    });
    sink.gate.open();
    assert!(closer.join().unwrap().is_done());
    let lines = sink.memory.lines();
    assert_eq!(lines[accepted as usize..], ["before the change", "after it"]);
    let totals = engine.stats().totals;
    assert_eq!((totals.written, totals.pending), (accepted + 2, 0));
}

#[test]
fn a_call_that_lets_nobody_wait_is_dropped_and_counted() {
    let (engine, sink, route, accepted) = full();
    assert_eq!(engine.submit_or_drop(&record("x", Level::INFO, &[route])), Outcome::Dropped);
    let long = "z".repeat(100_000);
    assert_eq!(engine.submit_or_drop(&record(&long, Level::INFO, &[route])), Outcome::Rejected);
    sink.gate.open();
    let report = engine.shutdown(Some(DEADLINE));
    let counts = report.counts;
    assert_eq!((counts.written, counts.dropped, counts.rejected), (accepted, 1, 1));
}
