//! `sample`: what is less grave than a warning has three quarters of the ring, and is dropped beyond;
//! the rest is for warnings, which then wait or are dropped as told.

mod support;

use logboom::engine::{Engine, Flush, Outcome};
use logboom::level::Level;
use logboom::overflow::Overflow;
use logboom::record::RouteId;
use std::time::Duration;
use support::*;

const RING_BYTES: usize = 64 << 10;

fn stalled(config: logboom::config::Config) -> (Engine, GatedSpec, RouteId) {
    let config = config.capacity_bytes(RING_BYTES).overflow(Overflow::Sample);
    let engine = Engine::new(config).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    (engine, sink, route)
}

/// Submits until one is not accepted; how many were, and what became of the last.
fn fill(engine: &Engine, level: Level, route: RouteId) -> (u64, Outcome) {
    let mut accepted = 0;
    loop {
        match engine.try_submit(&record("x", level, &[route])) {
            Outcome::Accepted => accepted += 1,
            outcome => return (accepted, outcome),
        }
    }
}

#[test]
fn the_last_quarter_is_for_warnings() {
    let (engine, sink, route) = stalled(config());
    let (low, outcome) = fill(&engine, Level::INFO, route);
    assert_eq!(outcome, Outcome::Dropped);
    let frame = (record("x", Level::INFO, &[route]).encoded_len().unwrap() + 8).next_multiple_of(8);
    assert_eq!(low, (RING_BYTES / 4 * 3 / frame) as u64, "three quarters, to the record");
    for level in [Level::DEBUG, Level::INFO, Level(29)] {
        assert_eq!(engine.submit(&record("x", level, &[route])), Outcome::Dropped);
    }
    let (grave, outcome) = fill(&engine, Level::WARNING, route);
    assert_eq!(outcome, Outcome::Full, "a warning would wait");
    assert_eq!(low + grave, (RING_BYTES / frame) as u64);
    let waits = std::thread::spawn({
        let engine = engine.clone();
        move || engine.submit(&record("waited", Level::ERROR, &[route]))
    });
    assert_eq!(engine.submit(&record("x", Level::INFO, &[route])), Outcome::Dropped);
    sink.gate.open();
    assert_eq!(waits.join().unwrap(), Outcome::Accepted);
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    let totals = engine.stats().totals;
    assert_eq!((totals.written, totals.dropped), (low + grave + 1, 5));
    let lines = sink.memory.lines();
    let notice = lines.iter().find(|line| line.starts_with("dropped ")).unwrap();
    assert!(notice.contains("(DEBUG 1, INFO 3, other 1)"), "{notice}");
}

#[test]
fn without_patience_warnings_are_dropped_as_well() {
    let (engine, sink, route) = stalled(config().block_timeout(Some(Duration::ZERO)));
    let (low, _) = fill(&engine, Level::INFO, route);
    let (grave, outcome) = fill(&engine, Level::CRITICAL, route);
    assert!(grave > 0);
    assert_eq!(outcome, Outcome::Dropped);
    let late = engine.submit(&record("x", Level::CRITICAL, &[route]));
    assert_eq!(late, Outcome::Dropped);
    sink.gate.open();
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.written, report.counts.dropped), (low + grave, 3));
}

#[test]
fn a_ring_with_room_drops_nothing() {
    let (engine, sink, route) = stalled(config());
    sink.gate.open();
    for _ in 0..100 {
        for _ in 0..100 {
            assert_eq!(say(&engine, "x", &[route]), Outcome::Accepted);
        }
        assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    }
    assert_eq!(engine.stats().totals.written, 10_000);
}

#[test]
fn only_a_warning_that_is_too_long_for_the_ring_waits_beside_it() {
    let (engine, sink, route) = stalled(config());
    let long = "z".repeat(RING_BYTES);
    let low = engine.submit(&record(&long, Level::INFO, &[route]));
    assert_eq!(low, Outcome::Rejected, "nobody may wait for it");
    sink.gate.open();
    let grave = engine.submit(&record(&long, Level::WARNING, &[route]));
    assert_eq!(grave, Outcome::Accepted);
    assert_eq!(sink.memory.lines(), [long]);
}
