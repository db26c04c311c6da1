//! A watched file that is moved or removed loses no line: the sink goes on under the name.

use logboom::fs::FileSystem as _;
use logboom::sink::{Frames, Sink, SinkSpec, WatchedFileSinkSpec, Written};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use std::io::ErrorKind;
use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    std::path::absolute(name).unwrap()
}

struct Place {
    memory: MemoryFs,
    fs: FaultFs,
    spec: WatchedFileSinkSpec,
    sink: Box<dyn Sink>,
}

impl Place {
    fn new() -> Place {
        let memory = MemoryFs::default();
        let fs = FaultFs::new(memory.clone());
        let spec = WatchedFileSinkSpec::open("w.log", fs.clone()).unwrap();
        let sink = SinkSpec::open(&spec).unwrap();
        Place { memory, fs, spec, sink }
    }

    fn write(&mut self, line: &str) -> Written {
        self.sink.write(&Frames { bytes: line.as_bytes(), ends: &[line.len()] })
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.memory.contents(path(name)).unwrap_or_default()).unwrap()
    }
}

#[test]
fn it_follows_the_name_after_a_move_and_a_removal() {
    let mut place = Place::new();
    assert_eq!(place.write("one\n").frames, 1);
    place.memory.rename(&path("w.log"), &path("w.log.old")).unwrap();
    assert_eq!(place.write("two\n").frames, 1);
    assert_eq!(place.spec.turns().get(), 1);
    assert_eq!((place.text("w.log.old"), place.text("w.log")), ("one\n".into(), "two\n".into()));
    place.memory.remove(&path("w.log")).unwrap();
    assert_eq!(place.write("three\n").frames, 1);
    assert_eq!(place.text("w.log"), "three\n");
    // A sink that is opened now starts where the last one was.
    place.sink = SinkSpec::open(&place.spec).unwrap();
    place.write("four\n");
    assert_eq!((place.text("w.log"), place.spec.turns().get()), ("three\nfour\n".into(), 2));
}

#[test]
fn a_torn_line_is_finished_where_it_began() {
    let mut place = Place::new();
    place.fs.set_room_bytes(Some(2));
    assert!(place.write("one\n").kept);
    place.memory.rename(&path("w.log"), &path("w.log.old")).unwrap();
    place.fs.heal();
    assert_eq!(place.write("two\n").frames, 2);
    assert_eq!((place.text("w.log.old"), place.text("w.log")), ("one\n".into(), "two\n".into()));
}

#[test]
fn where_it_cannot_look_or_open_it_stays_and_says_so() {
    for operation in [Operation::Metadata, Operation::Open] {
        let mut place = Place::new();
        place.write("one\n");
        place.memory.rename(&path("w.log"), &path("w.log.old")).unwrap();
        place.fs.inject(operation, When::Every(1), Fault::Error(ErrorKind::PermissionDenied));
        let written = place.write("two\n");
        assert_eq!(written.frames, 1);
        assert_eq!(written.error.map(|error| error.kind()), Some(ErrorKind::PermissionDenied));
        place.fs.heal();
        assert!(place.write("three\n").error.is_none());
        assert_eq!(place.text("w.log.old"), "one\ntwo\n");
        assert_eq!(place.text("w.log"), "three\n");
    }
}
