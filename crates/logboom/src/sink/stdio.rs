//! The sink to standard output or standard error.
//!
//! Invariants:
//! 1. It writes to whatever the descriptor 1 or 2 is at that moment, as everything else in the
//!    process does: a `dup2` onto it (a test runner that captures, a daemon that detaches) takes
//!    effect with the next write, and no copy of the descriptor keeps a pipe open that the program
//!    has closed. If the program closes the descriptor, the writes fail and are counted.
//! 2. It takes no lock and uses no buffer of the standard library: those belong to the program,
//!    which may hold them across a fork or while it waits for this very writer.
//! 3. Where the descriptor is non-blocking and full, it waits for room, up to a second at a
//!    time without any byte being taken. After that it does not wait again before the other side
//!    has taken something: who does not read costs the writer one such wait, not one a batch.
//!
//! A blocking descriptor nobody reads blocks the writer in the system call; this cannot be helped
//! from here. Whoever reads nothing any more is an error (`EPIPE`) as any other, provided the
//! program ignores `SIGPIPE`, which Rust's and Python's start-up code do.
//!
//! On Windows it writes to the handles that standard output and error are when the sink is opened.
//!
//! Pinned by the tests below and `tests/stdio_writes_to_the_descriptor.rs`.

use super::again::SinkPlan;
use super::{FrameWriter, Frames, Sink, SinkSpec, Written};
use crate::blueprint::Blueprint;
use std::io;
use std::time::Duration;

/// How long a non-blocking descriptor may take nothing before the sink gives up on a batch.
const PATIENCE: Duration = Duration::from_secs(1);

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StdioSinkSpec {
    stream: Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

impl StdioSinkSpec {
    /// Descriptor 1.
    pub fn stdout() -> Self {
        StdioSinkSpec { stream: Stream::Stdout }
    }

    /// Descriptor 2.
    pub fn stderr() -> Self {
        StdioSinkSpec { stream: Stream::Stderr }
    }
}

impl SinkSpec for StdioSinkSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(StdioSink::new(Descriptor::open(self.stream)?, PATIENCE)))
    }

    fn blueprint(&self) -> Option<Blueprint> {
        SinkPlan::Stream(self.describe()).blueprint()
    }

    fn describe(&self) -> String {
        match self.stream {
            Stream::Stdout => "stdout".to_owned(),
            Stream::Stderr => "stderr".to_owned(),
        }
    }
}

/// Writes batches to the descriptor of a [`StdioSinkSpec`].
#[derive(Debug)]
pub struct StdioSink {
    frames: FrameWriter,
    outlet: Outlet,
}

impl StdioSink {
    fn new(descriptor: Descriptor, patience: Duration) -> Self {
        let outlet = Outlet { descriptor, patience, stalled: false };
        StdioSink { frames: FrameWriter::default(), outlet }
    }
}

impl Sink for StdioSink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        self.frames.write(batch, |bytes| self.outlet.write(bytes))
    }

    fn flush(&mut self) -> Written {
        self.frames.flush(|bytes| self.outlet.write(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        crate::fs::nothing_to_sync_is_in_sync(self.outlet.descriptor.sync())
    }
}

/// A descriptor, and how the other side of it behaved.
#[derive(Debug)]
struct Outlet {
    descriptor: Descriptor,
    patience: Duration,
    /// The patience ran out and nothing was taken since.
    stalled: bool,
}

impl Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut outcome = self.descriptor.write(bytes);
        let full = |outcome: &io::Result<usize>| {
            outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        };
        if full(&outcome) && !self.stalled {
            self.stalled = !self.descriptor.wait_for_room(self.patience)?;
            outcome = self.descriptor.write(bytes);
        }
        if outcome.is_ok() {
            self.stalled = false;
        }
        outcome
    }
}

#[cfg(unix)]
use unix::Descriptor;
#[cfg(not(unix))]
use windows::Descriptor;

#[cfg(unix)]
mod unix {
    use super::Stream;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;
    use std::io;
    use std::time::{Duration, Instant};

    /// The number 1 or 2, never a copy of what it stands for.
    #[derive(Debug)]
    pub(super) enum Descriptor {
        Stream(Stream),
        #[cfg(all(test, target_os = "linux"))]
        Pipe(rustix::fd::OwnedFd),
    }

    impl Descriptor {
        // Fallible where a handle has to be copied.
        pub(super) fn open(stream: Stream) -> io::Result<Self> {
            Ok(Descriptor::Stream(stream))
        }

        fn fd(&self) -> BorrowedFd<'_> {
            match self {
                Descriptor::Stream(Stream::Stdout) => rustix::stdio::stdout(),
                Descriptor::Stream(Stream::Stderr) => rustix::stdio::stderr(),
                #[cfg(all(test, target_os = "linux"))]
                Descriptor::Pipe(pipe) => rustix::fd::AsFd::as_fd(pipe),
            }
        }

        pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            Ok(rustix::io::write(self.fd(), bytes)?)
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            Ok(rustix::fs::fsync(self.fd())?)
        }

        /// Whether there is room, or an error to be had from writing, before the time is over.
        pub(super) fn wait_for_room(&self, patience: Duration) -> io::Result<bool> {
            let started = Instant::now();
            loop {
                let left = patience.saturating_sub(started.elapsed());
                let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
                let mut polled = [PollFd::from_borrowed_fd(self.fd(), PollFlags::OUT)];
                match poll(&mut polled, Some(&left)) {
                    Err(Errno::INTR) => {}
                    outcome => return Ok(outcome? > 0),
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod windows {
    use super::Stream;
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::os::windows::io::AsHandle as _;
    use std::time::Duration;

    #[derive(Debug)]
    pub(super) struct Descriptor(File);

    impl Descriptor {
        pub(super) fn open(stream: Stream) -> io::Result<Self> {
            let handle = match stream {
                Stream::Stdout => io::stdout().as_handle().try_clone_to_owned()?,
                Stream::Stderr => io::stderr().as_handle().try_clone_to_owned()?,
            };
            Ok(Descriptor(File::from(handle)))
        }

        pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            (&self.0).write(bytes)
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        pub(super) fn wait_for_room(&self, _: Duration) -> io::Result<bool> {
            Ok(false)
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::fd::OwnedFd;
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::fs::File;
    use std::io::Read as _;

    fn pipe(patience: Duration) -> (File, StdioSink) {
        let (read, write): (OwnedFd, OwnedFd) = pipe_with(PipeFlags::NONBLOCK).unwrap();
        (File::from(read), StdioSink::new(Descriptor::Pipe(write), patience))
    }

    /// No power of two, so that the capacity of a pipe always ends within a frame.
    const FRAME_BYTES: usize = 17;

    fn batch(frames: usize) -> (Vec<u8>, Vec<usize>) {
        let bytes = "0123456789abcdef\n".repeat(frames).into_bytes();
        (bytes, (1..=frames).map(|n| n * FRAME_BYTES).collect())
    }

    #[test]
    fn a_full_non_blocking_pipe_is_waited_for_and_nothing_is_lost() {
        let (mut read, mut sink) = pipe(Duration::from_secs(60));
        let (bytes, ends) = batch(1 << 16);
        let len = bytes.len();
        let reader = std::thread::spawn(move || {
            let (mut all, mut some) = (Vec::new(), [0; 4096]);
            while all.len() < len {
                match read.read(&mut some) {
                    Ok(0) => break,
                    Ok(count) => all.extend_from_slice(&some[..count]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let mut polled =
                            [rustix::event::PollFd::new(&read, rustix::event::PollFlags::IN)];
                        rustix::event::poll(&mut polled, None).unwrap();
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            all
        });
        let written = sink.write(&Frames { bytes: &bytes, ends: &ends });
        assert!(written.error.is_none(), "{written:?}");
        assert_eq!((written.frames, written.kept), (1 << 16, false));
        drop(sink);
        assert!(reader.join().unwrap() == bytes);
    }

    #[test]
    fn a_reader_that_stalls_is_waited_for_once_and_its_lines_are_whole_afterwards() {
        let (mut read, mut sink) = pipe(Duration::ZERO);
        let (bytes, ends) = batch(1 << 16);
        let first = sink.write(&Frames { bytes: &bytes, ends: &ends });
        assert_eq!(first.error.unwrap().kind(), io::ErrorKind::WouldBlock);
        assert!(first.kept && sink.outlet.stalled);

        sink.outlet.patience = Duration::from_secs(3600); // not waited for: it is stalled
        let second = sink.write(&Frames { bytes: b"lost\n", ends: &[5] });
        assert!(second.error.is_some() && second.kept && second.frames == 0);

        let mut all = vec![0; 1 << 20];
        let count = read.read(&mut all).unwrap();
        all.truncate(count);
        assert_eq!(sink.flush().frames, 1);
        assert!(!sink.outlet.stalled);
        drop(sink);
        read.read_to_end(&mut all).unwrap();
        let expected = &bytes[..(first.frames + 1) * FRAME_BYTES];
        assert!(all == expected, "whole frames, the kept one among them");
    }

    #[test]
    fn nobody_reading_any_more_is_an_error_as_any_other() {
        let (read, mut sink) = pipe(Duration::ZERO);
        drop(read);
        let written = sink.write(&Frames { bytes: b"a\n", ends: &[2] });
        assert_eq!(written.error.unwrap().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!((written.frames, written.kept), (0, false));
        assert!(sink.sync().is_ok(), "a pipe is always in sync");
    }
}
