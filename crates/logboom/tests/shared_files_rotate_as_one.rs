//! Several sinks on one shared file, each as in a process of its own, leave the files that one alone
//! would; and whatever fails, each line is there once and whole.

use logboom::fs::{FileMode, FileSystem as _};
use logboom::sink::{
    Frames, Naming, Retention, Rotation, SharedFileSinkSpec, Sharing, Sink, SinkSpec,
};
use logboom::spawn::ThreadSpawner;
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

type Files = BTreeMap<u32, String>;

fn path(number: u32) -> PathBuf {
    let name = if number == 0 { "app.log".into() } else { format!("app.log.{number}") };
    std::path::absolute(name).unwrap()
}

fn sharing(rotation: Rotation) -> Sharing {
    Sharing {
        rotation,
        retention: Retention::default(),
        naming: Naming::Numbers,
        compression: None,
    }
}

fn open(fs: &FaultFs, rotation: Rotation) -> (SharedFileSinkSpec, Box<dyn Sink>) {
    let spawner = Arc::new(ThreadSpawner);
    let spec = SharedFileSinkSpec::open("app.log", sharing(rotation), fs.clone(), spawner)
        .unwrap()
        .patience(Duration::ZERO);
    let sink = SinkSpec::open(&spec).unwrap();
    (spec, sink)
}

fn write(sink: &mut dyn Sink, lines: &[String]) -> logboom::sink::Written {
    let mut ends = Vec::new();
    for line in lines {
        ends.push(ends.last().unwrap_or(&0) + line.len());
    }
    sink.write(&Frames { bytes: lines.concat().as_bytes(), ends: &ends })
}

fn files(memory: &MemoryFs, most: u32) -> Files {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (0..=most).filter_map(|n| Some((n, text(memory.contents(path(n))?)))).collect()
}

/// `shouldRollover`, `doRollover` and `emit` of Python's handler.
fn emit(files: &mut Files, rotation: &Rotation, line: &str) {
    let size = files[&0].len();
    let due = size + line.chars().count() >= rotation.max_bytes as usize;
    let turns = rotation.max_bytes > 0 && rotation.backup_count > 0;
    if turns && due && (size > 0 || rotation.rotates_empty) {
        for number in (0..rotation.backup_count).rev() {
            if let Some(file) = files.remove(&number) {
                files.insert(number + 1, file);
            }
        }
    }
    files.entry(0).or_default().push_str(line);
}

fn line() -> impl Strategy<Value = String> {
    "[a-cé€𝄞]{0,12}|[a-cé€𝄞]{50,70}".prop_map(|text| text + "\n")
}

fn batches() -> impl Strategy<Value = Vec<(usize, Vec<String>)>> {
    prop::collection::vec((0..3_usize, prop::collection::vec(line(), 0..12)), 1..12)
}

proptest! {
    #[test]
    fn the_files_are_those_of_one_process(
        max_bytes in 0..60_u64,
        backup_count in 0..4_u32,
        rotates_empty in any::<bool>(),
        gone in prop::option::of(1..4_u32),
        batches in batches(),
        short in 1..40_usize,
    ) {
        let rotation = Rotation { max_bytes, backup_count, rotates_empty };
        let memory = MemoryFs::default();
        let fs = FaultFs::new(memory.clone());
        fs.inject(Operation::Write, When::Every(1), Fault::Short(short));
        let mut model = Files::from([(0, String::new())]);
        let mut sinks: Vec<_> = (0..3).map(|_| open(&fs, rotation)).collect();
        for (at, (who, batch)) in batches.iter().enumerate() {
            if let Some(number) = gone.filter(|_| at == batches.len() / 2) {
                // An operator removes one of them.
                let _ = memory.remove(&path(number));
                model.remove(&number);
            }
            let written = write(&mut *sinks[*who].1, batch);
            batch.iter().for_each(|line| emit(&mut model, &rotation, line));
            prop_assert!(written.error.is_none() && !written.kept, "{:?}", written);
            prop_assert_eq!(written.frames, batch.len());
            prop_assert_eq!(&files(&memory, 8), &model);
        }
        drop(sinks);
        prop_assert_eq!(memory.open_files(), 0);
    }

    #[test]
    fn whatever_fails_each_line_that_counts_is_there_once_and_whole(
        max_bytes in 20..60_u64,
        batches in batches(),
        faults in prop::collection::vec((0..10_usize, 1..30_u64), 0..10),
        full in prop::option::of(0..200_usize),
        tearing in any::<bool>(),
    ) {
        let operations = [
            Operation::Open, Operation::Rename, Operation::Metadata, Operation::Write,
            Operation::Lock, Operation::List, Operation::ReadAt, Operation::WriteAt,
            Operation::SetLen, Operation::Remove,
        ];
        // Far more files than there are lines: none goes off the end.
        let rotation = Rotation { max_bytes, backup_count: 300, rotates_empty: false };
        let memory = MemoryFs::default();
        let fs = FaultFs::new(memory.clone());
        let mut sinks: Vec<_> = (0..3).map(|_| open(&fs, rotation)).collect();
        fs.inject(Operation::Write, When::Every(3), Fault::Short(7));
        // Whoever cannot cut off what it left torn relies on the next one to find it, so while writes
        // fail one other operation does, and any number otherwise.
        let mut others = 0;
        for (operation, at) in faults {
            let operation = operations[operation];
            others += usize::from(operation != Operation::Write);
            if (operation == Operation::Write) != tearing && (!tearing || others > 1) {
                continue;
            }
            let fault = Fault::Error(ErrorKind::PermissionDenied);
            fs.inject(operation, When::At(fs.count(operation) + at), fault);
        }
        fs.set_room_bytes(full.filter(|_| tearing));
        let (mut number, mut counted, mut kept) = (0, 0, [false; 3]);
        let mut lines = Vec::new();
        for (who, batch) in &batches {
            let batch: Vec<_> = batch
                .iter()
                .map(|line| {
                    number += 1;
                    format!("{number} {line}")
                })
                .collect();
            let written = write(&mut *sinks[*who].1, &batch);
            let through = written.frames + usize::from(written.kept) - usize::from(kept[*who]);
            prop_assert!(through == batch.len() || written.error.is_some());
            lines.extend(batch[..through].iter().cloned());
            counted += written.frames;
            kept[*who] = written.kept;
        }
        fs.heal();
        for (_, sink) in &mut sinks {
            let written = sink.flush();
            prop_assert!(!written.kept, "{:?}", written);
            counted += written.frames;
        }
        prop_assert_eq!(counted, lines.len());
        let mut found: Vec<_> = files(&memory, 300)
            .values()
            .flat_map(|text| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        found.sort_unstable();
        lines.sort_unstable();
        prop_assert_eq!(found, lines);
    }
}

#[test]
fn who_cannot_get_the_lock_writes_behind_what_is_there_and_moves_nothing() {
    let memory = MemoryFs::default();
    let fs = FaultFs::new(memory.clone());
    let rotation = Rotation { max_bytes: 10, backup_count: 2, rotates_empty: false };
    let (_spec, mut sink) = open(&fs, rotation);
    let lock = std::path::absolute("app.log.lock").unwrap();
    let other = memory.open(&lock, FileMode::Update).unwrap();
    assert!(other.try_lock(logboom::fs::LockOwner::Handle).unwrap());
    let lines = ["1234567\n".to_owned(), "two\n".to_owned()];
    let written = write(&mut *sink, &lines);
    assert_eq!((written.frames, written.kept), (2, false));
    assert!(written.error.unwrap().to_string().starts_with("could not lock"));
    assert_eq!(files(&memory, 3), Files::from([(0, lines.concat())]));
    drop(other);
    assert!(write(&mut *sink, &["three\n".to_owned()]).error.is_none());
    assert_eq!(files(&memory, 3), Files::from([(0, "three\n".into()), (1, lines.concat())]));
}

#[test]
fn a_lock_that_was_removed_is_made_anew_by_all() {
    let memory = MemoryFs::default();
    let fs = FaultFs::new(memory.clone());
    let rotation = Rotation { max_bytes: 10, backup_count: 2, rotates_empty: false };
    let (mut one, mut two) = (open(&fs, rotation), open(&fs, rotation));
    for sink in [&mut one.1, &mut two.1] {
        assert!(write(&mut **sink, &["1\n".to_owned()]).error.is_none());
    }
    let lock = std::path::absolute("app.log.lock").unwrap();
    memory.remove(&lock).unwrap();
    assert!(write(&mut *one.1, &["2\n".to_owned()]).error.is_none());
    // It has the new one, and whoever held the old one would hold nothing.
    let other = memory.open(&lock, FileMode::Update).unwrap();
    assert!(other.try_lock(logboom::fs::LockOwner::Handle).unwrap());
    assert!(write(&mut *two.1, &["3\n".to_owned()]).error.is_some());
}
