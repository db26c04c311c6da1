//! Formatted frames on their way to a sink, and whose they are.

use crate::writer::settle::{Origin, Run};

/// A buffer of this size is given to the sink in the middle of a batch.
const WRITE_BYTES: usize = 256 << 10;
/// A buffer that grew beyond this is not kept for the next batch.
const KEEP_BYTES: usize = 2 * WRITE_BYTES;
/// How many buffers wait for the next batch.
const KEEP_BUFFERS: usize = 8;

/// Formatted frames on their way to a sink, in ring order. Those of a route that follow each other
/// are one run, so a sink with one route has one, whatever the number of frames.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<usize>,
    pub(crate) runs: Vec<Run>,
}

impl Staging {
    /// What was appended to `bytes` is a frame.
    #[inline]
    pub(crate) fn end_frame(&mut self, origin: Origin) {
        self.ends.push(self.bytes.len());
        match self.runs.last_mut() {
            Some(run) if run.origin == origin => run.frames += 1,
            _ => self.runs.push(Run { origin, frames: 1 }),
        }
    }

    /// Whether there is enough for a call of the sink.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        self.bytes.len() >= WRITE_BYTES
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.runs.clear();
    }
}

/// Buffers between batches. However many sinks there are, only those that a batch reaches have one.
#[derive(Debug, Default)]
pub(crate) struct Pool(Vec<Staging>);

impl Pool {
    pub(crate) fn take(&mut self) -> Staging {
        self.0.pop().unwrap_or_default()
    }

    pub(crate) fn put(&mut self, mut staging: Staging) {
        staging.clear();
        if self.0.len() < KEEP_BUFFERS && staging.bytes.capacity() <= KEEP_BYTES {
            self.0.push(staging);
        }
    }
}
