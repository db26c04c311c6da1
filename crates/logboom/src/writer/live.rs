//! A route as the writer has it: what makes its text, and what it has counted but not published.
//!
//! Invariants:
//! 1. A panic or an error of the route's filter or formatter ends here: the delivery counts as
//!    failed, the buffer is as it was before, and the route goes on.
//! 2. Counts collect in `tally` and are published within the ring's release, see [`crate::metrics`].
//!
//! Its sink, which other routes may share, is in `sink.rs`; `routes.rs` brings the two together.

use crate::barrier::Flush;
use crate::format::{FormatCache, Redactor};
use crate::metrics::{Drops, Tally};
use crate::notice;
use crate::record::{MessageView, RecordView};
use crate::route::registry::Entry;
use crate::writer::faults::Faults;
use crate::writer::settle::{Fate, Frame, Origin};
use crate::writer::staging::Staging;
use crate::writer::words;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// An open route in the writer's hands.
pub(super) struct LiveRoute {
    pub(super) entry: Arc<Entry>,
    /// The place of its sink.
    pub(super) sink: usize,
    cache: FormatCache,
    /// What the sink keeps the rest of, if it is this route's.
    pub(super) kept: Option<Frame>,
    tally: Tally,
    failed_since_flush: u64,
    pub(super) written_since_sync: u64,
    notices_written: u64,
    told: Drops,
    /// When the first was logged of those that no notice has told.
    untold_since_ns: Option<i64>,
    /// When the last notice was.
    told_at: Option<Duration>,
    /// Whether the writer has it on its list of routes to write and to publish.
    pub(super) touched: bool,
}

impl LiveRoute {
    pub(super) fn new(entry: Arc<Entry>, sink: usize) -> Self {
        LiveRoute {
            entry,
            sink,
            cache: FormatCache::default(),
            kept: None,
            tally: Tally::default(),
            failed_since_flush: 0,
            written_since_sync: 0,
            notices_written: 0,
            told: Drops::default(),
            untold_since_ns: None,
            told_at: None,
            touched: false,
        }
    }

    /// Asks the filter; counts what it refuses.
    #[inline]
    pub(super) fn accepts(&mut self, record: &RecordView<'_>, faults: &mut Faults) -> bool {
        let Some(filter) = &self.entry.spec.filter else { return true };
        match catch_unwind(AssertUnwindSafe(|| filter.accept(record))) {
            Ok(true) => return true,
            Ok(false) => self.tally.filtered += 1,
            Err(panic) => {
                self.tally.failed += 1;
                self.failed_since_flush += 1;
                self.note(faults, || format!("filter panicked: {}", words(&*panic)));
            }
        }
        false
    }

    /// Whether its filter refused something that it has not told.
    #[inline]
    pub(super) fn is_owing(&self) -> bool {
        self.entry.spec.filter.as_ref().is_some_and(|filter| {
            catch_unwind(AssertUnwindSafe(|| filter.is_owing())).unwrap_or_default()
        })
    }

    /// Appends a record to the buffer, or counts it as failed and leaves the buffer as it was.
    #[inline]
    pub(super) fn stage(
        &mut self,
        record: &RecordView<'_>,
        staging: &mut Staging,
        redactor: &mut Redactor,
        faults: &mut Faults,
    ) {
        if !self.format(record, Frame::Record, staging, redactor, faults) {
            self.tally.failed += 1;
            self.failed_since_flush += 1;
        }
    }

    /// Appends a frame to the buffer; if that fails, it is noted and the buffer as it was.
    #[inline]
    pub(super) fn format(
        &mut self,
        record: &RecordView<'_>,
        frame: Frame,
        staging: &mut Staging,
        redactor: &mut Redactor,
        faults: &mut Faults,
    ) -> bool {
        let start = staging.bytes.len();
        let origin = Origin { route: self.entry.id, frame };
        if let MessageView::Line(line) = record.message {
            redactor.line(line, &mut staging.bytes);
            staging.end_frame(origin);
            return true;
        }
        let (spec, cache) = (&self.entry.spec, &mut self.cache);
        let formatted = catch_unwind(AssertUnwindSafe(|| {
            redactor.format(&*spec.formatter, record, cache, &mut staging.bytes)
        }));
        let text = match formatted {
            Ok(Ok(())) => {
                staging.bytes.extend_from_slice(&spec.terminator);
                staging.end_frame(origin);
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panic) => {
                // It may have left the cache half changed.
                self.cache = FormatCache::default();
                format!("formatter panicked: {}", words(&*panic))
            }
        };
        staging.bytes.truncate(start);
        self.note(faults, || text);
        false
    }

    /// Counts what became of frames of this route. What is kept is said by [`LiveRoute::kept`].
    pub(super) fn count(&mut self, frame: Frame, fate: Fate) {
        match frame {
            Frame::Record => {
                self.tally.written += fate.written;
                self.tally.failed += fate.failed;
                self.written_since_sync += fate.written;
                self.failed_since_flush += fate.failed;
            }
            Frame::Notice => self.notices_written += fate.written,
        }
    }

    /// What a flush answers; starts the next one's count.
    pub(super) fn flushed(&mut self, synced: bool) -> Flush {
        let mut records = std::mem::take(&mut self.failed_since_flush);
        records += u64::from(self.kept == Some(Frame::Record));
        if !synced {
            records += self.written_since_sync;
        }
        if records == 0 && synced { Flush::Done } else { Flush::Failed { records } }
    }

    /// What callers dropped and no notice has told, and when the first of it was logged, as far as
    /// that is known.
    pub(super) fn untold(&mut self) -> Option<(Drops, Option<i64>)> {
        let since = self.entry.counters.take_dropped_since_ns();
        self.untold_since_ns = self.untold_since_ns.or(since);
        let drops = notice::untold(&self.entry.counters.drops(), &self.told)?;
        Some((drops, self.untold_since_ns))
    }

    /// How long ago, at `now`, the last notice was.
    pub(super) fn told_ago(&self, now: Duration) -> Option<Duration> {
        self.told_at.map(|told_at| now.saturating_sub(told_at))
    }

    /// A notice that stands for `drops` is with the sink.
    pub(super) fn mark_told(&mut self, drops: &Drops, now: Duration) {
        self.untold_since_ns = None;
        self.told_at = Some(now);
        for (told, drops) in self.told.iter_mut().zip(drops) {
            *told += drops;
        }
    }

    /// Publishes what was counted and returns how many notices were written. Within the ring's
    /// release only.
    pub(super) fn publish(&mut self) -> u64 {
        self.touched = false;
        self.entry.counters.publish(&std::mem::take(&mut self.tally));
        self.entry.counters.set_kept(u64::from(self.kept == Some(Frame::Record)));
        // A flush has to tell what a filter refused, too.
        let owing = self.kept.is_some() || self.failed_since_flush > 0 || self.is_owing();
        self.entry.counters.set_owing(owing);
        std::mem::take(&mut self.notices_written)
    }

    #[cold]
    fn note(&self, faults: &mut Faults, text: impl FnOnce() -> String) {
        let name = &self.entry.spec.name;
        faults.note(|| format!("route `{name}`: a record failed: {}", text()));
    }
}
