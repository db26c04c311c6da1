//! Routes that hold the same sink's spec share one sink from its opening to its end; what it keeps,
//! refuses, syncs or is told counts for the route whose it is.

mod support;

use logboom::engine::{Engine, Flush, Outcome, Wait};
use logboom::fs::FileMode;
use logboom::level::Level;
use logboom::metrics::Counts;
use logboom::overflow::Overflow;
use logboom::record::RouteId;
use logboom::route::RouteSpec;
use logboom::sink::{FileSinkSpec, Sink, SinkSpec};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use support::*;

/// Counts how often a sink was opened and how many are open.
#[derive(Debug)]
struct Counting<S>(S, AtomicUsize, Arc<()>);

impl<S> Counting<S> {
    fn new(spec: S) -> Arc<Self> {
        Arc::new(Counting(spec, AtomicUsize::new(0), Arc::default()))
    }

    fn opened(&self) -> usize {
        self.1.load(SeqCst)
    }

    fn are_open(&self) -> usize {
        Arc::strong_count(&self.2) - 1
    }
}

struct Counted(Box<dyn Sink>, #[expect(dead_code, reason = "counted while it lives")] Arc<()>);

impl<S: SinkSpec> SinkSpec for Counting<S> {
    fn open(&self) -> std::io::Result<Box<dyn Sink>> {
        self.1.fetch_add(1, SeqCst);
        Ok(Box::new(Counted(self.0.open()?, Arc::clone(&self.2))))
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

impl Sink for Counted {
    fn write(&mut self, batch: &logboom::sink::Frames<'_>) -> logboom::sink::Written {
        self.0.write(batch)
    }

    fn flush(&mut self) -> logboom::sink::Written {
        self.0.flush()
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.0.sync()
    }
}

#[test]
fn the_sink_is_opened_once_and_closed_with_the_last_route() {
    let engine = Engine::new(config()).unwrap();
    let counting = Counting::new(memory());
    let sink: Arc<dyn SinkSpec> = counting.clone();
    let [a, b] = ["a:", "b:"].map(|mark| engine.open_route(marked(mark, &sink)).unwrap());
    assert_eq!(say(&engine, "1", &[a, b]), Outcome::Accepted);
    assert_eq!(engine.close_route(a, Wait::Forever), Flush::Done);
    let c = engine.open_route(marked("c> ", &sink)).unwrap();
    assert_eq!(say(&engine, "2", &[a, b, c]), Outcome::Accepted);
    assert_eq!(engine.close_route(b, Wait::Forever), Flush::Done);
    assert_eq!((counting.opened(), counting.are_open()), (1, 1));
    assert_eq!(engine.close_route(c, Wait::Forever), Flush::Done);
    assert_eq!((counting.opened(), counting.are_open()), (1, 0));
    assert_eq!(counting.0.lines(), ["a:1", "b:1", "b:2", "c> 2"]);

    // Others of the same spec later get a sink of their own time; equal specs are not the same.
    let d = engine.open_route(marked("d:", &sink)).unwrap();
    let other: Arc<dyn SinkSpec> = Arc::new(counting.0.clone());
    let e = engine.open_route(marked("e:", &other)).unwrap();
    assert_eq!(say(&engine, "3", &[e, d]), Outcome::Accepted);
    assert!(engine.flush(None).is_done());
    assert_eq!((counting.opened(), counting.are_open()), (2, 1));
    assert!(engine.shutdown(Some(DEADLINE)).completed);
    assert_eq!(counting.are_open(), 0);
    drop(engine);
    assert_eq!(Arc::strong_count(&counting), 2, "`sink` and itself");
}

#[test]
fn a_child_opens_it_once_for_the_routes_that_are_open() {
    let engine = Engine::new(config()).unwrap();
    let counting = Counting::new(memory());
    let sink: Arc<dyn SinkSpec> = counting.clone();
    let [a, b, c] = ["a:", "b:", "c> "].map(|mark| engine.open_route(marked(mark, &sink)).unwrap());
    assert_eq!(engine.close_route(a, Wait::Forever), Flush::Done);
    let child = engine.child().unwrap();
    assert_eq!((counting.opened(), counting.are_open()), (2, 2));
    assert_eq!(say(&child, "1", &[c, b, a]), Outcome::Accepted);
    assert_eq!(child.close_route(b, Wait::Forever), Flush::Done);
    assert_eq!(say(&child, "2", &[c]), Outcome::Accepted);
    assert!(child.shutdown(Some(DEADLINE)).completed);
    assert_eq!(counting.0.lines(), ["c> 1", "b:1", "c> 2"]);
    assert_eq!((counting.opened(), counting.are_open()), (2, 1));
}

#[test]
fn a_sink_that_panics_is_opened_again_once() {
    let engine = Engine::new(config()).unwrap();
    let scripted = ScriptedSpec::new(|call| if call == 1 { Answer::Panic } else { Answer::Take });
    let memory = scripted.memory.clone();
    let counting = Counting::new(scripted);
    let sink: Arc<dyn SinkSpec> = counting.clone();
    let routes = ["a:", "b:", "c> "].map(|mark| engine.open_route(marked(mark, &sink)).unwrap());
    for (text, expected) in [("1", 0), ("2", 3), ("3", 0)] {
        assert_eq!(say(&engine, text, &routes), Outcome::Accepted);
        let failed = Flush::Failed { records: expected };
        let outcome = engine.flush(None);
        assert_eq!(outcome, if expected == 0 { Flush::Done } else { failed });
    }
    assert_eq!(memory.text(), "a:1\nb:1\nc> 1\na:3\nb:3\nc> 3\n");
    assert_eq!((counting.opened(), counting.are_open()), (2, 1));
    for route in engine.stats().routes {
        assert_eq!((route.counts.written, route.counts.failed), (2, 1), "{}", route.name);
    }
}

/// Two routes on a file whose disk is full behind half of the first one's line.
fn torn() -> (Engine, [RouteId; 2], FaultFs, impl Fn() -> String) {
    let memory = MemoryFs::default();
    let fs = FaultFs::new(memory.clone());
    let spec = FileSinkSpec::open("shared.log", FileMode::Append, &fs).unwrap();
    let path = spec.path().to_owned();
    let sink: Arc<dyn SinkSpec> = Arc::new(spec);
    let engine = Engine::new(config()).unwrap();
    let routes = ["a:", "b:"].map(|mark| engine.open_route(marked(mark, &sink)).unwrap());
    fs.set_room_bytes(Some(3));
    assert_eq!(say(&engine, "torn", &[routes[0]]), Outcome::Accepted);
    assert_eq!(engine.flush(None), Flush::Failed { records: 1 });
    assert_eq!(engine.stats().routes[0].counts.pending, 1);
    let text = move || String::from_utf8(memory.contents(&path).unwrap()).unwrap();
    assert_eq!(text(), "a:t");
    (engine, routes, fs, text)
}

#[test]
fn a_kept_frame_belongs_to_its_route_when_that_is_closed() {
    let (engine, [a, b], fs, text) = torn();
    assert_eq!(engine.close_route(a, Wait::Forever), Flush::Failed { records: 1 });
    let stats = engine.stats();
    assert_eq!((stats.routes.len(), stats.routes[0].counts), (1, Counts::default()));
    assert_eq!((stats.totals.submitted, stats.totals.pending), (1, 1));
    assert_eq!(engine.flush(None), Flush::Done, "nothing of the open route is missing");
    fs.heal();
    assert_eq!(engine.flush(None), Flush::Done);
    assert_eq!(text(), "a:torn\n", "given on without anything new to write");
    assert_eq!(say(&engine, "whole", &[b]), Outcome::Accepted);
    assert_eq!(engine.flush(None), Flush::Done);
    assert_eq!(text(), "a:torn\nb:whole\n");
    let stats = engine.stats();
    assert_eq!((stats.routes[0].counts.submitted, stats.routes[0].counts.written), (1, 1));
    assert_eq!((stats.totals.submitted, stats.totals.written), (2, 2));
    assert_eq!((stats.totals.pending, stats.totals.failed), (0, 0));
}

#[test]
fn a_kept_frame_is_given_up_with_the_last_route_of_its_sink() {
    let (engine, [a, b], _fs, text) = torn();
    assert_eq!(engine.close_route(a, Wait::Forever), Flush::Failed { records: 1 });
    assert_eq!(engine.close_route(b, Wait::Forever), Flush::Done);
    assert_eq!(text(), "a:t");
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.failed, totals.pending), (1, 1, 0));
}

#[test]
fn what_another_route_writes_first_gives_the_kept_frame_on() {
    let (engine, [a, b], fs, text) = torn();
    fs.heal();
    assert_eq!(say(&engine, "whole", &[b]), Outcome::Accepted);
    assert_eq!(engine.flush_route(b, None), Flush::Done);
    assert_eq!(text(), "a:torn\nb:whole\n");
    let stats = engine.stats();
    for route in &stats.routes {
        assert_eq!((route.counts.written, route.counts.pending), (1, 0), "{}", route.name);
    }
    assert_eq!(engine.flush_route(a, None), Flush::Done);
}

#[test]
fn a_failed_sync_tells_each_route_what_is_its_own() {
    let memory = MemoryFs::default();
    let fs = FaultFs::new(memory);
    let spec = FileSinkSpec::open("shared.log", FileMode::Append, &fs).unwrap();
    let sink: Arc<dyn SinkSpec> = Arc::new(spec);
    let engine = Engine::new(config()).unwrap();
    let [a, b] = ["a:", "b:"].map(|mark| engine.open_route(marked(mark, &sink)).unwrap());
    fs.inject(Operation::Sync, When::At(1), Fault::Error(ErrorKind::Other));
    for route in [a, a, b] {
        assert_eq!(say(&engine, "line", &[route]), Outcome::Accepted);
    }
    assert_eq!(engine.sync_route(a, None), Flush::Failed { records: 2 });
    // The next one serves them both.
    assert_eq!(engine.sync_route(b, None), Flush::Done);
    fs.inject(Operation::Sync, When::Every(1), Fault::Error(ErrorKind::Other));
    assert_eq!(say(&engine, "line", &[b]), Outcome::Accepted);
    assert_eq!(engine.sync(None), Flush::Failed { records: 1 });
}

#[test]
fn notices_of_routes_that_share_a_sink_are_each_their_own() {
    let gated = GatedSpec::new(Gate::closed());
    let sink: Arc<dyn SinkSpec> = Arc::new(gated.clone());
    let config = config().capacity_bytes(64 << 10).overflow(Overflow::DropNewest);
    let engine = Engine::new(config).unwrap();
    let [a, b] = ["a:", "b:"].map(|mark| {
        let route = RouteSpec::shared(mark, Arc::new(MessageFormatter), Arc::clone(&sink));
        engine.open_route(route).unwrap()
    });
    assert_eq!(say(&engine, "x", &[a]), Outcome::Accepted);
    gated.gate.wait_for_sink();
    let mut dropped = 0;
    while dropped < 5 {
        let outcome = engine.submit(&record("y", Level::INFO, &[a, b]));
        dropped += u64::from(outcome == Outcome::Dropped);
    }
    assert_eq!(engine.submit(&record("z", Level::DEBUG, &[b])), Outcome::Dropped);
    gated.gate.open();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    let lines = gated.memory.lines();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("dropped"))
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(told, ["5", "6"]);
    let stats = engine.stats();
    assert_eq!(stats.notices_total, 2);
    assert_eq!(stats.totals.written, lines.len() as u64 - 2);
}
