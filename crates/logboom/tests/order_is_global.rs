//! All sinks see records in one order, which agrees with what each thread did and with what
//! happened before what across threads.

mod support;

use logboom::engine::{Engine, Outcome};
use std::sync::Mutex;
use support::*;

#[test]
fn a_record_that_was_submitted_after_another_comes_after_it_in_every_sink() {
    let engine = Engine::new(config().capacity_bytes(64 << 10)).unwrap();
    let sinks = [memory(), memory()];
    let routes = sinks.clone().map(|sink| engine.open_route(spec("memory", sink)).unwrap());
    let next = Mutex::new(0_u64);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    // The lock makes an order between threads; the log must show the same.
                    let mut next = next.lock().unwrap();
                    assert_eq!(say_number(&engine, "n", *next, &routes), Outcome::Accepted);
                    *next += 1;
                }
            });
        }
    });
    assert!(engine.flush(Some(DEADLINE)).is_done());
    let expected: Vec<_> = (0..8000).map(|number| format!("n U64({number})")).collect();
    for sink in sinks {
        assert!(sink.lines() == expected, "some record is out of order");
    }
}
