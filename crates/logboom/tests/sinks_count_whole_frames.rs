//! After every single call the sum holds: what was offered is written, failed, or the one kept; and
//! the file holds exactly the written frames and the first part of the kept one.

use logboom::fs::FileMode;
use logboom::sink::{FileSinkSpec, Frames, Sink, SinkSpec, Written};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use proptest::prelude::*;
use std::io::ErrorKind;

#[derive(Clone, Debug)]
enum Action {
    Write(Vec<usize>),
    Flush,
    Room(Option<usize>),
    Fail(u64, ErrorKind),
    Short(u64, usize),
    Heal,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => proptest::collection::vec(0usize..40, 1..8).prop_map(Action::Write),
        2 => Just(Action::Flush),
        2 => proptest::option::of(0usize..100).prop_map(Action::Room),
        1 => (1u64..4).prop_map(|every| Action::Fail(every, ErrorKind::StorageFull)),
        // Every write interrupted would be one that never ends, as it is with the system.
        1 => (2u64..5).prop_map(|every| Action::Fail(every, ErrorKind::Interrupted)),
        1 => (1u64..4, 1usize..30).prop_map(|(every, bytes)| Action::Short(every, bytes)),
        1 => Just(Action::Heal),
    ]
}

#[derive(Default)]
struct Sum {
    offered: usize,
    written: usize,
    failed: usize,
    kept: usize,
}

impl Sum {
    fn add(&mut self, offered: usize, outcome: &Written) {
        let kept = usize::from(outcome.kept);
        let failed = (self.kept + offered).checked_sub(outcome.frames + kept);
        self.failed += failed.expect("no more frames come out than went in");
        self.offered += offered;
        self.written += outcome.frames;
        self.kept = kept;
    }
}

proptest! {
    #[test]
    fn the_sum_holds_after_every_call(actions in proptest::collection::vec(action(), 1..30)) {
        let memory = MemoryFs::default();
        let fs = FaultFs::new(memory.clone());
        let spec = FileSinkSpec::open("a.log", FileMode::Append, &fs).unwrap();
        let mut sink: Box<dyn Sink> = SinkSpec::open(&spec).unwrap();
        let mut sum = Sum::default();
        for action in actions {
            match action {
                Action::Write(lens) => {
                    let lines: Vec<String> = lens
                        .iter()
                        .enumerate()
                        .map(|(n, len)| format!("{}{}\n", sum.offered + n, "x".repeat(*len)))
                        .collect();
                    let mut ends = Vec::new();
                    for line in &lines {
                        ends.push(ends.last().unwrap_or(&0) + line.len());
                    }
                    let bytes = lines.concat().into_bytes();
                    sum.add(lines.len(), &sink.write(&Frames { bytes: &bytes, ends: &ends }));
                }
                Action::Flush => sum.add(0, &sink.flush()),
                Action::Room(room) => fs.set_room_bytes(room),
                Action::Fail(every, kind) => {
                    fs.inject(Operation::Write, When::Every(every), Fault::Error(kind));
                }
                Action::Short(every, bytes) => {
                    fs.inject(Operation::Write, When::Every(every), Fault::Short(bytes));
                }
                Action::Heal => fs.heal(),
            }
            let file = memory.contents(spec.path()).unwrap();
            let whole = file.iter().filter(|&&byte| byte == b'\n').count();
            prop_assert_eq!(whole, sum.written);
            prop_assert_eq!(file.last().is_some_and(|&byte| byte != b'\n'), sum.kept == 1);
            prop_assert_eq!(sum.offered, sum.written + sum.failed + sum.kept);
        }
    }
}
