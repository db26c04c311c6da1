//! Each call of the file system fails in turn, once or from then on, while a program logs, flushes,
//! rotates, reopens, changes the ring and closes. Whatever fails: each delivery is counted once and truly,
//! no line is torn, repeated or out of order, the reporter is told once an interval, and once the fault is
//! over every line arrives.

mod support;

use logboom::clock::ManualClock;
use logboom::engine::{Engine, Flush, Outcome};
use logboom::fs::{FileMode, FileSystem as _};
use logboom::record::RouteId;
use logboom::sink::{FileSinkSpec, RotatingFileSinkSpec, Rotation, WatchedFileSinkSpec};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

/// Nothing is removed by it, so that every line that was written is somewhere.
const ROTATION: Rotation = Rotation { max_bytes: 60, backup_count: 40, rotates_empty: false };
const NAMES: [&str; 3] = ["plain.log", "rotating.log", "watched.log"];

struct Scene {
    memory: MemoryFs,
    fs: FaultFs,
    engine: Engine,
    clock: Arc<ManualClock>,
    routes: [RouteId; 3],
    reports: Arc<Mutex<Vec<String>>>,
    asked: u64,
}

fn path(name: &str) -> PathBuf {
    std::path::absolute(name).unwrap()
}

impl Scene {
    fn new() -> Scene {
        let memory = MemoryFs::default();
        let fs = FaultFs::new(memory.clone());
        let (clock, reports) = (Arc::new(ManualClock::new(0)), Arc::<Mutex<Vec<_>>>::default());
        let reporter = Arc::new({
            let reports = Arc::clone(&reports);
            move |text: &str| reports.lock().unwrap().push(text.to_owned())
        });
        let config = config().capacity_bytes(64 << 10).clock(clock.clone()).reporter(reporter);
        let engine = Engine::new(config).unwrap();
        let plain = FileSinkSpec::open(NAMES[0], FileMode::Append, &fs).unwrap();
        let rotating = RotatingFileSinkSpec::open(NAMES[1], ROTATION, fs.clone()).unwrap();
        let watched = WatchedFileSinkSpec::open(NAMES[2], fs.clone()).unwrap();
        let routes = [
            engine.open_route(spec(NAMES[0], plain)).unwrap(),
            engine.open_route(spec(NAMES[1], rotating)).unwrap(),
            engine.open_route(spec(NAMES[2], watched)).unwrap(),
        ];
        Scene { memory, fs, engine, clock, routes, reports, asked: 0 }
    }

    fn say(&mut self) {
        let text = format!("line {}", self.asked);
        assert_eq!(say(&self.engine, &text, &self.routes), Outcome::Accepted);
        self.asked += 1;
    }

    fn flush(&self) -> Flush {
        let outcome = self.engine.flush(Some(DEADLINE));
        assert!(!matches!(outcome, Flush::TimedOut { .. }), "{outcome:?}");
        outcome
    }

    /// What a program does, and what is done to its files.
    fn live(&mut self) {
        for round in 0..8 {
            for _ in 0..3 {
                self.say();
            }
            let _ = self.flush();
            match round {
                1 => self.memory.rename(&path(NAMES[2]), &path("watched.old")).unwrap(),
                2 => drop(self.engine.sync(Some(DEADLINE))),
                3 => {
                    self.engine = self.engine.successor(self.engine.config()).unwrap();
                }
                5 => {
                    // It may have been moved and not made anew, if that failed.
                    let _ = self.memory.rename(&path(NAMES[2]), &path("watched.older"));
                }
                _ => {}
            }
        }
    }

    /// All lines that went to a route, from the oldest file on.
    fn lines(&self, index: usize) -> Vec<String> {
        let name = NAMES[index];
        let before: Vec<String> = match index {
            1 => (1..=ROTATION.backup_count).rev().map(|n| format!("{name}.{n}")).collect(),
            2 => vec!["watched.old".into(), "watched.older".into()],
            _ => Vec::new(),
        };
        let mut lines = Vec::new();
        for name in before.iter().map(String::as_str).chain([name]) {
            let Some(bytes) = self.memory.contents(path(name)) else { continue };
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.is_empty() || text.ends_with('\n'), "{name} is torn: {text:?}");
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }

    /// Ends the fault; what was said since then must be there, and all counts true.
    fn check(mut self, what: &str) {
        self.fs.heal();
        let _ = self.flush();
        assert!(self.reports.lock().unwrap().len() <= 1, "{what}: no time went by");
        self.clock.advance(Duration::from_secs(1));
        let first_well = self.asked;
        for _ in 0..12 {
            self.say();
        }
        assert_eq!(self.flush(), Flush::Done, "{what}");
        let report = self.engine.shutdown(Some(DEADLINE));
        assert!(report.completed && report.counts.pending == 0, "{what}");
        let stats = self.engine.stats();
        for (index, route) in stats.routes.iter().enumerate() {
            let (lines, counts) = (self.lines(index), route.counts);
            let numbers: Vec<u64> = lines
                .iter()
                .map(|line| line.strip_prefix("line ").unwrap().parse().unwrap())
                .collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{what}: {}: {numbers:?}", route.name);
            assert_eq!(counts.submitted, self.asked, "{what}: {}", route.name);
            assert_eq!(counts.written, numbers.len() as u64, "{what}: {}", route.name);
            assert_eq!(counts.failed, self.asked - counts.written, "{what}: {}", route.name);
            let well = numbers.iter().filter(|&&number| number >= first_well).count();
            assert_eq!(well, 12, "{what}: {}: what came after the fault", route.name);
        }
    }
}

// Not among them: that a file which is there is not found, which would be a lie of the system's.
fn faults() -> Vec<(&'static str, Fault)> {
    let mut faults = vec![
        ("disk full", Fault::Error(ErrorKind::StorageFull)),
        ("would block", Fault::Error(ErrorKind::WouldBlock)),
        ("broken pipe", Fault::Error(ErrorKind::BrokenPipe)),
        ("one byte", Fault::Short(1)),
        ("nothing", Fault::Short(0)),
    ];
    if cfg!(target_os = "linux") {
        faults.extend([
            ("EIO", Fault::Os(5)),
            ("EMFILE", Fault::Os(24)),
            ("EFBIG", Fault::Os(27)),
            ("EROFS", Fault::Os(30)),
            ("ESTALE", Fault::Os(116)),
        ]);
    }
    faults
}

fn each_in_turn(when: fn(u64) -> When) {
    for (name, fault) in faults() {
        for n in 1.. {
            let mut scene = Scene::new();
            let at = scene.fs.count(Operation::Any) + n;
            scene.fs.inject(Operation::Any, when(at), fault);
            scene.live();
            let fired = scene.fs.fired();
            scene.check(&format!("{name}, {:?}", when(n)));
            if fired == 0 {
                assert!(n > 50, "the run makes more calls than {n}");
                break;
            }
        }
    }
}

#[test]
fn each_call_fails_once_in_turn() {
    within_deadline(|| each_in_turn(When::At));
}

#[test]
fn all_calls_fail_from_each_one_on() {
    within_deadline(|| each_in_turn(When::From));
}

#[test]
fn a_file_that_cannot_be_opened_is_the_callers_to_know_and_counts_nothing() {
    let fs = FaultFs::new(MemoryFs::default());
    fs.inject(Operation::Open, When::Every(1), Fault::Error(ErrorKind::PermissionDenied));
    assert!(FileSinkSpec::open("a.log", FileMode::Append, &fs).is_err());
    assert!(RotatingFileSinkSpec::open("b.log", ROTATION, fs.clone()).is_err());
    assert!(WatchedFileSinkSpec::open("c.log", fs.clone()).is_err());
    assert_eq!(fs.fired(), 3);
}

#[test]
fn a_disk_that_fills_up_at_any_byte_and_is_freed_tears_nothing_in_any_sink() {
    for room in (0..400).step_by(7) {
        let mut scene = Scene::new();
        scene.fs.set_room_bytes(Some(room));
        scene.live();
        scene.check(&format!("{room} bytes of room"));
    }
}
