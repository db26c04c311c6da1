//! Older files are compressed, whoever is killed at whatever step: each line is in one of them, once.
#![cfg(feature = "compress")]

use logboom::fs::{FileMode, FileSystem as _};
use logboom::sink::{
    Compression, Frames, Naming, Retention, Rotation, SharedFileSinkSpec, Sharing, Sink, SinkSpec,
};
use logboom::spawn::{Spawner, ThreadSpawner};
use logboom::testing::{FaultFs, MemoryFs};
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// One process has one such thread, so these tests take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for the thread, so that a test knows where it is.
struct Waiting;

impl Spawner for Waiting {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        assert_eq!(name, "logboom-shipper");
        let thread = ThreadSpawner.spawn(name, body)?;
        while !thread.is_finished() {
            std::thread::yield_now();
        }
        Ok(thread)
    }
}

fn path(name: &str) -> PathBuf {
    std::path::absolute(name).unwrap()
}

fn put(memory: &MemoryFs, name: &str, text: &str) {
    memory.open(&path(name), FileMode::Append).unwrap().write(text.as_bytes()).unwrap();
}

fn sink(fs: &FaultFs, how: Compression, naming: Naming) -> Option<Box<dyn Sink>> {
    let sharing = Sharing {
        rotation: Rotation { max_bytes: 30, backup_count: 9, rotates_empty: false },
        retention: Retention::default(),
        naming,
        compression: Some(how),
    };
    let spec = SharedFileSinkSpec::open("app.log", sharing, fs.clone(), Arc::new(Waiting));
    SinkSpec::open(&spec.ok()?.patience(Duration::ZERO)).ok()
}

fn write(sink: &mut dyn Sink, line: &str) -> logboom::sink::Written {
    sink.write(&Frames { bytes: line.as_bytes(), ends: &[line.len()] })
}

/// Text by name, decompressed.
fn texts(memory: &MemoryFs) -> BTreeMap<String, String> {
    let names = memory.list(path("app.log").parent().unwrap()).unwrap();
    let names = names.into_iter().map(|name| name.into_string().unwrap());
    names
        .filter(|name| name.starts_with("app.log") && !name.ends_with(".lock"))
        .map(|name| {
            let bytes = memory.contents(path(&name)).unwrap();
            let mut text = String::new();
            if name.ends_with(".gz") {
                flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
            } else if name.ends_with(".zst") {
                text = String::from_utf8(zstd::decode_all(&*bytes).unwrap()).unwrap();
            } else {
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            (name, text)
        })
        .collect()
}

#[test]
fn compressed_files_move_on_like_others() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for (how, ending) in [(Compression::Gzip, ".gz"), (Compression::Zstd, ".zst")] {
        let memory = MemoryFs::default();
        put(&memory, "app.log.3", "left uncompressed\n");
        let mut sink = sink(&FaultFs::new(memory.clone()), how, Naming::Numbers).unwrap();
        for line in ["first 90123456789\n", "second 0123456789\n", "third 90123456789\n"] {
            assert!(write(&mut *sink, line).error.is_none());
        }
        let expected = [
            ("app.log".to_owned(), "third 90123456789\n".to_owned()),
            (format!("app.log.1{ending}"), "second 0123456789\n".to_owned()),
            (format!("app.log.2{ending}"), "first 90123456789\n".to_owned()),
            (format!("app.log.5{ending}"), "left uncompressed\n".to_owned()),
        ];
        assert_eq!(texts(&memory), BTreeMap::from(expected));
    }
}

#[test]
fn dated_files_are_compressed_and_nothing_else() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = MemoryFs::default();
    for name in ["app.log.2026-02-03", "app.log.2026-02-03_04", "app.log.bak", "app.log.1"] {
        put(&memory, name, "text\n");
    }
    let mut sink = sink(&FaultFs::new(memory.clone()), Compression::Gzip, Naming::Dates).unwrap();
    assert!(write(&mut *sink, "line\n").error.is_none());
    let names: Vec<_> = texts(&memory).into_keys().collect();
    assert_eq!(
        names,
        [
            "app.log",
            "app.log.1",
            "app.log.2026-02-03.gz",
            "app.log.2026-02-03_04.gz",
            "app.log.bak"
        ]
    );
}

#[test]
fn who_is_killed_at_any_step_leaves_each_line_once() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut n = 0;
    loop {
        n += 1;
        let memory = MemoryFs::default();
        put(&memory, "app.log.2", "second\n");
        put(&memory, "app.log.1", "first\n");
        let dying = FaultFs::new(memory.clone());
        dying.kill_at(n);
        if let Some(mut sink) = sink(&dying, Compression::Gzip, Naming::Numbers) {
            write(&mut *sink, "of the killed one\n");
        }
        let died = dying.is_killed();
        let mut other =
            sink(&FaultFs::new(memory.clone()), Compression::Gzip, Naming::Numbers).unwrap();
        for line in ["next 890123456789\n", "last 890123456789\n"] {
            let written = write(&mut *other, line);
            assert!(written.error.is_none(), "killed at {n}: {written:?}");
        }
        let texts = texts(&memory);
        assert!(texts.keys().skip(1).all(|name| name.ends_with(".gz")), "killed at {n}: {texts:?}");
        let mut lines: Vec<_> = texts.values().flat_map(|text| text.lines()).collect();
        lines.retain(|line| *line != "of the killed one");
        lines.sort_unstable();
        let expected = ["first", "last 890123456789", "next 890123456789", "second"];
        assert_eq!(lines, expected, "killed at {n}: {texts:?}");
        if !died {
            break;
        }
    }
    assert!(n > 60, "{n} operations are not all of two copies");
}

#[test]
fn another_file_under_the_copys_name_is_left_alone() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = MemoryFs::default();
    put(&memory, "app.log.1", "of today\n");
    put(&memory, "app.log.1.zst", "of somebody\n");
    let mut sink = sink(&FaultFs::new(memory.clone()), Compression::Zstd, Naming::Numbers).unwrap();
    assert!(write(&mut *sink, "line\n").error.is_none());
    assert_eq!(memory.contents(path("app.log.1")).unwrap(), b"of today\n");
    assert_eq!(memory.contents(path("app.log.1.zst")).unwrap(), b"of somebody\n");
}
