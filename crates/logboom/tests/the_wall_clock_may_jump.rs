//! A wall clock that is set back or forward changes what dates say, and nothing else: notices and reports
//! keep their distance by the time that went by, and records are dated as they say.

mod support;

use logboom::clock::ManualClock;
use logboom::engine::{Engine, Flush, Outcome};
use logboom::format::pattern::{PatternFormatter, PatternOptions};
use logboom::level::Level;
use logboom::overflow::Overflow;
use logboom::record::Record;
use logboom::route::RouteSpec;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

const HOUR_NS: i64 = 3_600_000_000_000;

#[test]
fn notices_come_at_their_time_after_a_jump_back() {
    let clock = Arc::new(ManualClock::new(500_000 * HOUR_NS / 1000));
    let config = config().capacity_bytes(64 << 10).overflow(Overflow::DropNewest);
    let engine = Engine::new(config.clock(clock.clone())).unwrap();
    let sink = GatedSpec::new(Gate::default());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    let drop_one = |clock_ns: i64| {
        sink.gate.close();
        let routes = [route];
        let at = Record { time_ns: clock_ns, ..record("x", Level::INFO, &routes) };
        while engine.submit(&at) == Outcome::Accepted {}
        sink.gate.open();
    };
    let notices = || {
        let lines = sink.memory.lines().into_iter();
        lines.filter(|line| line.starts_with("dropped ")).collect::<Vec<_>>()
    };
    for (round, jump) in [-HOUR_NS, HOUR_NS * 24, -HOUR_NS * 1000].into_iter().enumerate() {
        drop_one(500 * HOUR_NS);
        wait_until(&engine, "it is told", || engine.stats().notices_total == round as u64 + 1);
        clock.set_wall_ns(500 * HOUR_NS + jump);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    assert!(
        notices().iter().all(|line| line.starts_with("dropped 1 record since 1970-01-21T20:00"))
    );
}

#[test]
fn reports_keep_their_distance_whatever_the_wall_clock_does() {
    let clock = Arc::new(ManualClock::new(0));
    let reports = Arc::<Mutex<Vec<String>>>::default();
    let reporter = Arc::new({
        let reports = Arc::clone(&reports);
        move |text: &str| reports.lock().unwrap().push(text.to_owned())
    });
    let engine = Engine::new(config().clock(clock.clone()).reporter(reporter)).unwrap();
    let sink = ScriptedSpec::new(|_| Answer::Fail(0));
    let route = engine.open_route(spec("failing", sink)).unwrap();
    for second in 0..5 {
        for jump in [HOUR_NS, -HOUR_NS] {
            clock.set_wall_ns(jump);
            assert_eq!(say(&engine, "x", &[route]), Outcome::Accepted);
            assert_eq!(engine.flush(Some(DEADLINE)), Flush::Failed { records: 1 });
        }
        // The report comes behind the answer to the flush.
        wait_until(&engine, "it is told", || engine.stats().reports_total == second + 1);
        clock.advance(Duration::from_secs(1));
    }
    assert!(reports.lock().unwrap().len() <= 6);
    assert_eq!(engine.stats().totals.failed, 10);
}

#[test]
fn a_record_is_dated_by_its_own_time_whatever_came_before() {
    let engine = Engine::new(config()).unwrap();
    let sink = memory();
    let formatter =
        PatternFormatter::new("%(asctime)s %(message)s", &PatternOptions::default()).unwrap();
    let route = engine.open_route(RouteSpec::new("dated", formatter, sink.clone())).unwrap();
    let times = [0, 1, -1, 3_599, 3_600, 3_601, 3_600, 0, -3_600, 86_400 * 365, 5];
    for second in times {
        let routes = [route];
        let time_ns = second * 1_000_000_000 + 7_000_000;
        let dated = Record { time_ns, ..record("x", Level::INFO, &routes) };
        assert_eq!(engine.submit(&dated), Outcome::Accepted);
    }
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    let alone = |second: i64| {
        let (engine, sink) = (Engine::new(config()).unwrap(), memory());
        let formatter =
            PatternFormatter::new("%(asctime)s %(message)s", &PatternOptions::default()).unwrap();
        let route = engine.open_route(RouteSpec::new("dated", formatter, sink.clone())).unwrap();
        let routes = [route];
        let time_ns = second * 1_000_000_000 + 7_000_000;
        let dated = Record { time_ns, ..record("x", Level::INFO, &routes) };
        assert_eq!(engine.submit(&dated), Outcome::Accepted);
        assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
        sink.lines().remove(0)
    };
    assert_eq!(sink.lines(), times.map(alone));
}
