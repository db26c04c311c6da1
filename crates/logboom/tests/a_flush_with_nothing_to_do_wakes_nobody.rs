//! Where everything is with the sinks already and there is nothing to tell, a flush returns at once;
//! where there is the least, it does not.

mod support;

use logboom::engine::{Engine, Flush, Outcome};
use logboom::sink::{Frames, NullSinkSpec, Sink, SinkSpec, Written};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use support::*;

#[test]
fn the_writer_is_not_woken() {
    let engine = Engine::new(config()).unwrap();
    let route = engine.open_route(spec("memory", memory())).unwrap();
    assert_eq!(engine.flush(None), Flush::Done);
    assert_eq!(engine.thread_count(), 0, "nothing was there to do");
    assert_eq!(say(&engine, "one", &[route]), Outcome::Accepted);
    assert_eq!(engine.flush(None), Flush::Done);
    let before = engine.stats();
    for _ in 0..10_000 {
        assert_eq!(engine.flush(None), Flush::Done);
        assert_eq!(engine.flush_route(route, None), Flush::Done);
    }
    let after = engine.stats();
    // It may be on its way to sleep: that takes six naps.
    let wakeups = after.wakeups_total - before.wakeups_total;
    assert!(wakeups <= 7, "{wakeups} wake-ups");
    assert_eq!(after.batches_total, before.batches_total);
}

#[test]
fn what_failed_is_told_by_the_next_flush_and_only_by_that() {
    let engine = Engine::new(config()).unwrap();
    let [bad, good] = ["bad", "good"].map(|name| engine.open_route(spec(name, memory())).unwrap());
    assert_eq!(say(&engine, "refuse", &[bad]), Outcome::Accepted);
    wait_until(&engine, "it failed", || engine.stats().totals.failed == 1);
    assert_eq!(engine.flush_route(good, None), Flush::Done);
    assert_eq!(engine.flush_route(bad, None), Flush::Failed { records: 1 });
    assert_eq!(engine.flush_route(bad, None), Flush::Done);
    assert_eq!(say(&engine, "refuse", &[bad, good]), Outcome::Accepted);
    wait_until(&engine, "it failed", || engine.stats().totals.failed == 3);
    assert_eq!(engine.flush(None), Flush::Failed { records: 2 });
    assert_eq!(engine.flush(None), Flush::Done);
}

#[test]
fn what_is_pending_is_waited_for() {
    let engine = Engine::new(config()).unwrap();
    let gated = GatedSpec::new(Gate::closed());
    let route = engine.open_route(spec("gated", gated.clone())).unwrap();
    let other = engine.open_route(spec("other", NullSinkSpec)).unwrap();
    assert_eq!(say(&engine, "held up", &[route]), Outcome::Accepted);
    gated.gate.wait_for_sink();
    let at_once = Some(std::time::Duration::ZERO);
    assert_eq!(engine.flush(at_once), Flush::TimedOut { pending: 1 });
    assert_eq!(engine.flush_route(other, at_once), Flush::TimedOut { pending: 0 });
    gated.gate.open();
    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
    assert_eq!(gated.memory.lines(), ["held up"]);
}

/// Remembers the last number that each thread had written.
#[derive(Clone, Debug, Default)]
struct LastSpec(Arc<[AtomicU64; 3]>);

impl SinkSpec for LastSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(self.clone()))
    }

    fn describe(&self) -> String {
        "last".into()
    }
}

impl Sink for LastSpec {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        for line in std::str::from_utf8(batch.bytes).unwrap().lines() {
            let (thread, number) = line.split_once(' ').unwrap();
            self.0[thread.parse::<usize>().unwrap()].store(number.parse().unwrap(), SeqCst);
        }
        Written { frames: batch.ends.len(), ..Written::default() }
    }

    fn flush(&mut self) -> Written {
        Written::default()
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whichever_way_it_takes_the_callers_own_records_are_there() {
    let engine = Engine::new(config()).unwrap();
    let last = LastSpec::default();
    let route = engine.open_route(spec("last", last.clone())).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (engine, last) = (&engine, &last);
            scope.spawn(move || {
                for number in 1..=2_000 {
                    let text = format!("{thread} {number}");
                    assert_eq!(say(engine, &text, &[route]), Outcome::Accepted);
                    // Gives the writer the time to be faster than the flush, or not.
                    (0..number % 64).for_each(|_| std::hint::spin_loop());
                    assert_eq!(engine.flush(Some(DEADLINE)), Flush::Done);
                    assert_eq!(last.0[thread].load(SeqCst), number);
                }
            });
        }
    });
}
