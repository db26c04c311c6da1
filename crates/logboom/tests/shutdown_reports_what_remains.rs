//! Shutdown writes everything and joins the thread; where a sink hangs, it returns in time and says
//! exactly how many records remain.

mod support;

use logboom::engine::{Engine, Outcome};
use std::time::Duration;
use support::*;

#[test]
fn everything_is_written_and_nothing_is_accepted_afterwards() {
    let engine = Engine::new(config()).unwrap();
    let sink = memory();
    let route = engine.open_route(spec("memory", sink.clone())).unwrap();
    for number in 0..10_000 {
        assert_eq!(say_number(&engine, "n", number, &[route]), Outcome::Accepted);
    }
    let report = engine.shutdown(Some(DEADLINE));
    assert!(report.completed, "{report}");
    assert_eq!(report.to_string(), "shutdown complete: 10000 submitted, 10000 written");
    assert_eq!(sink.lines().len(), 10_000);
    assert_eq!(engine.thread_count(), 0);
    assert_eq!(say(&engine, "late", &[route]), Outcome::Rejected);
    assert!(engine.flush(None).is_done());
    let again = engine.shutdown(None);
    assert!(again.completed);
    assert_eq!((again.counts.submitted, again.counts.rejected), (10_001, 1));
}

#[test]
fn an_engine_that_never_logged_ends_at_once() {
    let engine = Engine::new(config()).unwrap();
    engine.open_route(spec("memory", memory())).unwrap();
    let report = engine.shutdown(None);
    assert_eq!(report.to_string(), "shutdown complete: 0 submitted, 0 written");
    assert_eq!(engine.thread_count(), 0);
}

#[test]
fn a_hung_sink_leaves_a_count_and_a_process_that_goes_on() {
    let engine = Engine::new(config()).unwrap();
    let (hung, healthy) = (GatedSpec::new(Gate::closed()), memory());
    let hung_id = engine.open_route(spec("hung", hung.clone())).unwrap();
    let healthy_id = engine.open_route(spec("healthy", healthy.clone())).unwrap();
    assert_eq!(say(&engine, "first", &[hung_id]), Outcome::Accepted);
    hung.gate.wait_for_sink();
    for _ in 0..6 {
        assert_eq!(say(&engine, "more", &[hung_id, healthy_id]), Outcome::Accepted);
    }
    let report = engine.shutdown(Some(Duration::from_millis(5)));
    assert!(!report.completed);
    assert_eq!((report.counts.submitted, report.counts.pending), (13, 13));
    assert_eq!(
        report.to_string(),
        "shutdown incomplete: 13 of 13 submitted remain pending, 0 written"
    );
    assert_eq!(say(&engine, "late", &[healthy_id]), Outcome::Rejected);
    hung.gate.open();
    let report = engine.shutdown(Some(DEADLINE));
    assert!(report.completed, "{report}");
    assert_eq!((report.counts.written, report.counts.pending), (13, 0));
    assert_eq!((hung.memory.lines().len(), healthy.lines().len()), (7, 6));
}

#[test]
fn dropping_the_last_handle_writes_everything() {
    let sink = memory();
    {
        let engine = Engine::new(config()).unwrap();
        let route = engine.route(spec("memory", sink.clone())).unwrap();
        for _ in 0..1000 {
            assert_eq!(say(&engine, "one", &[route.id()]), Outcome::Accepted);
        }
    }
    assert_eq!(sink.lines().len(), 1000);
}
