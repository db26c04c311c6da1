//! Frames through a write call that may take less than it was given: the one piece of code that
//! counts them and keeps the rest of a torn one.
//!
//! Invariants:
//! 1. What the place has taken is at every moment a prefix of the frames it was offered and that
//!    did not fail, the last of them possibly in part; the rest of that one is in `rest`.
//! 2. `rest` holds the rest of at most one frame, and nothing else is given before it is empty.
//! 3. A call goes on while the place takes bytes. It ends with everything given, or at the first
//!    error; being interrupted is not one.
//!
//! Pinned by `bytes_and_counts_agree_with_a_model` below.

use super::{Frames, Written};
use std::io;

/// Gives frames to a write function, counts the whole ones, keeps the rest of a torn one.
///
/// For sinks over anything that behaves like `write(2)`. The function it is given writes some of the
/// bytes and says how many, at least one unless it fails.
#[derive(Debug, Default)]
pub struct FrameWriter {
    rest: Vec<u8>,
    taken: u64,
}

impl FrameWriter {
    /// Gives what was kept, then `batch`, in as few calls of `put` as it allows.
    pub fn write(
        &mut self,
        batch: &Frames<'_>,
        mut put: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> Written {
        let mut written = self.flush(&mut put);
        if written.error.is_some() {
            return written;
        }
        let (taken, error) = put_all(batch.bytes, put);
        self.taken += taken as u64;
        let whole = batch.ends.partition_point(|&end| end <= taken);
        let start = whole.checked_sub(1).map_or(0, |last| batch.ends[last]);
        if let Some(&end) = batch.ends.get(whole).filter(|_| taken > start) {
            self.rest.extend_from_slice(&batch.bytes[taken..end]);
            written.kept = true;
        }
        written.frames += whole;
        written.error = error;
        written
    }

    /// Gives what was kept.
    pub fn flush(&mut self, put: impl FnMut(&[u8]) -> io::Result<usize>) -> Written {
        if self.rest.is_empty() {
            return Written::default();
        }
        let (taken, error) = put_all(&self.rest, put);
        self.taken += taken as u64;
        if taken < self.rest.len() {
            self.rest.drain(..taken);
            return Written { frames: 0, kept: true, error };
        }
        // A torn frame is rare and may have been large: its memory goes back.
        self.rest = Vec::new();
        Written { frames: 1, kept: false, error }
    }

    /// How many bytes were taken since it was made.
    pub fn taken_bytes(&self) -> u64 {
        self.taken
    }

    /// What is kept of a frame that was taken in part.
    pub fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// Whether the rest of a frame is kept.
    pub fn is_torn(&self) -> bool {
        !self.rest.is_empty()
    }
}

/// How many of `bytes` were taken, and why not all.
pub(super) fn put_all(
    bytes: &[u8],
    mut put: impl FnMut(&[u8]) -> io::Result<usize>,
) -> (usize, Option<io::Error>) {
    let mut taken = 0;
    while taken < bytes.len() {
        let left = &bytes[taken..];
        match put(left) {
            Ok(0) => return (taken, Some(io::ErrorKind::WriteZero.into())),
            // A place that claims more than it was given must not make the count wrong.
            Ok(more) => taken += more.min(left.len()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (taken, Some(error)),
        }
    }
    (taken, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Answer {
        Take(usize),
        Interrupt,
        Fail,
    }

    #[derive(Clone, Debug)]
    enum Action {
        Write(Vec<usize>),
        Flush,
    }

    fn answers() -> impl Strategy<Value = Vec<Answer>> {
        let answer = prop_oneof![
            4 => (0usize..12).prop_map(Answer::Take),
            1 => Just(Answer::Interrupt),
            2 => Just(Answer::Fail),
        ];
        proptest::collection::vec(answer, 0..40)
    }

    fn actions() -> impl Strategy<Value = Vec<Action>> {
        let action = prop_oneof![
            4 => proptest::collection::vec(0usize..9, 0..6).prop_map(Action::Write),
            1 => Just(Action::Flush),
        ];
        proptest::collection::vec(action, 1..12)
    }

    /// A place that does as it is told, and takes everything once nothing is left to tell.
    struct Place {
        answers: std::vec::IntoIter<Answer>,
        taken: Vec<u8>,
    }

    impl Place {
        fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = match self.answers.next().unwrap_or(Answer::Take(usize::MAX)) {
                Answer::Take(count) => count.min(bytes.len()),
                Answer::Interrupt => return Err(io::ErrorKind::Interrupted.into()),
                Answer::Fail => return Err(io::ErrorKind::StorageFull.into()),
            };
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
    }

    /// A frame of `len` bytes that no other frame equals and that no other frame begins with.
    fn frame(number: u32, len: usize) -> Vec<u8> {
        let mut frame = format!("<{number}:{}", "x".repeat(len)).into_bytes();
        frame.push(b'>');
        frame
    }

    /// What the sum says: written, failed, and whether one is kept.
    #[derive(Default)]
    struct Sum {
        offered: usize,
        written: usize,
        failed: usize,
        kept: bool,
    }

    impl Sum {
        fn add(&mut self, offered: usize, outcome: &Written) {
            let failed = (usize::from(self.kept) + offered)
                .checked_sub(outcome.frames + usize::from(outcome.kept))
                .expect("no more frames come out than went in");
            assert!(outcome.error.is_some() || failed == 0, "frames fail only with an error");
            assert!(outcome.error.is_some() || !outcome.kept, "a rest is kept only with an error");
            self.offered += offered;
            self.written += outcome.frames;
            self.failed += failed;
            self.kept = outcome.kept;
        }
    }

    proptest! {
        #[test]
        fn bytes_and_counts_agree_with_a_model(answers in answers(), actions in actions()) {
            let mut place = Place { answers: answers.into_iter(), taken: Vec::new() };
            let mut writer = FrameWriter::default();
            let mut sum = Sum::default();
            let mut offered = Vec::new();
            for action in actions {
                let outcome = match action {
                    Action::Flush => {
                        let outcome = writer.flush(|bytes| place.put(bytes));
                        sum.add(0, &outcome);
                        outcome
                    }
                    Action::Write(lens) => {
                        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
                        for len in lens {
                            offered.push(frame(offered.len() as u32, len));
                            bytes.extend_from_slice(offered.last().unwrap());
                            ends.push(bytes.len());
                        }
                        let batch = Frames { bytes: &bytes, ends: &ends };
                        let outcome = writer.write(&batch, |bytes| place.put(bytes));
                        sum.add(ends.len(), &outcome);
                        outcome
                    }
                };
                prop_assert_eq!(outcome.kept, writer.is_torn());
                prop_assert_eq!(whole_frames(&place.taken, &offered), (sum.written, sum.kept));
                prop_assert_eq!(sum.offered, sum.written + sum.failed + usize::from(sum.kept));
            }
            // The place recovers: nothing stays torn.
            place.answers = Vec::new().into_iter();
            let outcome = writer.flush(|bytes| place.put(bytes));
            sum.add(0, &outcome);
            prop_assert!(outcome.error.is_none());
            prop_assert_eq!(whole_frames(&place.taken, &offered), (sum.written, false));
            prop_assert_eq!(sum.offered, sum.written + sum.failed);
        }
    }

    /// How many whole frames lie in `taken`, in order and each at most once, and whether a part of
    /// another follows. Panics at anything else.
    fn whole_frames(mut taken: &[u8], offered: &[Vec<u8>]) -> (usize, bool) {
        let mut whole = 0;
        let mut offered = offered.iter();
        while !taken.is_empty() {
            if let Some(rest) = offered.by_ref().find_map(|frame| taken.strip_prefix(&frame[..])) {
                (whole, taken) = (whole + 1, rest);
            } else {
                assert!(!taken.contains(&b'>'), "torn: {:?}", String::from_utf8_lossy(taken));
                return (whole, true);
            }
        }
        (whole, false)
    }

    #[test]
    fn a_large_batch_is_one_call() {
        let bytes = vec![b'x'; 1 << 20];
        let ends: Vec<usize> = (1..=1024).map(|i| i * 1024).collect();
        let mut calls = 0;
        let outcome = FrameWriter::default().write(&Frames { bytes: &bytes, ends: &ends }, |b| {
            calls += 1;
            Ok(b.len())
        });
        assert_eq!((outcome.frames, calls), (1024, 1));
    }

    #[test]
    fn a_place_that_claims_too_much_or_nothing_does_not_spoil_the_count() {
        let batch = Frames { bytes: b"ab\ncd\n", ends: &[3, 6] };
        assert_eq!(FrameWriter::default().write(&batch, |_| Ok(100)).frames, 2);
        let outcome = FrameWriter::default().write(&batch, |_| Ok(0));
        assert_eq!((outcome.frames, outcome.kept), (0, false));
        assert_eq!(outcome.error.unwrap().kind(), io::ErrorKind::WriteZero);
    }
}
