//! What a forked child makes of its parent's engine: empty, with the same routes and texts, and
//! without waiting for anything the parent's threads were doing. (Without a fork, which would need
//! unsafe code; the Python tests fork.)

mod support;

use logboom::engine::{Engine, Outcome, Wait};
use logboom::record::{Message, Record, Text};
use support::*;

#[test]
fn a_child_has_the_routes_and_texts_and_nothing_else() {
    let parent = Engine::new(config()).unwrap();
    let (first, gated) = (memory(), GatedSpec::new(Gate::closed()));
    let gone = parent.open_route(spec("gone", memory())).unwrap();
    let first_id = parent.open_route(spec("first", first.clone())).unwrap();
    let gated_id = parent.open_route(spec("gated", gated.clone())).unwrap();
    let text = parent.intern(b"interned by the parent").unwrap();
    let _ = parent.close_route(gone, Wait::Forever);
    // The parent's writer hangs, records are pending, and the set-up is locked.
    assert_eq!(say(&parent, "the parent's", &[gated_id, first_id]), Outcome::Accepted);
    gated.gate.wait_for_sink();
    assert_eq!(say(&parent, "the parent's", &[gated_id, first_id]), Outcome::Accepted);
    let guard = parent.lock_for_fork();
    let child = within_deadline({
        let parent = parent.clone();
        move || parent.child().unwrap()
    });
    let stats = child.stats();
    assert_eq!((stats.totals.submitted, stats.native_threads, stats.ring.used_bytes), (0, 0, 0));
    let ids: Vec<_> = stats.routes.iter().map(|route| route.id).collect();
    assert_eq!(ids, [first_id, gated_id]);
    assert_eq!(child.intern(b"interned by the parent"), Some(text));
    let message = Message::Plain(Text::Id(text));
    let routes = [first_id];
    let base = record("", logboom::level::Level::INFO, &routes);
    assert_eq!(child.submit(&Record { message, ..base }), Outcome::Accepted);
    let report = child.shutdown(Some(DEADLINE));
    assert!(report.completed);
    assert_eq!((report.counts.submitted, report.counts.written), (1, 1));
    assert_eq!(first.lines(), ["interned by the parent"]);

    drop(guard);
    gated.gate.open();
    assert_eq!(parent.shutdown(Some(DEADLINE)).counts.written, 4);
    assert_eq!(first.lines().len(), 3);
}

#[test]
fn the_guard_keeps_changes_off_and_lets_records_through() {
    let engine = Engine::new(config()).unwrap();
    let sink = memory();
    let route = engine.open_route(spec("memory", sink.clone())).unwrap();
    let guard = engine.lock_for_fork();
    let opened = std::thread::spawn({
        let engine = engine.clone();
        move || engine.open_route(spec("late", memory())).unwrap()
    });
    for _ in 0..100 {
        assert_eq!(say(&engine, "one", &[route]), Outcome::Accepted);
    }
    assert!(engine.flush(Some(DEADLINE)).is_done());
    assert_eq!(engine.stats().routes.len(), 1);
    drop(guard);
    opened.join().unwrap();
    assert_eq!(engine.stats().routes.len(), 2);
}
