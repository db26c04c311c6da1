//! Whatever is written, in whatever batches, the files are those that Python's `RotatingFileHandler`
//! leaves: a reference of a few lines says what these are.

use logboom::fs::{FileMode, FileSystem as _};
use logboom::sink::{Frames, RotatingFileSinkSpec, Rotation, SinkSpec};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Name by number, 0 being the file that is written to; what each holds.
type Files = BTreeMap<u32, String>;

struct Model {
    rotation: Rotation,
    files: Files,
}

impl Model {
    /// `shouldRollover`, `doRollover` and `emit`, as CPython's source has them.
    fn emit(&mut self, line: &str) {
        let Rotation { max_bytes, backup_count, rotates_empty } = self.rotation;
        let size = self.files[&0].len();
        let due = size + line.chars().count() >= max_bytes as usize;
        if max_bytes > 0 && due && (size > 0 || rotates_empty) && backup_count > 0 {
            for number in (0..backup_count).rev() {
                if let Some(file) = self.files.remove(&number) {
                    self.files.insert(number + 1, file);
                }
            }
        }
        self.files.entry(0).or_default().push_str(line);
    }
}

fn frames(lines: &[String]) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn path(number: u32) -> PathBuf {
    let name = if number == 0 { "app.log".into() } else { format!("app.log.{number}") };
    std::path::absolute(name).unwrap()
}

fn files(memory: &MemoryFs) -> Files {
    (0..8)
        .filter_map(|number| {
            let contents = memory.contents(path(number))?;
            Some((number, String::from_utf8(contents).unwrap()))
        })
        .collect()
}

fn line() -> impl Strategy<Value = String> {
    // Characters of one to four bytes; some lines are larger than any file.
    "[a-cé€𝄞]{0,12}|[a-cé€𝄞]{50,70}".prop_map(|text| text + "\n")
}

fn batches() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec(line(), 0..12), 1..8)
}

fn rotation() -> impl Strategy<Value = Rotation> {
    (0..60_u64, 0..4_u32, any::<bool>()).prop_map(|(max_bytes, backup_count, rotates_empty)| {
        Rotation { max_bytes, backup_count, rotates_empty }
    })
}

proptest! {
    #[test]
    fn files_and_counts_are_those_of_the_model(
        before in prop::option::of(line()),
        rotation in rotation(),
        batches in batches(),
        reopen in 0..8_usize,
        short in 1..40_usize,
    ) {
        let memory = MemoryFs::default();
        let mut model = Model { rotation, files: Files::from([(0, String::new())]) };
        if let Some(text) = before {
            let file = memory.open(&path(0), FileMode::Append).unwrap();
            file.write(text.as_bytes()).unwrap();
            model.files.insert(0, text);
        }
        let fs = FaultFs::new(memory.clone());
        fs.inject(Operation::Write, When::Every(1), Fault::Short(short));
        let spec = RotatingFileSinkSpec::open("app.log", rotation, fs.clone()).unwrap();
        let mut sink = SinkSpec::open(&spec).unwrap();
        for (number, batch) in batches.iter().enumerate() {
            if number == reopen {
                // What a forked child and a panic do.
                sink = SinkSpec::open(&spec).unwrap();
            }
            let (bytes, ends) = frames(batch);
            let written = sink.write(&Frames { bytes: &bytes, ends: &ends });
            batch.iter().for_each(|line| model.emit(line));
            prop_assert_eq!(written.frames, batch.len());
            prop_assert!(written.error.is_none() && !written.kept);
            prop_assert_eq!(&files(&memory), &model.files);
        }
        drop(sink);
        drop(spec);
        prop_assert_eq!(memory.open_files(), 0);
    }

    #[test]
    fn whatever_fails_nothing_is_lost_torn_repeated_or_out_of_order(
        rotation in (20..60_u64).prop_map(|max_bytes| {
            // Far more files than there are lines: none goes off the end.
            Rotation { max_bytes, backup_count: 200, rotates_empty: false }
        }),
        batches in batches(),
        faults in prop::collection::vec((0..6_usize, 1..20_u64), 0..8),
    ) {
        let operations = [
            Operation::Open, Operation::Rename, Operation::Rename, Operation::Metadata,
            Operation::Metadata, Operation::Write,
        ];
        let memory = MemoryFs::default();
        let fs = FaultFs::new(memory.clone());
        let spec = RotatingFileSinkSpec::open("app.log", rotation, fs.clone()).unwrap();
        let mut sink = SinkSpec::open(&spec).unwrap();
        fs.inject(Operation::Write, When::Every(3), Fault::Short(7));
        for (operation, at) in faults {
            let fault = Fault::Error(ErrorKind::PermissionDenied);
            fs.inject(operations[operation], When::At(fs.count(operations[operation]) + at), fault);
        }
        let mut number = 0;
        let (mut counted, mut kept, mut lines) = (0, false, Vec::new());
        for batch in &batches {
            let batch: Vec<_> = batch
                .iter()
                .map(|line| {
                    number += 1;
                    format!("{number} {line}")
                })
                .collect();
            let (bytes, ends) = frames(&batch);
            let written = sink.write(&Frames { bytes: &bytes, ends: &ends });
            let through = written.frames + usize::from(written.kept) - usize::from(kept);
            prop_assert!(through == batch.len() || written.error.is_some());
            lines.extend(batch[..through].iter().cloned());
            counted += written.frames;
            kept = written.kept;
        }
        fs.heal();
        counted += sink.flush().frames;
        prop_assert_eq!(counted, lines.len());
        let text: String = (0..=200)
            .rev()
            .filter_map(|number| memory.contents(path(number)))
            .map(|contents| String::from_utf8(contents).unwrap())
            .collect();
        prop_assert_eq!(text, lines.concat());
    }
}
