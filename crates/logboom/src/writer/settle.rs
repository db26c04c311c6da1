//! What a sink's answer means for the accounting.
//!
//! A sink takes frames in order: first the one it had kept, if any, then those it is offered. Of
//! these the first [`Written::frames`] are through, the next one may be kept, the others failed. A
//! sink of somebody else's making may answer nonsense; it is then taken at the word that counts
//! least as written.

use crate::record::RouteId;
use crate::sink::Written;

/// What a frame is: only records are in the accounting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Record,
    Notice,
}

/// Whose a frame is, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) route: RouteId,
    pub(crate) frame: Frame,
}

/// Frames of one origin that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) origin: Origin,
    pub(crate) frames: usize,
}

/// What became of the frames of a run. What is not in here, the sink keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) written: u64,
    pub(crate) failed: u64,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The frame that the sink keeps now.
    pub(crate) kept: Option<Origin>,
    /// Whether every frame is written or kept. If not, the last one is among those that failed.
    pub(crate) complete: bool,
}

/// Settles an offer of `runs` to a sink that had kept `kept`; tells `each` what became of the kept
/// frame and of each run, in order.
pub(crate) fn settle(
    kept: Option<Origin>,
    runs: &[Run],
    written: &Written,
    mut each: impl FnMut(Origin, Fate),
) -> Settled {
    let before = kept.map(|origin| Run { origin, frames: 1 });
    let runs = before.iter().chain(runs);
    let all = runs.clone().map(|run| run.frames).sum();
    let through = written.frames.min(all);
    let keeps = written.kept && through < all;
    let failing = through + usize::from(keeps);
    let mut settled = Settled { kept: None, complete: failing == all };
    let mut from = 0;
    for &Run { origin, frames } in runs {
        let to = from + frames;
        let written = through.clamp(from, to) - from;
        let failed = to - failing.clamp(from, to);
        if written + failed < frames {
            settled.kept = Some(origin);
        }
        each(origin, Fate { written: written as u64, failed: failed as u64 });
        from = to;
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::Frame::{Notice, Record};
    use super::*;

    const fn origin(route: u32, frame: Frame) -> Origin {
        Origin { route: RouteId(route), frame }
    }

    fn run(route: u32, frame: Frame, frames: usize) -> Run {
        Run { origin: origin(route, frame), frames }
    }

    /// What `settle` says, with (route, written, failed) of the kept frame and each run.
    fn told(
        kept: Option<Origin>,
        runs: &[Run],
        frames: usize,
        keeps: bool,
    ) -> (Settled, Vec<(u32, u64, u64)>) {
        let (written, mut all) = (Written { frames, kept: keeps, error: None }, Vec::new());
        let settled = settle(kept, runs, &written, |origin, fate| {
            all.push((origin.route.0, fate.written, fate.failed));
        });
        (settled, all)
    }

    #[test]
    fn every_frame_ends_in_one_place_whatever_the_sink_says() {
        let kinds = [None, Some(origin(1, Record)), Some(origin(9, Notice))];
        for (kept, (first, second)) in
            kinds.into_iter().flat_map(|kept| (0..9).map(move |n| (kept, (n % 3, n / 3))))
        {
            let runs = [run(1, Record, first), run(2, Record, second)];
            for (frames, keeps) in (0..8).flat_map(|frames| [(frames, false), (frames, true)]) {
                let (settled, all) = told(kept, &runs, frames, keeps);
                let offered = kept.map(|_| 1).into_iter().chain([first as u64, second as u64]);
                let missing: u64 = offered.zip(&all).map(|(n, told)| n - told.1 - told.2).sum();
                assert_eq!(missing, u64::from(settled.kept.is_some()));
                assert!(keeps || settled.kept.is_none());
            }
        }
    }

    #[test]
    fn the_kept_frame_comes_first() {
        let (record, notice) = (origin(1, Record), origin(2, Notice));
        let one_notice = [run(2, Notice, 1)];
        assert_eq!(
            told(Some(record), &one_notice, 1, true),
            (Settled { kept: Some(notice), complete: true }, vec![(1, 1, 0), (2, 0, 0)])
        );
        assert_eq!(
            told(Some(notice), &[run(1, Record, 5)], 3, true),
            (Settled { kept: Some(record), complete: false }, vec![(2, 1, 0), (1, 2, 2)])
        );
        assert_eq!(
            told(Some(record), &[run(1, Record, 2)], 0, false),
            (Settled { kept: None, complete: false }, vec![(1, 0, 1), (1, 0, 2)])
        );
    }

    #[test]
    fn the_runs_of_several_routes_get_what_is_theirs() {
        let runs = [run(1, Record, 2), run(2, Record, 3), run(1, Record, 1)];
        assert_eq!(
            told(Some(origin(3, Record)), &runs, 4, true),
            (
                Settled { kept: Some(origin(2, Record)), complete: false },
                vec![(3, 1, 0), (1, 2, 0), (2, 1, 1), (1, 0, 1)]
            )
        );
    }
}
