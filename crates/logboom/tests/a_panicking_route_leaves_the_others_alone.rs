//! A filter, formatter or sink that panics or fails costs its own route those records, is reported
//! once per interval, and touches nothing else.

mod support;

use logboom::clock::ManualClock;
use logboom::engine::{Engine, Flush, Outcome};
use logboom::record::RecordView;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

#[test]
fn whatever_panics_the_others_get_every_record() {
    let engine = Engine::new(config()).unwrap();
    let healthy = memory();
    let panicking_filter = |record: &RecordView<'_>| -> bool {
        if record.level.0 == 20 { panic!("a filter of no use") } else { true }
    };
    let sink = ScriptedSpec::new(|call| if call == 1 { Answer::Panic } else { Answer::Take });
    let formatted = memory();
    let routes = [
        spec("filter", memory()).filter(panicking_filter),
        spec("formatter", formatted.clone()),
        spec("sink", sink.clone()),
        logboom::route::RouteSpec::new("healthy", Brave, healthy.clone()),
    ]
    .map(|spec| engine.open_route(spec).unwrap());
    for text in ["one", "boom", "refuse", "two"] {
        assert_eq!(say(&engine, text, &routes), Outcome::Accepted);
        let _ = engine.flush(None);
    }
    assert_eq!(healthy.lines(), ["one", "boom", "refuse", "two"]);
    assert_eq!(formatted.text(), "one\ntwo\n", "half a line never reaches a sink");
    // The sink panicked at its second call and was opened again.
    assert_eq!(sink.memory.text(), "one\n");
    assert_eq!(say(&engine, "three", &routes), Outcome::Accepted);
    let _ = engine.flush(None);
    assert_eq!(sink.memory.text(), "one\nthree\n");
    let counts = |at: usize| {
        let counts = engine.stats().routes[at].counts;
        (counts.written, counts.failed)
    };
    assert_eq!([0, 1, 2, 3].map(counts), [(0, 5), (3, 2), (2, 3), (5, 0)]);
}

#[test]
fn faults_are_reported_once_per_interval() {
    let (clock, reports) = (Arc::new(ManualClock::new(0)), Arc::new(Mutex::new(Vec::new())));
    let reporter = Arc::new({
        let reports = Arc::clone(&reports);
        move |text: &str| {
            reports.lock().unwrap().push(text.to_owned());
            panic!("a reporter of no use");
        }
    });
    let engine = Engine::new(config().clock(clock.clone()).reporter(reporter)).unwrap();
    let sink = ScriptedSpec::new(|_| Answer::Fail(0));
    let route = engine.open_route(spec("app", sink)).unwrap();
    let one_more = || {
        assert_eq!(say(&engine, "one", &[route]), Outcome::Accepted);
        assert_eq!(engine.flush(None), Flush::Failed { records: 1 });
    };
    one_more();
    wait_until(&engine, "it is reported", || engine.stats().reports_total == 1);
    one_more();
    one_more();
    assert_eq!(engine.stats().reports_total, 1);
    clock.advance(Duration::from_secs(1));
    wait_until(&engine, "it is reported", || engine.stats().reports_total == 2);
    let sink_failed = "route `app`: sink `scripted`: 1 records failed: asked to fail";
    assert_eq!(
        *reports.lock().unwrap(),
        [sink_failed, &format!("{sink_failed} (and 1 more faults since the last report)")]
    );
}

/// Formats everything.
struct Brave;

impl logboom::format::Formatter for Brave {
    fn format(
        &self,
        record: &RecordView<'_>,
        _: &mut logboom::format::FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), logboom::format::FormatError> {
        let logboom::record::MessageView::Plain(text) = record.message else { unreachable!() };
        out.extend_from_slice(text);
        Ok(())
    }

    fn needs(&self) -> logboom::format::Needs {
        logboom::format::Needs::default()
    }
}
