//! Closing a route writes what was submitted before, then drops its sink and its memory; what comes
//! after counts as rejected; the counts stay.

mod support;

use logboom::engine::{Engine, Flush, Outcome, Wait};
use logboom::sink::{Sink, SinkSpec};
use std::sync::Arc;
use support::*;

#[test]
fn what_came_before_is_written_and_what_comes_after_is_rejected() {
    let engine = Engine::new(config()).unwrap();
    let (kept, closed) = (memory(), memory());
    let kept_id = engine.open_route(spec("kept", kept.clone())).unwrap();
    let closed_id = engine.open_route(spec("closed", closed.clone())).unwrap();
    for number in 0..1000 {
        assert_eq!(say_number(&engine, "n", number, &[kept_id, closed_id]), Outcome::Accepted);
    }
    assert_eq!(engine.close_route(closed_id, Wait::Forever), Flush::Done);
    assert_eq!(closed.lines().len(), 1000);
    assert_eq!(engine.stats().routes.len(), 1);
    assert_eq!(say(&engine, "late", &[kept_id, closed_id]), Outcome::Accepted);
    assert_eq!(engine.flush(None), Flush::Done);
    assert_eq!((kept.lines().len(), closed.lines().len()), (1001, 1000));
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.written, totals.rejected), (2002, 2001, 1));
    assert_eq!(engine.close_route(closed_id, Wait::Forever), Flush::Done, "again");
}

#[test]
fn a_closed_route_leaves_nothing_behind() {
    let engine = Engine::new(config()).unwrap();
    let formatter = Arc::new(MessageFormatter);
    let sink: Arc<Counted> = Arc::default();
    let spec = || logboom::route::RouteSpec::shared("r", formatter.clone(), sink.clone());
    // Without a record in between no thread is started, and with one only one.
    for _ in 0..500 {
        let id = engine.open_route(spec()).unwrap();
        assert_eq!(engine.close_route(id, Wait::No), Flush::Unawaited);
    }
    assert_eq!(engine.thread_count(), 0);
    for _ in 0..500 {
        let route = engine.route(spec()).unwrap();
        assert_eq!(say(&engine, "one", &[route.id()]), Outcome::Accepted);
    }
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    assert_eq!(engine.thread_count(), 1);
    assert_eq!(Arc::strong_count(&formatter), 1);
    assert_eq!(Arc::strong_count(&sink), 1);
    assert_eq!(Arc::strong_count(&sink.open), 1, "all sinks are dropped");
    let stats = engine.stats();
    assert_eq!((stats.routes.len(), stats.totals.written), (0, 500));
}

#[test]
fn however_fast_routes_come_and_go_few_are_left() {
    let engine = Engine::new(config()).unwrap();
    let route = engine.open_route(spec("memory", memory())).unwrap();
    assert_eq!(say(&engine, "start", &[route]), Outcome::Accepted);
    for _ in 0..20_000 {
        drop(engine.route(spec("passing", memory())).unwrap());
    }
    assert!(engine.stats().routes.len() < 2000);
    assert!(engine.flush(Some(DEADLINE)).is_done());
    assert_eq!(engine.stats().routes.len(), 1);
}

#[derive(Debug, Default)]
struct Counted {
    open: Arc<()>,
}

impl SinkSpec for Counted {
    fn open(&self) -> std::io::Result<Box<dyn Sink>> {
        Ok(Box::new(CountedSink { _open: self.open.clone(), inner: memory().open()? }))
    }

    fn describe(&self) -> String {
        "counted".into()
    }
}

struct CountedSink {
    _open: Arc<()>,
    inner: Box<dyn Sink>,
}

impl Sink for CountedSink {
    fn write(&mut self, batch: &logboom::sink::Frames<'_>) -> logboom::sink::Written {
        self.inner.write(batch)
    }

    fn flush(&mut self) -> logboom::sink::Written {
        self.inner.flush()
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.inner.sync()
    }
}
