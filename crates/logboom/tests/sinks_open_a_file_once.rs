//! A file is opened by the spec, on the caller's thread, once; every sink shares it, and it is closed
//! when the last of them is gone.

use logboom::fs::FileMode;
use logboom::sink::{FileSinkSpec, Frames, Sink, SinkSpec};
use logboom::testing::{Fault, FaultFs, MemoryFs, Operation, When};
use std::io::ErrorKind;
use std::path::Path;

const LINE: Frames<'static> = Frames { bytes: b"line\n", ends: &[5] };

#[test]
fn sinks_share_the_file_of_their_spec() {
    let memory = MemoryFs::default();
    let fs = FaultFs::new(memory.clone());
    let spec = FileSinkSpec::open("a.log", FileMode::Truncate, &fs).unwrap();
    let mut sinks: Vec<Box<dyn Sink>> = (0..10).map(|_| SinkSpec::open(&spec).unwrap()).collect();
    assert_eq!((fs.count(Operation::Open), memory.open_files()), (1, 1));
    for sink in &mut sinks {
        assert_eq!(sink.write(&LINE).frames, 1);
    }
    let path = spec.path().to_owned();
    drop(spec);
    assert_eq!(memory.open_files(), 1, "the sinks hold it");
    drop(sinks);
    assert_eq!(memory.open_files(), 0);
    assert_eq!(memory.contents(path).unwrap(), b"line\n".repeat(10), "truncated at the open only");
}

#[test]
fn what_is_there_is_kept_or_emptied_as_asked() {
    let memory = MemoryFs::default();
    let write = |mode| {
        let spec = FileSinkSpec::open("a.log", mode, &memory).unwrap();
        SinkSpec::open(&spec).unwrap().write(&LINE);
        memory.contents(spec.path()).unwrap().len()
    };
    assert_eq!(write(FileMode::Append), 5);
    assert_eq!(write(FileMode::Append), 10);
    assert_eq!(write(FileMode::Truncate), 5);
}

#[test]
fn a_path_that_cannot_be_opened_is_an_error_of_the_open() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    assert!(FileSinkSpec::append(directory).is_err(), "a directory");
    let missing = FileSinkSpec::append(directory.join("no/such/directory/a.log"));
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);

    let fs = FaultFs::new(MemoryFs::default());
    fs.inject(Operation::Open, When::At(1), Fault::Error(ErrorKind::PermissionDenied));
    let denied = FileSinkSpec::open("a.log", FileMode::Append, &fs);
    assert_eq!(denied.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert!(FileSinkSpec::open("a.log", FileMode::Append, &fs).is_ok());
}

#[test]
fn a_sync_reports_what_the_device_says() {
    let fs = FaultFs::new(MemoryFs::default());
    let spec = FileSinkSpec::open("a.log", FileMode::Append, &fs).unwrap();
    let mut sink = SinkSpec::open(&spec).unwrap();
    sink.write(&LINE);
    fs.inject(Operation::Sync, When::At(2), Fault::Error(ErrorKind::Other));
    assert!(sink.sync().is_ok());
    assert!(sink.sync().is_err());
    assert_eq!(fs.count(Operation::Sync), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn two_thousand_files_later_no_descriptor_is_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("descriptors.log");
    let _ = std::fs::remove_file(&path);
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
            .filter(|target| *target == path)
            .count()
    };
    for n in 0..2_000 {
        let spec = FileSinkSpec::append(&path).unwrap();
        let mut sink = SinkSpec::open(&spec).unwrap();
        assert_eq!(sink.write(&LINE).frames, 1);
        assert!(n > 0 || open() == 1);
    }
    assert_eq!(open(), 0);
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), 2_000 * 5);
    assert_eq!(metadata.permissions().mode() & 0o111, 0, "nobody runs a log file");
}
