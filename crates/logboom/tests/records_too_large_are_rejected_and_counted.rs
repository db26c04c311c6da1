//! A record that the ring will never hold is rejected at once, counted, and reported; the next one
//! is not affected.

mod support;

use logboom::engine::{Engine, Outcome};
use logboom::field::Value;
use logboom::level::Level;
use logboom::record::{Message, Record, Style};
use std::sync::{Arc, Mutex};
use support::*;

#[test]
fn too_large_is_rejected_and_just_not_too_large_is_written() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let reporter = Arc::new({
        let reports = Arc::clone(&reports);
        move |text: &str| reports.lock().unwrap().push(text.to_owned())
    });
    let config = config().capacity_bytes(64 << 10).reporter(reporter);
    let engine = Engine::new(config).unwrap();
    let sinks = [memory(), memory()];
    let routes = sinks.clone().map(|sink| engine.open_route(spec("memory", sink)).unwrap());
    let limit = engine.stats().ring.max_frame_bytes;
    let head = record("", Level::INFO, &routes).encoded_len().unwrap();
    let largest = "x".repeat(limit - head);
    assert_eq!(say(&engine, &largest, &routes), Outcome::Accepted);
    assert_eq!(say(&engine, &format!("{largest}x"), &routes), Outcome::Rejected);
    let values = vec![Value::None; 256];
    let message = Message::Template(Style::Brace, "{}".into(), &values);
    let too_many = Record { message, ..record("", Level::INFO, &routes) };
    assert_eq!(engine.submit(&too_many), Outcome::Rejected);
    assert_eq!(engine.try_submit(&too_many), Outcome::Rejected);
    assert_eq!(say(&engine, "next", &routes), Outcome::Accepted);
    let report = engine.shutdown(Some(DEADLINE));
    assert_eq!((report.counts.submitted, report.counts.written), (10, 4));
    assert_eq!(report.counts.rejected, 6);
    for sink in sinks {
        assert_eq!(sink.text(), format!("{largest}\nnext\n"));
    }
    assert!(reports.lock().unwrap()[0].starts_with("rejected "));
}
