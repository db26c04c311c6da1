//! One thread named `logboom-writer`, whatever the number of routes, handles, threads that log, and
//! successors; none before the first record, none after shutdown.

#![cfg(target_os = "linux")]

mod support;

use logboom::engine::{Engine, Outcome, Wait};
use support::*;

/// The names of this process' threads, as the kernel knows them.
fn writers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| {
        // A thread may end between the listing and the look.
        std::fs::read_to_string(task.unwrap().path().join("comm")).ok()
    });
    names.filter(|name| name.trim_end() == "logboom-writer").count()
}

#[test]
fn there_is_one_thread_at_most() {
    let mut engine = Engine::new(config()).unwrap();
    let routes: Vec<_> =
        (0..100).map(|_| engine.open_route(spec("memory", memory())).unwrap()).collect();
    assert_eq!((writers(), engine.thread_count()), (0, 0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for &route in &routes {
                    let own = engine.clone().route(spec("own", memory())).unwrap();
                    assert_eq!(say(&engine, "one", &[route, own.id()]), Outcome::Accepted);
                }
            });
        }
    });
    // A thread that has written has its name.
    assert!(engine.flush(Some(DEADLINE)).is_done());
    assert_eq!((writers(), engine.thread_count()), (1, 1));
    for _ in 0..20 {
        engine = engine.successor(config()).unwrap();
        assert_eq!(say(&engine, "one", &routes), Outcome::Accepted);
    }
    assert!(engine.flush(Some(DEADLINE)).is_done());
    assert_eq!((writers(), engine.thread_count()), (1, 1));
    for route in routes {
        let _ = engine.close_route(route, Wait::No);
    }
    let report = engine.shutdown(Some(DEADLINE));
    assert!(report.completed, "{report}");
    assert_eq!(report.counts.written, 8 * 100 * 2 + 20 * 100);
    assert_eq!(engine.thread_count(), 0);
    // The kernel may list a thread for a moment after it was joined.
    wait_until(&engine, "it is gone", || writers() == 0);
}
