//! Any sequence of what a program may do to an engine whose ring fills up, under each overflow policy,
//! against a reference a few lines long: which lines each sink has, in which order, and every counter.
//!
//! The writer is stalled at a gate with one known record in its hands, so that what the ring holds is
//! decided by the calls alone. The reference does not know how many records a ring holds. It believes
//! the outcome of a call, and of a ring whose oldest are dropped the number dropped; what it knows is
//! which records these must be, and that records are refused only when the ring is as full as the policy
//! says.

mod support;

use logboom::engine::{Engine, Flush, Outcome, Wait};
use logboom::level::Level;
use logboom::overflow::Overflow;
use logboom::record::RouteId;
use logboom::sink::{MemorySinkSpec, RotatingFileSinkSpec, Rotation};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use support::*;

const RING_BYTES: usize = 64 << 10;
const LEVELS: [Level; 4] = [Level::DEBUG, Level::INFO, Level::WARNING, Level::ERROR];
const POLICIES: [Overflow; 4] =
    [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest, Overflow::Sample];

#[derive(Clone, Debug)]
enum Action {
    /// So many records of so many bytes and a level, to the routes that these bits pick.
    Submit {
        count: usize,
        bytes: usize,
        level: usize,
        routes: u8,
    },
    /// As a caller that must not wait.
    SubmitBeside(u8),
    Stall,
    Resume,
    Flush,
    /// An engine with this policy takes over.
    Successor(usize),
    /// A child of the process logs, and ends.
    Fork,
    FailSink(bool),
    CloseAndOpen,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let submit = (1_usize..150, prop_oneof![1_usize..60, 500_usize..3000], 0_usize..4, 1_u8..16)
        .prop_map(|(count, bytes, level, routes)| Action::Submit { count, bytes, level, routes });
    let action = prop_oneof![
        12 => submit,
        2 => (1_u8..16).prop_map(Action::SubmitBeside),
        4 => Just(Action::Stall),
        3 => Just(Action::Resume),
        1 => Just(Action::Flush),
        1 => (0_usize..POLICIES.len()).prop_map(Action::Successor),
        1 => Just(Action::Fork),
        1 => any::<bool>().prop_map(Action::FailSink),
        1 => Just(Action::CloseAndOpen),
    ];
    prop::collection::vec(action, 1..50)
}

/// A record that the engine has and no sink yet.
struct Waiting {
    line: String,
    routes: u8,
    /// Beside a ring nothing is dropped.
    beside: bool,
}

/// Where the lines of a route are.
#[derive(Clone)]
enum Store {
    Memory(MemorySinkSpec),
    /// A file of this name that rotates, and what makes its disk fail.
    Files(MemoryFs, FaultFs),
}

const ROTATION: Rotation = Rotation { max_bytes: 100_000, backup_count: 60, rotates_empty: false };
const NAME: &str = "model.log";

impl Store {
    fn lines(&self) -> Vec<String> {
        let files = match self {
            Store::Memory(memory) => return memory.lines(),
            Store::Files(files, _) => files,
        };
        let old = (1..=ROTATION.backup_count).rev().map(|number| format!("{NAME}.{number}"));
        let names = old.chain([NAME.to_owned()]);
        let contents = |name| files.contents(std::path::absolute(name).unwrap());
        let all: Vec<u8> = names.filter_map(contents).flatten().collect();
        assert!(all.is_empty() || all.ends_with(b"\n"), "torn");
        String::from_utf8(all).unwrap().lines().map(str::to_owned).collect()
    }
}

/// A route in the engine and what the model says about it.
struct Twin {
    id: RouteId,
    store: Store,
    lines: Vec<String>,
    submitted: u64,
    dropped: u64,
    /// Of the routes before it to the same sink.
    dropped_before: u64,
    failed: u64,
}

struct Model {
    engine: Engine,
    policy: Overflow,
    /// The first stands at the gate; the third and the last, whose files rotate, fail when told to.
    twins: Vec<Twin>,
    gate: Gate,
    fails: Arc<AtomicBool>,
    failed_since_flush: u64,
    stalled: bool,
    /// In the order in which they were submitted, from the oldest ring on.
    waiting: VecDeque<Waiting>,
    /// How many of those lie in rings before the newest, where nothing is dropped any more.
    settled: usize,
    next: u64,
    /// How many rings before the newest one are not drained.
    rings: usize,
    /// What closed routes had, for the totals.
    closed: u64,
}

fn open(
    engine: &Engine,
    store: &Store,
    index: usize,
    gate: &Gate,
    fails: &Arc<AtomicBool>,
) -> RouteId {
    let memory = match store {
        Store::Memory(memory) => memory.clone(),
        Store::Files(_, fs) => {
            let sink = RotatingFileSinkSpec::open(NAME, ROTATION, fs.clone()).unwrap();
            return engine.open_route(spec("files", sink)).unwrap();
        }
    };
    let (gate, fails) = (gate.clone(), Arc::clone(fails));
    let sink = ScriptedSpec::over(memory, move |_| {
        if index == 0 {
            gate.pass();
        }
        if index == 2 && fails.load(SeqCst) { Answer::Fail(0) } else { Answer::Take }
    });
    engine.open_route(spec("model", sink)).unwrap()
}

impl Model {
    fn new(policy: Overflow) -> Model {
        let engine = Engine::new(config().capacity_bytes(RING_BYTES).overflow(policy)).unwrap();
        let (gate, fails) = (Gate::default(), Arc::<AtomicBool>::default());
        let twin = |index| {
            let store = if index == 3 {
                let files = MemoryFs::default();
                Store::Files(files.clone(), FaultFs::new(files))
            } else {
                Store::Memory(memory())
            };
            let id = open(&engine, &store, index, &gate, &fails);
            Twin {
                id,
                store,
                lines: Vec::new(),
                submitted: 0,
                dropped: 0,
                dropped_before: 0,
                failed: 0,
            }
        };
        let twins = (0..4).map(twin).collect();
        Model {
            engine,
            policy,
            twins,
            gate,
            fails,
            failed_since_flush: 0,
            stalled: false,
            waiting: VecDeque::new(),
            settled: 0,
            next: 0,
            rings: 0,
            closed: 0,
        }
    }

    fn picked(&self, routes: u8) -> Vec<usize> {
        (0..self.twins.len()).filter(|index| routes & (1 << index) != 0).collect()
    }

    fn submit(&mut self, bytes: usize, level: Level, routes: u8, beside: bool) {
        let line = format!("{} {}", self.next, "x".repeat(bytes));
        self.next += 1;
        let ids: Vec<_> = self.picked(routes).iter().map(|&index| self.twins[index].id).collect();
        let record = record(&line, level, &ids);
        let outcome = if beside {
            self.engine.submit_beside(&record)
        } else {
            self.engine.try_submit(&record)
        };
        let size = record.encoded_len().unwrap() + 16;
        // A call that is refused changes nothing.
        let used = || self.engine.stats().ring.used_bytes;
        let full = || used() + size + RING_BYTES / 4 > RING_BYTES;
        match outcome {
            Outcome::Accepted => {
                self.waiting.push_back(Waiting { line, routes, beside: false });
            }
            Outcome::Full => {
                assert!(matches!(self.policy, Overflow::Block | Overflow::Sample));
                assert!(self.policy == Overflow::Block || level >= Level::WARNING);
                assert!(full() && !beside, "{} of {RING_BYTES} used", used());
                return;
            }
            Outcome::Dropped => {
                assert!(match self.policy {
                    Overflow::DropNewest => full(),
                    Overflow::Sample => level < Level::WARNING && used() + size > RING_BYTES / 2,
                    _ => false,
                });
            }
            outcome => panic!("{outcome:?}"),
        }
        for index in self.picked(routes) {
            self.twins[index].submitted += 1;
            self.twins[index].dropped += u64::from(outcome == Outcome::Dropped);
        }
    }

    /// Brings the writer before the gate, with one record in its hands that nothing can drop.
    fn stall(&mut self) {
        if self.stalled {
            return;
        }
        self.flush();
        self.gate.close();
        self.submit(1, Level::ERROR, 1, false);
        self.gate.wait_for_sink();
        // It is the writer's.
        let in_hand = self.waiting.pop_front().unwrap();
        self.twins[0].lines.push(in_hand.line);
        self.stalled = true;
    }

    /// Learns how many of the oldest were dropped: of each route the first in the newest ring.
    fn forget_the_oldest(&mut self) {
        if self.policy != Overflow::DropOldest || !self.stalled {
            return;
        }
        let stats = self.engine.stats();
        let dropped: u64 = stats.totals.dropped;
        let known: u64 = self.twins.iter().map(|twin| twin.dropped).sum::<u64>();
        let mut new = dropped - known - self.closed_dropped(&stats);
        let mut at = self.settled;
        while new > 0 {
            assert!(!self.waiting[at].beside);
            let oldest = self.waiting.remove(at).expect("what was dropped was in the ring");
            let deliveries = self.picked(oldest.routes).len() as u64;
            new = new.checked_sub(deliveries).expect("records are dropped whole");
            for index in self.picked(oldest.routes) {
                self.twins[index].dropped += 1;
            }
            at = self.settled;
        }
    }

    fn closed_dropped(&self, stats: &logboom::metrics::Stats) -> u64 {
        stats.totals.dropped - stats.routes.iter().map(|route| route.counts.dropped).sum::<u64>()
    }

    /// The writer goes on: everything that waits is written.
    fn resume(&mut self) {
        self.forget_the_oldest();
        self.gate.open();
        self.stalled = false;
        (self.settled, self.rings) = (0, 0);
        for Waiting { line, routes, .. } in std::mem::take(&mut self.waiting) {
            for index in self.picked(routes) {
                let twin = &mut self.twins[index];
                if index >= 2 && self.fails.load(SeqCst) {
                    twin.failed += 1;
                    self.failed_since_flush += 1;
                } else {
                    twin.lines.push(line.clone());
                }
            }
        }
        let failed = std::mem::take(&mut self.failed_since_flush);
        let expected = if failed == 0 { Flush::Done } else { Flush::Failed { records: failed } };
        assert_eq!(self.engine.flush(Some(DEADLINE)), expected);
    }

    fn flush(&mut self) {
        if self.stalled {
            let outcome = self.engine.flush(Some(Duration::ZERO));
            assert!(matches!(outcome, Flush::TimedOut { .. }));
        } else {
            self.resume();
        }
    }

    fn successor(&mut self, policy: Overflow) {
        // More undrained rings than that are refused.
        if self.rings == 8 {
            return;
        }
        self.rings += usize::from(self.stalled);
        self.forget_the_oldest();
        self.settled = self.waiting.len();
        self.policy = policy;
        let config = config().capacity_bytes(RING_BYTES).overflow(policy);
        self.engine = self.engine.successor(config).unwrap();
    }

    fn fork(&mut self) {
        if self.stalled {
            return;
        }
        self.resume();
        let guard = self.engine.lock_for_fork();
        let child = self.engine.child().unwrap();
        drop(guard);
        assert_eq!(child.stats().totals.submitted, 0);
        let ids: Vec<_> = self.twins.iter().map(|twin| twin.id).collect();
        assert_eq!(say(&child, "child", &ids), Outcome::Accepted);
        let report = child.shutdown(Some(DEADLINE));
        let failed = 2 * u64::from(self.fails.load(SeqCst));
        assert_eq!((report.counts.written, report.counts.failed), (4 - failed, failed));
        for (index, twin) in self.twins.iter_mut().enumerate() {
            if index < 2 || failed == 0 {
                twin.lines.push("child".into());
            }
        }
    }

    /// Has sinks fail, or be well again.
    fn fail(&mut self, fails: bool) {
        self.resume();
        self.fails.store(fails, SeqCst);
        let Store::Files(_, fs) = &self.twins[3].store else { unreachable!() };
        fs.heal();
        if fails {
            let full = Fault::Error(ErrorKind::StorageFull);
            fs.inject(Operation::Write, When::Every(1), full);
        }
    }

    fn close_and_open(&mut self) {
        if self.stalled {
            return;
        }
        self.resume();
        let twin = &mut self.twins[1];
        assert_eq!(self.engine.close_route(twin.id, Wait::Forever), Flush::Done);
        self.closed += twin.submitted;
        twin.dropped_before += twin.dropped;
        (twin.submitted, twin.dropped) = (0, 0);
        twin.id = open(&self.engine, &twin.store, 1, &self.gate, &self.fails);
    }

    fn assert_same(&mut self) {
        self.forget_the_oldest();
        let stats = self.engine.stats();
        let mut pending = vec![0; self.twins.len()];
        for waiting in &self.waiting {
            self.picked(waiting.routes).iter().for_each(|&index| pending[index] += 1);
        }
        pending[0] += u64::from(self.stalled);
        let mut submitted = self.closed;
        for (index, twin) in self.twins.iter().enumerate() {
            let counts = stats.routes.iter().find(|route| route.id == twin.id).unwrap().counts;
            assert_eq!(counts.submitted, twin.submitted, "route {index}: {counts:?}");
            assert_eq!(counts.dropped, twin.dropped, "route {index}: {counts:?}");
            if self.stalled {
                assert_eq!(counts.pending, pending[index], "route {index}: {counts:?}");
            }
            submitted += counts.submitted;
        }
        assert_eq!(stats.totals.submitted, submitted);
    }

    fn end(mut self) {
        self.resume();
        self.assert_same();
        let report = self.engine.shutdown(Some(DEADLINE));
        assert!(report.completed);
        assert_eq!(report.counts.pending, 0);
        for (index, twin) in self.twins.iter().enumerate() {
            let lines = twin.store.lines();
            let (notices, lines): (Vec<_>, Vec<_>) =
                lines.into_iter().partition(|line| line.starts_with("dropped "));
            assert!(lines == twin.lines, "{} lines, {} expected", lines.len(), twin.lines.len());
            let told = notices.iter().map(|line| line.split(' ').nth(1).unwrap());
            let told: u64 = told.map(|number| number.parse::<u64>().unwrap()).sum();
            if index < 2 || !self.fails.load(SeqCst) {
                assert_eq!(told, twin.dropped_before + twin.dropped);
            }
        }
    }
}

fn play(policy: Overflow, actions: &[Action]) {
    let mut model = Model::new(policy);
    for action in actions {
        match *action {
            Action::Submit { count, bytes, level, routes } => {
                // What is in the writer's hands is not known while it runs, nor what it fails.
                if !model.stalled {
                    model.stall();
                }
                for _ in 0..count {
                    model.submit(bytes, LEVELS[level], routes, false);
                }
            }
            Action::SubmitBeside(routes) => {
                // Its place among those of a ring that drops is decided by positions.
                if model.policy != Overflow::DropOldest {
                    model.submit(5, Level::INFO, routes, model.policy == Overflow::Block);
                    if !model.stalled {
                        model.resume();
                    }
                }
            }
            Action::Stall => model.stall(),
            Action::Resume => model.resume(),
            Action::Flush => model.flush(),
            Action::Successor(policy) => model.successor(POLICIES[policy]),
            Action::Fork => model.fork(),
            Action::FailSink(fails) => {
                if !model.stalled {
                    model.fail(fails);
                }
            }
            Action::CloseAndOpen => model.close_and_open(),
        }
        model.assert_same();
    }
    model.end();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn lines_and_counts_are_the_same_when_the_ring_fills_up(
        policy in 0_usize..POLICIES.len(),
        actions in actions(),
    ) {
        play(POLICIES[policy], &actions);
    }
}
