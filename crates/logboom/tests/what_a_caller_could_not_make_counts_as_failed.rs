//! A record that its caller could not make is in the accounting all the same: submitted and failed,
//! for each route it would have gone to.

mod support;

use logboom::engine::{Engine, Flush, Outcome, Wait};
use logboom::record::RouteId;
use std::sync::{Arc, Mutex};
use support::*;

#[test]
fn it_is_submitted_and_failed_for_each_route() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let reporter = Arc::new({
        let reports = Arc::clone(&reports);
        move |text: &str| reports.lock().unwrap().push(text.to_owned())
    });
    let engine = Engine::new(config().reporter(reporter)).unwrap();
    let routes = [(); 2].map(|()| engine.open_route(spec("memory", memory())).unwrap());
    let [first, second] = routes;
    assert_eq!(say(&engine, "one", &routes), Outcome::Accepted);
    engine.count_failed(&routes);
    engine.count_failed(&[first, RouteId(77)]);
    assert_eq!(engine.flush(None), Flush::Done, "the caller knows already");
    let counts = |at: usize| {
        let counts = engine.stats().routes[at].counts;
        (counts.submitted, counts.written, counts.failed)
    };
    assert_eq!([counts(0), counts(1)], [(3, 1, 2), (2, 1, 1)]);
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.written, totals.failed), (6, 2, 4));

    assert_eq!(engine.close_route(second, Wait::Forever), Flush::Done);
    engine.count_failed(&routes);
    assert!(engine.shutdown(Some(DEADLINE)).completed);
    engine.count_failed(&[first]);
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.written, totals.failed), (9, 2, 7));
    assert_eq!(engine.thread_count(), 0);
    assert!(reports.lock().unwrap().is_empty());
}

#[test]
fn callers_and_the_writer_count_beside_each_other() {
    let engine = Engine::new(config()).unwrap();
    let route = engine.open_route(spec("memory", memory())).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..5000).for_each(|_| engine.count_failed(&[route])));
        }
        scope.spawn(|| {
            (0..5000).for_each(|_| assert_eq!(say(&engine, "refuse", &[route]), Outcome::Accepted));
        });
    });
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Failed { records: 5000 });
    let totals = engine.stats().totals;
    assert_eq!((totals.submitted, totals.failed, totals.pending), (15_000, 15_000, 0));
}
