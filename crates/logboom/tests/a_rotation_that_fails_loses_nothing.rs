//! A rotation that cannot be done leaves the file growing, says so once a batch, and is done once it
//! can be.

use logboom::fs::{FileMode, FileSystem as _, SystemFs};
use logboom::sink::{Frames, RotatingFileSinkSpec, Rotation, Sink, SinkSpec, Written};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use std::io::ErrorKind;
use std::path::Path;

const ROTATION: Rotation = Rotation { max_bytes: 10, backup_count: 2, rotates_empty: false };

fn write(sink: &mut dyn Sink, lines: &[&str]) -> Written {
    let mut ends = Vec::new();
    for line in lines {
        ends.push(ends.last().unwrap_or(&0) + line.len());
    }
    sink.write(&Frames { bytes: lines.concat().as_bytes(), ends: &ends })
}

fn text(memory: &MemoryFs, name: &str) -> Option<String> {
    let path = std::path::absolute(name).unwrap();
    memory.contents(path).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn faulty() -> (MemoryFs, FaultFs, Box<dyn Sink>) {
    let memory = MemoryFs::default();
    let fs = FaultFs::new(memory.clone());
    let spec = RotatingFileSinkSpec::open("a.log", ROTATION, fs.clone()).unwrap();
    let sink = SinkSpec::open(&spec).unwrap();
    (memory, fs, sink)
}

#[test]
fn a_move_that_fails_lets_the_file_grow_until_it_succeeds() {
    let (memory, fs, mut sink) = faulty();
    assert!(write(&mut *sink, &["1234567\n"]).error.is_none());
    fs.inject(Operation::Rename, When::Every(1), Fault::Error(ErrorKind::PermissionDenied));
    let before = fs.count(Operation::Rename);
    let written = write(&mut *sink, &["two\n", "three\n", "four\n"]);
    assert_eq!((written.frames, written.kept), (3, false));
    let error = written.error.expect("the fault is told");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().starts_with("could not rotate"), "{error}");
    assert_eq!(fs.count(Operation::Rename), before + 1, "one attempt a batch");
    fs.heal();
    assert!(write(&mut *sink, &["five\n"]).error.is_none());
    assert_eq!(text(&memory, "a.log.1").unwrap(), "1234567\ntwo\nthree\nfour\n");
    assert_eq!(text(&memory, "a.log").unwrap(), "five\n");
    assert_eq!(text(&memory, "a.log.2"), None, "nothing was moved twice");
}

#[test]
fn a_new_file_that_cannot_be_opened_is_opened_later_without_another_move() {
    let (memory, fs, mut sink) = faulty();
    write(&mut *sink, &["1234567\n"]);
    fs.inject(Operation::Open, When::Every(1), Fault::Error(ErrorKind::PermissionDenied));
    let written = write(&mut *sink, &["two\n"]);
    assert!(written.frames == 1 && written.error.is_some());
    assert_eq!(text(&memory, "a.log"), None);
    fs.heal();
    assert!(write(&mut *sink, &["three\n"]).error.is_none());
    assert_eq!(text(&memory, "a.log.1").unwrap(), "1234567\ntwo\n");
    assert_eq!(text(&memory, "a.log").unwrap(), "three\n");
    assert_eq!(text(&memory, "a.log.2"), None);
}

#[test]
fn a_file_that_somebody_else_rotated_is_followed_and_not_moved_again() {
    let (memory, _, mut sink) = faulty();
    write(&mut *sink, &["1234567\n"]);
    let path = std::path::absolute("a.log").unwrap();
    memory.rename(&path, &std::path::absolute("a.log.1").unwrap()).unwrap();
    memory.open(&path, FileMode::Append).unwrap().write(b"other\n").unwrap();
    assert!(write(&mut *sink, &["2\n"]).error.is_none());
    assert_eq!(text(&memory, "a.log").unwrap(), "other\n2\n");
    assert_eq!(text(&memory, "a.log.1").unwrap(), "1234567\n");
    // And it is rotated like any other once it is full.
    write(&mut *sink, &["34567\n"]);
    assert_eq!(text(&memory, "a.log").unwrap(), "34567\n");
    assert_eq!(text(&memory, "a.log.2").unwrap(), "1234567\n");
}

#[test]
fn a_directory_in_the_place_of_an_old_file_stops_rotation_and_no_line() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rotation");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(directory.join("a.log.1/inside")).unwrap();
    let path = directory.join("a.log");
    let spec =
        RotatingFileSinkSpec::open(&path, Rotation { backup_count: 1, ..ROTATION }, SystemFs)
            .unwrap();
    let mut sink = SinkSpec::open(&spec).unwrap();
    assert!(write(&mut *sink, &["1234567\n"]).error.is_none());
    let written = write(&mut *sink, &["two\n", "three\n"]);
    assert!(written.frames == 2 && written.error.is_some());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "1234567\ntwo\nthree\n");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_moved() {
    let name = Path::new(env!("CARGO_TARGET_TMPDIR")).join("null.log");
    let _ = std::fs::remove_file(&name);
    std::os::unix::fs::symlink("/dev/null", &name).unwrap();
    let spec =
        RotatingFileSinkSpec::open(&name, Rotation { rotates_empty: true, ..ROTATION }, SystemFs)
            .unwrap();
    let mut sink = SinkSpec::open(&spec).unwrap();
    let written = write(&mut *sink, &["far more than there is room for\n", "again\n"]);
    assert!(written.frames == 2 && written.error.is_none());
    assert!(name.is_symlink() && spec.turns().get() == 0);
}
