//! Sinks: bytes to a place. A sink knows no record, only bytes and where each frame ends.
//!
//! Invariants:
//! 1. A frame counts as written when the operating system took its last byte.
//! 2. A frame of which only a part was taken is never left torn: the sink keeps the rest and gives
//!    it first at the next write or flush. Until then the frame counts as pending. Who closes a sink
//!    flushes it first: dropping it gives nothing, since nobody could count that any more.
//! 3. A sink never prints, never panics on an error of the system, and never blocks for longer than
//!    the system call it makes; where a descriptor is non-blocking, for a stated bound instead.
//!
//! A sink may be the place of several routes (see [`RouteSpec::sink`](crate::route::RouteSpec::sink)):
//! a batch then holds frames of each of them, in the order in which their records were submitted. It
//! need not know; whose a frame is that went through, was kept or failed, the writer knows by its
//! number.
//!
//! Of `n` frames in a batch, with `k` (0 or 1) kept before and `k'` after, `k + n` is the sum of
//! [`Written::frames`], `k'` and those that failed, at every call. [`FrameWriter`] is that sum as
//! code: each sink that can be given a part of a frame goes through it.
//!
//! Pinned by the property test in `frames.rs`, `tests/sinks_*.rs` and
//! `tests/routes_of_one_sink_keep_the_rings_order.rs`.

#[cfg_attr(
    not(all(target_os = "linux", not(loom))),
    allow(dead_code, reason = "nothing is recovered there")
)]
pub(crate) mod again;
mod file;
mod frames;
mod memory;
mod named;
mod null;
mod rotating;
mod shared;
mod stdio;
mod watched;

pub use file::{FileMode, FileSink, FileSinkSpec};
pub use frames::FrameWriter;
pub use memory::{MemorySink, MemorySinkSpec};
pub use named::Turns;
pub use null::{NullSink, NullSinkSpec};
pub use rotating::{RotatingFileSink, RotatingFileSinkSpec, Rotation};
pub use shared::{
    Compression, Naming, Retention, SharedFileSink, SharedFileSinkSpec, Sharing, compress_shared,
    rotate_shared,
};
pub use stdio::{StdioSink, StdioSinkSpec};
pub use watched::{WatchedFileSink, WatchedFileSinkSpec};

use crate::blueprint::Blueprint;
use std::fmt;
use std::io;

/// A place that takes bytes. Owned by the writer's thread.
pub trait Sink: Send {
    /// Gives the frames of `batch` to the operating system, in order.
    ///
    /// On an error the sink says how many frames are through; the writer counts the others as
    /// failed and does not offer them again, except the one that was taken in part (see the
    /// module's second invariant), which the sink reports as `kept`.
    fn write(&mut self, batch: &Frames<'_>) -> Written;

    /// Gives what was kept back to the operating system.
    fn flush(&mut self) -> Written;

    /// Asks the operating system to put what it took onto the device. Gives nothing that was kept:
    /// the caller flushes first, whose outcome it has to count.
    ///
    /// # Errors
    /// The system's. Places that have no device (pipes, terminals) are always in sync.
    fn sync(&mut self) -> io::Result<()>;

    /// Where it is in its file, for one that appends to a regular file. With a durable ring the writer
    /// asks after each batch, and notes the answer beside the ring. Default `None`: after a crash nobody
    /// can tell what had reached the place, and what was under way is written again.
    fn place(&self) -> Option<Place<'_>> {
        None
    }
}

/// How a sink is opened: on the caller's thread at configuration time, and once more in a forked
/// child for the writer there. Once for all open routes that hold the same `Arc` of it; again where
/// the sink panicked.
pub trait SinkSpec: Send + Sync + fmt::Debug + 'static {
    /// A sink on what the spec has opened already. Does nothing that can block.
    ///
    /// # Errors
    /// The system's.
    fn open(&self) -> io::Result<Box<dyn Sink>>;

    /// A short name for messages and `stats`, such as `file:/var/log/app.log` or `stderr`.
    fn describe(&self) -> String;

    /// What it takes to make the same sink in another process. Default `None`: it cannot be, and what a
    /// dead process left behind for it goes to a file beside its ring.
    fn blueprint(&self) -> Option<Blueprint> {
        None
    }
}

/// Bytes and the ends of the frames in them.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    /// All frames, one behind the other, each with its terminator.
    pub bytes: &'a [u8],
    /// For each frame the offset behind its last byte; ascending, the last one is `bytes.len()`.
    pub ends: &'a [usize],
}

/// Where a sink is in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The numbers of the device and the inode.
    pub file: (u64, u64),
    /// The length of the file, whoever wrote it.
    pub len_bytes: u64,
    /// How many bytes the system took from this sink since it was opened, to whichever file.
    pub taken_bytes: u64,
    /// What is kept of a frame that was taken in part.
    pub rest: &'a [u8],
}

impl<'a> Place<'a> {
    /// The place of one that writes frames to a file; `None` for what is no regular file.
    pub(crate) fn of(file: &dyn crate::fs::File, frames: &'a FrameWriter) -> Option<Place<'a>> {
        let metadata = file.metadata().ok().filter(|metadata| metadata.is_file)?;
        let (file, len_bytes) = (metadata.identity?, metadata.len_bytes);
        Some(Place { file, len_bytes, taken_bytes: frames.taken_bytes(), rest: frames.rest() })
    }
}

/// What became of a write.
#[derive(Debug, Default)]
pub struct Written {
    /// How many frames went through, among them one that an earlier write had kept.
    pub frames: usize,
    /// Whether the sink keeps the rest of one frame of which the system took only a part.
    pub kept: bool,
    /// Why not all did.
    pub error: Option<io::Error>,
}
