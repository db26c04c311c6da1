//! A flush returns when everything submitted before it was given to every sink, and says what
//! became of it.

mod support;

use logboom::engine::{Engine, Flush, Outcome};
use std::time::Duration;
use support::*;

#[test]
fn everything_submitted_before_is_in_its_sink_afterwards() {
    let engine = Engine::new(config()).unwrap();
    let sinks = [(); 3].map(|()| memory());
    let routes = sinks.clone().map(|sink| engine.open_route(spec("memory", sink)).unwrap());
    let (mut total, threads) = (0, 4);
    for round in 1..=50 {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for number in 0..round {
                        assert_eq!(say_number(&engine, "n", number, &routes), Outcome::Accepted);
                    }
                });
            }
        });
        total += threads * round;
        assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
        for sink in &sinks {
            assert_eq!(sink.lines().len() as u64, total);
        }
    }
}

#[test]
fn a_flush_of_an_engine_that_never_logged_is_done_and_starts_nothing() {
    let engine = Engine::new(config()).unwrap();
    let route = engine.open_route(spec("memory", memory())).unwrap();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    assert_eq!(engine.sync_route(route, None), Flush::Done);
    assert_eq!(engine.thread_count(), 0);
}

#[test]
fn a_flush_that_times_out_says_what_is_pending() {
    let engine = Engine::new(config()).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    for _ in 0..3 {
        assert_eq!(say(&engine, "held up", &[route]), Outcome::Accepted);
    }
    sink.gate.wait_for_sink();
    assert_eq!(engine.flush(Some(Duration::from_millis(1))), Flush::TimedOut { pending: 3 });
    assert_eq!(engine.flush_route(route, Some(Duration::ZERO)), Flush::TimedOut { pending: 3 });
    sink.gate.open();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    assert_eq!(sink.memory.lines().len(), 3);
}

#[test]
fn a_flush_tells_the_fate_of_the_records_since_the_last_one() {
    let engine = Engine::new(config()).unwrap();
    let healthy = engine.open_route(spec("healthy", memory())).unwrap();
    let faulty = ScriptedSpec::new(|call| match call {
        0 => Answer::Fail(0),
        1 => Answer::Keep(0),
        _ => Answer::Take,
    });
    let faulty = engine.open_route(spec("faulty", faulty)).unwrap();
    let one = |expected| {
        assert_eq!(say(&engine, "one", &[healthy, faulty]), Outcome::Accepted);
        assert_eq!(engine.flush_route(healthy, None), Flush::Done);
        assert_eq!(engine.flush(None), expected);
    };
    one(Flush::Failed { records: 1 });
    // The sink keeps the second one, but the flush has it given on.
    one(Flush::Done);
    one(Flush::Done);
    assert_eq!(engine.stats().totals.failed, 1);
    assert_eq!(engine.stats().totals.written, 5);
}
