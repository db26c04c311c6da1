//! What is put onto its device without being asked for each time: grave records, and everything at
//! intervals.

mod support;

use logboom::clock::ManualClock;
use logboom::engine::{Engine, Outcome};
use logboom::level::Level;
use logboom::record::{Record, RouteId};
use logboom::route::RouteSpec;
use logboom::sink::{FileMode, FileSinkSpec};
use logboom::testing::{FaultFs, MemoryFs, Operation};
use std::sync::Arc;
use std::time::Duration;
use support::*;

fn file(fs: &FaultFs, name: &str) -> RouteSpec {
    RouteSpec::new(name, MessageFormatter, FileSinkSpec::open(name, FileMode::Append, fs).unwrap())
}

fn say_at(engine: &Engine, level: Level, routes: &[RouteId]) {
    assert_eq!(
        engine.submit(&Record { level, ..record("text", level, routes) }),
        Outcome::Accepted
    );
    assert!(engine.flush(Some(DEADLINE)).is_done());
}

#[test]
fn a_grave_record_is_on_its_device_once_it_is_written() {
    let fs = FaultFs::new(MemoryFs::default());
    let engine = Engine::new(config().sync_level(Some(Level::ERROR))).unwrap();
    let [a, b] = ["/a", "/b"].map(|name| engine.open_route(file(&fs, name)).unwrap());
    for level in [Level::INFO, Level::WARNING] {
        say_at(&engine, level, &[a, b]);
    }
    assert_eq!(fs.count(Operation::Sync), 0);
    say_at(&engine, Level::ERROR, &[a]);
    // What the other file had of before goes along: one cannot tell what belongs together.
    assert_eq!(fs.count(Operation::Sync), 2);
    say_at(&engine, Level::CRITICAL, &[a]);
    assert_eq!(fs.count(Operation::Sync), 3, "nothing was written to the other one since");
}

#[test]
fn everything_is_on_its_device_after_the_interval() {
    let fs = FaultFs::new(MemoryFs::default());
    let clock = Arc::new(ManualClock::new(0));
    let interval = Duration::from_secs(60);
    let options = config().clock(clock.clone()).sync_every(Some(interval));
    let engine = Engine::new(options).unwrap();
    let route = engine.open_route(file(&fs, "/a")).unwrap();
    clock.advance(interval);
    say_at(&engine, Level::INFO, &[route]);
    // The writer comes round by itself, though nothing more is logged.
    wait_until(&engine, "a sync", || fs.count(Operation::Sync) == 1);
    say_at(&engine, Level::INFO, &[route]);
    clock.advance(interval - Duration::from_millis(1));
    say_at(&engine, Level::INFO, &[route]);
    assert_eq!(fs.count(Operation::Sync), 1);
    clock.advance(Duration::from_millis(1));
    wait_until(&engine, "a sync", || fs.count(Operation::Sync) == 2);
    clock.advance(interval);
    say_at(&engine, Level::INFO, &[]);
    assert_eq!(fs.count(Operation::Sync), 2, "nothing was written since");
}
