//! However full the ring, and whatever the overflow policy, a flush is carried out.

mod support;

use logboom::engine::{Engine, Flush, Outcome};
use logboom::overflow::Overflow;
use std::time::Duration;
use support::*;

#[test]
fn a_flush_asked_for_while_the_ring_is_full_is_answered() {
    let config = config().capacity_bytes(64 << 10).overflow(Overflow::DropNewest);
    let engine = Engine::new(config).unwrap();
    let sink = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", sink.clone())).unwrap();
    let mut accepted = 0_usize;
    while say(&engine, "fill it up to the brim", &[route]) == Outcome::Accepted {
        accepted += 1;
    }
    assert_eq!(say(&engine, "no room", &[route]), Outcome::Dropped);
    sink.gate.wait_for_sink();
    let pending = accepted as u64;
    assert_eq!(engine.flush(Some(Duration::ZERO)), Flush::TimedOut { pending });
    let flushes: Vec<_> = (0..8)
        .map(|_| {
            let engine = engine.clone();
            std::thread::spawn(move || engine.flush(Some(DEADLINE)))
        })
        .collect();
    sink.gate.open();
    for flush in flushes {
        assert_eq!(flush.join().unwrap(), Flush::Done);
    }
    let lines = sink.memory.lines();
    assert_eq!(lines.iter().filter(|line| line.starts_with("fill")).count(), accepted);
}
