//! A process that is killed at any operation on a shared file leaves what the next one goes on with:
//! a rotation is finished and not begun anew, a torn line is cut off, the lock is free.

use logboom::fs::{FileMode, FileSystem as _};
use logboom::sink::{
    Frames, Naming, Retention, Rotation, SharedFileSinkSpec, Sharing, Sink, SinkSpec,
};
use logboom::spawn::ThreadSpawner;
use logboom::testing::{FaultFs, MemoryFs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const SHARING: Sharing = Sharing {
    rotation: Rotation { max_bytes: 40, backup_count: 4, rotates_empty: false },
    retention: Retention { max_total_bytes: Some(1 << 20), max_age: None },
    naming: Naming::Numbers,
    compression: None,
};

fn path(name: &str) -> PathBuf {
    std::path::absolute(name).unwrap()
}

fn put(memory: &MemoryFs, name: &str, text: &str) {
    memory.open(&path(name), FileMode::Append).unwrap().write(text.as_bytes()).unwrap();
}

fn write(sink: &mut dyn Sink, text: &str) -> logboom::sink::Written {
    let ends: Vec<_> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    sink.write(&Frames { bytes: text.as_bytes(), ends: &ends })
}

fn sink(fs: &FaultFs) -> Option<Box<dyn Sink>> {
    let spec = SharedFileSinkSpec::open("app.log", SHARING, fs.clone(), Arc::new(ThreadSpawner));
    SinkSpec::open(&spec.ok()?.patience(Duration::ZERO)).ok()
}

/// All lines, the oldest first.
fn lines(memory: &MemoryFs) -> Vec<String> {
    let names = ["app.log.4", "app.log.3", "app.log.2", "app.log.1", "app.log"];
    let contents = names.iter().filter_map(|name| memory.contents(path(name)));
    let text: Vec<u8> = contents.flatten().collect();
    String::from_utf8(text).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}

/// Runs a process that logs `killed` and dies at its n-th operation, then one that logs `next`.
fn run(n: u64, older: &[(&str, &str)], killed: &str, next: &str) -> (bool, MemoryFs) {
    let memory = MemoryFs::default();
    older.iter().for_each(|(name, text)| put(&memory, name, text));
    let dying = FaultFs::new(memory.clone());
    dying.kill_at(n);
    if let Some(mut sink) = sink(&dying) {
        write(&mut *sink, killed);
    }
    let died = dying.is_killed();
    let mut other = sink(&FaultFs::new(memory.clone())).unwrap();
    let written = write(&mut *other, next);
    assert!(written.error.is_none() && !written.kept, "at {n}: {written:?}");
    assert_eq!(written.frames, next.lines().count());
    (died, memory)
}

#[test]
fn a_rotation_is_gone_on_with_and_no_old_file_is_lost_by_it() {
    // Room for one rotation: a second one would push the oldest off the end.
    let older = [
        ("app.log.3", "third\n"),
        ("app.log.2", "second\n"),
        ("app.log.1", "first\n"),
        ("app.log", "012345678901234567890123456789\n"),
    ];
    let expected = ["third\n", "second\n", "first\n", older[3].1];
    let mut n = 0;
    loop {
        n += 1;
        let (died, memory) = run(n, &older, "of the killed one\n", "of the next one\n");
        let found = lines(&memory);
        assert_eq!(found[..4], expected, "killed at {n}: {found:?}");
        assert_eq!(found.last().unwrap(), "of the next one\n");
        let between = &found[4..found.len() - 1];
        assert!(between.is_empty() || between == ["of the killed one\n"], "at {n}: {found:?}");
        assert_eq!(memory.contents(path("app.log.4")).as_deref(), Some(&b"third\n"[..]));
        if !died {
            break;
        }
    }
    assert!(n > 20, "{n} operations are not all of a rotation");
}

#[test]
fn a_line_that_the_killed_one_left_torn_is_cut_off() {
    let older = [("app.log", "before\n")];
    let (mut torn, mut n) = (0, 0);
    loop {
        n += 1;
        let (died, memory) = run(n, &older, "aaaa\nbbbb\ncccc\n", "next\n");
        let found = lines(&memory);
        let all = ["before\n", "aaaa\n", "bbbb\n", "cccc\n", "next\n"];
        let whole = found.len() - 2;
        let expected = [&all[..=whole], &all[4..]].concat();
        assert_eq!(found, expected, "killed at {n}");
        torn += usize::from((1..3).contains(&whole));
        if !died {
            break;
        }
    }
    assert_eq!(torn, 1, "one of the operations is the write");
}

#[test]
fn frames_that_are_no_lines_are_not_cut() {
    let memory = MemoryFs::default();
    let dying = FaultFs::new(memory.clone());
    let mut one = sink(&dying).unwrap();
    assert!(one.write(&Frames { bytes: b"first;", ends: &[6] }).error.is_none());
    put(&memory, "app.log", "of another");
    let mut two = sink(&FaultFs::new(memory.clone())).unwrap();
    two.write(&Frames { bytes: b"second;", ends: &[7] });
    assert_eq!(lines(&memory), ["first;of anothersecond;"]);
}
