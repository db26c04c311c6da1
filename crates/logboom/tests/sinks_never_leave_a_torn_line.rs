//! Whatever the disk does between two writes, once it is well again every line in the file is whole.

use logboom::fs::{FileMode, FileSystem, SystemFs};
use logboom::sink::{FileSinkSpec, Frames, Sink, SinkSpec};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use std::io::ErrorKind;

const FIRST: &[&str] = &["one\n", "", "twenty-two\n", "333\n"];
const SECOND: &[&str] = &["four\n", "5\n"];

fn write(sink: &mut dyn Sink, lines: &[&str]) -> logboom::sink::Written {
    let bytes = lines.concat();
    let ends: Vec<usize> = lines
        .iter()
        .scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        })
        .collect();
    sink.write(&Frames { bytes: bytes.as_bytes(), ends: &ends })
}

/// Writes the two batches around `fault`, heals, and gives back what the file then holds.
fn run(fs: &FaultFs, memory: &MemoryFs, fault: impl Fn(&FaultFs)) -> String {
    let spec = FileSinkSpec::open("a.log", FileMode::Append, fs).unwrap();
    let mut sink = SinkSpec::open(&spec).unwrap();
    fault(fs);
    let first = write(&mut *sink, FIRST);
    let second = write(&mut *sink, SECOND);
    fs.heal();
    let last = sink.flush();
    assert!(last.error.is_none() && !last.kept);
    let text = String::from_utf8(memory.contents(spec.path()).unwrap()).unwrap();

    let expected: Vec<&str> = FIRST.iter().chain(SECOND).copied().collect();
    let mut wanted = expected.iter().copied();
    for line in text.split_inclusive('\n') {
        assert!(wanted.any(|one| one == line), "{line:?} of {text:?} is torn, moved or repeated");
    }
    let counted = first.frames + second.frames + last.frames;
    let lines = text.lines().count();
    // The empty frame leaves no trace, so it may or may not be among those counted.
    assert!(counted == lines || counted == lines + 1, "{counted} counted, {lines} in {text:?}");
    text
}

#[test]
fn a_disk_that_fills_up_at_any_byte_tears_no_line() {
    let total = FIRST.concat().len() + SECOND.concat().len();
    for room in 0..=total {
        let memory = MemoryFs::default();
        let fs = FaultFs::new(memory.clone());
        let text = run(&fs, &memory, |fs| fs.set_room_bytes(Some(room)));
        assert!(text.len() >= room.min(total), "{room} bytes had room, {text:?} is there");
    }
}

#[test]
fn short_writes_and_interruptions_lose_nothing() {
    for take in 1..20 {
        for every in 2..5 {
            let memory = MemoryFs::default();
            let fs = FaultFs::new(memory.clone());
            let text = run(&fs, &memory, |fs| {
                let interrupted = Fault::Error(ErrorKind::Interrupted);
                fs.inject(Operation::Write, When::Every(every), interrupted);
                fs.inject(Operation::Write, When::Every(1), Fault::Short(take));
            });
            assert_eq!(text, [FIRST.concat(), SECOND.concat()].concat());
        }
    }
}

#[test]
fn an_error_at_any_write_among_short_ones_tears_no_line() {
    for kind in [ErrorKind::StorageFull, ErrorKind::WouldBlock, ErrorKind::Other] {
        for take in 1..12 {
            for at in 1..30 {
                let memory = MemoryFs::default();
                let fs = FaultFs::new(memory.clone());
                run(&fs, &memory, |fs| {
                    fs.inject(Operation::Write, When::At(at), Fault::Error(kind));
                    fs.inject(Operation::Write, When::Every(1), Fault::Short(take));
                });
            }
        }
    }
}

#[test]
fn the_real_file_system_does_the_same() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("torn.log");
    let fs = FaultFs::new(SystemFs);
    for room in [0, 2, 4, 9, 15, 18, 20] {
        let spec = FileSinkSpec::open(&path, FileMode::Truncate, &fs).unwrap();
        let mut sink = SinkSpec::open(&spec).unwrap();
        fs.set_room_bytes(Some(room));
        write(&mut *sink, FIRST);
        fs.heal();
        write(&mut *sink, SECOND);
        let text = std::fs::read_to_string(&path).unwrap();
        let known = |line: &str| FIRST.contains(&line) || SECOND.contains(&line);
        assert!(text.split_inclusive('\n').all(known), "{room}: {text:?}");
        assert!(text.ends_with(&SECOND.concat()), "{room}: {text:?}");
        assert_eq!(fs.metadata(&path).unwrap().len_bytes, text.len() as u64);
    }
}
