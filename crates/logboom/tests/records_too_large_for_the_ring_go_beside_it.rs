//! A record that the ring will never hold goes beside it, at its place among the others, while its
//! caller waits. Where the policy lets nobody wait it is rejected; what no record can hold always is.
//! Each is counted.

mod support;

use logboom::engine::{Engine, Outcome};
use logboom::field::Value;
use logboom::level::Level;
use logboom::overflow::Overflow;
use logboom::record::{Message, Record, RouteId, Style};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::*;

const RING_BYTES: usize = 64 << 10;

fn long(number: usize) -> String {
    format!("{number}:{}", "x".repeat(RING_BYTES + number))
}

#[test]
fn they_come_in_order_and_whole() {
    let engine = Engine::new(config().capacity_bytes(RING_BYTES)).unwrap();
    let sinks = [memory(), memory()];
    let routes = sinks.clone().map(|sink| engine.open_route(spec("memory", sink)).unwrap());
    let mut expected = String::new();
    for number in 0..50 {
        let text = if number % 3 == 0 { long(number) } else { number.to_string() };
        assert_eq!(say(&engine, &text, &routes), Outcome::Accepted);
        expected += &format!("{text}\n");
    }
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.submitted, report.counts.written), (100, 100));
    for sink in sinks {
        assert!(sink.text() == expected);
    }
}

#[test]
fn threads_deliver_theirs_side_by_side() {
    let engine = Engine::new(config().capacity_bytes(RING_BYTES)).unwrap();
    let sink = memory();
    let route = engine.open_route(spec("memory", sink.clone())).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for number in 0..20 {
                    let text = long(1000 * thread + number);
                    assert_eq!(say(engine, &text, &[route]), Outcome::Accepted);
                    assert_eq!(say(engine, "short", &[route]), Outcome::Accepted);
                }
            });
        }
    });
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.submitted, report.counts.written), (160, 160));
    let numbers = |line: &String| line.split_once(':').map(|(n, _)| n.parse::<usize>().unwrap());
    let all: Vec<_> = sink.lines().iter().filter_map(numbers).collect();
    for thread in 0..4 {
        let own: Vec<_> = all.iter().filter(|number| **number / 1000 == thread).collect();
        assert!(own.len() == 20 && own.is_sorted());
    }
}

#[test]
fn a_caller_may_look_after_something_else_and_take_it_back() {
    let engine = Engine::new(config().capacity_bytes(RING_BYTES)).unwrap();
    let gate = Gate::closed();
    let route = engine.open_route(spec("gated", GatedSpec::new(gate.clone()))).unwrap();
    assert_eq!(say(&engine, "holds the writer", &[route]), Outcome::Accepted);
    gate.wait_for_sink();
    let (text, routes) = (long(1), [route]);
    let long = record(&text, Level::INFO, &routes);
    assert_eq!(engine.try_submit(&long), Outcome::TooLarge);
    let soon = Some(Instant::now() + Duration::from_millis(1));
    assert_eq!(engine.wait_for_room(&long).wait(soon), Some(Outcome::TooLarge));
    let mut waiting = engine.submit_large(&long);
    assert_eq!(waiting.wait(Some(Instant::now())), None);
    drop(waiting);
    let mut again = engine.submit_large(&long);
    assert_eq!(again.wait(Some(Instant::now())), None);
    gate.open();
    assert_eq!(again.wait(Some(Instant::now() + DEADLINE)), Some(Outcome::Accepted));
    assert_eq!(again.wait(None), Some(Outcome::Accepted));
    drop(again);
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.submitted, report.counts.written), (2, 2));
}

#[test]
fn one_that_nobody_delivers_in_time_is_dropped_and_one_after_the_end_rejected() {
    let config = config().capacity_bytes(RING_BYTES).block_timeout(Some(Duration::from_millis(1)));
    let engine = Engine::new(config).unwrap();
    let gate = Gate::closed();
    let route = engine.open_route(spec("gated", GatedSpec::new(gate.clone()))).unwrap();
    assert_eq!(say(&engine, "holds the writer", &[route]), Outcome::Accepted);
    gate.wait_for_sink();
    assert_eq!(say(&engine, &long(1), &[route]), Outcome::Dropped);
    gate.open();
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.written, report.counts.dropped), (1, 1));
    assert_eq!(say(&engine, &long(2), &[route]), Outcome::Rejected);
    assert_eq!(engine.stats().totals.rejected, 1);
}

#[test]
fn they_outlive_a_change_of_the_ring() {
    let engine = Engine::new(config().capacity_bytes(RING_BYTES)).unwrap();
    let sink = memory();
    let route = engine.open_route(spec("memory", sink.clone())).unwrap();
    let successor = engine.successor(config().capacity_bytes(2 * RING_BYTES)).unwrap();
    for (number, handle) in [&engine, &successor, &engine].into_iter().enumerate() {
        assert_eq!(say(handle, &long(number), &[route]), Outcome::Accepted);
    }
    let report = successor.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.submitted, report.counts.written), (3, 3));
    assert!(sink.lines() == [long(0), long(1), long(2)]);
}

#[test]
fn just_not_too_large_needs_nobody_to_wait() {
    let (engine, sinks, routes, _) = dropping();
    let limit = engine.stats().ring.max_frame_bytes;
    let head = record("", Level::INFO, &routes).encoded_len().unwrap();
    let largest = "x".repeat(limit - head);
    assert_eq!(say(&engine, &largest, &routes), Outcome::Accepted);
    assert_eq!(engine.shutdown(Some(DEADLINE)).counts.written, 2);
    for sink in sinks {
        assert_eq!(sink.text(), format!("{largest}\n"));
    }
}

#[test]
fn where_nobody_may_wait_and_beyond_every_record_they_are_rejected_and_told() {
    let (engine, sinks, routes, reports) = dropping();
    assert_eq!(say(&engine, &long(1), &routes), Outcome::Rejected);
    let values = vec![Value::None; 256];
    let message = Message::Template(Style::Brace, "{}".into(), &values);
    let too_many = Record { message, ..record("", Level::INFO, &routes) };
    assert_eq!(engine.submit(&too_many), Outcome::Rejected);
    assert_eq!(engine.try_submit(&too_many), Outcome::Rejected);
    assert_eq!(say(&engine, "next", &routes), Outcome::Accepted);
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.submitted, report.counts.written), (8, 2));
    assert_eq!(report.counts.rejected, 6);
    for sink in sinks {
        assert_eq!(sink.text(), "next\n");
    }
    assert!(reports.lock().unwrap()[0].starts_with("rejected "));
}

type Reports = Arc<Mutex<Vec<String>>>;

/// An engine in which nobody waits, with two routes.
fn dropping() -> (Engine, [logboom::sink::MemorySinkSpec; 2], [RouteId; 2], Reports) {
    let reports = Reports::default();
    let reporter = Arc::new({
        let reports = Arc::clone(&reports);
        move |text: &str| reports.lock().unwrap().push(text.to_owned())
    });
    let config =
        config().capacity_bytes(RING_BYTES).overflow(Overflow::DropNewest).reporter(reporter);
    let engine = Engine::new(config).unwrap();
    let sinks = [memory(), memory()];
    let routes = sinks.clone().map(|sink| engine.open_route(spec("memory", sink)).unwrap());
    (engine, sinks, routes, reports)
}
