//! What was dropped is written into the log itself, at most once per interval, also while the load
//! lasts, and the notices add up to the count.

mod support;

use logboom::clock::ManualClock;
use logboom::engine::{Engine, Flush, Outcome};
use logboom::level::Level;
use logboom::overflow::Overflow;
use logboom::record::RouteId;
use std::sync::Arc;
use std::time::Duration;
use support::*;

struct Overloaded {
    engine: Engine,
    sink: GatedSpec,
    route: RouteId,
    clock: Arc<ManualClock>,
}

impl Overloaded {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(0));
        let config = config().capacity_bytes(64 << 10).overflow(Overflow::DropNewest);
        let engine = Engine::new(config.clock(clock.clone())).unwrap();
        let sink = GatedSpec::new(Gate::default());
        let route = engine.open_route(spec("gated", sink.clone())).unwrap();
        Overloaded { engine, sink, route, clock }
    }

    /// Holds the sink up until this many records are dropped, of two levels.
    fn drop_records(&self, debug: usize, info: usize) {
        self.drain();
        self.sink.gate.close();
        assert_eq!(say(&self.engine, "x", &[self.route]), Outcome::Accepted);
        self.sink.gate.wait_for_sink();
        while say(&self.engine, "y", &[self.route]) == Outcome::Accepted {}
        for (level, n) in [(Level::DEBUG, debug), (Level::INFO, info - 1)] {
            for _ in 0..n {
                let outcome = self.engine.submit(&record("z", level, &[self.route]));
                assert_eq!(outcome, Outcome::Dropped);
            }
        }
        self.sink.gate.open();
    }

    /// Waits until the ring is empty, without a flush, which would tell what is untold.
    fn drain(&self) {
        wait_until(&self.engine, "it is drained", || self.engine.stats().totals.pending == 0);
    }

    fn notices(&self) -> Vec<String> {
        let lines = self.sink.memory.lines().into_iter();
        lines.filter(|line| line.starts_with("dropped")).collect()
    }

    fn wait_for_notices(&self, n: usize) {
        // Published when the line is there already.
        wait_until(&self.engine, "the notice is there", || {
            self.engine.stats().notices_total == n as u64
        });
        assert_eq!(self.notices().len(), n);
    }
}

#[test]
fn a_notice_comes_without_a_flush_and_keeps_its_distance() {
    let test = Overloaded::new();
    test.drop_records(1000, 234);
    test.wait_for_notices(1);
    assert_eq!(
        test.notices()[0],
        "dropped 1234 records since 1970-01-01T00:00:00.000Z (DEBUG 1000, INFO 234): ring full, \
         capacity 65536 bytes"
    );
    // The second round of drops is told when its time comes, not before.
    test.drop_records(0, 7);
    // Each round is another pass of the writer, and looks whether there is something to tell.
    for _ in 0..4 {
        test.drain();
        assert_eq!(say(&test.engine, "traffic", &[test.route]), Outcome::Accepted);
    }
    test.drain();
    assert_eq!(test.notices().len(), 1);
    test.clock.advance(Duration::from_millis(2500));
    test.wait_for_notices(2);
    assert_eq!(
        test.notices()[1],
        "dropped 7 records since 1970-01-01T00:00:00.000Z (INFO 7): ring full, capacity 65536 bytes"
    );
    // Notices are no deliveries.
    let totals = test.engine.stats().totals;
    assert_eq!(totals.dropped, 1241);
    let lines = test.sink.memory.lines().len() as u64;
    assert!(test.engine.flush(None).is_done());
    assert_eq!(test.engine.stats().totals.written, lines - 2);
}

#[test]
fn a_flush_tells_the_rest_so_that_notices_add_up() {
    let test = Overloaded::new();
    for _ in 0..3 {
        test.drop_records(0, 5);
    }
    assert_eq!(test.engine.flush(Some(DEADLINE)), Flush::Done);
    let told: u64 = test
        .notices()
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(told, 15);
    assert_eq!(test.engine.stats().totals.dropped, 15);
}

#[test]
fn a_flush_tells_what_is_untold_when_nothing_is_pending() {
    let test = Overloaded::new();
    test.drop_records(0, 5);
    test.wait_for_notices(1);
    test.drop_records(0, 2);
    test.drain();
    assert_eq!(test.notices().len(), 1);
    assert_eq!(test.engine.flush(Some(DEADLINE)), Flush::Done);
    assert!(test.notices()[1].starts_with("dropped 2 records"));
}

#[test]
fn the_last_notice_is_written_at_the_end() {
    let test = Overloaded::new();
    test.drop_records(0, 5);
    test.wait_for_notices(1);
    test.drop_records(0, 2);
    assert!(test.engine.shutdown(Some(DEADLINE)).completed);
    assert_eq!(test.notices().len(), 2);
    assert!(test.notices()[1].starts_with("dropped 2 records"));
}

#[test]
fn a_notice_that_the_sink_refuses_is_told_again() {
    let gate = Gate::default();
    let sink = ScriptedSpec::new({
        let gate = gate.clone();
        move |call| {
            gate.pass();
            // The records, then the notice alone.
            if call == 1 { Answer::Fail(0) } else { Answer::Take }
        }
    });
    let config = config().capacity_bytes(64 << 10).overflow(Overflow::DropNewest);
    let engine = Engine::new(config).unwrap();
    let route = engine.open_route(spec("scripted", sink.clone())).unwrap();
    gate.close();
    while say(&engine, "y", &[route]) == Outcome::Accepted {}
    gate.open();
    let _ = engine.flush(None);
    let _ = engine.flush(None);
    let lines = sink.memory.lines();
    let notices: Vec<_> = lines.iter().filter(|line| line.starts_with("dropped")).collect();
    let told: Vec<_> = notices.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(told, [engine.stats().totals.dropped.to_string()]);
}
