//! `submitted = written + dropped + rejected + failed + filtered + pending`, per route and in total,
//! at every moment; and `submitted` is what was really submitted.

mod support;

use logboom::engine::{Engine, Outcome, Wait};
use logboom::level::Level;
use logboom::metrics::Counts;
use logboom::overflow::Overflow;
use logboom::record::{RecordView, RouteId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use support::*;

const THREADS: u64 = 4;
const RECORDS: u64 = 5_000;

fn assert_balanced(counts: Counts) {
    let Counts { submitted, written, dropped, rejected, failed, filtered, pending, .. } = counts;
    assert_eq!(submitted, written + dropped + rejected + failed + filtered + pending);
}

/// Submits from several threads while another takes snapshots; returns how many were accepted.
fn load(engine: &Engine, routes: &[RouteId]) -> u64 {
    let (accepted, done) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let producers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    for number in 0..RECORDS {
                        let level = if number % 3 == 0 { Level::DEBUG } else { Level::INFO };
                        let text = match number {
                            n if n % 100 == 1 => "refuse",
                            n if n % 1000 == 2 => "boom",
                            _ => "a line of the usual length, more or less",
                        };
                        match engine.submit(&record(text, level, routes)) {
                            Outcome::Accepted => _ = accepted.fetch_add(1, SeqCst),
                            Outcome::Dropped => {}
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(SeqCst) {
                let stats = engine.stats();
                assert_balanced(stats.totals);
                let mut sum = Counts::default();
                for route in &stats.routes {
                    assert_balanced(route.counts);
                    sum += route.counts;
                }
                assert_eq!(sum.submitted, stats.totals.submitted, "nothing was closed yet");
            }
        });
        for producer in producers {
            producer.join().unwrap();
        }
        done.store(true, SeqCst);
    });
    accepted.into_inner()
}

#[test]
fn every_delivery_ends_in_exactly_one_counter() {
    let config = config().capacity_bytes(64 << 10).overflow(Overflow::DropNewest);
    let engine = Engine::new(config).unwrap();
    let gated = GatedSpec::new(Gate::closed());
    let faulty = ScriptedSpec::new(|call| match call % 4 {
        0 => Answer::Fail(3),
        1 => Answer::Keep(2),
        2 => Answer::Panic,
        _ => Answer::Take,
    });
    let not_debug = |record: &RecordView<'_>| record.level > Level::DEBUG;
    let gated_id = engine.open_route(spec("gated", gated.clone())).unwrap();
    let faulty_id = engine.open_route(spec("faulty", faulty.clone())).unwrap();
    let filtered = memory();
    let filtered_id =
        engine.open_route(spec("filtered", filtered.clone()).filter(not_debug)).unwrap();
    let routes = [gated_id, faulty_id, filtered_id];
    assert_eq!(say(&engine, "first", &routes), Outcome::Accepted);
    gated.gate.wait_for_sink();
    let opener = std::thread::spawn({
        let (gate, engine) = (gated.gate.clone(), engine.clone());
        move || {
            wait_until(&engine, "something is dropped", || engine.stats().totals.dropped > 0);
            gate.open();
        }
    });
    let accepted = 1 + load(&engine, &routes);
    opener.join().unwrap();
    let _ = engine.flush(Some(DEADLINE));
    let (asked, stats) = (THREADS * RECORDS + 1, engine.stats());
    assert!(accepted < asked, "the gate made the ring full");
    for route in &stats.routes {
        assert_balanced(route.counts);
        assert_eq!(route.counts.submitted, asked, "{}", route.name);
        assert_eq!(route.counts.dropped, asked - accepted, "{}", route.name);
        assert_eq!((route.counts.pending, route.counts.rejected), (0, 0), "{}", route.name);
        assert!(route.counts.failed > 0, "{}: some were refused", route.name);
    }
    let lines = |sink: &logboom::sink::MemorySinkSpec| {
        sink.lines().iter().filter(|line| !line.starts_with("dropped ")).count() as u64
    };
    let [gated_counts, faulty_counts, filtered_counts] = [0, 1, 2].map(|i| stats.routes[i].counts);
    assert_eq!(gated_counts.written, lines(&gated.memory));
    assert_eq!(faulty_counts.written, lines(&faulty.memory));
    assert_eq!(filtered_counts.written, lines(&filtered));
    assert!(filtered_counts.filtered > 0);

    // Closing moves counts into the totals and changes none.
    let before = engine.stats().totals;
    for id in routes {
        let _ = engine.close_route(id, Wait::Forever);
    }
    let after = engine.stats();
    assert!(after.routes.is_empty());
    assert_eq!(after.totals, before);
    assert_eq!(say(&engine, "late", &routes), Outcome::Accepted);
    assert!(engine.shutdown(Some(DEADLINE)).completed);
    assert_eq!(say(&engine, "too late", &routes), Outcome::Rejected);
    let end = engine.stats().totals;
    assert_balanced(end);
    assert_eq!((end.submitted, end.rejected), (3 * (asked + 2), 6));
}

#[test]
fn what_a_sink_keeps_is_pending_until_it_is_through() {
    let engine = Engine::new(config()).unwrap();
    let sink = ScriptedSpec::new(|call| if call == 0 { Answer::Keep(0) } else { Answer::Take });
    let route = engine.open_route(spec("keeping", sink)).unwrap();
    assert_eq!(say(&engine, "kept", &[route]), Outcome::Accepted);
    wait_until(&engine, "the sink has it", || engine.stats().batches_total == 1);
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.pending, totals.written), (1, 1, 0));
    assert!(engine.flush(None).is_done());
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.pending, totals.written), (1, 0, 1));
}
