//! The sink into memory: for tests, and for showing the last lines of a program.
//!
//! Invariants:
//! 1. It holds at most `capacity_bytes` of frames; the oldest make room for new ones. A frame that
//!    went that way was written: keeping it for ever was never promised.
//! 2. A frame longer than the whole capacity fails, and changes nothing.
//!
//! Every clone of a [`MemorySinkSpec`], and every sink it opens, is over the same memory.

use super::{Frames, Sink, SinkSpec, Written};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The capacity that [`MemorySinkSpec::default`] has, in bytes.
const DEFAULT_CAPACITY_BYTES: usize = 1 << 20;

#[derive(Debug, Default)]
struct Held {
    frames: VecDeque<Box<[u8]>>,
    used_bytes: usize,
    discarded: u64,
}

/// Keeps the newest frames in memory, and shows them.
#[derive(Clone, Debug)]
pub struct MemorySinkSpec {
    capacity_bytes: usize,
    held: Arc<Mutex<Held>>,
}

impl Default for MemorySinkSpec {
    /// Holds 1 MiB.
    fn default() -> Self {
        Self::new(DEFAULT_CAPACITY_BYTES)
    }
}

impl MemorySinkSpec {
    /// Holds up to `capacity_bytes` of frames, terminators included. Memory is taken as frames come.
    pub fn new(capacity_bytes: usize) -> Self {
        MemorySinkSpec { capacity_bytes, held: Arc::default() }
    }

    /// All that is held, as text. What is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.held().frames.iter().flat_map(|frame| frame.to_vec()).collect();
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The lines of [`text`](Self::text), without their ends.
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Each frame held, oldest first, with its terminator.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        self.held().frames.iter().map(|frame| frame.to_vec()).collect()
    }

    /// How many frames made room for newer ones since the start or the last [`clear`](Self::clear).
    pub fn discarded(&self) -> u64 {
        self.held().discarded
    }

    /// Forgets everything held.
    pub fn clear(&self) {
        *self.held() = Held::default();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // No code of others runs under the lock, and `Held` is whole between any two statements
        // that can panic (allocation aborts), so a poisoned one is as good as any.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SinkSpec for MemorySinkSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(MemorySink { spec: self.clone() }))
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

/// The writing end of a [`MemorySinkSpec`].
#[derive(Debug)]
pub struct MemorySink {
    spec: MemorySinkSpec,
}

impl Sink for MemorySink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        let mut written = Written::default();
        let mut held = self.spec.held();
        let mut start = 0;
        for &end in batch.ends {
            let frame = &batch.bytes[start..end];
            start = end;
            if frame.len() > self.spec.capacity_bytes {
                written.error = Some(io::ErrorKind::StorageFull.into());
                continue;
            }
            while held.used_bytes + frame.len() > self.spec.capacity_bytes
                && let Some(oldest) = held.frames.pop_front()
            {
                held.used_bytes -= oldest.len();
                held.discarded += 1;
            }
            held.used_bytes += frame.len();
            held.frames.push_back(frame.into());
            written.frames += 1;
        }
        written
    }

    fn flush(&mut self) -> Written {
        Written::default()
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_frames_make_room_and_a_frame_beyond_the_capacity_fails() {
        let spec = MemorySinkSpec::new(8);
        let mut sink = spec.open().unwrap();
        let written = sink.write(&Frames { bytes: b"one\ntwo\n", ends: &[4, 8] });
        assert_eq!((written.frames, spec.discarded()), (2, 0));

        let written = sink.write(&Frames { bytes: b"much too long\n3\n", ends: &[14, 16] });
        assert_eq!((written.frames, written.kept), (1, false));
        assert_eq!(written.error.unwrap().kind(), io::ErrorKind::StorageFull);
        assert_eq!(spec.lines(), ["two", "3"]);
        assert_eq!(spec.frames(), [b"two\n".to_vec(), b"3\n".to_vec()]);
        assert_eq!(spec.discarded(), 1);

        spec.clear();
        assert_eq!((spec.text(), spec.discarded()), (String::new(), 0));
    }

    #[test]
    fn every_sink_of_a_spec_is_over_the_same_memory() {
        let spec = MemorySinkSpec::default();
        for _ in 0..2 {
            spec.clone().open().unwrap().write(&Frames { bytes: b"a\n", ends: &[2] });
        }
        assert_eq!(spec.text(), "a\na\n");
    }
}
