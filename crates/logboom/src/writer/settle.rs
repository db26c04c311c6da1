//! What a sink's answer means for the accounting.
//!
//! A sink takes frames in order: first the one it had kept, if any, then those it is offered. Of
//! these the first [`Written::frames`] are through, the next one may be kept, the others failed. A
//! sink of somebody else's making may answer nonsense; it is then taken at the word that counts
//! least as written.

use crate::sink::Written;

/// What a frame is: only records are in the accounting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Record,
    Notice,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) written: u64,
    pub(crate) failed: u64,
    pub(crate) notices_written: u64,
    /// The frame that the sink keeps now.
    pub(crate) kept: Option<Frame>,
    /// Whether every frame is written or kept.
    pub(crate) complete: bool,
}

/// Settles an offer of `offered` frames of one kind to a sink that had kept `kept`.
pub(crate) fn settle(
    kept: Option<Frame>,
    kind: Frame,
    offered: usize,
    written: &Written,
) -> Settled {
    let before = usize::from(kept.is_some());
    let all = before + offered;
    let through = written.frames.min(all);
    let keeps = written.kept && through < all;
    let at = |index: usize| if index < before { kept.unwrap_or(kind) } else { kind };
    let mut settled = Settled {
        kept: keeps.then(|| at(through)),
        complete: through + usize::from(keeps) == all,
        ..Settled::default()
    };
    // At most one frame is of another kind than the rest, so two steps count them all.
    let mut count = |from: usize, to: usize, was_written: bool| {
        let first_kept = u64::from(from < before && from < to);
        let rest = to.saturating_sub(from) as u64 - first_kept;
        for (frame, n) in [(kept.unwrap_or(kind), first_kept), (kind, rest)] {
            match (frame, was_written) {
                (Frame::Record, true) => settled.written += n,
                (Frame::Record, false) => settled.failed += n,
                (Frame::Notice, true) => settled.notices_written += n,
                (Frame::Notice, false) => {}
            }
        }
    };
    count(0, through, true);
    count(through + usize::from(keeps), all, false);
    settled
}

#[cfg(test)]
mod tests {
    use super::Frame::{Notice, Record};
    use super::*;

    fn answer(frames: usize, kept: bool) -> Written {
        Written { frames, kept, error: None }
    }

    #[test]
    fn every_frame_ends_in_one_place_whatever_the_sink_says() {
        for kept in [None, Some(Record), Some(Notice)] {
            for kind in [Record, Notice] {
                for (offered, frames, keeps) in
                    (0..4).flat_map(|o| (0..6).flat_map(move |f| [(o, f, false), (o, f, true)]))
                {
                    let settled = settle(kept, kind, offered, &answer(frames, keeps));
                    let records = u64::from(kept == Some(Record))
                        + if kind == Record { offered as u64 } else { 0 };
                    let still = u64::from(settled.kept == Some(Record));
                    assert_eq!(settled.written + settled.failed + still, records);
                }
            }
        }
    }

    #[test]
    fn the_kept_frame_comes_first() {
        let settled = settle(Some(Record), Notice, 1, &answer(1, true));
        let expected =
            Settled { written: 1, kept: Some(Notice), complete: true, ..Settled::default() };
        assert_eq!(settled, expected);
        let settled = settle(Some(Notice), Record, 5, &answer(3, true));
        let expected = Settled {
            written: 2,
            failed: 2,
            notices_written: 1,
            kept: Some(Record),
            complete: false,
        };
        assert_eq!(settled, expected);
        let settled = settle(Some(Record), Record, 2, &answer(0, false));
        assert_eq!(settled, Settled { failed: 3, ..Settled::default() });
    }
}
