//! Any sequence of what a durable process may do (log, flush, rotate, fail, open and close, have a
//! successor, fork), killed at each of its steps and recovered, against a reference a few lines long.

use super::*;
use crate::engine::Wait;
use crate::sink::{RotatingFileSinkSpec, Rotation};
use crate::testing::FaultFs;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Action {
    /// By one of the processes, to the routes that these bits pick.
    Say(u8, u8),
    Flush(u8),
    Open {
        rotates: bool,
    },
    Close(u8),
    Successor(u8),
    /// The disk has so much room from here on; `None`: enough.
    Room(Option<usize>),
    /// At most twice.
    Fork,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        10 => (any::<u8>(), any::<u8>()).prop_map(|(process, routes)| Action::Say(process, routes)),
        3 => any::<u8>().prop_map(Action::Flush),
        1 => any::<bool>().prop_map(|rotates| Action::Open { rotates }),
        1 => any::<u8>().prop_map(Action::Close),
        1 => any::<u8>().prop_map(Action::Successor),
        1 => prop::option::of(0..30_usize).prop_map(Action::Room),
        1 => Just(Action::Fork),
    ];
    prop::collection::vec(action, 1..20)
}

struct Log {
    name: String,
    /// Of each process's engine; they have it under one id.
    route: RouteId,
    rotates: bool,
    open: bool,
    /// The number of each call, and the process that made it.
    calls: Vec<(usize, usize)>,
}

struct Model {
    place: Arc<Place>,
    fs: SteppedFs,
    faulty: Arc<FaultFs>,
    processes: Vec<Engine>,
    logs: Vec<Log>,
    disk_was_full: bool,
}

impl Model {
    fn new() -> Model {
        let place = Place::new();
        let faulty = Arc::new(FaultFs::new(SystemFs));
        let below: Arc<dyn FileSystem> = faulty.clone();
        let fs = SteppedFs { place: Arc::clone(&place), below, piece: 7 };
        let processes = vec![Engine::new(config(&place)).unwrap()];
        let mut model =
            Model { place, fs, faulty, processes, logs: Vec::new(), disk_was_full: false };
        model.open(false);
        model
    }

    fn open(&mut self, rotates: bool) {
        // Routes of a fork's processes have one id; one that is opened later would not.
        if self.processes.len() > 1 {
            return;
        }
        let name = format!("log{}", self.logs.len());
        let path = self.place.log(&name);
        let sink: Arc<dyn SinkSpec> = if rotates {
            let rotation = Rotation { max_bytes: 20, backup_count: 50, rotates_empty: false };
            Arc::new(RotatingFileSinkSpec::open(path, rotation, self.fs.clone()).unwrap())
        } else {
            Arc::new(FileSinkSpec::open(path, FileMode::Append, &self.fs).unwrap())
        };
        let route = route(&self.processes[0], sink);
        self.logs.push(Log { name, route, rotates, open: true, calls: Vec::new() });
    }

    fn say(&mut self, process: usize, picked: u8) {
        let number = self.place.said.load(Ordering::Relaxed);
        let mut routes = Vec::new();
        for (bit, log) in self.logs.iter_mut().enumerate() {
            if log.open && picked >> (bit % 8) & 1 == 1 {
                log.calls.push((number, process));
                routes.push(log.route);
            }
        }
        say(&self.place, &self.processes[process], &format!("line {number}"), &routes);
    }

    fn act(&mut self, action: &Action) {
        let picked = |number: u8| usize::from(number) % self.processes.len();
        match *action {
            Action::Say(process, routes) => self.say(picked(process), routes),
            Action::Flush(process) => {
                let _ = self.processes[picked(process)].flush(None);
            }
            Action::Open { rotates } => self.open(rotates),
            Action::Close(log) => {
                // A line of which a full disk took a part stays torn where its sink is closed before
                // there is room.
                self.faulty.heal();
                let log = usize::from(log) % self.logs.len();
                self.logs[log].open = false;
                for process in &self.processes {
                    let _ = process.close_route(self.logs[log].route, Wait::Forever);
                }
            }
            Action::Successor(process) => {
                let process = picked(process);
                self.processes[process] =
                    self.processes[process].successor(config(&self.place)).unwrap();
            }
            Action::Room(bytes) => {
                self.disk_was_full |= bytes.is_some();
                self.faulty.set_room_bytes(bytes);
            }
            Action::Fork => {
                // Files that rotate are one process's.
                if self.processes.len() < 3 && !self.logs.iter().any(|log| log.rotates) {
                    let child = self.processes[0].child().unwrap();
                    self.processes.push(child);
                }
            }
        }
        self.place.step();
    }

    /// What a log has after a kill when this many calls had returned, against what it should have.
    fn check(&self, log: &Log, said: usize) {
        let lines = self.place.lines(&log.name);
        let numbers: Vec<usize> =
            lines.iter().map(|line| line.strip_prefix("line ").unwrap().parse().unwrap()).collect();
        let of = |process: usize, until: usize| -> Vec<usize> {
            let calls = log.calls.iter().filter(|call| call.0 < until && call.1 == process);
            calls.map(|call| call.0).collect()
        };
        for process in 0..self.processes.len() {
            // Where several processes write to a file, a line can be there twice.
            let mut seen: Vec<usize> = Vec::new();
            for number in &numbers {
                let is_its = log.calls.contains(&(*number, process));
                if is_its && (self.processes.len() == 1 || !seen.contains(number)) {
                    seen.push(*number);
                }
            }
            // One call may have been under way.
            let (certain, possible) = (of(process, said), of(process, said + 1));
            if self.disk_was_full {
                assert!(seen.is_sorted_by(|a, b| a < b), "{}: {lines:?}", log.name);
                assert!(seen.iter().all(|number| possible.contains(number)), "{lines:?}");
            } else {
                assert!(seen == certain || seen == possible, "{}, {said}: {lines:?}", log.name);
            }
        }
    }
}

fn play(actions: &[Action]) {
    let mut model = Model::new();
    for action in actions {
        model.act(action);
    }
    model.faulty.heal();
    // They end one after the other, with nothing in their rings.
    for process in &model.processes {
        let _ = process.shutdown(None);
        model.place.step();
    }
    model.place.check_all(|said| {
        for log in &model.logs {
            model.check(log, said);
        }
    });
}

/// What is left of the line is not in the new ring, and the old one's file goes.
#[test]
fn a_torn_line_is_ended_after_a_kill_though_its_ring_was_replaced() {
    play(&[Action::Room(Some(1)), Action::Say(0, 1), Action::Flush(0), Action::Successor(0)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_those_of_the_model_wherever_the_process_is_killed(actions in actions()) {
        play(&actions);
    }
}
