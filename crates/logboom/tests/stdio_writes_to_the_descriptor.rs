//! The stdio sinks write to what the descriptor is when they write, past the standard library's lock
//! and buffer.
//!
//! The test runs itself once more as a child, whose descriptors it can then look into.
#![cfg(unix)]

use logboom::sink::{Frames, Sink, SinkSpec, StdioSinkSpec};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CHILD: &str = "LOGBOOM_TEST_STDIO_CHILD";

fn file() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("stdio.log")
}

fn run_child() -> Output {
    let child = std::env::current_exe().unwrap();
    let arguments = ["--exact", "child", "--nocapture", "--test-threads=1"];
    Command::new(child).args(arguments).env(CHILD, "1").output().unwrap()
}

fn line(sink: &mut dyn Sink, line: &str) {
    let written = sink.write(&Frames { bytes: line.as_bytes(), ends: &[line.len()] });
    assert_eq!((written.frames, written.kept), (1, false), "{written:?}");
}

/// Does nothing unless it is run as a child.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut out = StdioSinkSpec::stdout().open().unwrap();
    let mut err = StdioSinkSpec::stderr().open().unwrap();
    // The program holds the lock and has half a line in the buffer; a writer goes on all the same.
    let mut held = std::io::stdout().lock();
    held.write_all(b"[half a line").unwrap();
    let out = std::thread::spawn(move || {
        line(&mut *out, "[past the lock]\n");
        out
    });
    let mut out = out.join().unwrap();
    held.write_all(b", the other half]\n").unwrap();

    let before = rustix::io::dup(rustix::stdio::stdout()).unwrap();
    rustix::stdio::dup2_stdout(std::fs::File::create(file()).unwrap()).unwrap();
    line(&mut *out, "[into the file]\n");
    rustix::stdio::dup2_stdout(before).unwrap();
    line(&mut *out, "[back again]\n");
    line(&mut *err, "[to stderr]\n");
    out.sync().unwrap();
}

#[test]
fn it_goes_where_the_descriptor_points_and_waits_for_nobody() {
    let output = run_child();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(std::fs::read_to_string(file()).unwrap(), "[into the file]\n");
    let order = ["[past the lock]\n", "[half a line, the other half]\n", "[back again]\n"];
    let at = order.map(|line| out.find(line).unwrap_or_else(|| panic!("no {line:?} in {out:?}")));
    assert!(at.is_sorted(), "{out:?}");
    assert!(err.contains("[to stderr]\n") && !out.contains("[to stderr]"), "{err:?}");
}

#[test]
fn a_description_says_which() {
    assert_eq!(StdioSinkSpec::stdout().describe(), "stdout");
    assert_eq!(StdioSinkSpec::stderr().describe(), "stderr");
}
