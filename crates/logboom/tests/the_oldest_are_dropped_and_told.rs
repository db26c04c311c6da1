//! Where the oldest are dropped, callers never wait, what is newest is written, nothing that the writer
//! has taken is dropped, order holds, and each delivery is in exactly one counter at any moment.

mod support;

use logboom::clock::ManualClock;
use logboom::engine::{Engine, Flush, Outcome, Wait};
use logboom::format::{FormatCache, FormatError, Formatter, Needs};
use logboom::level::Level;
use logboom::metrics::Counts;
use logboom::overflow::Overflow;
use logboom::record::{Record, RecordView, RouteId};
use logboom::route::RouteSpec;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use support::*;

const RING_BYTES: usize = 64 << 10;

fn oldest() -> logboom::config::Config {
    config().capacity_bytes(RING_BYTES).overflow(Overflow::DropOldest)
}

fn assert_balanced(counts: Counts) {
    let Counts { submitted, written, dropped, rejected, failed, filtered, pending, .. } = counts;
    assert_eq!(submitted, written + dropped + rejected + failed + filtered + pending);
}

/// An engine whose writer stands at a gate with the record `first` in its hands.
fn stalled(config: logboom::config::Config) -> (Engine, GatedSpec, RouteId) {
    let engine = Engine::new(config).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    assert_eq!(say(&engine, "first", &[route]), Outcome::Accepted);
    sink.gate.wait_for_sink();
    (engine, sink, route)
}

/// The numbers of the lines, and those that notices tell.
fn numbers_and_notices(sink: &GatedSpec) -> (Vec<u64>, Vec<u64>) {
    let lines = sink.memory.lines();
    let told = lines.iter().filter(|line| line.starts_with("dropped "));
    let told = told.map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    let numbers = lines.iter().filter_map(|line| line.strip_prefix("n U64(")?.strip_suffix(')'));
    (numbers.map(|number| number.parse().unwrap()).collect(), told)
}

#[test]
fn the_newest_are_written_and_the_others_told() {
    const RECORDS: u64 = 10_000;
    let (engine, sink, route) = stalled(oldest());
    for number in 0..RECORDS {
        assert_eq!(say_number(&engine, "n", number, &[route]), Outcome::Accepted);
        if number % 500 == 0 {
            let totals = engine.stats().totals;
            assert_balanced(totals);
            assert_eq!((totals.submitted, totals.written), (number + 2, 0));
            assert!(totals.pending > 0);
        }
    }
    let before = engine.stats().totals;
    assert_eq!(before.submitted, RECORDS + 1);
    assert!(before.dropped > 0 && before.pending > 1);
    sink.gate.open();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    let totals = engine.stats().totals;
    assert_eq!((totals.dropped, totals.pending), (before.dropped, 0));
    assert_eq!(totals.written, before.pending, "what was there was written");
    assert_eq!(sink.memory.lines()[0], "first", "the writer had it already");
    let (numbers, told) = numbers_and_notices(&sink);
    assert_eq!(numbers, (before.dropped..RECORDS).collect::<Vec<_>>(), "the newest, in order");
    assert_eq!(told.iter().sum::<u64>(), before.dropped);
    // The ring held as much as it can.
    let record = record("n", Level::INFO, &[]);
    let least = RING_BYTES as u64 / (record.encoded_len().unwrap() as u64 + 64);
    assert!(numbers.len() as u64 > least, "{} of at least {least}", numbers.len());
}

#[test]
fn a_flush_is_answered_and_covers_what_was_not_dropped() {
    let (engine, sink, route) = stalled(oldest());
    let flusher = std::thread::spawn({
        let engine = engine.clone();
        move || engine.flush(Some(DEADLINE))
    });
    for number in 0..5000 {
        assert_eq!(say_number(&engine, "n", number, &[route]), Outcome::Accepted);
    }
    // Its position lies before everything that the ring still holds.
    assert!(matches!(engine.flush(Some(Duration::ZERO)), Flush::TimedOut { .. }));
    sink.gate.open();
    assert_eq!(flusher.join().unwrap(), Flush::Done);
    assert_eq!(engine.close_route(route, Wait::Forever), Flush::Done);
    let (numbers, told) = numbers_and_notices(&sink);
    assert_eq!(numbers.len() as u64 + told.iter().sum::<u64>(), 5000);
    assert_eq!(engine.stats().totals.pending, 0);
}

#[test]
fn a_route_that_is_closed_while_its_records_are_dropped_counts_them() {
    let (engine, sink, route) = stalled(oldest());
    let other = memory();
    let other_id = engine.open_route(spec("other", other.clone())).unwrap();
    for number in 0..300 {
        assert_eq!(say_number(&engine, "n", number, &[route, other_id]), Outcome::Accepted);
    }
    assert_eq!(engine.close_route(other_id, Wait::No), Flush::Unawaited);
    for number in 300..5000 {
        assert_eq!(say_number(&engine, "n", number, &[route]), Outcome::Accepted);
    }
    let before = engine.stats();
    assert_eq!(before.routes[1].counts.dropped, 300);
    sink.gate.open();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    assert!(other.lines().iter().all(|line| line.starts_with("dropped 300 records")));
    let totals = engine.stats().totals;
    assert_balanced(totals);
    assert_eq!(totals.submitted, 5301);
}

#[test]
fn several_producers_lose_nothing_uncounted_while_sinks_fail() {
    const THREADS: u64 = 4;
    const RECORDS: u64 = 6000;
    let engine = Engine::new(oldest()).unwrap();
    let gate = Gate::default();
    let slow = GatedSpec::new(gate.clone());
    let faulty = ScriptedSpec::new(|call| match call % 4 {
        0 => Answer::Fail(3),
        1 => Answer::Keep(2),
        2 => Answer::Panic,
        _ => Answer::Take,
    });
    let not_debug = |record: &RecordView<'_>| record.level > Level::DEBUG;
    let routes = [
        engine.open_route(spec("slow", slow.clone())).unwrap(),
        engine.open_route(spec("faulty", faulty.clone())).unwrap(),
        engine.open_route(spec("filtered", memory()).filter(not_debug)).unwrap(),
    ];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let producers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let engine = &engine;
                let gate = &gate;
                scope.spawn(move || {
                    for number in 0..RECORDS {
                        let level = if number % 3 == 0 { Level::DEBUG } else { Level::INFO };
                        let text = format!("{thread} {number}");
                        let outcome = engine.submit(&record(&text, level, &routes));
                        assert!(matches!(outcome, Outcome::Accepted | Outcome::Dropped));
                        if thread == 0 && number % 100 == 0 {
                            if number % 200 == 0 { gate.close() } else { gate.open() }
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(SeqCst) {
                let stats = engine.stats();
                assert_balanced(stats.totals);
                stats.routes.iter().for_each(|route| assert_balanced(route.counts));
            }
        });
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        done.store(true, SeqCst);
    });
    gate.open();
    let _ = engine.flush(Some(DEADLINE));
    let stats = engine.stats();
    for route in &stats.routes {
        assert_eq!(route.counts.submitted, THREADS * RECORDS, "{}", route.name);
        assert_eq!(route.counts.pending, 0, "{}", route.name);
    }
    assert!(stats.totals.dropped > 0);
    let lines = slow.memory.lines();
    let (mut last, mut count) = ([None; THREADS as usize], 0);
    for line in lines.iter().filter(|line| !line.starts_with("dropped ")) {
        let (thread, number) = line.split_once(' ').unwrap();
        let last = &mut last[thread.parse::<usize>().unwrap()];
        let number = Some(number.parse::<u64>().unwrap());
        assert!(*last < number, "in order, each once");
        *last = number;
        count += 1;
    }
    assert_eq!(count, stats.routes[0].counts.written);
}

/// Stands at a gate, as a formatter that hangs.
struct Hanging(Gate);

impl Formatter for Hanging {
    fn format(
        &self,
        _: &RecordView<'_>,
        _: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        self.0.pass();
        out.push(b'x');
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }
}

#[test]
fn a_formatter_that_hangs_holds_nobody_up() {
    let engine = Engine::new(oldest()).unwrap();
    let gate = Gate::closed();
    let route = RouteSpec::new("hanging", Hanging(gate.clone()), memory());
    let route = engine.open_route(route).unwrap();
    assert_eq!(say(&engine, "first", &[route]), Outcome::Accepted);
    gate.wait_for_sink();
    for number in 0..5000 {
        assert_eq!(say_number(&engine, "n", number, &[route]), Outcome::Accepted);
    }
    let totals = engine.stats().totals;
    assert_balanced(totals);
    assert!(totals.dropped > 0 && totals.submitted == 5001);
    gate.open();
    assert!(engine.shutdown(Some(DEADLINE)).completed);
}

#[test]
fn a_change_of_the_policy_keeps_what_the_ring_held() {
    let (engine, sink, route) = stalled(oldest());
    for number in 0..3000 {
        assert_eq!(say_number(&engine, "n", number, &[route]), Outcome::Accepted);
    }
    let dropped = engine.stats().totals.dropped;
    let blocking = config().capacity_bytes(RING_BYTES).overflow(Overflow::Block);
    let successor = engine.successor(blocking).unwrap();
    for number in 3000..3100 {
        assert_eq!(say_number(&successor, "n", number, &[route]), Outcome::Accepted);
    }
    let again = successor.successor(oldest()).unwrap();
    for number in 3100..3200 {
        assert_eq!(say_number(&engine, "n", number, &[route]), Outcome::Accepted);
    }
    let totals = again.stats().totals;
    assert_balanced(totals);
    assert_eq!((totals.submitted, totals.dropped), (3201, dropped));
    sink.gate.open();
    assert_eq!(again.flush(Some(DEADLINE)), Flush::Done);
    assert_eq!(numbers_and_notices(&sink).0, (dropped..3200).collect::<Vec<_>>());
}

#[test]
fn a_notice_dates_the_first_that_was_dropped_and_tells_the_levels() {
    const SECOND_NS: i64 = 1_000_000_000;
    let clock = Arc::new(ManualClock::new(2000 * SECOND_NS));
    let (engine, sink, route) = stalled(oldest().clock(clock.clone()));
    let routes = [route];
    let at = |number: i64, level| Record {
        time_ns: (1000 + number) * SECOND_NS,
        ..record("x", level, &routes)
    };
    let levels = [Level::DEBUG, Level::INFO, Level(35), Level::ERROR];
    let mut number = 0;
    let mut drop_some = |more: u64| {
        let until = engine.stats().totals.dropped + more;
        while engine.stats().totals.dropped < until {
            let level = levels[number as usize % levels.len()];
            // Needs the room of one at a time.
            assert_eq!(engine.submit(&at(number, level)), Outcome::Accepted);
            number += 1;
        }
    };
    drop_some(8);
    sink.gate.open();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    let notice = |n: usize| {
        let lines = sink.memory.lines();
        lines.iter().filter(|line| line.starts_with("dropped ")).nth(n).unwrap().clone()
    };
    assert_eq!(
        notice(0),
        "dropped 8 records since 1970-01-01T00:16:40.000Z (DEBUG 2, INFO 2, ERROR 2, other 2): ring \
         full, capacity 65536 bytes"
    );
    sink.gate.close();
    assert_eq!(say(&engine, "first", &[route]), Outcome::Accepted);
    sink.gate.wait_for_sink();
    drop_some(4);
    sink.gate.open();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    assert!(notice(1).starts_with("dropped 4 records since 1970-01-01T00:"), "{}", notice(1));
    assert!(!notice(1).contains("00:16:40"), "the first of these came later: {}", notice(1));
}
